"""Azure as a local server: Resource Manager, Cost Management and Monitor behind a token, and public Retail Prices.

Tokens are checked as the service does: one that is missing, unknown or older than its life is 401
InvalidAuthenticationToken. Answers are built from records: true ones where a test hands over what was recorded,
else made up.

    with ReplayAzure() as cloud:
        cloud.region("eastus").skus.append(sku("Standard_D2s_v5"))
        ... PluginHost().load(..., secrets=cloud.secrets, http=cloud.http())
"""
import dataclasses
import json
import re
import urllib.parse

from fault_cloud import Answer, FaultCloud

SUBSCRIPTION = "00000000-1111-2222-3333-444444444444"
TENANT, CLIENT, SECRET = "tenant-1", "client-1", "top secret"
JSON_TYPE = "application/json; charset=utf-8"
MANAGEMENT, RETAIL = "https://management.azure.com", "https://prices.azure.com:443"


def sku(name, vcpus=2, gib="8", *, zones=("1", "2"), restrictions=(), family="standardDSv5Family", location="eastus",
        **capabilities):
    told = {"vCPUs": str(vcpus), "MemoryGB": gib, "CpuArchitectureType": "x64", "LowPriorityCapable": "True",
            "MaxResourceVolumeMB": "0", "UncachedDiskIOPS": "3750", **capabilities}
    return {"name": name, "resourceType": "virtualMachines", "family": family, "locations": [location],
            "locationInfo": [{"location": location, "zones": list(zones)}],
            "capabilities": [{"name": k, "value": v} for k, v in told.items()], "restrictions": list(restrictions)}


def item(name, price, **changes):
    """A row of Retail Prices that is taken as it is: Linux on demand."""
    row = {"currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": price, "unitPrice": price,
           "armRegionName": "eastus", "location": "US East", "effectiveStartDate": "2025-01-01T00:00:00Z",
           "meterId": "meter-" + name, "meterName": name, "productName": "Virtual Machines DSv5 Series",
           "skuName": name, "serviceName": "Virtual Machines", "unitOfMeasure": "1 Hour", "type": "Consumption",
           "isPrimaryMeterRegion": True, "armSkuName": name}
    return {**row, **changes}


@dataclasses.dataclass
class Region:
    zones: dict = dataclasses.field(default_factory=dict)   # number: physical zone
    skus: list = dataclasses.field(default_factory=list)
    items: list = dataclasses.field(default_factory=list)
    usages: list = dataclasses.field(default_factory=list)


