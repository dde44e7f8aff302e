"""X: everything at once on whole catalogs: throughput and replicas, on demand and spot, shares, survival,
spread, limits, budgets in two currencies, unit and spend commitments.

Where the real price files are (see tests/support/real_catalog.py) the catalog is theirs: about 99,000
priced offerings of four providers. Elsewhere it is made up, with 24,000 offerings of the same shape.
"""
import csv
import math
import pathlib
import random

import real_catalog
from models import usd

PERIODS = 12
CNY_IN_USD = 0.14
MADE_UP = {"aws": 9, "azure": 12, "gcp": 9, "alibaba": 10}  # providers and their regions
TYPES = 300
SPOT = {"include": [{"purchase": ["PURCHASE_SPOT"]}]}
TYPE_SIZES = [(vcpu, vcpu * ratio) for vcpu in (2, 4, 8, 16, 32, 48, 64, 96) for ratio in (2, 4, 8)]


def write_catalog(folder):
    """The paths of the catalog's files."""
    return real_catalog.write_catalog(folder) if real_catalog.available() else _made_up(folder)


def _made_up(folder):
    pick = random.Random(7)
    path = pathlib.Path(folder) / "offerings.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, real_catalog.COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        for provider, n_regions in MADE_UP.items():
            sizes = [pick.choice(TYPE_SIZES) for _ in range(TYPES)]
            for region in range(n_regions):
                for i, (vcpu, memory) in enumerate(sizes):
                    price = (0.022 * vcpu + 0.004 * memory) * pick.uniform(0.8, 1.5)
                    for purchase, factor in (("on-demand", 1), ("spot", pick.uniform(0.2, 0.6))):
                        scale = 7 if provider == "alibaba" else 1
                        writer.writerow({
                            "provider": provider, "region": f"region-{region}", "type": f"t{i}",
                            "purchase": purchase, "kind": "vm", "vcpu": vcpu, "memory_gib": memory,
                            "arch": "arm64" if i % 4 == 0 else "x86_64",
                            "price": round(price * factor * scale, 6),
                            "currency": "CNY" if provider == "alibaba" else "USD",
                            "observed_at": "2026-01-01T00:00:00Z"})
    return [path]


def _rates(pick, base):
    phase = pick.random()
    return [round(base * (1 + 0.5 * math.sin(2 * math.pi * (t / PERIODS + phase))) *
                  pick.uniform(0.85, 1.15)) for t in range(PERIODS)]


def _provider(name):
    return {"include": [{"provider": [name]}]}


def _applications(pick):
    per_vcpu = [{"offerings": {"include": [{"arch": ["arm64"]}]}, "perVcpu": 9}, {"perVcpu": 10}]
    works = []
    for a in range(8):
        work = {"id": f"app{a}", "team": f"team{a % 3}", "mustServe": True, "headroom": 0.1,
                "throughput": {"rate": _rates(pick, pick.uniform(2000, 9000)), "performance": per_vcpu},
                "shares": [{"id": f"share{a}-{p}", "maximum": 0.6, "offerings": _provider(p)}
                           for p in MADE_UP]}
        if a % 2:
            work["shares"].append({"id": f"spot{a}", "maximum": 0.3, "offerings": SPOT})
        if a % 3 == 0:
            work["survive"] = [{"id": f"survive{a}", "level": "DOMAIN_LEVEL_PROVIDER", "share": 0.5}]
        works.append(work)
    return works


def _services(pick):
    works = []
    for w in range(6):
        need = {"vcpu": pick.choice([1, 2, 4]), "memoryGib": pick.choice([4, 8, 16])}
        work = {"id": f"service{w}", "team": f"team{w % 2}", "mustServe": True,
                "forbidden": SPOT,
                "replicas": {"count": _rates(pick, pick.uniform(20, 60)), "resources": need}}
        if w == 0:
            work["spread"] = [{"id": "spread0", "level": "DOMAIN_LEVEL_REGION", "minimumDomains": 2,
                               "minimumShare": 0.2}]
        works.append(work)
    return works


def _products():
    """Savings plans of two providers, bought in lots of one unit of money an hour."""
    return [{"id": f"plan-{p}", "provider": p, "kind": "COMMITMENT_KIND_SPEND", "termHours": 8760,
             "hourlyFee": usd(0.7), "lot": 1.0, "purchasableMaximum": 500,
             "eligible": {"include": [{"provider": [p], "purchase": ["PURCHASE_ON_DEMAND"]}]}}
            for p in ("aws", "azure")]


def plain(seed, budget=None):
    """The model; `budget` is the money that the year may cost, or None."""
    pick = random.Random(3000 + seed)
    model = {"catalog": {"selectors": [{}], "products": _products()},
             "teams": [{"id": f"team{g}"} for g in range(3)],
             "periods": [{"id": f"p{t}", "hours": 730} for t in range(PERIODS)],
             "workloads": _applications(pick) + _services(pick),
             "limits": [{"id": "aws-vcpu", "metric": "LIMIT_METRIC_VCPU", "maximum": 2500,
                         "scope": _provider("aws")},
                        {"id": "gcp-instances", "metric": "LIMIT_METRIC_INSTANCES", "maximum": 40,
                         "scope": _provider("gcp")}],
             "currency": {"baseCurrency": "USD", "rates": [{"pair": "CNY/USD", "rate": CNY_IN_USD}]}}
    if budget:
        yuan = budget * 0.6 / CNY_IN_USD
        model["budgets"] = [
            {"id": "total", "windows": [{"amount": usd(round(budget, 2))}]},
            {"id": "alibaba", "provider": "alibaba",
             "windows": [{"amount": {"currencyCode": "CNY", "units": str(int(yuan))}}]}]
    return model
