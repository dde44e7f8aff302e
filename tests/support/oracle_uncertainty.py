"""Scenarios in the oracle: every period once in each, and the tail of their costs as the dearest of all
ways to fill it, one row for each order of the scenarios."""
import contextlib
import itertools
import math
from fractions import Fraction as F

NANO = 10**9


def futures(model):
    """[(probability, factor on demand)]; one future without scenarios."""
    scenarios = model.uncertainty.scenarios
    return [(F(repr(s.probability)), F(repr(s.demand_factor))) for s in scenarios] or [(F(1), F(1))]


def in_future(factor, said, whole):
    unit = 1 if whole else NANO
    return F(math.ceil(said * factor * unit), unit)


@contextlib.contextmanager
def tagged(oracle, scenario):
    """Variables made inside are those of a scenario."""
    before = len(oracle.p.variables)
    yield
    tags = oracle.__dict__.setdefault("tags", {})
    for name in list(oracle.p.variables)[before:]:
        tags[name] = scenario


def add_tail(oracle):
    """Turns the money objective into (1 - weight) mean + weight tail."""
    message = oracle.m.uncertainty
    weight, level = F(repr(message.tail_weight)), F(repr(message.tail_level))
    if weight == 0 or len(oracle.futures) < 2:
        return
    tags = dict(oracle.__dict__.get("tags", {}))
    for (_, _, t), names in oracle.x.items():
        tags.update((name, t // oracle.n) for name in names)
    tags.update((v, t // oracle.n) for (_, _, _, t), v in oracle.v.items())
    tags.update((v, t // oracle.n) for (_, t), v in oracle.u.items())
    costs = oracle.objective["money"]
    bought = set(oracle.y.values())
    assert all(name in tags or name in bought for name in costs)
    tail = oracle.p.var()
    for order in itertools.permutations(range(len(oracle.futures))):
        left, row, constant = 1 - level, {tail: F(-1)}, F(0)
        for s in order:
            probability = oracle.futures[s][0]
            mass = min(probability, left)
            left -= mass
            part = mass / probability / (1 - level)  # of what the scenario adds to the mean
            for name, cost in costs.items():
                if name in bought:
                    row[name] = row.get(name, 0) + part * probability * cost
                elif tags[name] == s:
                    row[name] = row.get(name, 0) + part * cost
            constant += part * probability * oracle.constant
        oracle.p.row(list(row.items()), "<", -constant)
    oracle.objective["money"] = {name: (1 - weight) * cost for name, cost in costs.items()}
    oracle.objective["money"][tail] = weight
    oracle.constant *= 1 - weight