class ReplayAzure(FaultCloud):
    def __init__(self):
        super().__init__()
        self.page_size = 100
        self.regions, self.machines, self.states = {}, [], {}
        self.metrics = {}            # id in lower case: points
        self.costs = {"ActualCost": [], "AmortizedCost": []}
        self.columns = ["Cost", "UsageDate", "ResourceId", "ChargeType", "Currency"]
        self.first = {}              # part of a path: answers that come before the true ones
        self.secret = SECRET
        self.expires_in = 3600
        self.token, self.n_tokens = None, 0
        self.revoked = 0             # times that a good token is refused all the same
        self.link_origin = RETAIL
        self.same_link = False
        self.empty_pages = 0         # before each second page
        self.paths = []

    @property
    def secrets(self):
        return {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": SECRET}

    def http(self):
        return {"retry_seconds": 0.001, "attempts": 3,
                "endpoints": {name: self.url for name in ("token", "management", "retail")}}

    def region(self, name):
        return self.regions.setdefault(name, Region())

    def take(self, request):
        with self._lock:
            self.requests.append(request)
            self.paths.append(request.path)
            for part, answers in self.first.items():
                if part in request.path and answers:
                    return answers.pop(0)
            if request.path == f"/{TENANT}/oauth2/v2.0/token":
                return self._token(request)
            if request.path == "/api/retail/prices":
                return self._retail(request)
            return self._management(request)

    def _token(self, request):
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        if form.get("grant_type") != "client_credentials" or form.get("client_id") != CLIENT or \
                form.get("client_secret") != self.secret or form.get("scope") != MANAGEMENT + "/.default":
            return Answer(401, b'{"error":"invalid_client","error_description":"AADSTS7000215"}',
                          content_type=JSON_TYPE)
        self.n_tokens += 1
        self.token = f"token-{self.n_tokens}"
        return self._json({"token_type": "Bearer", "expires_in": self.expires_in, "access_token": self.token})

    @staticmethod
    def _json(value, status=200):
        return Answer(status, json.dumps(value).encode(), {"x-ms-request-id": "1"}, JSON_TYPE)

    def _pages(self, items, request, origin, name):
        """A page, and the link to the next one."""
        at = int(dict(request.query).get(name, 0))
        pages = [items[i:i + self.page_size] for i in range(0, len(items), self.page_size)] or [[]]
        pages[1:1] = [[]] * self.empty_pages
        query = [(k, v) for k, v in request.query if k != name] + [(name, str(1 if self.same_link else at + 1))]
        link = origin + request.path + "?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        return pages[min(at, len(pages) - 1)], link if at + 1 < len(pages) or self.same_link else None

    def _retail(self, request):
        asked = dict(request.query)
        found = re.fullmatch(r"serviceName eq 'Virtual Machines' and armRegionName eq '(\w+)'", asked["$filter"])
        if not found or "authorization" in request.headers or asked["api-version"] != "2023-01-01-preview":
            return self._json({"Error": {"Code": "InvalidFilter"}}, 400)
        items, link = self._pages(self.region(found[1]).items, request, self.link_origin, "$skip")
        return self._json({"BillingCurrency": asked["currencyCode"].strip("'"), "CustomerEntityId": "Default",
                           "CustomerEntityType": "Retail", "Items": items, "NextPageLink": link, "Count": len(items)})

    def _management(self, request):
        if not self.token or request.headers.get("authorization") != f"Bearer {self.token}" or self.revoked > 0:
            self.revoked -= self.revoked > 0
            return self._json({"error": {"code": "InvalidAuthenticationToken", "message": "x"}}, 401)
        path, asked = request.path.removeprefix(f"/subscriptions/{SUBSCRIPTION}"), dict(request.query)
        usages = re.fullmatch(r"/providers/Microsoft.Compute/locations/(\w+)/usages", path)
        if path == "/locations":
            return self._list(request, [
                {"name": name, "availabilityZoneMappings": [{"logicalZone": n, "physicalZone": z}
                                                            for n, z in region.zones.items()]}
                for name, region in self.regions.items()])
        if path == "/providers/Microsoft.Compute/skus":
            return self._list(request, self.region(re.findall(r"'(\w+)'", asked["$filter"])[0]).skus)
        if usages:
            return self._list(request, self.region(usages[1]).usages)
        if path == "/providers/Microsoft.Compute/virtualMachines":
            return self._list(request, [
                {"id": m["id"], "properties": {"instanceView": {"statuses": [
                    {"code": "ProvisioningState/succeeded"}, {"code": "PowerState/" + self.states[m["id"]]}]}}}
                for m in self.machines if m["id"] in self.states] if "statusOnly" in asked else self.machines)
        if path.endswith("/providers/microsoft.insights/metrics"):
            return self._metrics(path.removesuffix("/providers/microsoft.insights/metrics"), request)
        if path == "/providers/Microsoft.CostManagement/query" and request.method == "POST":
            return self._costs(request)
        return self._json({"error": {"code": "ResourceNotFound"}}, 404)

    def _list(self, request, items):
        page, link = self._pages(items, request, MANAGEMENT, "$skiptoken")
        return self._json({"value": page, **({"nextLink": link} if link else {})})

    def _metrics(self, resource, request):
        asked = dict(request.query)
        points = self.metrics.get(urllib.parse.unquote(resource))
        if points is None:
            return self._json({"error": {"code": "ResourceNotFound"}}, 404)
        if asked["metricnames"] != "Percentage CPU":
            return self._json({"code": "BadRequest", "message": "Failed to find metric configuration"}, 400)
        return self._json({"cost": 0, "timespan": asked["timespan"], "interval": asked["interval"], "value": [
            {"type": "Microsoft.Insights/metrics", "name": {"value": "Percentage CPU"}, "unit": "Percent",
             "timeseries": [{"metadatavalues": [], "data": points}]}]})

    def _costs(self, request):
        asked = json.loads(request.body)
        rows = self.costs[asked["type"]]
        page, link = self._pages(rows, request, MANAGEMENT, "$skiptoken")
        return self._json({"id": "x", "type": "Microsoft.CostManagement/query", "properties": {
            "nextLink": link, "columns": [{"name": c, "type": "String"} for c in self.columns],
            "rows": [[row[c] for c in self.columns] for row in page]}})
