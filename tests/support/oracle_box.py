"""Demand that may rise, in the oracle: one row for each set of periods that may rise at once."""
import itertools
import math
from fractions import Fraction as F

NANO = 10**9


def ceil9(value):
    return F(math.ceil(value * NANO), NANO)


def risen(w, said):
    """What is asked where demand rises."""
    if not (w.HasField("throughput") and w.throughput.HasField("box")):
        return said
    return ceil9((1 + F(repr(w.throughput.box.rise))) * said)


def counted_loss(oracle, a, w, weights):
    """[(variable, coefficient)] of what is unserved, weighed by period."""
    if not (w.HasField("throughput") and w.throughput.HasField("box")):
        return [(oracle.u[a, t], weight) for t, weight in weights.items()]
    rates = w.throughput.rate
    at_once = int(w.throughput.box.periods)
    calm = {}  # what is unserved where demand does not rise
    for t in weights:
        said = F(repr(rates[0] if len(rates) == 1 else rates[t]))
        asked = ceil9((1 + F(repr(w.headroom))) * said)
        calm[t] = oracle.p.var()
        oracle.p.row([(calm[t], F(1)), (oracle.u[a, t], F(-1))], ">", asked - oracle.required(w, t))
    worst = oracle.p.var()
    for up in itertools.combinations(weights, min(at_once, len(weights))):
        oracle.p.row([(worst, F(1))] + [(oracle.u[a, t] if t in up else calm[t], -weight)
                                        for t, weight in weights.items()], ">", 0)
    return [(worst, F(1))]
