"""Small packings for CBC to prove: copies of a few kinds on a few types, in three zones with rules on where
copies run, or without any."""
import random

from random_models import usd


def offerings(pick, n_types, zones):
    found = []
    for i in range(n_types):
        vcpu, memory = pick.choice([4, 5, 6, 7, 8]), pick.choice([8, 10, 12, 14, 16])
        price = (0.3 * vcpu + 0.06 * memory) * pick.uniform(0.9, 1.2)
        for zone, factor in zones:
            found.append({"provider": "aws", "region": "r", "type": f"t{i}", "purchase": "PURCHASE_ON_DEMAND",
                          "resources": {"vcpu": vcpu, "memoryGib": memory},
                          "price": usd(round(price * factor, 4)), **({"zone": zone} if zone else {})})
    return found


def random_packing(seed, zoned):
    """A Model in proto3 JSON, as a dict."""
    pick = random.Random(seed)
    zones = [("r-a", 1), ("r-b", 1.01), ("r-c", 1.03)] if zoned else [("", 1)]
    works = []
    for j in range(3 if zoned else 4):
        work = {"id": f"c{j}", "mustServe": True, "replicas": {
            "count": [pick.randint(1, 5)],
            "resources": {"vcpu": pick.choice([1, 1.5, 2, 2.5, 3]), "memoryGib": pick.randint(1, 7)}}}
        if zoned and pick.random() < 0.7:
            work["survive"] = [{"id": f"survive{j}", "level": "DOMAIN_LEVEL_ZONE",
                                "share": pick.choice([0.3, 0.5, 0.6])}]
        if zoned and pick.random() < 0.3:
            work["shares"] = [{"id": f"share{j}", "minimum": pick.choice([0.25, 0.4]),
                               "offerings": {"include": [{"zone": ["r-c"]}]}}]
        works.append(work)
    model = {"catalog": {"offerings": offerings(pick, 2 if zoned else 3, zones)}, "workloads": works,
             "periods": [{"id": "p", "hours": 1}], "options": {"gap": 0, "timeLimitSeconds": 20}}
    if zoned and pick.random() < 0.5:
        model["limits"] = [{"id": "few", "maximum": pick.randint(1, 3), "metric": "LIMIT_METRIC_INSTANCES",
                            "scope": {"include": [{"zone": ["r-a"]}]}}]
    return model
