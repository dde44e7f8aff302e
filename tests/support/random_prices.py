"""Penalties in steps, carbon, budgets past the horizon, minimum quantities and prices by volume for
random models, by random numbers of their own."""
import random


def dearer(price, factor):
    nanos = round((int(price["units"]) * 10**9 + price["nanos"]) * factor)
    return {"currencyCode": price["currencyCode"], "units": str(nanos // 10**9),
            "nanos": nanos % 10**9}


def add_steps(r, policy, scale):
    if policy["kind"] != "POLICY_KIND_SOFT" or r.random() < 0.3:
        return
    price, steps, start, factor = policy["price"], [], 0, 1
    if r.random() < 0.5:
        del policy["price"]
        steps.append({"from": 0, "price": price})
    for _ in range(r.randint(1, 3)):
        start += r.choice([0.5, 1, 2]) * scale
        factor *= r.choice([1, 1.5, 3])
        steps.append({"from": start, "price": dearer(price, factor)})
    policy["steps"] = steps


def add_carbon(r, model):
    if r.random() > 0.3:
        return
    for row in model["catalog"]["offerings"]:
        row["carbonKgPerHour"] = r.choice([0, 0.05, 0.1, 0.4])
    kind = r.choice(["HARD", "SOFT", "PREFER"])
    policy = {"kind": f"POLICY_KIND_{kind}"}
    if kind == "SOFT":
        policy["price"] = {"currencyCode": "USD", "units": "0", "nanos": r.choice([50, 900]) * 10**6}
    model["limits"].append({"id": "carbon", "metric": "LIMIT_METRIC_CARBON_KG", "policy": policy,
                            "maximum": r.choice([0, 0.3, 1])})


def add_or_nothing(r, model):
    if r.random() > 0.25:
        return
    row = r.choice(model["catalog"]["offerings"])
    kind = r.choice(["type", "region", "provider"])
    model["limits"].append({"id": "lot", "scope": {"include": [{kind: [row[kind]]}]},
                            "metric": r.choice(["LIMIT_METRIC_INSTANCES", "LIMIT_METRIC_VCPU"]),
                            "minimum": r.choice([2, 3, 5, 9]), "orNothing": True,
                            "policy": {"kind": "POLICY_KIND_HARD"}})


def add_volumes(r, model):
    if r.random() > 0.3 or "current" in model:
        return
    hours = sum(p["hours"] for p in model["periods"])
    rising = r.random() < 0.4 and not model["catalog"].get("products")
    steps, start, factor = [], 0, 1
    for _ in range(r.randint(1, 3)):
        start += round(hours * r.choice([0.02, 0.05, 0.2]), 3)
        factor = round(factor + 0.25 if rising else factor * r.choice([0.5, 0.8]), 6)
        steps.append({"from": {"currencyCode": "USD", "units": str(int(start)),
                               "nanos": round(start % 1 * 10**9)}, "factor": factor})
    price = {"id": "volume", "steps": steps}
    row = r.choice(model["catalog"]["offerings"])
    if r.random() < 0.7:
        price["offerings"] = {"include": [{"provider": [row["provider"]]}]}
    if r.random() < 0.2:
        price["periods"] = ["p0"]
    model["volumePrices"] = [price]


def add_prices(model, seed):
    r = random.Random(f"prices {seed}")
    add_carbon(r, model)
    for limit in model["limits"]:
        add_steps(r, limit["policy"], 1)
    hours = sum(p["hours"] for p in model["periods"])
    for budget in model["budgets"]:
        add_steps(r, budget["policy"], hours / 8)
        if r.random() < 0.3:
            budget["prorate"] = True
            budget["windows"][0]["hours"] = hours * r.choice([1, 1.5, 3])
    add_or_nothing(r, model)
    add_volumes(r, model)
