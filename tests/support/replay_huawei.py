"""Huawei Cloud as a local server: ECS, Cloud Eye and BSS, in JSON.

Signatures are checked with SDK-HMAC-SHA256 of our own over the request as it came; a wrong one and a time that is more
than 15 minutes off are refused as the gateway does. No recorded answer of Huawei Cloud has a licence: all answers are
synthetic, built from the shapes in its API reference.

    with ReplayHuawei(NOW) as cloud:
        cloud.region("cn-north-4").types.append(flavor("s6.large.2"))
        ... PluginHost().load(..., secrets=cloud.secrets, http=cloud.http(), clock_ns=NOW * 10 ** 9)
"""
import dataclasses
import datetime
import hashlib
import hmac
import json
import re
import urllib.parse

from fault_cloud import Answer, FaultCloud

KEY, SECRET = "QTWAOYTTINDUT2QVKYUC", "top secret"
PATHS = {
    r"/v1/(?P<project>[^/]+)/availability-zones": "zones",
    r"/v1/(?P<project>[^/]+)/cloudservers/flavors": "flavors",
    r"/v1/(?P<project>[^/]+)/cloudservers/limits": "limits",
    r"/v1/(?P<project>[^/]+)/cloudservers/detail": "servers",
    r"/V1.0/(?P<project>[^/]+)/batch-query-metric-data": "metrics",
    r"/v2/bills/ratings/on-demand-resources": "on_demand",
    r"/v2/bills/ratings/period-resources/subscribe-rate": "subscribe",
    r"/v4/costs/cost-analysed-bills/query": "costs",
}
TERMS = {2: "month", 3: "year"}


def flavor(name, vcpus=2, mib=4096, **specs):
    """A synthetic record of ListFlavors; `specs` are its os_extra_specs, with '__' for ':'."""
    return {"id": name, "name": name, "vcpus": str(vcpus), "ram": mib, "disk": "0", "swap": "",
            "OS-FLV-DISABLED:disabled": False, "rxtx_factor": 1.0, "os-flavor-access:is_public": True,
            "os_extra_specs": {"ecs:performancetype": "normal", "resource_type": "IOoptimized",
                               **{k.replace("__", ":"): v for k, v in specs.items()}}}


@dataclasses.dataclass
class Region:
    zones: list = dataclasses.field(default_factory=list)      # ids, or whole records
    types: list = dataclasses.field(default_factory=list)
    prices: dict = dataclasses.field(default_factory=dict)     # (type, "hour", "month" or "year"): official price
    limits: dict = dataclasses.field(default_factory=dict)
    servers: list = dataclasses.field(default_factory=list)
    samples: dict = dataclasses.field(default_factory=dict)    # (server, "average" or "max"): {seconds: percent}


