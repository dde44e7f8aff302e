"""Traffic and dependencies for random models, by random numbers of their own."""
import random


def usd(value, currency):
    nanos = round(value * 10**9)
    return {"currencyCode": currency, "units": str(nanos // 10**9), "nanos": nanos % 10**9}


def amounts(r, rule):
    rule["gbPerUnitHour"] = r.choice([0, 0.01, 0.2, 1.5])
    rule["gbBackPerUnitHour"] = r.choice([0, 0, 0.05, 1])
    if r.random() < 0.5 or not (rule["gbPerUnitHour"] or rule["gbBackPerUnitHour"]):
        rule["maximumLatencyMs"] = r.choice([20, 45, 80])
    return rule


def prices(r, places, currencies):
    rows = []
    for place in places:
        for other in places:
            if r.random() < 0.5:
                rows.append({"from": place, "to": other, "latencyMs": r.choice([5, 30, 60.5, 90]),
                             "pricePerGb": usd(r.choice([0, 0.01, 0.02, 0.09]), r.choice(currencies))})
    rows += [{"from": f"{p.split('/')[0]}/*", "to": "*", "pricePerGb": usd(0.05, r.choice(currencies))}
             for p in places if r.random() < 0.3]
    return rows + [{"from": "*", "to": "*", "pricePerGb": usd(0.03, "USD"), "latencyMs": 40}]


def add_traffic(model, seed):
    r = random.Random(f"traffic {seed}")
    workloads, rows = model["workloads"], model["catalog"]["offerings"]
    if r.random() > 0.35:
        return
    regions = sorted({f"{row['provider']}/{row['region']}" for row in rows})
    places = [*regions, "internet/eu", "internet/as"]
    currencies = ["USD", "CNY"] if "currency" in model else ["USD"]
    for workload in r.sample(workloads, r.randint(1, len(workloads))):
        shares = r.choice([[1], [0.5, 0.5], [0.25, 0.75], [0.333333333, 0.666666667]])
        sources = r.sample(places, len(shares))
        workload["traffic"] = amounts(r, {
            "id": f"traffic-{workload['id']}",
            "sources": [{"region": p, "share": s} for p, s in zip(sources, shares)]})
    if len(workloads) > 1 and r.random() < 0.5:
        one, other = r.sample(workloads, 2)
        one["dependencies"] = [amounts(r, {"id": "dependency", "workload": other["id"]})]
    model["egressPrices"] = prices(r, places, currencies)
