"""Ramps for random models, by random numbers of their own."""
import random


def add_ramps(model, seed):
    r = random.Random(f"ramp {seed}")
    periods = model["periods"]
    if r.random() > 0.4 or len(periods) < 2 or "start" not in periods[0]:
        return
    for workload in r.sample(model["workloads"], r.randint(1, len(model["workloads"]))):
        ramp = workload["ramp"] = {"id": f"ramp-{workload['id']}"}
        which = r.choice(["starts", "stops", "both"])
        if which != "stops":
            ramp["maximumStarts"] = r.randint(0, 3)
        if which != "starts":
            ramp["maximumStops"] = r.randint(0, 3)
