"""Ramps in the oracle: starts and stops of a cell from one period to the next, over offerings."""
from fractions import Fraction as F


def add_ramps(oracle):
    for a, w in enumerate(oracle.m.workloads):
        if not w.HasField("ramp"):
            continue
        cell = ("w", a) if w.HasField("throughput") else ("t", w.team or "default")
        for t in list(oracle.T)[1:]:
            starts, stops = [], []
            for o in range(len(oracle.O)):
                now = [(v, F(1)) for v in oracle.x.get((cell, o, t), [])]
                before = [(v, F(-1)) for v in oracle.x.get((cell, o, t - 1), [])]
                for changes, sign in ((starts, 1), (stops, -1)):
                    change = oracle.p.var()
                    changes.append((change, F(1)))
                    oracle.p.row([(change, F(1))] + [(v, -sign * c) for v, c in now + before],
                                 ">", 0)
            if w.ramp.WhichOneof("opt_maximum_starts"):
                oracle.p.row(starts, "<", w.ramp.maximum_starts)
            if w.ramp.WhichOneof("opt_maximum_stops"):
                oracle.p.row(stops, "<", w.ramp.maximum_stops)
