"""Prices by volume in the oracle: the volume as a sum of parts, each full before the next begins."""
from fractions import Fraction as F

MOST = 60  # instances of each offering; no small model needs as many


def add_volumes(oracle):
    m, p = oracle.m, oracle.p
    for price in m.volume_prices:
        def counts(o, t, price=price):
            inside = not price.periods or m.periods[t].id in price.periods
            return inside and (not price.HasField("offerings") or
                               oracle.selects(price.offerings, oracle.O[o]))

        def cost(o, t):
            return oracle.h[t] * oracle.price(oracle.O[o], t) * \
                oracle.rate(oracle.currency(oracle.O[o]), oracle.base)

        paid = [(v, cost(o, t)) for (_, o, t), names in oracle.x.items() if counts(o, t)
                for v in names]
        paid += [(v, -cost(o, t)) for (_, _, o, t), v in oracle.v.items() if counts(o, t)]
        most = sum((cost(o, t) for o in range(len(oracle.O)) for t in oracle.T if counts(o, t)),
                   F(0)) * MOST
        starts = [F(0)] + [oracle.to_base(getattr(step, "from")) for step in price.steps]
        factors = [F(1)] + [oracle.decimal(step.factor) for step in price.steps]
        parts, before = [], None
        for k, (start, factor) in enumerate(zip(starts, factors)):
            width = starts[k + 1] - start if k + 1 < len(starts) else most
            part = p.var(up=width)
            if before is not None:
                full = p.var(up=1, integer=True)
                p.row([(before[0], F(1)), (full, -before[1])], ">", 0)
                p.row([(part, F(1)), (full, -width)], "<", 0)
            before = (part, width)
            parts.append((part, F(1)))
            oracle.add("money", part, factor - 1)
        p.row(parts + [(v, -c) for v, c in paid], "=", 0)
