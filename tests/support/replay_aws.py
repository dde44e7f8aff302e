"""AWS as a local server: EC2 in XML, the JSON services, and the public price files.

Signatures are checked with a test key and the cloud's own clock, and a wrong one is refused as the service
does. Answers are built from records: true ones where a test hands over what was recorded, else made up.

    with ReplayAws(clock_s=NOW) as cloud:
        region = cloud.region("us-east-1")
        region.zones["us-east-1a"] = "use1-az1"
        ... PluginHost().load(..., secrets=cloud.secrets, http=cloud.http(), clock_ns=cloud.clock_s * 10**9)
"""
import csv
import dataclasses
import datetime
import hashlib
import hmac
import io
import json
import re
import urllib.parse
from xml.sax.saxutils import escape

from fault_cloud import Answer, FaultCloud

KEY_ID, KEY = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SKEW_S = 300
SERVICES = ("ec2", "price_files", "pricing", "servicequotas", "monitoring", "ce")
OFFER_COLUMNS = ["SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange",
                 "EndingRange", "Unit", "PricePerUnit", "Currency", "LeaseContractLength", "PurchaseOption",
                 "OfferingClass", "Product Family", "serviceCode", "Location", "Location Type", "Instance Type",
                 "Current Generation", "Instance Family", "vCPU", "Physical Processor", "Memory", "Storage",
                 "Network Performance", "Tenancy", "Operating System", "License Model", "usageType", "operation",
                 "CapacityStatus", "GPU", "MarketOption", "Pre Installed S/W", "Region Code"]
SAVINGS_COLUMNS = ["SKU", "RateCode", "Unit", "EffectiveDate", "DiscountedRate", "Currency", "DiscountedSKU",
                   "DiscountedServiceCode", "DiscountedUsageType", "DiscountedOperation", "PurchaseOption",
                   "LeaseContractLength", "LeaseContractLengthUnit", "ServiceCode", "UsageType", "Operation",
                   "Description", "Instance Family", "Location", "Location Type", "Granularity", "Product Family",
                   "DiscountedRegionCode", "DiscountedInstanceType"]
PREAMBLE = [["FormatVersion", "v1.0"], ["Disclaimer", "Prices, made up, for a test."],
            ["Publication Date", "2026-03-01T00:00:00Z"], ["Version", "20260301000000"], ["OfferCode", "AmazonEC2"]]


def price_row(instance_type, price, **changes):
    """A row of the offer file that is taken as it is: plain Linux on demand."""
    row = {"SKU": "SKU" + instance_type.upper().replace(".", ""), "TermType": "OnDemand",
           "EffectiveDate": "2026-02-01", "StartingRange": "0", "EndingRange": "Inf", "Unit": "Hrs",
           "PricePerUnit": price, "Currency": "USD", "Product Family": "Compute Instance",
           "Instance Type": instance_type, "Current Generation": "Yes", "vCPU": "2",
           "Physical Processor": "Intel Xeon Platinum 8175", "Memory": "8 GiB", "Storage": "EBS only",
           "Location Type": "AWS Region", "Tenancy": "Shared", "Operating System": "Linux", "License Model": "No License required",
           "operation": "RunInstances", "CapacityStatus": "Used", "MarketOption": "OnDemand",
           "Pre Installed S/W": "NA"}
    return {**row, **changes}


def savings_row(instance_type, rate, **changes):
    """A row of the file of Compute Savings Plans, for the SKU that price_row() gives the type."""
    row = {"SKU": "PLAN1", "Unit": "Hrs", "DiscountedRate": rate, "Currency": "USD",
           "DiscountedSKU": "SKU" + instance_type.upper().replace(".", ""), "DiscountedServiceCode": "AmazonEC2",
           "PurchaseOption": "No Upfront", "LeaseContractLength": "1", "LeaseContractLengthUnit": "year",
           "Product Family": "ComputeSavingsPlans", "DiscountedInstanceType": instance_type}
    return {**row, **changes}


def csv_file(columns, rows):
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([*PREAMBLE, columns])
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return text.getvalue().encode()


