"""A planner's week on five clouds: 20 workloads over 168 hours, offerings of a whole catalog.

Each workload may run in a few regions of several clouds; demand goes by day and week. Caps on a
cloud's vCPU and on a budget hold the plan back, and no cloud serves more than 60 % of the largest
workloads. Real prices of four clouds where the folder of price lists is there, with a made-up fifth;
made up altogether otherwise. Equal seeds give equal models.
"""
import csv
import math
import pathlib
import random

import real_catalog
from isocost_protos import json_format, model_pb2

HOURS, WORKLOADS = 168, 20
CNY_IN_USD = 0.14
FIFTH = "huawei"
COLUMNS = real_catalog.COLUMNS

# Regions that workloads may use; made-up catalogs have the same.
REGIONS = {
    "aws": ["us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1"],
    "azure": ["eastus", "eastus2", "westus2", "westeurope", "northeurope", "southeastasia"],
    "gcp": ["us-central1", "us-east1", "us-west1", "europe-west1", "europe-west4",
            "asia-southeast1"],
    "alibaba": ["cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen", "ap-southeast-1",
                "eu-central-1"],
    FIFTH: ["cn-north-4", "cn-east-3", "cn-south-1", "ap-southeast-3", "af-south-1", "la-south-2"],
}
CHINA = {"alibaba", FIFTH}
FAMILIES = [("general", 4, 1.0), ("compute", 2, 0.86), ("memory", 8, 1.3), ("arm", 4, 0.8)]


def _made_up(pick, provider, regions, generations):
    """Types by family, generation and size in each region, on demand and spot."""
    for region in regions:
        dear = pick.uniform(0.85, 1.25)
        for name, gib, factor in FAMILIES:
            for generation in range(generations):
                for vcpu in (1, 2, 4, 8, 16, 32, 64, 96):
                    price = 0.042 * vcpu * factor * dear * pick.uniform(0.9, 1.1)
                    row = {"provider": provider, "region": region, "family": f"{name}{generation}",
                           "type": f"{name}{generation}.{vcpu}", "vcpu": vcpu,
                           "memory_gib": vcpu * gib, "kind": "vm",
                           "arch": "arm64" if name == "arm" else "x86_64",
                           "currency": "CNY" if provider in CHINA else "USD",
                           "observed_at": "2026-08-01T00:00:00Z"}
                    scale = 1 / CNY_IN_USD if provider in CHINA else 1
                    yield {**row, "purchase": "on-demand", "price": f"{price * scale:.5f}"}
                    yield {**row, "purchase": "spot",
                           "price": f"{price * scale * pick.uniform(0.3, 0.5):.5f}"}


def write_catalog(folder, seed=1):
    """Writes the tables of the catalog; gives their paths and whether the prices are real."""
    pick = random.Random(seed)
    real = real_catalog.available()
    paths = real_catalog.write_catalog(folder) if real else []
    for provider, regions in REGIONS.items():
        if real and provider != FIFTH:
            continue
        path = pathlib.Path(folder) / f"offerings-{provider}.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(_made_up(pick, provider, regions, 4 if real else 12))
        paths.append(path)
    return paths, real


def _usd(value):
    return {"currencyCode": "USD", "units": str(int(value)), "nanos": 0}


def _rates(pick, size):
    phase, depth = pick.random(), pick.uniform(0.2, 0.5)
    values = []
    for hour in range(HOURS):
        day = 1 + depth * math.sin(2 * math.pi * (hour / 24 + phase))
        week = 0.75 if hour // 24 in (5, 6) else 1
        values.append(round(size * day * week * pick.uniform(0.97, 1.03)))
    return values


def _workload(pick, i):
    clouds = pick.sample(sorted(REGIONS), 3)
    size = pick.choice([2000, 5000, 12000, 30000])
    row = {"id": f"w{i:02d}", "team": f"team{i % 4}", "mustServe": True,
           "headroom": pick.choice([0, 0.1, 0.2]),
           "throughput": {"rate": _rates(pick, size), "unit": "req/s",
                          "performance": [{"offerings": {"include": [{"arch": ["arm64"]}]},
                                           "perVcpu": 90}, {"perVcpu": 100}]},
           "allowed": {"include": [{"provider": [c], "region": pick.sample(REGIONS[c], 1)}
                                   for c in clouds]},
           "shares": [{"id": f"spot{i:02d}", "maximum": 0.4,
                       "offerings": {"include": [{"purchase": ["PURCHASE_SPOT"]}]}}]}
    if size == 30000:  # the first cloud of three
        row["shares"].append({"id": f"one{i:02d}", "maximum": 0.6,
                              "offerings": {"include": [{"provider": [clouds[0]]}]}})
    return row


def what_if_model(seed=1, gap=0.01, time_limit_seconds=300):
    pick = random.Random(seed)
    fields = {
        "displayName": "a week on five clouds",
        "catalog": {"selectors": [{}]},
        "periods": [{"id": f"h{h:03d}", "hours": 1} for h in range(HOURS)],
        "teams": [{"id": f"team{k}"} for k in range(4)],
        "workloads": [_workload(pick, i) for i in range(WORKLOADS)],
        "limits": [{"id": f"vcpu-{p}", "metric": "LIMIT_METRIC_VCPU", "maximum": 1500,
                    "scope": {"include": [{"provider": [p]}]}} for p in REGIONS],
        "budgets": [{"id": "total", "windows": [{"amount": _usd(1000000)}]}],
        "currency": {"baseCurrency": "USD", "rates": [{"pair": "CNY/USD", "rate": CNY_IN_USD}]},
        "options": {"gap": gap, "timeLimitSeconds": time_limit_seconds},
    }
    return json_format.ParseDict(fields, model_pb2.Model())


def single_changes(seed, n, budget):
    """(kind, text): n changes of one thing each, of every kind in turn, around the model's values."""
    pick = random.Random(seed)
    percent = lambda low, high: f"{pick.uniform(low, high):+.2f}%"  # noqa: E731
    made = []
    for i in range(n):
        kind = ("demand", "price", "limit", "budget", "rate")[i % 5]
        if kind == "demand":
            text = f"demand.w{pick.randrange(WORKLOADS):02d}={percent(-20, 20)}"
        elif kind == "price":
            provider = pick.choice(sorted(REGIONS))
            target = pick.choice([provider, f"{provider}/{pick.choice(REGIONS[provider])}"])
            text = f"price.{target}={percent(-10, 10)}"
        elif kind == "limit":
            text = f"limit.vcpu-{pick.choice(sorted(REGIONS))}={percent(-15, 15)}"
        elif kind == "budget":
            text = f"budget.total={round(budget * pick.uniform(1.001, 1.2), 2)}"
        else:
            text = f"rate.CNY/USD={percent(-5, 5)}"
        made.append((kind, text))
    return made
