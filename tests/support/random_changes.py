"""Random changes that a random model allows."""

import json

from random_models import usd


def _rules(model):
    ids = [x["id"] for key in ("limits", "budgets", "volumePrices") for x in model.get(key, [])]
    for w in model["workloads"]:
        for key in ("shares", "survive", "spread", "together", "apart", "dependencies"):
            ids += [x["id"] for x in w.get(key, [])]
        ids += [w[key]["id"] for key in ("ramp", "traffic") if key in w]
    return ids


def _id(row):
    purchase = "spot" if row["purchase"].endswith("SPOT") else "on-demand"
    return "/".join([row["provider"], row["region"], row["zone"], row["type"], "linux", purchase])


def _selector(r, rows):
    row = r.choice(rows)
    return r.choice([row["provider"], f"{row['provider']}/{row['region']}", _id(row),
                     f"type:{row['type']}", "purchase:spot", f"region:{row['region']}|x*",
                     f"provider:{row['provider']}&type:t*"])


def _relative(r):
    return r.choice(["+10%", "-10%", "+37.5%", "-50%", "*1.25", "*0.8", "*2", "+0%"])


def random_change(r, model, put):
    """One change as text. `model`: as a dict; `put`: the changes made before."""
    rows = model["catalog"]["offerings"]
    workloads = [w["id"] for w in model["workloads"] if f"workload.{w['id']}=off" not in put]
    periods = [p["id"] for p in model["periods"]]
    back = [x for x in put if x.split(".")[0] in ("outage", "forbid", "require", "rule", "offering")
            and not x.endswith(("}", "=off", "=0")) or x.startswith(("rule.", "offering."))
            and x.endswith("=off")]
    pairs = [x["pair"] for x in model.get("currency", {}).get("rates", [])]
    for _ in range(100):
        kind = r.choice(["price", "price", "demand", "demand", "limit", "budget", "rate", "outage",
                         "offering", "add", "forbid", "require", "workload", "commitment", "rule",
                         "back"])
        if kind == "price":
            row = r.choice(rows)
            if r.random() < 0.3:
                code = row["price"]["currencyCode"]
                return f"price.{_id(row)}={round(r.uniform(0.01, 0.5), 4)}{code}"
            return f"price.{_selector(r, rows)}={_relative(r)}"
        if kind == "demand" and workloads:
            target = r.choice(workloads + ["*"])
            if r.random() < 0.3:
                target += "@" + r.choice(periods)
            return f"demand.{target}={r.choice([_relative(r), str(r.randint(0, 9))])}"
        if kind == "limit" and model.get("limits"):
            return f"limit.{r.choice(model['limits'])['id']}=" + r.choice(
                [_relative(r), str(r.randint(0, 12))])
        if kind == "budget" and model.get("budgets"):
            name = r.choice(model["budgets"])["id"] + r.choice(["", "@0"])
            return f"budget.{name}=" + r.choice([_relative(r), str(r.randint(50, 5000))])
        if kind == "rate" and pairs:
            pair = r.choice(pairs)
            if r.random() < 0.5:
                pair = "/".join(pair.split("/")[::-1])
            absolute = "0.16" if pair == "CNY/USD" else "6.9"
            return f"rate.{pair}=" + r.choice([r.choice(["+10%", "*0.8", "*1.25"]), absolute])
        if kind == "outage":
            row = r.choice(rows)
            place = r.choice([row["provider"], f"{row['provider']}/{row['region']}"])
            return f"outage.{place}=on"
        if kind == "offering":
            return f"offering.{_selector(r, rows)}=" + r.choice(["off", "off", "on"])
        if kind == "add" and not any(x.startswith("offering.gcp/") for x in put):
            size = r.choice([2, 4])
            body = {"price": usd(round(size * r.uniform(0.015, 0.05), 4)), "family": "t",
                    "resources": {"vcpu": size, "memoryGib": 4 * size}}
            return f"offering.gcp/us/*/t{size}/linux/on-demand={json.dumps(body)}"
        if kind == "forbid" and workloads:
            target = _selector(r, rows)
            if r.random() < 0.4:
                target += "@" + r.choice(workloads)
            return f"forbid.{target}=on"
        if kind == "require":
            target = _selector(r, rows)
            if r.random() < 0.3:
                target += "@" + r.choice(periods)
            return f"require.{target}={r.choice(['on', '2'])}"
        if kind == "workload" and len(workloads) > 1 and r.random() < 0.3:
            return f"workload.{r.choice(workloads)}=off"
        if kind == "commitment" and model["catalog"].get("products"):
            name = r.choice(model["catalog"]["products"])["id"]
            return f"commitment.{name}=" + r.choice(["0", "1", "3", "off"])
        if kind == "rule" and _rules(model):
            return f"rule.{r.choice(_rules(model))}=off"
        if kind == "back" and back:
            target, _, value = r.choice(back).rpartition("=")
            return target + ("=on" if value == "off" else "=off")
    raise AssertionError("no change was found")
