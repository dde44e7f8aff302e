"""VB: packing of classes of copies into instance types, in two to four resources.

A class is a replica workload; all are in one team. Prices follow size with noise, so that the Pareto front
is a small part of the types, as in real catalogs. Zoned: every type is sold in three zones, and half of a
class must be left when a zone fails, so that at most half of it is in one zone. Under a quota: one
provider sells less than the best plan would take of it.
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


ZONES = (("a", 1.0), ("b", 1.01), ("c", 1.03))


def zoned(seed, n_types, n_classes, n_items, resources=2):
    model = plain(seed, n_types, n_classes, n_items, resources)
    offerings = []
    for offering in model["catalog"]["offerings"]:
        price = float(offering["price"]["units"]) + offering["price"]["nanos"] / 1e9
        offerings += [dict(offering, provider="cloud", zone=f"r-{zone}", price=usd(round(price * factor, 6)))
                      for zone, factor in ZONES]
    model["catalog"]["offerings"] = offerings
    for work in model["workloads"]:
        work["survive"] = [{"id": f"half-{work['id']}", "level": "DOMAIN_LEVEL_ZONE", "share": 0.5}]
    return model


def under_quota(seed, n_types, n_classes, n_items, resources=2, share=0.15):
    model = plain(seed, n_types, n_classes, n_items, resources)
    asked = sum(work["replicas"]["count"][0] * work["replicas"]["resources"]["vcpu"]
                for work in model["workloads"])
    model["limits"] = [{"id": "quota", "maximum": round(share * asked), "metric": "LIMIT_METRIC_VCPU",
                        "scope": {"include": [{"provider": ["cloud0"]}]}}]
    return model


def write_plain_program(model, most_cost, path):
    """One binary for each instance that may be rented, as many of a type as `most_cost` pays for, and the
    copies of each class on it; as the packing models of the conlloovia papers. Two to four resources."""
    kinds = ("vcpu", "memoryGib", "gpu", "localDiskGib")
    classes = [(work["replicas"]["count"][0], work["replicas"]["resources"]) for work in model["workloads"]]
    costs, rows, counts, binaries = [], [], [], []
    placed = [[] for _ in classes]
    for t, offering in enumerate(model["catalog"]["offerings"]):
        size = offering["resources"]
        price = float(offering["price"]["units"]) + offering["price"]["nanos"] / 1e9
        for k in range(int(most_cost / price + 1e-9)):
            vm = f"y{t}_{k}"
            costs.append(f"{price:.9f} {vm}")
            binaries.append(vm)
            for kind in kinds:
                taken = " + ".join(f"{need[kind]} x{t}_{k}_{j}" for j, (_, need) in enumerate(classes)
                                   if need.get(kind))
                if taken:
                    rows.append(f"{taken} - {size.get(kind, 0)} {vm} <= 0")
            for j in range(len(classes)):
                placed[j].append(f"x{t}_{k}_{j}")
    for j, (count, _) in enumerate(classes):
        rows.append(f"{' + '.join(placed[j])} >= {count}")
        counts += placed[j]
    rows = "\n".join(f" c{i}: {row}" for i, row in enumerate(rows))
    path.write_text("Minimize\n obj: " + "\n + ".join(costs) + f"\nSubject To\n{rows}\nBinary\n" +
                    "\n".join(binaries) + "\nGeneral\n" + "\n".join(counts) + "\nEnd\n")