def large_price_file(n_bytes, n_types):
    """Pieces of an offer file as large as those of large regions: rows of a few plain types, on demand and
    reserved, among a hundred times as many of other systems, tenancies and licences."""
    others = [price_row(f"x{i % n_types}.large", "1.5", SKU=f"OTHER{i}", PriceDescription="$1.5 per Hour " + "-" * 300,
                        **{"Operating System": ("Windows", "RHEL", "SUSE")[i % 3]}) for i in range(1000)]
    filler = csv_file(OFFER_COLUMNS, others).partition(b'"Region Code"\r\n')[2]
    plain = [price_row(f"x{i}.large", "1.0000000000") for i in range(n_types)]
    plain += [price_row(f"x{i}.large", "0.6", TermType="Reserved", LeaseContractLength=f"{years}yr", OfferingClass=kind,
                        PurchaseOption="No Upfront")
              for i in range(n_types) for years in (1, 3) for kind in ("standard", "convertible")]
    head = csv_file(OFFER_COLUMNS, plain)
    yield head
    for _ in range((n_bytes - len(head)) // len(filler) + 1):
        yield filler


def to_xml(value, name=None):
    """A record of boto's JSON in EC2's XML: names begin in lower case, lists have items."""
    if isinstance(value, dict):
        inner = "".join(to_xml(v, k[0].lower() + k[1:]) for k, v in value.items())
    elif isinstance(value, list):
        inner = "".join(f"<item>{to_xml(v)}</item>" for v in value)
    elif isinstance(value, bool):
        inner = str(value).lower()
    else:
        inner = escape(str(value))
    if name is None:
        return inner
    return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"


@dataclasses.dataclass
class Region:
    zones: dict = dataclasses.field(default_factory=dict)      # name: id
    zone_types: dict = dataclasses.field(default_factory=dict)  # name: type, of those that are apart
    types: list = dataclasses.field(default_factory=list)      # records as boto has them
    offered: list = dataclasses.field(default_factory=list)    # (type, zone name)
    spot: list = dataclasses.field(default_factory=list)       # wire records
    instances: list = dataclasses.field(default_factory=list)  # reservations, wire records
    prices: list = dataclasses.field(default_factory=list)     # rows by column
    savings: list = dataclasses.field(default_factory=list)    # rows by column
    quotas: list = dataclasses.field(default_factory=list)
    metrics: dict = dataclasses.field(default_factory=dict)    # (instance or quota's class, statistic): points


class ReplayAws(FaultCloud):
    def __init__(self, clock_s):
        super().__init__()
        self.clock_s = clock_s
        self.key = KEY
        self.page_size = 100
        self.regions = {}
        self.costs = []       # days
        self.first = {}       # operation: answers that come before the true ones
        self.tokens = {}      # operation: what tokens are, instead of numbers of pages
        self.empty_pages = 0  # before each second page
        self.operations = []
        self.version = "20260301000000"          # of price files; "": there is no index of them
        self.savings_version = "20260301000000"

    @property
    def secrets(self):
        return {"access_key_id": KEY_ID, "secret_access_key": KEY}

    def http(self):
        return {"retry_seconds": 0.001, "attempts": 3, "endpoints": {name: self.url for name in SERVICES}}

    def region(self, name):
        return self.regions.setdefault(name, Region())

    # ---- signatures ----

    def _check(self, request, service, region=None):
        """None, or why the signature is wrong."""
        found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/([^/]+)/aws4_request, ?"
                             r"SignedHeaders=([^,]+), ?Signature=(\w+)", request.headers.get("authorization", ""))
        if not found:
            return "MissingAuthenticationToken"
        key_id, day, signed_region, signed_service, names, signature = found.groups()
        at = request.headers["x-amz-date"]
        at_s = datetime.datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()
        if abs(at_s - self.clock_s) > SKEW_S:
            return "RequestExpired"
        if key_id != KEY_ID or signed_service != service or (region and signed_region != region):
            return "SignatureDoesNotMatch"
        headers = "".join(f"{n}:{' '.join(request.headers[n].split())}\n" for n in names.split(";"))
        query = "&".join(sorted(f"{urllib.parse.quote(k, '-_.~')}={urllib.parse.quote(v, '-_.~')}"
                                for k, v in request.query))
        canonical = "\n".join([request.method, request.path, query, headers, names,
                               hashlib.sha256(request.body).hexdigest()])
        scope = f"{day}/{signed_region}/{signed_service}/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.key).encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        right = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return None if hmac.compare_digest(right, signature) else "SignatureDoesNotMatch"

    # ---- answers ----

    def take(self, request):
        with self._lock:
            self.requests.append(request)
            if request.method == "GET":
                return self._file(request)
            target = request.headers.get("x-amz-target", "")
            operation = target.rpartition(".")[2] or dict(urllib.parse.parse_qsl(request.body.decode()))["Action"]
            self.operations.append(operation)
            if self.first.get(operation):
                return self.first[operation].pop(0)
            return self._json(request, target, operation) if target else self._ec2(request, operation)

    def _file(self, request):
        if "authorization" in request.headers:
            return Answer(400, b"the price list is public")
        self.operations.append(request.path)
        if self.first.get("file"):
            return self.first["file"].pop(0)
        offer = re.fullmatch(r"/offers/v1.0/(aws|cn)/AmazonEC2/(\w+)/([\w-]+)/index.csv", request.path)
        if offer and (offer[1] == "cn") == offer[3].startswith("cn-") and offer[2] in ("current", self.version):
            return Answer(body=csv_file(OFFER_COLUMNS, self.region(offer[3]).prices), content_type="text/csv")
        index = re.fullmatch(r"/offers/v1.0/(aws|cn)/AmazonEC2/current/region_index.json", request.path)
        if index and self.version:
            base = f"/offers/v1.0/{index[1]}/AmazonEC2/{self.version}"
            return Answer(body=json.dumps({"formatVersion": "v1.0", "publicationDate": "2026-03-01T00:00:00Z", "regions": {
                name: {"regionCode": name, "currentVersionUrl": f"{base}/{name}/index.json"}
                for name in self.regions if name.startswith("cn-") == (index[1] == "cn")}}).encode())
        index = re.fullmatch(r"/savingsPlan/v1.0/(aws|cn)/AWSComputeSavingsPlan/current/region_index.json",
                             request.path)
        if index:
            base = f"/savingsPlan/v1.0/{index[1]}/AWSComputeSavingsPlan/{self.savings_version}"
            return Answer(body=json.dumps({"regions": [
                {"regionCode": name, "versionUrl": f"{base}/{name}/index.json"}
                for name, region in self.regions.items() if region.savings]}).encode())
        plan = re.fullmatch(r"/savingsPlan/v1.0/\w+/AWSComputeSavingsPlan/\d+/([\w-]+)/index.csv", request.path)
        if plan:
            return Answer(body=csv_file(SAVINGS_COLUMNS, self.region(plan[1]).savings), content_type="text/csv")
        return Answer(403, b"<Error><Code>AccessDenied</Code></Error>", content_type="application/xml")

    def _page(self, operation, items, token, size):
        """Items of the page of a token, and the next token."""
        names = self.tokens.get(operation)
        at = 0 if not token else (names.index(token) + 1 if names else int(token.removeprefix("page-")))
        pages = [items[i:i + size] for i in range(0, len(items), size)] or [[]]
        pages[1:1] = [[]] * self.empty_pages
        if names:
            pages = pages[:len(names) + 1]
        more = at + 1 < len(pages)
        return pages[at] if at < len(pages) else [], (names[at] if names else f"page-{at + 1}") if more else ""

    def _scope(self, request):
        found = re.search(r"Credential=[^/]+/\d+/([^/]+)/", request.headers.get("authorization", ""))
        return self.region(found[1]) if found else Region()

    def _ec2(self, request, operation):
        wrong = self._check(request, "ec2")
        if wrong:
            code = "AuthFailure" if wrong == "SignatureDoesNotMatch" else wrong
            return Answer(401, f"<?xml version=\"1.0\"?><Response><Errors><Error><Code>{code}</Code><Message>x"
                               f"</Message></Error></Errors><RequestID>1</RequestID></Response>".encode(),
                          content_type="text/xml;charset=UTF-8")
        region, asked = self._scope(request), dict(urllib.parse.parse_qsl(request.body.decode()))
        element, items = {
            "DescribeAvailabilityZones": lambda: ("availabilityZoneInfo", [
                {"zoneName": n, "zoneId": i, "zoneState": "available", "messageSet": [],
                 "zoneType": region.zone_types.get(n, "availability-zone")}
                for n, i in region.zones.items()]),
            "DescribeInstanceTypes": lambda: ("instanceTypeSet", region.types),
            "DescribeInstanceTypeOfferings": lambda: ("instanceTypeOfferingSet", [
                {"instanceType": t, "locationType": "availability-zone", "location": z} for t, z in region.offered]),
            "DescribeSpotPriceHistory": lambda: ("spotPriceHistorySet", region.spot),
            "DescribeInstances": lambda: ("reservationSet", region.instances),
        }[operation]()
        size = min(self.page_size, int(asked.get("MaxResults", 10 ** 9)))
        page, token = self._page(operation, items, asked.get("NextToken"), size)
        body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<{operation}Response '
                f'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId>'
                f"{to_xml(page, element)}{to_xml(token, 'nextToken')}</{operation}Response>")
        return Answer(body=body.encode(), content_type="text/xml;charset=UTF-8",
                      headers={"x-amzn-RequestId": "1"})

    def _json(self, request, target, operation):
        service, version = {"AWSPriceListService": ("pricing", "1.1"),
                            "ServiceQuotasV20190624": ("servicequotas", "1.1"),
                            "GraniteServiceVersion20100801": ("monitoring", "1.0"),
                            "AWSInsightsIndexService": ("ce", "1.1")}[target.rpartition(".")[0]]
        kind = f"application/x-amz-json-{version}"
        wrong = self._check(request, service)
        if wrong or request.headers["content-type"] != kind:
            return Answer(403, json.dumps({"__type": wrong or "UnknownOperationException"}).encode(),
                          content_type=kind)
        asked = json.loads(request.body)
        body = getattr(self, "_" + operation)(request, asked)
        return Answer(body=json.dumps(body).encode(), content_type=kind, headers={"x-amzn-RequestId": "1"})

    def _GetProducts(self, _, asked):
        wanted = {f["Field"]: f["Value"] for f in asked["Filters"]}
        region = self.region(wanted.pop("regionCode"))
        column = {"operatingSystem": "Operating System", "tenancy": "Tenancy", "preInstalledSw": "Pre Installed S/W",
                  "capacitystatus": "CapacityStatus", "operation": "operation", "licenseModel": "License Model"}
        rows = [r for r in region.prices if all(r.get(column[k]) == v for k, v in wanted.items())]
        items = [json.dumps(self._product(rows, sku)) for sku in dict.fromkeys(r["SKU"] for r in rows)]
        page, token = self._page("GetProducts", items, asked.get("NextToken"), min(self.page_size, asked["MaxResults"]))
        return {"FormatVersion": "aws_v1", "PriceList": page, **({"NextToken": token} if token else {})}

    @staticmethod
    def _product(rows, sku):
        attribute = {"Instance Type": "instanceType", "Location Type": "locationType", "Tenancy": "tenancy", "Operating System": "operatingSystem",
                     "License Model": "licenseModel", "CapacityStatus": "capacitystatus",
                     "MarketOption": "marketoption", "Pre Installed S/W": "preInstalledSw", "operation": "operation",
                     "vCPU": "vcpu", "Memory": "memory", "Storage": "storage", "GPU": "gpu",
                     "Physical Processor": "physicalProcessor", "Current Generation": "currentGeneration"}
        own, terms = [r for r in rows if r["SKU"] == sku], {}
        for i, row in enumerate(own):
            of_type = terms.setdefault(row["TermType"], {})
            of_type[f"{sku}.TERM{i}"] = {
                "sku": sku, "effectiveDate": row["EffectiveDate"] + "T00:00:00Z",
                "termAttributes": {k: row[k] for k in ("LeaseContractLength", "PurchaseOption", "OfferingClass")
                                   if row.get(k)},
                "priceDimensions": {f"{sku}.TERM{i}.RATE": {
                    "unit": row["Unit"], "beginRange": row["StartingRange"], "endRange": "Inf",
                    "pricePerUnit": {row["Currency"]: row["PricePerUnit"]}}}}
        return {"product": {"sku": sku, "productFamily": own[0]["Product Family"],
                            "attributes": {attribute[k]: v for k, v in own[0].items() if k in attribute}},
                "serviceCode": "AmazonEC2", "terms": terms}

    def _ListServiceQuotas(self, request, asked):
        quotas = self._scope(request).quotas
        page, token = self._page("ListServiceQuotas", quotas, asked.get("NextToken"), self.page_size)
        return {"Quotas": page, **({"NextToken": token} if token else {})}

    def _GetMetricData(self, request, asked):
        metrics, results = self._scope(request).metrics, []
        assert len(asked["MetricDataQueries"]) <= 500
        for query in asked["MetricDataQueries"]:
            dimensions = {d["Name"]: d["Value"] for d in query["MetricStat"]["Metric"]["Dimensions"]}
            key = (dimensions.get("InstanceId") or dimensions.get("Class"), query["MetricStat"]["Stat"])
            points = [p for p in metrics.get(key, []) if asked["StartTime"] <= p[0] < asked["EndTime"]]
            points.sort(reverse=True)
            results.append({"Id": query["Id"], "Label": "x", "StatusCode": "Complete",
                            "Timestamps": [float(p[0]) for p in points], "Values": [p[1] for p in points]})
        page, token = self._page("GetMetricData", results, asked.get("NextToken"), self.page_size)
        return {"MetricDataResults": page, "Messages": [], **({"NextToken": token} if token else {})}

    def _GetCostAndUsage(self, _, asked):
        page, token = self._page("GetCostAndUsage", self.costs, asked.get("NextPageToken"), self.page_size)
        return {"ResultsByTime": page, "GroupDefinitions": asked["GroupBy"],
                **({"NextPageToken": token} if token else {})}
