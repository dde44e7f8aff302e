"""An independent formulation of docs/reference/model.md, for small models with inline catalogs.

It reads the public Model message, enumerates every fill pattern (not only maximal ones), writes CPLEX
LP files and has CBC solve them at gap 0, tier by tier. It shares nothing with the product.
"""
import itertools
import math
import os
import subprocess
import tempfile
from fractions import Fraction as F

from oracle_affinity import add_affinities
from oracle_box import counted_loss, risen
from oracle_fair import fair_stages
from oracle_uncertainty import add_tail, futures, in_future, tagged
from oracle_volumes import add_volumes
from oracle_ramp import add_ramps
from oracle_traffic import add_traffic

RESOURCES = ("vcpu", "memory_gib", "gpu")
NANO = 10**9


def decimal(value):
    return F(repr(value)) if isinstance(value, float) else F(value)


def money(message):
    return F(message.units) + F(message.nanos, NANO)


def floor9(value):
    return F(math.floor(value * NANO), NANO)


def ceil9(value):
    return F(math.ceil(value * NANO), NANO)


def half_even9(value):
    return F(round(value * NANO), NANO)  # Python rounds half to even


def text_matches(patterns, text):
    return not patterns or any(
        text.startswith(p[:-1]) if p.endswith("*") else text == p for p in patterns)


class CbcFailed(Exception):
    """CBC ended on a signal."""


class Program:
    """Variables, rows and objectives as sparse sums."""

    def __init__(self):
        self.variables = {}  # name -> (low, up, integer)
        self.rows = []  # (terms, sense, right side)

    def var(self, low=0, up=None, integer=False):
        name = f"v{len(self.variables)}"
        self.variables[name] = (low, up, integer)
        return name

    def row(self, terms, sense, right):
        merged = {}
        for name, coefficient in terms:
            merged[name] = merged.get(name, 0) + coefficient
        self.rows.append(({n: c for n, c in merged.items() if c}, sense, right))

    def minimise(self, objective, extra=(), seconds=None):
        """The least value; with `seconds` the best that CBC finds in them, which may be dearer
        or None."""
        def terms(items):
            return " ".join(f"{'+' if c >= 0 else '-'} {float(abs(c)):.15g} {n}\n"
                            for n, c in items.items())

        lines = ["Minimize", "obj: " + (terms(objective) or "0 zero"), "Subject To"]
        senses = {"<": "<=", ">": ">=", "=": "="}
        for i, (row, sense, right) in enumerate([*self.rows, *extra]):
            if not row:
                if (sense == "<" and right < 0) or (sense == ">" and right > 0) or \
                        (sense == "=" and right != 0):
                    return None
                continue
            lines.append(f"r{i}: {terms(row)} {senses[sense]} {float(right):.15g}")
        lines.append("one: zero >= 0")
        lines.append("Bounds")
        for name, (low, up, _) in self.variables.items():
            lines.append(f"{float(low):.15g} <= {name} <= "
                         f"{'inf' if up is None else f'{float(up):.15g}'}")
        whole = [n for n, (_, _, integer) in self.variables.items() if integer]
        if whole:
            lines += ["Generals", *whole]
        lines.append("End")
        with tempfile.TemporaryDirectory() as folder:
            path, answer = os.path.join(folder, "m.lp"), os.path.join(folder, "out.txt")
            with open(path, "w") as file:
                file.write("\n".join(lines) + "\n")
            self.run_cbc(path, answer, seconds)
            with open(answer) as file:
                status = file.readline()
        if "nfeasible" in status or (seconds and "no integer solution" in status):
            return None
        if not status.startswith("Optimal") and not (seconds and "Stopped on time" in status):
            raise RuntimeError(f"CBC did not finish: {status}")
        return float(status.split("objective value")[1])


    @staticmethod
    def run_cbc(path, answer, seconds):
        """CBC 2.10.8 answers some models below their true optimum when it may preprocess, others above it
        when it may probe (seed 88194), or above it or with a signal when it may use its heuristics. Where
        any plan will do (`seconds`), the heuristics come first: without them it has none in time."""
        ways = (["heuristicsOnOff", "off"], [])
        for less in reversed(ways) if seconds else ways:
            done = subprocess.run(
                ["cbc", path, "preprocess", "off", "probing", "off", *less, "ratioGap", "0", "allowableGap", "0", "primalT", "1e-9",
                 "integerT", "1e-8", "sec", str(seconds or 120), "solve", "solu", answer],
                capture_output=True, timeout=300)
            if done.returncode == 0:
                return
        raise CbcFailed(f"CBC ended with {done.returncode} on {path}")


