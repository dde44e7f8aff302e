"""Traffic and dependencies in the oracle: what goes from each place to each, as a transport of its
own in every period."""
from fractions import Fraction as F

from oracle_uncertainty import tagged


def matches(pattern, place):
    return place.startswith(pattern[:-1]) if pattern.endswith("*") else place == pattern


class Places:
    def __init__(self, oracle):
        self.o = oracle

    def entry(self, sender, receiver, has):
        return next((e for e in self.o.m.egress_prices
                     if has(e) and self.names(e, sender, receiver)), None)

    @staticmethod
    def names(e, sender, receiver):
        start = getattr(e, "from")
        if sender == receiver:
            return start == e.to == sender
        return matches(start, sender) and matches(e.to, receiver)

    def price(self, sender, receiver):
        e = self.entry(sender, receiver, lambda e: e.HasField("price_per_gb"))
        if e is None:
            assert sender == receiver
            return F(0), self.o.base
        money = e.price_per_gb
        return F(money.units) + F(money.nanos, 10**9), money.currency_code

    def latency(self, one, other):
        def has(e):
            return e.WhichOneof("opt_latency") is not None

        e = self.entry(one, other, has) or self.entry(other, one, has)
        assert e is not None or one == other
        return self.o.decimal(e.latency_ms) if e is not None else F(0)


def region(oracle, o):
    return "/".join(oracle.place(oracle.O[o])[:2])


def served_in(oracle, a, t, where):
    return oracle.served(a, t, lambda o: region(oracle, o) == where)


def regions_of(oracle, a):
    return sorted({region(oracle, o) for b, o, _ in oracle.s if b == a})


def cell_team(oracle, a):
    return oracle.m.workloads[a].team or "default"


def counts(oracle, budget, a, sender):
    scope = budget.WhichOneof("scope")
    if scope == "provider":
        return sender.split("/")[0] == budget.provider
    if scope == "team":
        return cell_team(oracle, a) == budget.team
    return scope is None


def add_flow(oracle, places, rule, a, t, source, where):
    """One route as a variable that pays for both directions, or None when it is too long."""
    cap = oracle.decimal(rule.maximum_latency_ms)
    if cap and places.latency(source, where) > cap:
        return None
    with tagged(oracle, t // oracle.n):
        flow = oracle.p.var()
    for gb, sender, receiver in ((rule.gb_per_unit_hour, source, where),
                                 (rule.gb_back_per_unit_hour, where, source)):
        if not gb:
            continue
        price, currency = places.price(sender, receiver)
        each = oracle.h[t] * oracle.decimal(gb) * price
        oracle.add("money", flow, each * oracle.rate(currency, oracle.base))
        for budget, inside, window_currency, row in oracle.window_rows:
            if t in inside and counts(oracle, budget, a, sender):
                row[0] = row[0] + [(flow, each * oracle.rate(currency, window_currency))]
    return flow


def unserved(oracle, a, t):
    return [(oracle.u[a, t], F(1))] if (a, t) in oracle.u else []


def add_traffic_of(oracle, places, a, rule, t):
    demand = oracle.demand(oracle.m.workloads[a], t)
    arrivals = {where: [] for where in regions_of(oracle, a)}
    for source in rule.sources if demand > 0 else []:
        share, sent = oracle.decimal(source.share), []
        for where, arrived in arrivals.items():
            flow = add_flow(oracle, places, rule, a, t, source.region, where)
            if flow:
                sent.append((flow, F(1)))
                arrived.append((flow, F(-1)))
        oracle.p.row(sent + [(v, share) for v, _ in unserved(oracle, a, t)], ">", share * demand)
    slack = F(len(rule.sources) * (int(demand) + 2), 10**9)  # shares have 9 places
    for where, arrived in arrivals.items():
        if arrived:
            oracle.p.row(served_in(oracle, a, t, where) + arrived, ">", -slack)


def add_dependency(oracle, places, a, rule, t):
    other = next(i for i, w in enumerate(oracle.m.workloads) if w.id == rule.workload)
    mine, its = (oracle.demand(oracle.m.workloads[i], t) for i in (a, other))
    if mine == 0 or its == 0:
        return
    leaves, enters = ({w: [] for w in regions_of(oracle, i)} for i in (a, other))
    for source, left in leaves.items():
        for where, entered in enters.items():
            flow = add_flow(oracle, places, rule, a, t, source, where)
            if flow:
                left.append((flow, F(-1)))
                entered.append((flow, F(-1)))
    for source, left in leaves.items():
        oracle.p.row(served_in(oracle, a, t, source) + left, ">", 0)
    for where, entered in enters.items():
        oracle.p.row([(v, c * mine / its) for v, c in served_in(oracle, other, t, where)] + entered,
                     ">", 0)
    everything = [(v, -c) for left in leaves.values() for v, c in left]
    oracle.p.row(everything + unserved(oracle, a, t) +
                 [(v, c * mine / its) for v, c in unserved(oracle, other, t)], ">", mine)


def add_traffic(oracle):
    """After the budgets' rows, which it adds to."""
    places = Places(oracle)
    for a, w in enumerate(oracle.m.workloads):
        for t in oracle.T:
            if w.HasField("traffic"):
                add_traffic_of(oracle, places, a, w.traffic, t)
            for rule in w.dependencies:
                add_dependency(oracle, places, a, rule, t)
