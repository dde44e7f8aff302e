"""Demand that may rise in random models, by random numbers of their own."""
import random


def add_boxes(model, seed):
    r = random.Random(f"box {seed}")
    for workload in model["workloads"]:
        if "throughput" in workload and r.random() < 0.2:
            workload["throughput"]["box"] = {"rise": r.choice([0, 0.25, 0.5, 1]),
                                             "periods": r.randint(1, len(model["periods"]))}