class Oracle:
    def __init__(self, model):
        self.m = model
        self.p = Program()
        self.base = model.currency.base_currency or "USD"
        self.futures = futures(model)
        self.n = len(model.periods)
        self.T = range(self.n * len(self.futures))
        self.h = [self.futures[t // self.n][0] * decimal(model.periods[t % self.n].hours) for t in self.T]
        self.H = sum(self.h)
        self.O = list(model.catalog.offerings)
        self.teams = {}
        for w in model.workloads:
            self.teams.setdefault(w.team or "default", [])
        self.read_rates()
        self.objective = {"money": {}, "prefer": {}, "moves": {}}
        self.constant = F(0)
        self.unserved = {}
        self.build()

    # --- catalog ---

    def read_rates(self):
        self.rates = {self.base: F(1)}
        for rate in self.m.currency.rates:
            a, b = rate.pair.split("/")
            value = decimal(rate.rate)
            if b == self.base:
                self.rates[a] = value
            else:
                self.rates[b] = half_even9(1 / value)

    def rate(self, a, b):
        if a == b:
            return F(1)
        if b == self.base:
            return self.rates[a]
        return half_even9(self.rates[a] / self.rates[b])

    def place(self, o):
        return o.provider, o.region or "*", o.zone or "*"

    def offering_id(self, o):
        purchase = {1: "on-demand", 2: "spot"}[o.purchase]
        return "/".join([*self.place(o), o.type, o.os or "linux", purchase])

    def term(self, t, o):
        provider, region, zone = self.place(o)
        return (text_matches(t.provider, provider) and text_matches(t.region, region) and
                text_matches(t.zone, zone) and text_matches(t.family, o.family) and
                text_matches(t.type, o.type) and text_matches(t.arch, o.arch) and
                text_matches(t.os, o.os or "linux") and
                (not t.purchase or o.purchase in t.purchase) and
                text_matches(t.offering, self.offering_id(o)))

    def selects(self, selector, o):
        inside = not selector.include or any(self.term(t, o) for t in selector.include)
        return inside and not any(self.term(t, o) for t in selector.exclude)

    def price(self, o, t):
        for special in o.period_prices:
            if self.m.periods[t % self.n].id in special.periods:
                return money(special.price)
        return money(o.price)

    def currency(self, o):
        return o.price.currency_code

    def resource(self, o, name):
        return decimal(getattr(o.resources, name)) if o.resources.WhichOneof("opt_" + name) else None

    # --- workloads ---

    def allowed(self, w, o):
        if w.HasField("allowed") and not self.selects(w.allowed, o):
            return False
        return not (w.HasField("forbidden") and self.selects(w.forbidden, o))

    def serves(self, w, o):
        if not self.allowed(w, o):
            return F(0)
        for row in w.throughput.performance:
            if not row.HasField("offerings") or self.selects(row.offerings, o):
                kind = row.WhichOneof("rate")
                rate = decimal(getattr(row, kind))
                if kind != "per_instance":
                    resource = self.resource(o, {"per_vcpu": "vcpu",
                                                 "per_memory_gib": "memory_gib",
                                                 "per_gpu": "gpu"}[kind])
                    if resource is None:
                        return F(0)
                    rate *= resource
                alpha = decimal(o.availability) if o.WhichOneof("opt_availability") else F(1)
                return floor9(alpha * rate)
        return F(0)

    def demand(self, w, t):
        values = w.throughput.rate if w.HasField("throughput") else w.replicas.count
        said = decimal(values[0] if len(values) == 1 else values[t % self.n])
        return risen(w, in_future(self.futures[t // self.n][1], said, w.HasField("replicas")))

    def required(self, w, t):
        return ceil9((1 + decimal(w.headroom)) * self.demand(w, t))

    def patterns(self, team, o):
        """All fills of one instance, as {workload index: count}; idle only where it could hold one."""
        overhead = next((t.overhead for t in self.m.teams if t.id == team), None)
        room = {}
        for k in RESOURCES:
            have = self.resource(o, k)
            taken = decimal(getattr(overhead, k)) if overhead is not None else F(0)
            room[k] = None if have is None else have - taken
        members = [i for i, w in enumerate(self.m.workloads)
                   if w.HasField("replicas") and (w.team or "default") == team]
        ranges = []
        for i in members:
            w = self.m.workloads[i]
            most = 10**6
            for k in RESOURCES:
                need = decimal(getattr(w.replicas.resources, k))
                if need > 0:
                    most = 0 if room[k] is None else min(most, max(0, math.floor(room[k] / need)))
            if w.replicas.maximum_per_instance:
                most = min(most, w.replicas.maximum_per_instance)
            ranges.append(range(most + 1 if self.allowed(w, o) else 1))
        if all(len(r) == 1 for r in ranges):
            return
        for counts in itertools.product(*ranges):
            if all(room[k] is None or
                   sum(c * decimal(getattr(self.m.workloads[i].replicas.resources, k))
                       for i, c in zip(members, counts)) <= room[k] for k in RESOURCES):
                yield dict(zip(members, counts))

    # --- the program ---

    def add(self, tier, name, coefficient):
        target = self.objective[tier]
        target[name] = target.get(name, 0) + coefficient

    def build(self):
        p, m = self.p, self.m
        self.x = {}  # (cell, offering, t) -> [(variable, multiplicity)]
        self.s = {}  # (workload, offering, t) -> [(variable, served)]
        for a, w in enumerate(m.workloads):
            if not w.HasField("throughput"):
                continue
            for o, offering in enumerate(self.O):
                served = self.serves(w, offering)
                for t in self.T:
                    if served > 0:
                        v = p.var(integer=True)
                        self.x[("w", a), o, t] = [v]
                        self.s[a, o, t] = [(v, served)]
        for team in self.teams:
            for o, offering in enumerate(self.O):
                for pattern in self.patterns(team, offering):
                    for t in self.T:
                        v = p.var(integer=True)
                        self.x.setdefault((("t", team), o, t), []).append(v)
                        for a, count in pattern.items():
                            if count:
                                self.s.setdefault((a, o, t), []).append((v, F(count)))
        self.build_demand()
        self.build_commitments()
        self.build_rules()
        self.build_budgets()
        add_traffic(self)
        self.build_moves()
        add_volumes(self)
        for (cell, o, t), names in self.x.items():
            for v in names:
                self.add("money", v, self.h[t] * self.price(self.O[o], t) *
                         self.rate(self.currency(self.O[o]), self.base))
        add_tail(self)

    decimal = staticmethod(decimal)

    def to_base(self, amount):
        return half_even9(money(amount) * self.rate(amount.currency_code, self.base))

    def served(self, a, t, keeps=lambda o: True):
        return [(v, c) for (b, o, s), terms in self.s.items() if b == a and s == t and keeps(o)
                for v, c in terms]

    def build_demand(self):
        self.u = {}
        for a, w in enumerate(self.m.workloads):
            for t in self.T:
                terms = self.served(a, t)
                need = self.required(w, t)
                if not w.must_serve and need > 0:
                    v = self.u[a, t] = self.p.var(up=need)
                    terms = terms + [(v, F(1))]
                self.p.row(terms, ">", need)
            self.build_loss(a, w)

    def build_loss(self, a, w):
        """What is unserved in the objective."""
        weights = {}
        for t in self.T:
            demand = self.demand(w, t)
            if (a, t) not in self.u:
                continue
            if w.WhichOneof("service") == "penalty":
                weights[t] = self.h[t] * half_even9(
                    money(w.penalty) * self.rate(w.penalty.currency_code, self.base))
            elif demand > 0:
                weight = decimal(w.weight) if w.WhichOneof("opt_weight") else F(1)
                weights[t] = weight * self.h[t] / demand
        for v, weight in counted_loss(self, a, w, weights):
            if w.WhichOneof("service") == "penalty":
                self.add("money", v, weight)
            else:
                self.unserved.setdefault(w.priority, {})[v] = weight

    def cells(self):
        return sorted({cell for cell, _, _ in self.x}, key=str)

    def in_scope(self, cell, scope):
        if cell[0] == "w":
            w = self.m.workloads[cell[1]]
            workload, team = w.id, w.team or "default"
        else:
            workload, team = None, cell[1]
        if scope.workloads and workload not in scope.workloads:
            return False
        return not scope.teams or team in scope.teams

    def build_commitments(self):
        self.v, self.y, self.fees = {}, {}, {}
        for c, product in enumerate(self.m.catalog.products):
            rate = self.rate(product.hourly_fee.currency_code or product.upfront.currency_code,
                             self.base)
            held = sum((decimal(e.quantity) for e in product.existing), F(0))
            fee, upfront = money(product.hourly_fee), money(product.upfront)
            lot = decimal(product.lot) if product.kind == 2 and product.WhichOneof("opt_lot") else F(1)
            most = None
            if product.WhichOneof("opt_purchasable_maximum"):
                most = decimal(product.purchasable_maximum)
            if self.H < 24 and not self.m.options.horizon_repeats:
                most = 0
            y = self.y[c] = self.p.var(up=most, integer=True)
            term = decimal(product.term_hours)
            self.fees[c] = (fee, upfront, term, held)
            self.constant += self.H * fee * held * rate
            self.add("money", y, self.H * fee * rate + upfront * rate * min(term, self.H) / term)
            for t in self.T:
                used = []
                for (cell, o, s), _ in list(self.x.items()):
                    offering = self.O[o]
                    if s != t or offering.purchase != 1 or \
                            not self.selects(product.eligible, offering) or \
                            not self.in_scope(cell, product.scope):
                        continue
                    use = self.use(product, offering)
                    v = self.v[c, cell, o, t] = self.p.var()
                    used.append((v, use))
                    self.add("money", v, -self.h[t] * self.price(offering, t) *
                             self.rate(self.currency(offering), self.base))
                self.p.row(used + [(y, -lot)], "<", lot * held)
        for (cell, o, t), names in self.x.items():
            covers = [(v, F(1)) for (c, d, q, s), v in self.v.items() if (d, q, s) == (cell, o, t)]
            if covers:
                self.p.row(covers + [(n, F(-1)) for n in names], "<", 0)

    def use(self, product, offering):
        for row in product.rates:
            if self.selects(row.offerings, offering):
                if row.WhichOneof("rate") == "units":
                    return decimal(row.units)
                ratio = decimal(row.price_ratio)
                break
        else:
            if product.kind == 1:
                return F(1)
            ratio = F(1)
        currency = product.hourly_fee.currency_code
        return half_even9(ratio * money(offering.price) *
                          self.rate(self.currency(offering), currency))

    def domain(self, o, level):
        provider, region, zone = self.place(self.O[o])
        return {1: (provider, region, zone), 2: (provider, region), 3: (provider,)}[level]

    def falls(self, o, level, d):
        if level != 1:
            return self.domain(o, level) == d
        provider, region, zone = self.place(self.O[o])
        return (provider, region) == d[:2] and zone in ("*", d[2])

    def build_rules(self):
        p = self.p
        for a, w in enumerate(self.m.workloads):
            options = sorted({o for (b, o, _) in self.s if b == a})
            for t in self.T:
                demand = self.demand(w, t)
                u = [(self.u[a, t], F(1))] if (a, t) in self.u else []
                for rule in w.shares:
                    inside = lambda o, rule=rule: self.selects(rule.offerings, self.O[o])
                    if rule.WhichOneof("opt_maximum"):
                        cap = decimal(rule.maximum)
                        p.row(self.served(a, t, inside) +
                              [(v, -cap * c) for v, c in self.served(a, t)], "<", 0)
                    if rule.WhichOneof("opt_minimum"):
                        low = decimal(rule.minimum)
                        p.row(self.served(a, t, inside) + [(v, low) for v, _ in u], ">",
                              low * demand)
                for rule in w.survive:
                    theta = decimal(rule.share)
                    for d in {self.domain(o, rule.level) for o in options}:
                        if demand > 0:
                            p.row(self.served(a, t, lambda o: self.O[o].purchase == 1 and
                                              not self.falls(o, rule.level, d)) +
                                  [(v, theta) for v, _ in u], ">", theta * demand)
            for rule in w.spread:
                eps = decimal(rule.minimum_share)
                counted = [o for o in options if self.spread_counts(options, o, rule.level)]
                flags = {d: p.var(up=1, integer=True)
                         for d in sorted({self.domain(o, rule.level) for o in counted})}
                for d, b in flags.items():
                    for t in self.T:
                        demand = self.demand(w, t)
                        u = [(self.u[a, t], eps)] if (a, t) in self.u else []
                        if demand > 0:
                            p.row(self.served(a, t, lambda o: o in counted and
                                              self.domain(o, rule.level) == d) + u +
                                  [(b, -eps * demand)], ">", 0)
                p.row([(b, F(1)) for b in flags.values()], ">", rule.minimum_domains)
        add_affinities(self)
        add_ramps(self)
        for limit in self.m.limits:
            self.build_limit(limit)

    def spread_counts(self, options, o, level):
        provider, region, zone = self.place(self.O[o])
        if level != 1 or zone != "*":
            return True
        return not any(self.place(self.O[q])[:2] == (provider, region) and
                       self.place(self.O[q])[2] != "*" for q in options)

    def over(self, policy, tier_weight, money_weight, today, probability=1):
        """The variable by which a rule may be broken, or None."""
        if policy.kind in (0, 1):
            return None
        v = self.p.var(up=today if policy.kind == 4 else None)
        if policy.kind == 2:
            self.price_pieces(v, policy, money_weight, probability)
        else:
            self.add("prefer", v, tier_weight)
        return v

    def price_pieces(self, v, policy, weight, probability):
        """v as a sum of pieces, each as wide as its step and at its price. Of a budget in a scenario all
        amounts are times its probability."""
        steps = [(F(0), policy.price)] if policy.HasField("price") else []
        steps += [(decimal(getattr(step, "from")), step.price) for step in policy.steps]
        pieces = []
        for i, (start, price) in enumerate(steps):
            width = steps[i + 1][0] - start if i + 1 < len(steps) else None
            piece = self.p.var(up=None if width is None else width * probability)
            pieces.append((piece, F(1)))
            self.add("money", piece, weight * half_even9(
                money(price) * self.rate(price.currency_code, self.base)))
        self.p.row(pieces + [(v, F(-1))], "=", 0)

    def today_count(self, o):
        offering = self.offering_id(self.O[o])
        return sum((decimal(i.count) for i in self.m.current.instances if i.offering == offering),
                   F(0))

    def build_limit(self, limit):
        metric = {0: None, 1: None, 2: "vcpu", 3: "memory_gib", 4: "gpu", 6: "carbon"}[limit.metric]

        def weight(o):
            if limit.HasField("scope") and not self.selects(limit.scope, self.O[o]):
                return F(0)
            if metric == "carbon":
                return decimal(self.O[o].carbon_kg_per_hour)
            return F(1) if metric is None else self.resource(self.O[o], metric)

        minimum = limit.WhichOneof("bound") == "minimum"
        bound = decimal(limit.minimum if minimum else limit.maximum)
        level = sum((self.today_count(o) * weight(o) for o in range(len(self.O))), F(0))
        today = max(F(0), bound - level if minimum else level - bound)
        for t in self.T:
            if limit.periods and self.m.periods[t % self.n].id not in limit.periods:
                continue
            terms = [(v, weight(o)) for (cell, o, s), names in self.x.items() if s == t
                     for v in names]
            if limit.or_nothing:
                gate = self.p.var(up=1, integer=True)
                self.p.row([*terms, (gate, -bound)], ">", 0)
                self.p.row([*terms, (gate, F(-1000))], "<", 0)
                continue
            with tagged(self, t // self.n):
                over = self.over(limit.policy, self.h[t] / self.H / (bound or 1), self.h[t], today)
            if over:
                terms.append((over, F(1) if minimum else F(-1)))
            self.p.row(terms, ">" if minimum else "<", bound)

    # --- budgets and moves ---

    def counts_product(self, budget, product):
        scope = budget.WhichOneof("scope")
        if scope is None:
            return True
        if scope == "provider":
            return product.provider == budget.provider
        if scope == "team":
            return all(not self.in_scope(cell, product.scope) or self.team_of(cell) == budget.team
                       for cell in [("w", a) for a, w in enumerate(self.m.workloads)
                                    if w.HasField("throughput")] +
                       [("t", t) for t in self.teams if self.has_pool(t)])
        return all(self.selects(budget.offerings, o) for o in self.O
                   if o.purchase == 1 and self.selects(product.eligible, o))

    def has_pool(self, team):
        return any(w.HasField("replicas") and (w.team or "default") == team
                   for w in self.m.workloads)

    def team_of(self, cell):
        return cell[1] if cell[0] == "t" else self.m.workloads[cell[1]].team or "default"

    def counts_instance(self, budget, cell, o):
        scope = budget.WhichOneof("scope")
        if scope == "provider":
            return self.O[o].provider == budget.provider
        if scope == "team":
            return self.team_of(cell) == budget.team
        return scope is None or self.selects(budget.offerings, self.O[o])

    def build_budgets(self):
        self.window_rows = []
        for budget in self.m.budgets:
            for index, window in enumerate(budget.windows):
                for s, (probability, _) in enumerate(self.futures):
                    self.build_window(budget, index, window, s, probability)

    def build_window(self, budget, index, window, s, probability):
        """A window of a budget in one scenario; all of it is times the scenario's probability."""
        basis = budget.basis or (1 if budget.WhichOneof("scope") == "team" else 2)
        inside = [s * self.n + t for t in range(self.n)
                  if not window.periods or self.m.periods[t].id in window.periods]
        currency = window.amount.currency_code
        amount = money(window.amount)
        if index == 0 and budget.HasField("spent_already"):
            amount = max(F(0), amount - money(budget.spent_already))
        inner = sum((decimal(self.m.periods[t % self.n].hours) for t in inside), F(0))
        if budget.prorate and decimal(window.hours) > inner:
            amount = floor9(amount * inner / decimal(window.hours))
        amount *= probability
        limit, terms = amount, []
        for (cell, o, t), names in self.x.items():
            if t in inside and self.counts_instance(budget, cell, o):
                price = self.h[t] * self.price(self.O[o], t) * \
                    self.rate(self.currency(self.O[o]), currency)
                terms += [(v, price) for v in names]
        if basis != 1:
            limit -= self.commitment_spend(budget, basis, inside, currency, terms)
        with tagged(self, s):
            over = self.over(budget.policy, 1 / (amount or 1), F(1), F(0), probability)
        if over:
            terms.append((over, F(-1)))
        row = [terms, "<", limit]
        self.window_rows.append((budget, inside, currency, row))
        self.p.rows.append(row)

    def commitment_spend(self, budget, basis, inside, currency, terms):
        fixed = F(0)
        counted = {c for c, product in enumerate(self.m.catalog.products)
                   if self.counts_product(budget, product)}
        for (c, cell, o, t), v in self.v.items():
            if c in counted and t in inside and self.counts_instance(budget, cell, o):
                terms.append((v, -self.h[t] * self.price(self.O[o], t) *
                              self.rate(self.currency(self.O[o]), currency)))
        for c in counted:
            product = self.m.catalog.products[c]
            fee, upfront, term, held = self.fees[c]
            rate = self.rate(product.hourly_fee.currency_code, currency)
            hours = sum((self.h[t] for t in inside), F(0))
            fixed += hours * fee * held * rate
            paid = hours * fee * rate
            if basis == 2:
                paid += upfront * rate * hours / term
            elif 0 in inside:
                paid += upfront * rate
            terms.append((self.y[c], paid))
        return fixed

    def build_moves(self):
        current = self.m.current
        self.moves = None
        if self.m.HasField("current"):
            starts, stops = [], []
            today = {}
            for i in current.instances:
                o = next(o for o, q in enumerate(self.O) if self.offering_id(q) == i.offering)
                cell = ("t", i.team) if i.team else \
                    ("w", next(a for a, w in enumerate(self.m.workloads) if w.id == i.workload))
                today[cell, o] = today.get((cell, o), 0) + decimal(i.count)
            keys = set(today) | {(cell, o) for cell, o, t in self.x if t == 0}
            for cell, o in sorted(keys, key=str):
                up, down = self.p.var(), self.p.var()
                starts.append(up)
                stops.append(down)
                self.p.row([(v, F(1)) for v in self.x.get((cell, o, 0), [])] +
                           [(up, F(-1)), (down, F(1))], "=", today.get((cell, o), F(0)))
                self.p.row([(down, F(1))], "<", today.get((cell, o), F(0)))
            most = decimal(current.maximum_moves) if current.WhichOneof("opt_maximum_moves") else None
            self.moves = self.p.var(up=most)
            self.p.row([(self.moves, F(1))] + [(v, F(-1)) for v in stops], ">",
                       -self.forced_stops(today))
            for names, cost in ((starts, current.start_cost), (stops, current.stop_cost),
                                ([self.moves], current.move_cost)):
                price = half_even9(money(cost) * self.rate(cost.currency_code or self.base,
                                                           self.base))
                for v in names:
                    self.add("money", v, price)
                for budget, inside, currency, row in self.window_rows:
                    if budget.WhichOneof("scope") is None and 0 in inside:
                        row[0] = row[0] + [(v, price * self.rate(self.base, currency))
                                           for v in names]
            self.add("moves", self.moves, F(1))
        for row in self.p.rows:
            if isinstance(row, list):
                merged = {}
                for name, coefficient in row[0]:
                    merged[name] = merged.get(name, 0) + coefficient
                row[0] = merged

    def forced_stops(self, today):
        forced = 0
        for a, w in enumerate(self.m.workloads):
            if not w.HasField("throughput"):
                continue
            mine = {o: n for (cell, o), n in today.items() if cell == ("w", a)}
            count = sum(mine.values(), F(0))
            serves = sum((n * self.serves(w, self.O[o]) for o, n in mine.items()), F(0))
            need = self.required(w, 0)
            if serves > need:
                forced += math.floor(count * (1 - need / serves))
        return forced

    def stages(self):
        """[(tier name, objective, constant)] in order."""
        ranks = sorted({w.priority for w in self.m.workloads
                        if w.WhichOneof("service") == "priority"})
        tiers = []
        for rank in ranks:
            tiers += fair_stages(self, rank)
            tiers.append((f"unserved priority {rank}", self.unserved.get(rank, {}), F(0)))
        policies = [x.policy.kind for x in [*self.m.limits, *self.m.budgets]]
        if any(kind in (3, 4) for kind in policies):
            tiers.append(("preferences", self.objective["prefer"], F(0)))
        tiers.append(("money", self.objective["money"], self.constant))
        if self.m.HasField("current"):
            tiers.append(("moves", self.objective["moves"], F(0)))
        return tiers

    def solve(self, seconds=None):
        """None when infeasible, otherwise [(tier name, value)] in order; `seconds` as in minimise()."""
        held, answer = [], []
        for name, objective, constant in self.stages():
            for slack in (1e-8, 1e-7, 1e-6):  # CBC may call a tier that is held too tightly infeasible
                value = self.p.minimise(objective, [(terms, "<", v + slack * (1 + abs(v)))
                                                    for terms, v in held], seconds)
                if value is not None or not held:
                    break
            if value is None:
                if held:
                    raise RuntimeError(f"CBC lost the plan it had found before tier {name}")
                return None
            answer.append((name, value + float(constant)))
            if objective:
                held.append((objective, value))
        return answer
