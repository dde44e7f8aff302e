"""The cheapest plan that does without something of each of several sets, by no-good cuts on binaries."""
from fractions import Fraction as F

MOST = 2000  # of one variable; no small model needs as many


def used(lines, commitments):
    """What a plan uses: ids of offerings that run and of products that are bought."""
    return {line.offering for line in lines if line.offering} | {c.product for c in commitments}


def add_cuts(oracle, sets):
    """sum over each set of z <= size - 1, with z = 1 where the thing is used."""
    variables = {}
    for (_, o, _), names in oracle.x.items():
        variables.setdefault(oracle.offering_id(oracle.O[o]), []).extend(names)
    for c, product in enumerate(oracle.m.catalog.products):
        variables[product.id] = [oracle.y[c]]
    flags = {}
    for things in sets:
        for thing in sorted(things - flags.keys()):
            flags[thing] = oracle.p.var(up=1, integer=True)
            for name in variables[thing]:
                oracle.p.row([(name, F(1)), (flags[thing], F(-MOST))], "<", 0)
        oracle.p.row([(flags[thing], F(1)) for thing in sorted(things)], "<", len(things) - 1)


def cheapest_without(oracle, sets, held):
    """Least money with the stages before it at most at the values in `held`; None: there is none."""
    add_cuts(oracle, sets)
    rows = []
    for name, objective, constant in oracle.stages():
        if name == "money":
            value = oracle.p.minimise(objective, rows)
            return None if value is None else value + float(constant)
        if objective:
            rows.append((objective, "<", held[name] + 1e-7 * (1 + abs(held[name]))))
