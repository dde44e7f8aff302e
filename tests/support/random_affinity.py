"""Together and apart rules for random models, by random numbers of their own."""
import random


def add_affinities(model, seed):
    r = random.Random(f"affinity {seed}")
    workloads = model["workloads"]
    if len(workloads) < 2 or r.random() > 0.35:
        return
    for i in range(r.choice([1, 1, 2])):
        one, other = r.sample(workloads, 2)
        level = r.choice(["ZONE", "REGION", "PROVIDER"])
        rule = {"id": f"affinity{i}", "workload": other["id"], "level": f"DOMAIN_LEVEL_{level}"}
        one.setdefault(r.choice(["together", "apart"]), []).append(rule)
