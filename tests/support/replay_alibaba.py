"""Alibaba Cloud as a local server: ECS, Quota Center, Cloud Monitor and the bill, in RPC style.

Signatures are checked with HMAC-SHA1 of our own over the query as it came; a wrong one, a nonce that comes twice
and a time that is more than 15 minutes off are refused as the service does. Answers are built from records: true
ones where a test hands over what was recorded, else made up.

    with ReplayAlibaba(NOW) as cloud:
        cloud.region("cn-hangzhou").types.append(instance_type("ecs.g7.large"))
        ... PluginHost().load(..., secrets=cloud.secrets, http=cloud.http(), clock_ns=NOW * 10 ** 9)
"""
import base64
import dataclasses
import datetime
import hashlib
import hmac
import json
import urllib.parse

from fault_cloud import Answer, FaultCloud

KEY, SECRET = "LTAItestkey", "top secret"
VERSIONS = {"ecs": "2014-05-26", "quotas": "2020-05-10", "metrics": "2019-01-01", "business": "2017-12-14"}
SERVICE = {"ListProductQuotas": "quotas", "DescribeMetricList": "metrics", "DescribeInstanceBill": "business"}


def instance_type(name, vcpus=2, gib=8, **changes):
    """A made-up record of DescribeInstanceTypes, with the fields of the recorded one that count."""
    return {"InstanceTypeId": name, "InstanceTypeFamily": name.rpartition(".")[0], "CpuCoreCount": vcpus,
            "MemorySize": gib, "CpuArchitecture": "X86", "GPUAmount": 0, "GPUSpec": "",
            "InstanceBandwidthTx": 1536000, "LocalStorageCategory": "", **changes}


def point(zone, price, at, **changes):
    """A point of a spot market; `at` as the service writes times."""
    return {"ZoneId": zone, "InstanceType": "", "NetworkType": "vpc", "SpotPrice": price, "OriginPrice": 1.0,
            "IoOptimized": "optimized", "Timestamp": at, **changes}


@dataclasses.dataclass
class Region:
    types: list = dataclasses.field(default_factory=list)
    zones: dict = dataclasses.field(default_factory=dict)       # zone: {type: StatusCategory}
    spot_zones: dict = dataclasses.field(default_factory=dict)  # the same of spot
    prices: dict = dataclasses.field(default_factory=dict)      # (type, unit): (instance, its disk)
    markets: dict = dataclasses.field(default_factory=dict)     # type: points
    attributes: dict = dataclasses.field(default_factory=dict)
    quotas: list = dataclasses.field(default_factory=list)
    points: list = dataclasses.field(default_factory=list)
    instances: list = dataclasses.field(default_factory=list)


