"""Half a day on three clouds, solved in a tenth of a second: 4 workloads over 12 hours, 54 offerings,
caps on the vCPU of each cloud that bind at the peaks, and shares of spot. Equal seeds give equal
models."""
import math
import random

from isocost_protos import json_format, model_pb2

HOURS, WORKLOADS = 12, 4
CLOUDS = {"aws": 1.0, "azure": 1.04, "gcp": 0.97}  # how dear each is
FAMILIES = {"general": 1.0, "compute": 0.86, "memory": 1.3}
SIZES = (4, 16, 48)


def _usd(value):
    units = int(value)
    return {"currencyCode": "USD", "units": str(units), "nanos": round((value - units) * 1e9)}


def _offerings(pick):
    for cloud, dear in CLOUDS.items():
        for family, factor in FAMILIES.items():
            for vcpu in SIZES:
                price = round(0.042 * vcpu * factor * dear * pick.uniform(0.92, 1.08), 5)
                row = {"provider": cloud, "region": "r1", "family": family,
                       "type": f"{family}.{vcpu}", "resources": {"vcpu": vcpu,
                                                                 "memoryGib": 4 * vcpu}}
                yield {**row, "purchase": "PURCHASE_ON_DEMAND", "price": _usd(price)}
                yield {**row, "purchase": "PURCHASE_SPOT",
                       "price": _usd(round(price * pick.uniform(0.35, 0.5), 5))}


def _rates(pick, size):
    phase = pick.random()
    return [round(size * (1 + 0.4 * math.sin(2 * math.pi * (hour / 24 + phase)))
                  * pick.uniform(0.97, 1.03)) for hour in range(HOURS)]


def _workload(pick, i):
    clouds = pick.sample(sorted(CLOUDS), 2)
    return {"id": f"w{i}", "mustServe": True,
            "throughput": {"rate": _rates(pick, pick.choice([4000, 9000, 20000])),
                           "performance": [{"perVcpu": 100}]},
            "allowed": {"include": [{"provider": clouds}]},
            "shares": [{"id": f"spot{i}", "maximum": 0.4,
                        "offerings": {"include": [{"purchase": ["PURCHASE_SPOT"]}]}}]}


def fleet_model(seed=1, gap=0.02):
    pick = random.Random(seed)
    workloads = [_workload(pick, i) for i in range(WORKLOADS)]
    mean = sum(sum(w["throughput"]["rate"]) for w in workloads) / HOURS / 100  # vCPU in all
    return json_format.ParseDict({
        "displayName": "half a day on three clouds",
        "catalog": {"offerings": list(_offerings(pick))},
        "periods": [{"id": f"h{h:02d}", "hours": 1} for h in range(HOURS)],
        "workloads": workloads,
        "limits": [{"id": f"vcpu-{cloud}", "metric": "LIMIT_METRIC_VCPU",
                    "maximum": round(0.55 * mean),
                    "scope": {"include": [{"provider": [cloud]}]}} for cloud in CLOUDS],
        "currency": {"baseCurrency": "USD"},
        "options": {"gap": gap, "timeLimitSeconds": 5},
    }, model_pb2.Model())