class ReplayHuawei(FaultCloud):
    def __init__(self, now):
        super().__init__()
        self.now, self.secret, self.currency = now, SECRET, "CNY"
        self.number = float     # how amounts are written: as numbers or as text
        self.discount = 0.8     # what the account pays of the official price
        self.measure = 1
        self.unknown_code, self.unknown_prose = "CBC.99006006", "Can not find product {0}"
        self.unknown_named = 1  # products that one refusal names
        self.ignores_cursor = False
        self.regions, self.costs = {}, {}  # costs: by cost_type: {(day, service, region): (amount, official amount)}
        self.first = {}         # call: answers that come before the true ones
        self.calls = []         # (call, what was asked) of those that were let in

    @property
    def secrets(self):
        return {"access_key": KEY, "secret_key": SECRET}

    def http(self):
        return {"retry_seconds": 0.001, "attempts": 3,
                "endpoints": {name: self.url for name in ("ecs", "ces", "bss")}}

    def region(self, name):
        return self.regions.setdefault(name, Region())

    def projects(self, *names):
        return ",".join(f"{name}:project-{name}" for name in names)

    def names(self):
        return [name for name, _ in self.calls]

    def take(self, request):
        with self._lock:
            self.requests.append(request)
            refusal = self._refusal(request)
            if refusal:
                return refusal
            found = next(((re.fullmatch(p, request.path), n) for p, n in PATHS.items() if re.fullmatch(p, request.path)),
                         None)
            if not found:
                return self._error(404, "APIGW.0101", "The API does not exist or has not been published.")
            match, name = found
            asked = json.loads(request.body) if request.body else dict(request.query)
            self.calls.append((name, asked))
            if self.first.get(name):
                return self.first[name].pop(0)
            project = match.groupdict().get("project")
            if project and request.headers.get("x-project-id") != project:
                return self._error(403, "Ecs.0015", "another project")
            region = self.region(project.removeprefix("project-")) if project else None
            return getattr(self, "_" + name)(region, asked)

    # ---- What the gateway checks ----

    def _refusal(self, request):
        found = re.fullmatch(r"SDK-HMAC-SHA256 Access=(\w+), SignedHeaders=([^,]+), Signature=(\w+)",
                             request.headers.get("authorization", ""))
        if not found:
            return self._error(401, "APIGW.0301", "Incorrect IAM authentication information: no Authorization")
        key, signed, signature = found.groups()
        at = request.headers.get("x-sdk-date", "19700101T000000Z")
        at_s = datetime.datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
        if abs(at_s - self.now) > 900:
            return self._error(401, "APIGW.0301", "Incorrect IAM authentication information: x-sdk-date is out of range")
        if key != KEY or "x-sdk-date" not in signed.split(";") or signature != self._signature(request, signed, at):
            return self._error(401, "APIGW.0301", "Incorrect IAM authentication information: verify aksk signature fail")
        return None

    def _signature(self, request, signed, at):
        def encode(text):
            return urllib.parse.quote(text, safe="-_.~")
        path = "/".join(encode(part) for part in request.path.split("/"))
        query = "&".join(f"{k}={v}" for k, v in sorted((encode(k), encode(v)) for k, v in request.query))
        headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in signed.split(";"))
        canonical = "\n".join([request.method, path if path.endswith("/") else path + "/", query, headers, signed,
                               hashlib.sha256(request.body).hexdigest()])
        text = f"SDK-HMAC-SHA256\n{at}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    @staticmethod
    def _json(value, status=200):
        return Answer(status, json.dumps(value).encode(), {"X-Request-Id": "1"}, "application/json;charset=utf-8")

    def _error(self, status, code, text):
        return self._json({"error_code": code, "error_msg": text, "request_id": "1"}, status)

    # ---- ECS ----

    def _zones(self, region, _):
        return self._json({"availability_zones": [
            z if isinstance(z, dict) else {"availability_zone_id": z, "type": "Center", "mode": "shared", "category": 0}
            for z in region.zones]})

    def _flavors(self, region, asked):
        at = [t["id"] for t in region.types].index(asked["marker"]) + 1 if "marker" in asked else 0
        at = 0 if self.ignores_cursor else at
        return self._json({"flavors": region.types[at:at + int(asked["limit"])]})

    def _limits(self, region, _):
        return self._json({"absolute": {"maxServerMeta": 128, "maxSecurityGroups": 10, **region.limits}})

    def _servers(self, region, asked):
        limit, page = int(asked["limit"]), 1 if self.ignores_cursor else int(asked["offset"])
        return self._json({"count": len(region.servers), "servers": region.servers[(page - 1) * limit:page * limit]})

    # ---- Cloud Eye ----

    def _metrics(self, region, asked):
        """Moves `from` as the service does when more than 3000 points are asked for."""
        period_ms = 60000 if asked["period"] == "1" else int(asked["period"]) * 1000
        most_ms = 3000 * period_ms // len(asked["metrics"])
        start = max(asked["from"] - asked["from"] % period_ms, asked["to"] - most_ms)
        answer = []
        for metric in asked["metrics"]:
            assert (metric["namespace"], metric["metric_name"]) == ("SYS.ECS", "cpu_util")
            server = metric["dimensions"][0]["value"]
            samples = region.samples.get((server, asked["filter"]), {})
            answer.append({"namespace": "SYS.ECS", "metric_name": "cpu_util", "unit": "%",
                           "dimensions": [{"name": "instance_id", "value": server}],
                           "datapoints": [{asked["filter"]: v, "timestamp": s * 1000}
                                          for s, v in samples.items() if start <= s * 1000 <= asked["to"]]})
        return self._json({"metrics": answer})

    # ---- BSS ----

    def _rate(self, asked, term_of):
        """The official price of each product by id, or the refusal of the batch."""
        if len(asked["product_infos"]) > 100 or not asked["project_id"].startswith("project-"):
            return {}, self._error(400, "CBC.0100", "Parameter error")
        prices, unknown = {}, []
        for info in asked["product_infos"]:
            assert (info["cloud_service_type"], info["resource_type"]) == ("hws.service.type.ec2", "hws.resource.type.vm")
            name = info["resource_spec"].removesuffix(".linux")
            price = self.region(info["region"]).prices.get((name, term_of(info)))
            if price is None or not info["resource_spec"].endswith(".linux"):
                unknown.append(info["resource_spec"])
            prices[info["id"]] = price
        if unknown:
            return {}, self._error(400, self.unknown_code,
                                   self.unknown_prose.format(", ".join(unknown[:self.unknown_named])))
        return prices, None

    def _results(self, prices, **amounts):
        return [{"id": i, "measure_id": self.measure, **{k: self.number(round(p * f, 9)) for k, f in amounts.items()}}
                for i, p in prices.items()]

    def _on_demand(self, _, asked):
        def term_of(info):
            return "hour" if (info["usage_factor"], info["usage_measure_id"], info["usage_value"]) == ("Duration", 4, 1) else ""
        prices, refusal = self._rate(asked, term_of)
        total = sum(prices.values())
        return refusal or self._json({
            "amount": total * self.discount, "official_website_amount": total, "measure_id": 1, "currency": self.currency,
            "product_rating_results": self._results(prices, amount=self.discount, official_website_amount=1)})

    def _subscribe(self, _, asked):
        prices, refusal = self._rate(asked, lambda info: TERMS[info["period_type"]] if info["period_num"] == 1 else "")
        return refusal or self._json({
            "currency": self.currency,
            "official_website_rating_result": {
                "official_website_amount": sum(prices.values()), "measure_id": 1,
                "product_rating_results": self._results(prices, official_website_amount=1)},
            "optional_discount_rating_results": [
                {"discount_id": "a", "best_offer": 0, "product_rating_results": self._results(prices, amount=0.95)},
                {"discount_id": "b", "best_offer": 1,
                 "product_rating_results": self._results(prices, amount=self.discount)}] if self.discount != 1 else []})

    def _costs(self, _, asked):
        when = asked["time_condition"]
        assert when["time_measure_id"] == 1 and asked["amount_type"] == "PAYMENT_AMOUNT"
        assert [g["key"] for g in asked["groupby"]] == ["CLOUD_SERVICE_TYPE", "REGION_CODE"]
        groups = {}
        for (day, service, region), (amount, official) in self.costs.get(asked["cost_type"], {}).items():
            if when["begin_time"] <= day <= when["end_time"]:
                groups.setdefault((service, region), []).append(
                    {"time_dimension_value": day, "time_measure_id": 1, "amount": amount, "official_amount": official})
        data = [{"dimensions": [{"key": "REGION_CODE", "value": r}, {"key": "CLOUD_SERVICE_TYPE", "value": s}], "costs": c,
                 "amount_by_costs": "0"} for (s, r), c in groups.items()]
        at = 0 if self.ignores_cursor else asked["offset"]
        return self._json({"currency": self.currency, "total_count": len(data), "cost_data": data[at:at + asked["limit"]]})
