"""A model that may use every offering of real catalogs (see real_catalog.py).

Five workloads over four periods of 730 hours in all: three throughput workloads that are served by
the vCPU, one that is served by the accelerator, and copies of 4 vCPU and 16 GiB. `rules` picks
which rules hold:

    budget   at most so much money in all
    share    no provider serves more than 60 % of `web`
    survive  `api` keeps half of its demand on demand when any one provider fails
    region   at most so many vCPU in the region that is the cheapest without the rule
"""

from isocost_protos import json_format, model_pb2

ALL_RULES = ("budget", "share", "survive", "region")
PROVIDERS = ("aws", "azure", "gcp", "alibaba")
BUDGET_USD = 1750
MAXIMUM_SHARE = 0.6
SURVIVING_SHARE = 0.5
CROWDED_REGION = "cn-chengdu"
CROWDED_REGION_VCPU = 400
CNY_IN_USD = 0.14

PERIODS = {"night": 210, "morning": 180, "day": 240, "peak": 100}  # hours

# What a vCPU serves; Arm cores are taken to serve less.
ARM_RATE, OTHER_RATE = 9, 10
PER_VCPU = [{"offerings": {"include": [{"arch": ["arm64"]}]}, "perVcpu": ARM_RATE},
            {"perVcpu": OTHER_RATE}]

# Rate, or copies, in each period, and headroom.
DEMAND = {
    "web": ([1200, 5400, 7300, 11900], 0.2),
    "api": ([900, 2100, 3700, 4300], 0.25),
    "batch": ([8200, 3100, 2500, 700], 0.0),
    "render": ([11, 23, 37, 29], 0.1),
    "cache": ([24, 36, 60, 72], 0.0),
}
COPY_VCPU, COPY_GIB = 4, 16


def demand_of(workload):
    """Period: (rate, headroom)."""
    rates, headroom = DEMAND[workload]
    return {period: (rate, headroom) for period, rate in zip(PERIODS, rates)}


def unit_rate(workload, row):
    """What one instance of a row of real_catalog serves; 0 when it cannot serve the workload."""
    vcpu, memory_gib, gpu = (float(row.get(name) or 0) for name in ("vcpu", "memory_gib", "gpu"))
    if workload == "cache":
        return min(vcpu // COPY_VCPU, memory_gib // COPY_GIB)
    if workload == "render":
        return gpu
    return vcpu * (ARM_RATE if row.get("arch") == "arm64" else OTHER_RATE)


def _throughput(name, performance, **rules):
    rate, headroom = DEMAND[name]
    return {"id": name, "mustServe": True, "headroom": headroom,
            "throughput": {"rate": rate, "performance": performance}, **rules}


def _workloads(rules):
    web, api = {}, {}
    if "share" in rules:
        web["shares"] = [{"id": f"web-{provider}", "maximum": MAXIMUM_SHARE,
                          "offerings": {"include": [{"provider": [provider]}]}}
                         for provider in PROVIDERS]
    if "survive" in rules:
        api["survive"] = [{"id": "api-provider", "level": "DOMAIN_LEVEL_PROVIDER",
                           "share": SURVIVING_SHARE}]
    return [
        _throughput("web", PER_VCPU, **web),
        _throughput("api", PER_VCPU, **api),
        _throughput("batch", PER_VCPU),
        _throughput("render", [{"perGpu": 1}]),
        {"id": "cache", "mustServe": True, "replicas": {
            "count": DEMAND["cache"][0],
            "resources": {"vcpu": COPY_VCPU, "memoryGib": COPY_GIB}}},
    ]


def real_model(rules=ALL_RULES, gap=0.02, time_limit_seconds=60, want=()):
    fields = {
        "displayName": "real prices of four providers",
        "catalog": {"selectors": [{}]},
        "periods": [{"id": name, "hours": hours} for name, hours in PERIODS.items()],
        "workloads": _workloads(rules),
        "currency": {"baseCurrency": "USD", "rates": [{"pair": "CNY/USD", "rate": CNY_IN_USD}]},
        "options": {"gap": gap, "timeLimitSeconds": time_limit_seconds, "want": list(want)},
    }
    if "budget" in rules:
        fields["budgets"] = [{"id": "total", "windows": [
            {"amount": {"currencyCode": "USD", "units": str(BUDGET_USD)}}]}]
    if "region" in rules:
        fields["limits"] = [{"id": "crowded-region", "metric": "LIMIT_METRIC_VCPU",
                             "maximum": CROWDED_REGION_VCPU,
                             "scope": {"include": [{"region": [CROWDED_REGION]}]}}]
    return json_format.ParseDict(fields, model_pb2.Model())
