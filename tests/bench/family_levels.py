"""F3: planning over load levels with quotas, shares and commitments.

O offerings are O/2 types, each on demand and reserved: a UNIT commitment of one workload at 55 to 75 % of
the price. Four providers with three regions each; a vCPU quota a region (tightness 1.6: all quotas
together are 1.6 times what the peak needs) and, for each workload, at most 60 % from one provider.
"""
import math
import random

from models import hourly, usd

PROVIDERS, REGIONS = 4, 3
TIGHTNESS = 1.6


def offerings(pick, n_types):
    found = []
    for i in range(n_types):
        group = i % (PROVIDERS * REGIONS)
        provider, region = group % PROVIDERS, group // PROVIDERS
        vcpu = pick.choice([2, 4, 8, 16, 32])
        found.append({"provider": f"cloud{provider}", "region": f"c{provider}r{region}",
                      "type": f"t{i}", "purchase": "PURCHASE_ON_DEMAND",
                      "resources": {"vcpu": vcpu},
                      "price": usd(round(vcpu * pick.uniform(0.03, 0.06), 4))})
    return found


def performance(pick, catalog):
    return [{"offerings": {"include": [{"type": [o["type"]]}]},
             "perInstance": max(1, round(o["resources"]["vcpu"] * pick.uniform(7, 13)))}
            for o in catalog]


def rates(pick, n_levels):
    """A day's swing around a base, with noise; all values differ over long horizons."""
    base, phase = 4 * pick.uniform(300, 1500), pick.random()
    values = []
    for t in range(n_levels):
        day = 1 + 0.5 * math.sin(2 * math.pi * (t / 24 + phase))
        week = 1 - 0.15 * ((t // 24) % 7 in (5, 6))
        values.append(round(base * day * (week if n_levels > 168 else 1) * pick.uniform(0.8, 1.2)))
    return values


def quotas(works, n_levels, tightness):
    peak = max(sum(w["throughput"]["rate"][t] for w in works) for t in range(n_levels)) / 10
    return [{"id": f"quota-c{p}r{r}", "metric": "LIMIT_METRIC_VCPU",
             "maximum": round(peak * tightness / (PROVIDERS * REGIONS)),
             "scope": {"include": [{"provider": [f"cloud{p}"], "region": [f"c{p}r{r}"]}]}}
            for p in range(PROVIDERS) for r in range(REGIONS)]


def reserved(pick, catalog, works, term_hours, shared):
    products = []
    for a, _ in enumerate(works if not shared else [None]):
        for o in catalog:
            price = float(o["price"]["units"]) + o["price"]["nanos"] / 1e9
            product = {"id": f"r{a}-{o['type']}", "provider": o["provider"],
                       "kind": "COMMITMENT_KIND_UNIT", "termHours": term_hours,
                       "eligible": {"include": [{"type": [o["type"]]}]},
                       "hourlyFee": usd(round(price * pick.uniform(0.55, 0.75), 6))}
            if not shared:
                product["scope"] = {"workloads": [f"w{a}"]}
            products.append(product)
    return products


def plain(seed, n_offerings, n_levels, n_workloads, tightness=TIGHTNESS, shares=True,
          shared=False):
    """A model as a dict of proto3 JSON. Each level stands for 8760 / n_levels hours."""
    pick = random.Random(seed)
    catalog = offerings(pick, n_offerings // 2)
    works = []
    for a in range(n_workloads):
        work = {"id": f"w{a}", "mustServe": True,
                "throughput": {"rate": rates(pick, n_levels),
                               "performance": performance(pick, catalog)}}
        if shares:
            work["shares"] = [{"id": f"share{a}-{p}", "maximum": 0.6,
                               "offerings": {"include": [{"provider": [f"cloud{p}"]}]}}
                              for p in range(PROVIDERS)]
        works.append(work)
    model = {"catalog": {"offerings": catalog}, "workloads": works,
             "limits": quotas(works, n_levels, tightness)}
    hourly(model, n_levels)
    model["catalog"]["products"] = reserved(pick, catalog, works, 8760, shared)
    return model


USERS = ("internet/east", "internet/west", "internet/south")


def traffic(seed, n_offerings, n_levels, n_workloads):
    """The same with users of every workload in three places: what they fetch is charged by the provider,
    and a region farther than 80 ms from a place serves none of it."""
    model = plain(seed, n_offerings, n_levels, n_workloads)
    pick = random.Random(f"traffic {seed}")
    prices = []
    for p in range(PROVIDERS):
        for r in range(REGIONS):
            for place, users in enumerate(USERS):
                near = place == r
                prices.append({"from": f"cloud{p}/c{p}r{r}", "to": users,
                               "pricePerGb": usd(round(pick.uniform(0.05, 0.12), 3)),
                               "latencyMs": round(pick.uniform(10, 30) if near else pick.uniform(50, 100))})
                prices.append({"from": users, "to": f"cloud{p}/c{p}r{r}", "pricePerGb": usd(0)})
    model["egressPrices"] = prices
    for work in model["workloads"]:
        shares = [0.5, 0.3, 0.2]
        pick.shuffle(shares)
        work["traffic"] = {"id": f"users-{work['id']}", "gbBackPerUnitHour": 0.005, "maximumLatencyMs": 80,
                           "sources": [{"region": users, "share": share}
                                       for users, share in zip(USERS, shares)]}
    return model


def in_pairs(seed, n_offerings, n_levels, n_workloads, kind):
    """The same with every second workload `together` with (or `apart` from) the next one, by region."""
    model = plain(seed, n_offerings, n_levels, n_workloads)
    works = model["workloads"]
    for one, other in zip(works[::2], works[1::2]):
        one[kind] = [{"id": f"{kind}-{one['id']}", "workload": other["id"], "level": "DOMAIN_LEVEL_REGION"}]
    return model


def ramped(seed, n_offerings, n_workloads, most):
    """The same over the hours of one day, commitments by the day; at most so many instances of a workload
    start and stop from one hour to the next."""
    model = plain(seed, n_offerings, 24, n_workloads)
    model["periods"] = [{"id": f"p{t}", "hours": 1, "start": f"2026-01-01T{t:02d}:00:00Z"} for t in range(24)]
    for product in model["catalog"]["products"]:
        product["termHours"] = 24
    for work in model["workloads"]:
        work["ramp"] = {"id": f"ramp-{work['id']}", "maximumStarts": most, "maximumStops": most}
    return model


def mixed(seed, n_offerings, n_levels, n_workloads, plain_cost):
    """The same with survival of a region, a spend plan, and a budget of 92 % of `plain_cost`'s half
    for the first two providers together."""
    model = plain(seed, n_offerings, n_levels, n_workloads)
    for a, work in enumerate(model["workloads"]):
        work["survive"] = [{"id": f"survive{a}", "level": "DOMAIN_LEVEL_REGION", "share": 0.6}]
    for p in range(PROVIDERS):
        model["catalog"]["products"].append(
            {"id": f"plan-{p}", "provider": f"cloud{p}", "kind": "COMMITMENT_KIND_SPEND",
             "termHours": 8760, "hourlyFee": usd(0.72), "lot": 1.0,
             "eligible": {"include": [{"provider": [f"cloud{p}"]}]}})
    model["budgets"] = [{"id": f"budget-{p}", "provider": f"cloud{p}",
                         "windows": [{"amount": usd(round(plain_cost * share, 2))}]}
                        for p, share in ((0, 0.22), (1, 0.24))]
    return model
