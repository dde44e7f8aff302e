"""Workloads that are served evenly, in the oracle: the sum of any k losses is at most a variable, which
the stage minimises, so that it is the sum of the k largest."""
import itertools
from fractions import Fraction as F


def fair_stages(oracle, rank):
    """[(tier name, objective, constant)] of one priority."""
    losses = []
    for a, w in enumerate(oracle.m.workloads):
        if not w.fair or w.priority != rank:
            continue
        asked = sum((oracle.h[t] * oracle.required(w, t) for t in oracle.T), F(0))
        losses.append([(oracle.u[a, t], oracle.h[t] / asked) for t in oracle.T
                       if (a, t) in oracle.u])
    stages = []
    for k in range(1, len(losses) + 1):
        most = oracle.p.var()
        for some in itertools.combinations(losses, k):
            oracle.p.row([(most, F(1))] + [(v, -c) for terms in some for v, c in terms], ">", 0)
        stages.append((f"fair priority {rank} worst {k}", {most: F(1)}, F(0)))
    return stages
