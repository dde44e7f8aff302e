"""Two random models that differ in some groups of inputs, and the models in between, made by other
code than the server's: on models as dicts whose catalogs are given in them."""

import copy
import random

from random_models import random_model, usd

GROUPS = ["rates", "list_prices", "catalog", "demand", "commitments", "rules"]
PRICE = ("lot", "priceUnit", "price", "periodPrices")
FEE = ("hourlyFee", "upfront", "lot")
DEMAND = ("team", "account", "mustServe", "priority", "penalty", "weight", "throughput", "replicas",
          "headroom", "fair")
ASKED = ("periods", "loadLevels", "teams", "uncertainty")


def offering_key(row):
    return tuple(row.get(k, "*") for k in ("provider", "region", "zone", "type", "purchase"))


def scaled(money, factor):
    value = int(money.get("units", 0)) + money.get("nanos", 0) / 1e9
    return usd(round(value * factor, 4), money["currencyCode"])


def change_rates(r, model):
    for rate in model.get("currency", {}).get("rates", []):
        rate["rate"] = round(rate["rate"] * r.choice([0.9, 1.1]), 6)


def change_list_prices(r, model):
    for row in model["catalog"]["offerings"]:
        if r.random() < 0.5:
            row["price"] = scaled(row["price"], r.choice([0.8, 1.25, 1.5]))
    for product in model["catalog"].get("products", []):
        product["hourlyFee"] = scaled(product["hourlyFee"], r.choice([0.9, 1.1]))


def change_catalog(r, model):
    rows = model["catalog"]["offerings"]
    if r.random() < 0.5:
        added = copy.deepcopy(r.choice(rows))
        added["type"], added["price"] = "t3", scaled(added["price"], 0.9)
        rows.append(added)
    elif len(rows) > 2 and "current" not in model:
        rows.pop(r.randrange(len(rows)))
    else:
        r.choice(rows)["resources"]["memoryGib"] = 64


def change_demand(r, model):
    for w in model["workloads"]:
        if "throughput" in w:
            w["throughput"]["rate"] = [round(v * r.choice([0.5, 1, 1.5]), 3)
                                       for v in w["throughput"]["rate"]]
        else:
            w["replicas"]["count"] = [max(0, v + r.choice([-1, 0, 1]))
                                      for v in w["replicas"]["count"]]


def change_commitments(r, model):
    for product in model["catalog"].get("products", []):
        product["existing"] = [{"quantity": r.choice([1, 2, 4])}]
        product["purchasableMaximum"] = r.choice([0, 3])


def change_rules(r, model):
    for limit in model["limits"]:
        key = "maximum" if "maximum" in limit else "minimum"
        limit[key] = max(0, limit[key] + r.choice([-1, 1, 5]))
    for budget in model["budgets"]:
        for window in budget["windows"]:
            window["amount"] = scaled(window["amount"], r.choice([0.8, 1.5]))
    for w in model["workloads"]:
        if w.get("shares") and r.random() < 0.5:
            w["shares"] = []
    model["options"]["horizonRepeats"] = not model["options"]["horizonRepeats"]


CHANGES = dict(zip(GROUPS, [change_rates, change_list_prices, change_catalog, change_demand,
                            change_commitments, change_rules]))


def random_pair(seed):
    """The first model, the second, and the groups that were changed (perhaps by nothing)."""
    r = random.Random(seed + 10**6)
    first = random_model(seed)
    second = copy.deepcopy(first)
    groups = [g for g in GROUPS if r.random() < 0.5]
    for group in groups:
        CHANGES[group](r, second)
    return first, second, groups


def take(into, source, keys):
    for key in keys:
        into.pop(key, None)
        if key in source:
            into[key] = copy.deepcopy(source[key])


def mixed(first, second, n):
    """The first model with the first n groups of the second's inputs."""
    model = copy.deepcopy(first)
    catalog, other = model["catalog"], second["catalog"]
    if n >= 1:
        take(model, second, ["currency"])
    if n >= 2:
        prices = {offering_key(o): o for o in other["offerings"]}
        for o in catalog["offerings"]:
            if offering_key(o) in prices:
                take(o, prices[offering_key(o)], PRICE)
        fees = {p["id"]: p for p in other.get("products", [])}
        for p in catalog.get("products", []):
            if p["id"] in fees:
                take(p, fees[p["id"]], FEE)
        take(model, second, ["egressPrices", "volumePrices"])
    if n >= 3:
        take(catalog, other, ["offerings"])
    if n >= 4:
        take(model, second, ASKED)
        asked = {w["id"]: w for w in second["workloads"]}
        for w in model["workloads"]:
            take(w, asked[w["id"]], DEMAND)
    if n >= 5:
        take(catalog, other, ["products"])
    if n >= 6:
        return copy.deepcopy(second)
    return model
