"""Random small models over all rule kinds that the server solves; equal seeds give equal models."""
import random

from random_affinity import add_affinities
from random_box import add_boxes
from random_fair import add_fairness
from random_ramp import add_ramps
from random_prices import add_prices
from random_traffic import add_traffic
from random_uncertainty import add_uncertainty

PROVIDERS = {"aws": ["us", "eu"], "alibaba": ["cn", "sg"], "azure": ["we"]}


def usd(value, currency="USD"):
    nanos = round(value * 10**9)
    return {"currencyCode": currency, "units": str(nanos // 10**9), "nanos": nanos % 10**9}


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.model = {"displayName": f"random {seed}"}

    def chance(self, share):
        return self.r.random() < share

    def periods(self):
        n = self.r.randint(1, 3)
        hours = [self.r.choice([1, 8, 24, 100, 300.5]) for _ in range(n)]
        periods = [{"id": f"p{i}", "hours": h} for i, h in enumerate(hours)]
        if self.chance(0.5):
            at = 1767225600  # 2026-01-01
            for period in periods:
                stamp = at % 86400
                day = (at - 1767225600) // 86400 + 1
                period["start"] = (f"2026-01-{day:02d}T{int(stamp) // 3600:02d}:"
                                   f"{int(stamp) % 3600 // 60:02d}:00Z")
                at += int(period["hours"] * 3600)
        self.started = "start" in periods[0]
        self.model["periods"] = periods

    def offerings(self):
        rows, seen = [], set()
        for _ in range(self.r.randint(2, 6)):
            provider = self.r.choice(list(PROVIDERS))
            region = self.r.choice(PROVIDERS[provider])
            zone = self.r.choice(["*", "a", "b"])
            size = self.r.choice([1, 2, 4, 8])
            purchase = self.r.choice(["PURCHASE_ON_DEMAND"] * 3 + ["PURCHASE_SPOT"])
            key = (provider, region, zone, size, purchase)
            if key in seen:
                continue
            seen.add(key)
            currency = "CNY" if provider == "alibaba" and region == "cn" else "USD"
            price = round(size * self.r.uniform(0.02, 0.06) * (7 if currency == "CNY" else 1) *
                          (0.4 if purchase.endswith("SPOT") else 1), 4)
            row = {"provider": provider, "region": region, "zone": zone, "type": f"t{size}",
                   "family": "t", "purchase": purchase, "price": usd(price, currency),
                   "resources": {"vcpu": size, "memoryGib": size * self.r.choice([2, 4])}}
            if purchase.endswith("SPOT") and self.chance(0.5):
                row["availability"] = 0.9
            if self.chance(0.15):
                row["periodPrices"] = [{"periods": ["p0"],
                                        "price": usd(round(price * 1.25, 4), currency)}]
            rows.append(row)
        self.rows = rows
        self.model["catalog"] = {"offerings": rows}
        if any(row["price"]["currencyCode"] == "CNY" for row in rows) or self.chance(0.2):
            self.cny = True
        else:
            self.cny = False
        if self.cny:
            self.model["currency"] = {"baseCurrency": "USD", "rates": [
                self.r.choice([{"pair": "CNY/USD", "rate": 0.14}, {"pair": "USD/CNY", "rate": 7.1}])]}

    def selector(self):
        row = self.r.choice(self.rows)
        kind = self.r.choice(["provider", "provider", "region", "type", "purchase"])
        return {"include": [{kind: [row[kind]]}]}

    def policy(self, money_scale, default=True):
        kind = self.r.choice(["HARD", "HARD", "SOFT", "PREFER"] + (["DEFAULT"] if default else []))
        policy = {"kind": f"POLICY_KIND_{kind}"}
        if kind == "SOFT":
            policy["price"] = usd(round(self.r.uniform(0.2, 3) * money_scale, 3))
        return policy

    def service(self):
        kind = self.r.choice(["must", "must", "priority", "penalty"])
        if kind == "must":
            return {"mustServe": True}
        if kind == "priority":
            row = {"priority": self.r.randint(1, 2)}
            if self.chance(0.3):
                row["weight"] = 2.5
            return row
        return {"penalty": usd(round(self.r.uniform(0.005, 0.1), 4))}

    def values(self, pick):
        n = len(self.model["periods"])
        return [pick() for _ in range(self.r.choice([1, n]))]

    def workloads(self):
        rows = []
        for i in range(self.r.randint(1, 3)):
            row = {"id": f"w{i}", "team": self.r.choice(["core", "data"]), **self.service()}
            if self.chance(0.5):
                row["throughput"] = {
                    "rate": self.values(lambda: self.r.choice([0, 5, 12, 30, 47.5])),
                    "performance": [{"perVcpu": self.r.choice([1, 2.5, 10])}]}
                if self.chance(0.3):
                    row["throughput"]["performance"].insert(
                        0, {"offerings": self.selector(), "perInstance": self.r.choice([3, 7.25])})
            else:
                row["replicas"] = {
                    "count": self.values(lambda: self.r.randint(0, 6)),
                    "resources": {"vcpu": self.r.choice([0.5, 1, 2]),
                                  "memoryGib": self.r.choice([1, 2, 3, 5])}}
                if self.chance(0.3):
                    row["replicas"]["maximumPerInstance"] = self.r.randint(1, 3)
            self.rules(i, row)
            rows.append(row)
        self.model["workloads"] = rows
        self.model["teams"] = [{"id": "core"}, {"id": "data"}]
        if self.chance(0.3):
            self.model["teams"][1]["overhead"] = {"vcpu": 0.25, "memoryGib": 0.5}

    def rules(self, i, row):
        if self.chance(0.2):
            row["headroom"] = 0.25
        if self.chance(0.2):
            row["forbidden"] = self.selector()
        if self.chance(0.15):
            row["allowed"] = {"include": [{"provider": [r["provider"]]}
                                          for r in self.r.sample(self.rows, 1)] +
                              [{"provider": ["a*"]}]}
        if self.chance(0.3):
            share = {"id": f"share{i}", "offerings": self.selector()}
            share[self.r.choice(["maximum", "minimum"])] = self.r.choice([0.25, 0.5, 0.7])
            row["shares"] = [share]
        level = self.r.choice(["ZONE", "REGION", "PROVIDER"])
        if self.chance(0.2):
            row["survive"] = [{"id": f"survive{i}", "level": f"DOMAIN_LEVEL_{level}",
                               "share": self.r.choice([0.3, 0.5, 1])}]
        if self.chance(0.2):
            row["spread"] = [{"id": f"spread{i}", "level": f"DOMAIN_LEVEL_{level}",
                              "minimumDomains": 2, "minimumShare": self.r.choice([0.1, 0.3, 0.5])}]

    def limits(self):
        rows = []
        for i in range(self.r.choice([0, 1, 1, 2])):
            row = {"id": f"limit{i}", "policy": self.policy(0.1),
                   "metric": self.r.choice(["LIMIT_METRIC_INSTANCES", "LIMIT_METRIC_VCPU",
                                            "LIMIT_METRIC_MEMORY_GIB"])}
            if self.chance(0.7):
                row["scope"] = self.selector()
            if self.chance(0.8):
                row["maximum"] = self.r.choice([2, 4, 8, 20])
            else:
                row["minimum"] = self.r.choice([1, 2, 3])
            if self.chance(0.2):
                row["periods"] = ["p0"]
            rows.append(row)
        self.model["limits"] = rows

    def budgets(self):
        rows = []
        total = sum(p["hours"] for p in self.model["periods"])
        for i in range(self.r.choice([0, 0, 1, 1, 2])):
            currency = self.r.choice(["USD", "CNY"]) if self.cny else "USD"
            amount = round(total * self.r.uniform(0.1, 3) * (7 if currency == "CNY" else 1), 2)
            row = {"id": f"budget{i}", "windows": [{"amount": usd(amount, currency)}],
                   "policy": self.policy(1, default=False)}
            kind = self.r.choice(["all", "provider", "team", "offerings"])
            if kind == "provider":
                row["provider"] = self.r.choice(self.rows)["provider"]
            elif kind == "team":
                row["team"] = self.r.choice([w["team"] for w in self.model["workloads"]])
            elif kind == "offerings":
                row["offerings"] = self.selector()
            if self.chance(0.5):
                row["basis"] = self.r.choice(["BUDGET_BASIS_LIST", "BUDGET_BASIS_AMORTISED",
                                              "BUDGET_BASIS_CASH"])
            if self.chance(0.2):
                row["spentAlready"] = usd(round(amount / 10, 2), currency)
            rows.append(row)
        self.model["budgets"] = rows

    def products(self):
        rows = []
        eligible = [r for r in self.rows if r["purchase"].endswith("DEMAND")]
        for i in range(self.r.choice([0, 0, 1, 2]) if eligible else 0):
            row = self.r.choice(eligible)
            currency = row["price"]["currencyCode"]
            price = int(row["price"]["units"]) + row["price"]["nanos"] / 1e9
            spend = self.chance(0.4)
            product = {"id": f"c{i}", "provider": row["provider"], "termHours": 8760,
                       "kind": f"COMMITMENT_KIND_{'SPEND' if spend else 'UNIT'}",
                       "eligible": {"include": [{"provider": [row["provider"]]}]}
                       if spend else {"include": [{"type": [row["type"]],
                                                   "provider": [row["provider"]]}]}}
            if spend:
                product["hourlyFee"] = usd(0.05, currency)
                product["lot"] = 0.05
                product["rates"] = [{"offerings": {}, "priceRatio": self.r.choice([0.6, 0.75])}]
            else:
                product["hourlyFee"] = usd(round(price * 0.6, 4), currency)
                if self.chance(0.3):
                    product["upfront"] = usd(round(price * 100, 2), currency)
            if self.chance(0.4):
                product["existing"] = [{"quantity": self.r.choice([1, 2, 3.5])}]
            if self.chance(0.6):
                product["purchasableMaximum"] = self.r.choice([0, 2, 10])
            if self.chance(0.3):
                product["scope"] = {"teams": [self.r.choice(["core", "data"])]}
            rows.append(product)
        if rows:
            self.model["catalog"]["products"] = rows

    def current(self):
        if not (self.chance(0.25) and (self.started or len(self.model["periods"]) == 1)):
            return
        rows = []
        for row in self.r.sample(self.rows, min(2, len(self.rows))):
            workload = self.r.choice(self.model["workloads"])
            purchase = "spot" if row["purchase"].endswith("SPOT") else "on-demand"
            user = {"team": workload["team"]} if "replicas" in workload else \
                {"workload": workload["id"]}
            rows.append({"offering": f"{row['provider']}/{row['region']}/{row['zone']}/"
                                     f"{row['type']}/linux/{purchase}",
                         "count": self.r.randint(1, 5), **user})
        current = {"instances": rows}
        for cost in ("startCost", "stopCost", "moveCost"):
            if self.chance(0.5):
                current[cost] = usd(round(self.r.uniform(0.1, 2), 2))
        if self.chance(0.4):
            current["maximumMoves"] = self.r.randint(0, 4)
        self.model["current"] = current

    def make(self):
        self.periods()
        self.offerings()
        self.workloads()
        self.limits()
        self.budgets()
        self.products()
        self.current()
        self.model["options"] = {"gap": 0, "timeLimitSeconds": 60,
                                 "horizonRepeats": self.chance(0.5)}
        return self.model


def random_model(seed):
    """A Model in proto3 JSON, as a dict."""
    model = Maker(seed).make()
    add_affinities(model, seed)
    add_ramps(model, seed)
    add_fairness(model, seed)
    add_boxes(model, seed)
    add_prices(model, seed)
    add_traffic(model, seed)
    add_uncertainty(model, seed)  # last: it looks at the rules that are there
    return model