class ReplayAlibaba(FaultCloud):
    def __init__(self, now):
        super().__init__()
        self.now, self.secret, self.currency = now, SECRET, "CNY"
        self.page_size, self.empty_pages, self.same_token = 100, 0, False
        self.regions, self.bills, self.nonces = {}, {}, set()
        self.essd_only = set()  # types that have no price with the default disk
        self.first = {}         # action: answers that come before the true ones
        self.calls = []         # queries of the calls that were let in

    @property
    def secrets(self):
        return {"access_key_id": KEY, "access_key_secret": SECRET}

    def http(self):
        return {"retry_seconds": 0.001, "attempts": 3,
                "endpoints": {name: self.url for name in ("ecs", "quotas", "metrics", "business")}}

    def region(self, name):
        return self.regions.setdefault(name, Region())

    def actions(self):
        return [call["Action"] for call in self.calls]

    def take(self, request):
        with self._lock:
            self.requests.append(request)
            asked = dict(request.query)
            refusal = self._refusal(request, asked)
            if refusal:
                return refusal
            self.calls.append(asked)
            first = self.first.get(asked["Action"])
            if first:
                return first.pop(0)
            return getattr(self, "_" + asked["Action"])(asked)

    # ---- What the gateway checks ----

    def _refusal(self, request, asked):
        at = datetime.datetime.fromisoformat(asked.get("Timestamp", "2000-01-01T00:00:00Z").replace("Z", "+00:00"))
        if asked.get("AccessKeyId") != KEY:
            return self._error(404, "InvalidAccessKeyId.NotFound")
        if abs(at.timestamp() - self.now) > 900:
            return self._error(400, "InvalidTimeStamp.Expired")
        if asked.get("SignatureNonce", "") in self.nonces | {""}:
            return self._error(400, "SignatureNonceUsed")
        if asked.get("Signature") != self._signature(request):
            return self._error(400, "SignatureDoesNotMatch")
        self.nonces.add(asked["SignatureNonce"])
        service = SERVICE.get(asked["Action"], "ecs")
        if asked["Version"] != VERSIONS[service] or asked["Format"] != "JSON":
            return self._error(404, "InvalidAction.NotFound")
        return None

    def _signature(self, request):
        def encode(text):
            return urllib.parse.quote(text, safe="-_.~")
        query = "&".join(sorted(f"{encode(k)}={encode(v)}" for k, v in request.query if k != "Signature"))
        text = f"{request.method}&%2F&{encode(query)}"
        return base64.b64encode(hmac.new((self.secret + "&").encode(), text.encode(), hashlib.sha1).digest()).decode()

    @staticmethod
    def _json(value, status=200):
        return Answer(status, json.dumps({"RequestId": "1", **value}).encode(),
                      content_type="application/json;charset=utf-8")

    def _error(self, status, code):
        return self._json({"HostId": "ecs.aliyuncs.com", "Code": code, "Message": "x", "Recommend": "y"}, status)

    def _page(self, items, asked, name="NextToken"):
        """A page, and the token of the next one ("": none), which counts items or pages."""
        at = int(asked.get(name, "0").removeprefix("token-"))
        pages = [items[i:i + self.page_size] for i in range(0, len(items), self.page_size)] or [[]]
        pages[1:1] = [[]] * self.empty_pages
        more = at + 1 < len(pages)
        return pages[min(at, len(pages) - 1)], "token-1" if self.same_token else f"token-{at + 1}" if more else ""

    # ---- ECS ----

    def _DescribeInstanceTypes(self, asked):
        page, token = self._page(self.region(asked["RegionId"]).types, asked)
        return self._json({"NextToken": token, "InstanceTypes": {"InstanceType": page}})

    def _DescribeAvailableResource(self, asked):
        region = self.region(asked["RegionId"])
        zones = region.spot_zones if asked.get("SpotStrategy") == "SpotAsPriceGo" else region.zones
        return self._json({"AvailableZones": {"AvailableZone": [
            {"ZoneId": zone, "RegionId": asked["RegionId"], "Status": "Available", "StatusCategory": "WithStock",
             "AvailableResources": {"AvailableResource": [{"Type": asked["DestinationResource"], "SupportedResources": {
                 "SupportedResource": [
                     {"Value": name, "StatusCategory": stock,
                      "Status": "SoldOut" if stock.endswith("WithoutStock") else "Available"}
                     for name, stock in types.items()]}}]}} if types else {"ZoneId": zone, "RegionId": asked["RegionId"]}
            for zone, types in zones.items()]}})

    def _DescribePrice(self, asked):
        name = asked["InstanceType"]
        price = self.region(asked["RegionId"]).prices.get((name, asked["PriceUnit"]))
        if name in self.essd_only and asked.get("SystemDisk.Category") != "cloud_essd":
            return self._error(400, "InvalidSystemDiskCategory.ValueNotSupported")
        if price is None:
            return self._error(404, "PricePlanResultNotFound")
        parts = [{"Resource": r, "OriginalPrice": p, "DiscountPrice": p / 5, "TradePrice": round(p * 0.8, 6)}
                 for r, p in zip(("instanceType", "systemDisk"), price)]
        whole = sum(price)
        return self._json({"PriceInfo": {"Rules": {"Rule": []}, "Price": {
            "OriginalPrice": whole, "DiscountPrice": whole / 5, "TradePrice": round(whole * 0.8, 6),
            **({"Currency": self.currency} if self.currency else {}), "DetailInfos": {"DetailInfo": parts}}}})

    def _DescribeSpotPriceHistory(self, asked):
        if asked.get("NetworkType") != "vpc":
            return self._error(400, "MissingParameter")
        points = self.region(asked["RegionId"]).markets.get(asked["InstanceType"])
        if points is None:
            return self._error(404, "InvalidInstanceType.NotSupportSpot")
        at = int(asked.get("Offset", 0))
        end = at + self.page_size
        return self._json({"Currency": self.currency, "SpotPrices": {"SpotPriceType": points[at:end]},
                           "NextOffset": end if end < len(points) else 0})

    def _DescribeAccountAttributes(self, asked):
        told = self.region(asked["RegionId"]).attributes
        names = [v for k, v in asked.items() if k.startswith("AttributeName.")]
        return self._json({"AccountAttributeItems": {"AccountAttributeItem": [
            {"AttributeName": n, "AttributeValues": {"ValueItem": [{"Value": told[n]}]}} for n in names if n in told]}})

    def _DescribeInstances(self, asked):
        page, token = self._page(self.region(asked["RegionId"]).instances, asked)
        return self._json({"NextToken": token, "Instances": {"Instance": page}})

    # ---- Other services ----

    def _ListProductQuotas(self, asked):
        assert asked["ProductCode"] == "ecs-spec" and asked["Dimensions.1.Key"] == "regionId"
        page, token = self._page(self.region(asked["Dimensions.1.Value"]).quotas, asked)
        return self._json({"Quotas": page, **({"NextToken": token} if token else {})})

    def _DescribeMetricList(self, asked):
        assert asked["Namespace"] == "acs_ecs_dashboard" and asked["MetricName"] == "CPUUtilization"
        page, token = self._page(self.region(asked["RegionId"]).points, asked)
        return self._json({"Code": "200", "Success": True, "Period": asked["Period"],
                           "Datapoints": json.dumps(page), **({"NextToken": token} if token else {})})

    def _DescribeInstanceBill(self, asked):
        if asked["Granularity"] != "DAILY" or not asked["BillingDate"].startswith(asked["BillingCycle"]):
            return self._json({"Success": False, "Code": "MissingParameter", "Message": "x"})
        page, token = self._page(self.bills.get(asked["BillingDate"], []), asked)
        return self._json({"Success": True, "Code": "Success", "Data": {
            "AccountID": "185", "BillingCycle": asked["BillingCycle"], "Items": page,
            **({"NextToken": token} if token else {})}})
