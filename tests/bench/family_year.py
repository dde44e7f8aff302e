"""R: a year of hours for a few applications, in the shape of the GECON 2017 problems (J. Entrialgo et
al.): eight types, each on demand and reserved for a year, a cap of twenty instances a type and kind that
is far from binding, and demand by day, week and season.

Performances are multiples of a common divisor for half of the seeds (`coarse`) and have none otherwise.
"""
import math
import random

from models import hourly, usd

TYPES = 8


def plain(seed, n_apps, shared=False, coarse=None):
    pick = random.Random(1000 + seed)
    coarse = seed % 2 == 0 if coarse is None else coarse
    catalog = []
    for i in range(TYPES):
        vcpu = 2 ** (1 + i % 4)
        catalog.append({"provider": f"cloud{i % 2}", "region": f"r{i % 2}", "type": f"t{i}",
                        "purchase": "PURCHASE_ON_DEMAND", "resources": {"vcpu": vcpu},
                        "price": usd(round(0.048 * vcpu * pick.uniform(0.85, 1.15), 4))})
    works, products = [], []
    for a in range(n_apps):
        step = pick.choice([50, 100]) if coarse else 1
        rows = []
        for i, o in enumerate(catalog):
            rate = o["resources"]["vcpu"] * pick.uniform(220, 300)
            rate = max(step, step * round(rate / step))
            if not coarse and i == 0:
                rate += 1 - rate % 2  # an odd one keeps the divisor at 1
            rows.append({"offerings": {"include": [{"type": [o["type"]]}]}, "perInstance": rate})
        base, phase = pick.uniform(3000, 9000), pick.random()
        values = []
        for hour in range(8760):
            day = 1 + 0.45 * math.sin(2 * math.pi * (hour / 24 + phase))
            week = 0.8 if (hour // 24) % 7 in (5, 6) else 1
            season = 1 + 0.15 * math.sin(2 * math.pi * hour / 8760)
            values.append(round(base * day * week * season * pick.uniform(0.97, 1.03) / 20) * 20)
        works.append({"id": f"app{a}", "mustServe": True,
                      "throughput": {"rate": values, "performance": rows}})
    for a in range(1 if shared else n_apps):
        for o in catalog:
            price = float(o["price"]["units"]) + o["price"]["nanos"] / 1e9
            product = {"id": f"r{a}-{o['type']}", "provider": o["provider"],
                       "kind": "COMMITMENT_KIND_UNIT", "termHours": 8760,
                       "eligible": {"include": [{"type": [o["type"]]}]},
                       "hourlyFee": usd(round(price * 0.62, 6))}
            if not shared:
                product["scope"] = {"workloads": [f"app{a}"]}
            products.append(product)
    model = {"catalog": {"offerings": catalog, "products": products}, "workloads": works}
    hourly(model, 8760)
    return model
