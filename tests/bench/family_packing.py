"""VB: packing of classes of copies into instance types, in two to four resources.

A class is a replica workload; all are in one team. Prices follow size with noise, so that the Pareto front
is a small part of the types, as in real catalogs.
"""
import random

from models import usd


def types(pick, n_types, resources):
    found = []
    for i in range(n_types):
        vcpu = pick.choice([2, 4, 8, 16, 32, 48, 64])
        memory = vcpu * pick.choice([2, 4, 8])
        size = {"vcpu": vcpu, "memoryGib": memory}
        price = 0.02 * vcpu + 0.004 * memory
        if resources >= 3 and i % 5 == 0:
            size["gpu"] = pick.choice([1, 2, 4, 8])
            price += 0.6 * size["gpu"]
        if resources >= 4 and i % 4 == 0:
            size["localDiskGib"] = pick.choice([100, 500, 1000, 2000])
            price += 0.0001 * size["localDiskGib"]
        found.append({"provider": f"cloud{i % 3}", "region": "r", "type": f"t{i}",
                      "purchase": "PURCHASE_ON_DEMAND", "resources": size,
                      "price": usd(round(price * pick.uniform(0.9, 1.3), 4))})
    return found


def plain(seed, n_types, n_classes, n_items, resources=2):
    pick = random.Random(seed)
    catalog = types(pick, n_types, resources)
    cuts = sorted(pick.sample(range(1, n_items), n_classes - 1)) if n_items > n_classes else \
        list(range(1, n_classes))
    counts = [b - a for a, b in zip([0] + cuts, cuts + [max(n_items, n_classes)])]
    works = []
    for j, count in enumerate(counts):
        need = {"vcpu": pick.choice([0.5, 1, 1.5, 2, 3, 4, 6, 8]),
                "memoryGib": pick.choice([1, 2, 3, 4, 6, 8, 12, 16, 24])}
        if resources >= 3 and j % 8 == 0:
            need["gpu"] = pick.choice([1, 1, 2])
        if resources >= 4 and j % 4 == 1:
            need["localDiskGib"] = pick.choice([50, 100, 200, 400])
        works.append({"id": f"c{j}", "mustServe": True,
                      "replicas": {"count": [count], "resources": need}})
    return {"catalog": {"offerings": catalog}, "workloads": works,
            "periods": [{"id": "p", "hours": 1}]}
