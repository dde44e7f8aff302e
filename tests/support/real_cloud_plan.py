"""A model that several real clouds can serve, and what it costs at best, worked out by hand.

`web` needs vCPUs, and no cloud may serve more than 40 % of them, so at least three share it. `database` is one copy
that may not run on spot. Nothing joins the two, so each is as cheap as it can be alone:

- `web`: the cheapest vCPU of each cloud, cheapest cloud first, 40 % of each. That is a bound, which whole instances
  come near to because many are needed.
- `database`: the cheapest instance on demand that holds the copy.
"""
import collections

from small_models import amount

CNY_IN_USD = 0.14
VCPUS, SHARE, GAP = 20000, 0.4, 0.001
COPY_VCPU, COPY_GIB = 8, 32


def model(names):
    return {
        "displayName": "several clouds, real prices",
        "catalog": {"selectors": [{}]},
        "periods": [{"id": "hour", "hours": 1}],
        "currency": {"baseCurrency": "USD", "rates": [{"pair": "CNY/USD", "rate": CNY_IN_USD}]},
        "workloads": [
            {"id": "web", "mustServe": True, "throughput": {"rate": [VCPUS], "performance": [{"perVcpu": 1}]},
             "shares": [{"id": f"web-{name}", "maximum": SHARE, "offerings": {"include": [{"provider": [name]}]}}
                        for name in names]},
            {"id": "database", "mustServe": True, "forbidden": {"include": [{"purchase": ["PURCHASE_SPOT"]}]},
             "replicas": {"count": [1], "resources": {"vcpu": COPY_VCPU, "memoryGib": COPY_GIB}}},
        ],
        "options": {"gap": GAP, "timeLimitSeconds": 60},
    }


def usd(row):
    return float(row["price"]) * {"USD": 1, "CNY": CNY_IN_USD}[row["currency"]]


def least_cost(rows):
    """(of `web`, of `database`), in USD an hour, of good rows."""
    by_vcpu, copy = {}, float("inf")
    for row in rows:
        if row["vcpu"] > 0:
            price = usd(row) / row["vcpu"]
            by_vcpu[row["provider"]] = min(price, by_vcpu.get(row["provider"], price))
        if row["purchase"] == "on-demand" and row["vcpu"] >= COPY_VCPU and row["memory_gib"] >= COPY_GIB:
            copy = min(copy, usd(row))
    left, web = 1.0, 0.0
    for price in sorted(by_vcpu.values()):
        part = min(SHARE, left)
        web, left = web + part * VCPUS * price, left - part
    return web, copy


def spent(plan, rows):
    """What a plan spends on each workload, and how many vCPUs of each cloud serve `web`."""
    cost, vcpus = collections.Counter(), collections.Counter()
    for line in plan.lines:
        workload = line.workload or line.patterns[0].entries[0].workload
        cost[workload] += amount(line.cost)
        if workload == "web":
            row = rows[line.offering]
            vcpus[row["provider"]] += line.quantity * row["vcpu"]
    return cost, vcpus
