"""Ranks that are served evenly in random models, by random numbers of their own."""
import random


def add_fairness(model, seed):
    r = random.Random(f"fair {seed}")
    for rank in sorted({w["priority"] for w in model["workloads"] if "priority" in w}):
        if r.random() < 0.3:
            for workload in model["workloads"]:
                if workload.get("priority") == rank:
                    workload["fair"] = True
