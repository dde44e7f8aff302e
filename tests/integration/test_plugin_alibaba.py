"""The plugin alibaba against a cloud of its own: what it takes, what it leaves out, and what it does when told off."""
import json
import lzma
import os
import pathlib

import pytest
from fault_cloud import Answer
from isocost_protos import BUILD, offering_pb2
from plugin_host import codes, fetching, money
from replay_alibaba import ReplayAlibaba, instance_type, point

PLUGIN = BUILD / "plugins" / "alibaba.so"
NOW = 1772539200  # 2026-03-03T12:00:00Z
DAY = 86400
ON_DEMAND, SPOT = offering_pb2.PURCHASE_ON_DEMAND, offering_pb2.PURCHASE_SPOT
AVAILABLE, SOLD_OUT = offering_pb2.OFFERING_STATUS_AVAILABLE, offering_pb2.OFFERING_STATUS_SOLD_OUT
UNKNOWN = offering_pb2.OFFERING_STATUS_UNKNOWN
DATA = pathlib.Path(os.environ.get("ISO_SHARED_DATA", "/nonexistent")) / "alibaba"
recorded = pytest.mark.skipif(not DATA.exists(), reason="ISO_SHARED_DATA has no data of Alibaba Cloud")
CATALOG = {"products": False, "quotas": False}
NOTHING = {"products": False, "quotas": False, "offerings": False}
HZ = "cn-hangzhou"


@pytest.fixture
def cloud():
    with ReplayAlibaba(NOW) as server:
        yield server


def small(cloud):
    """Two types, two zones; prices are made up: 0.5 with a disk of 0.05, of which 80 % are paid."""
    region = cloud.region(HZ)
    region.types = [instance_type("ecs.g7.large"), instance_type("ecs.c7.xlarge", 4, 8)]
    region.zones = {"cn-hangzhou-g": {"ecs.g7.large": "WithStock", "ecs.c7.xlarge": "WithStock"},
                    "cn-hangzhou-h": {"ecs.g7.large": "WithoutStock"}}
    region.spot_zones = {"cn-hangzhou-g": {"ecs.g7.large": "WithStock"}}
    region.prices = {("ecs.g7.large", "Hour"): (0.5, 0.05), ("ecs.c7.xlarge", "Hour"): (0.75, 0.05)}
    region.markets = {"ecs.g7.large": [point("cn-hangzhou-g", 0.1, "2026-03-03T10:00:00Z")], "ecs.c7.xlarge": []}
    return region


rows, refused = fetching(PLUGIN, NOW, lambda _: {"regions": HZ})


def summary(offerings):
    return sorted((o.type, o.zone[-1:], o.purchase, o.status, *(money(o.price) if o.HasField("price") else ("none",)))
                  for o in offerings)


SMALL = [("ecs.c7.xlarge", "g", ON_DEMAND, AVAILABLE, "0.6", "CNY"),
         ("ecs.g7.large", "g", ON_DEMAND, AVAILABLE, "0.4", "CNY"),
         ("ecs.g7.large", "g", SPOT, AVAILABLE, "0.1", "CNY"),
         ("ecs.g7.large", "h", ON_DEMAND, SOLD_OUT, "0.4", "CNY")]


# ---- The catalog ----

def test_types_zones_and_prices_are_joined_and_the_disk_is_left_out(cloud):
    small(cloud)
    found = rows(cloud, wanted=CATALOG)
    assert summary(found["offerings"]) == SMALL and codes(found) == []
    row = next(o for o in found["offerings"] if o.zone == "cn-hangzhou-h")
    assert (row.provider, row.region, row.os, row.family, row.arch, row.labels["stock"]) == (
        "alibaba", HZ, "linux", "ecs.g7", "x86_64", "WithoutStock")
    assert (row.resources.vcpu, row.resources.memory_gib, row.resources.network_gbps) == (2, 8, 1.5)


def test_the_price_of_the_list_is_taken_on_demand(cloud):
    small(cloud)
    told = summary(rows(cloud, wanted=CATALOG, price="original", spot="false")["offerings"])
    assert [t[4] for t in told] == ["0.75", "0.5", "0.5"]


SHAPES = {
    "Arm": ({"CpuArchitecture": "ARM"}, lambda o: o.arch == "arm64"),
    "memory under a GiB": ({"MemorySize": 0.5}, lambda o: o.resources.memory_gib == 0.5),
    "GPUs": ({"GPUAmount": 4, "GPUSpec": "NVIDIA V100", "GPUMemorySize": 16},
             lambda o: (o.resources.gpu, o.resources.gpu_memory_gib, o.resources.gpu_model) == (4, 64, "NVIDIA V100")),
    "a part of a GPU": ({"InstanceTypeFamily": "ecs.vgn6i", "GPUAmount": 1, "GPUSpec": "NVIDIA T4*1/4"},
                        lambda o: o.resources.gpu == 0.25),
    "a part of a GPU in short": ({"InstanceTypeFamily": "ecs.sgn7i-vws", "GPUAmount": 1, "GPUSpec": "NVIDIA A10/8"},
                                 lambda o: o.resources.gpu == 0.125),
    "disks of its own": ({"LocalStorageAmount": 2, "LocalStorageCapacity": 894},
                         lambda o: o.resources.local_disk_gib == 1788),
    "memory that is no number": ({"MemorySize": "lots"}, lambda o: o.resources.memory_gib == 0),
}


@pytest.mark.parametrize("what", SHAPES)
def test_shapes_of_types(cloud, what):
    changes, holds = SHAPES[what]
    small(cloud).types[0].update(changes)
    found = rows(cloud, wanted=CATALOG)
    mine = [o for o in found["offerings"] if o.type == "ecs.g7.large"]
    assert len(mine) == 3 and all(holds(o) for o in mine) and codes(found) == [], mine[0]


def test_a_part_of_a_gpu_that_is_not_told_stays_unknown(cloud):
    small(cloud).types[0].update({"InstanceTypeFamily": "ecs.sgn7i-vws", "GPUAmount": 1, "GPUSpec": "NVIDIA A10"})
    found = rows(cloud, wanted=CATALOG, spot="false", types="ecs.g7.")
    assert codes(found) == ["unknown_gpu_share"] and {o.resources.gpu for o in found["offerings"]} == {0}


STOCKS = {"WithStock": AVAILABLE, "ClosedWithStock": AVAILABLE, "WithoutStock": SOLD_OUT, "ClosedWithoutStock": SOLD_OUT}


@pytest.mark.parametrize("stock", STOCKS)
def test_the_status_is_that_of_the_type_and_not_of_its_zone(cloud, stock):
    small(cloud).zones = {"cn-hangzhou-g": {"ecs.g7.large": stock}, "cn-hangzhou-i": {}}
    found = rows(cloud, wanted=CATALOG, spot="false")["offerings"]
    assert [(o.zone, o.status) for o in found] == [("cn-hangzhou-g", STOCKS[stock])]


def test_what_zones_offer_and_no_type_describes_is_told(cloud):
    small(cloud).zones["cn-hangzhou-h"]["ecs.x1.large"] = "WithStock"
    found = rows(cloud, wanted=CATALOG)
    assert summary(found["offerings"]) == SMALL and codes(found) == ["unknown_type"]


def test_a_type_that_no_zone_offers_is_neither_priced_nor_sent(cloud):
    small(cloud).types.append(instance_type("ecs.g9.large"))
    assert summary(rows(cloud, wanted=CATALOG)["offerings"]) == SMALL
    assert cloud.actions().count("DescribePrice") == 2


# ---- Prices ----

def test_a_family_that_needs_an_essd_is_asked_for_once_more_with_it(cloud):
    small(cloud)
    cloud.essd_only = {"ecs.g7.large"}
    assert summary(rows(cloud, wanted=CATALOG)["offerings"]) == SMALL
    asked = [c.get("SystemDisk.Category") for c in cloud.calls
             if c["Action"] == "DescribePrice" and c["InstanceType"] == "ecs.g7.large"]
    assert asked == [None, "cloud_essd"]


def test_a_type_without_a_price_is_told_and_sent_without_one(cloud):
    region = small(cloud)
    del region.prices["ecs.g7.large", "Hour"]
    found = rows(cloud, wanted=CATALOG, spot="false")
    assert [t[4] for t in summary(found["offerings"])] == ["0.6", "none", "none"]
    assert [(d.code, d.place) for d in found["diagnostics"]] == [
        ("known_unpriced", f"{HZ}/ecs.g7.large")]


def test_no_more_types_are_priced_than_allowed_and_that_is_told(cloud):
    small(cloud)
    found = rows(cloud, wanted=CATALOG, max_priced_types="1")
    assert codes(found) == ["price_limit"] and cloud.actions().count("DescribePrice") == 1
    assert [t[4] for t in summary(found["offerings"])] == ["none", "0.4", "0.1", "0.4"]


def test_only_named_types_are_taken(cloud):
    small(cloud)
    found = rows(cloud, wanted=CATALOG, types="ecs.c7.,ecs.c8.")
    assert summary(found["offerings"]) == SMALL[:1] and codes(found) == []


@pytest.mark.parametrize("site, said, told", [("china", "CNY", "CNY"), ("china", "", "CNY"), ("international", "", "USD"),
                                              ("international", "USD", "USD"), ("china", "USD", "USD")])
def test_the_currency_is_that_of_the_answer_or_of_the_site(cloud, site, said, told):
    small(cloud)
    cloud.currency = said
    assert {t[5] for t in summary(rows(cloud, wanted=CATALOG, site=site)["offerings"])} == {told}


def test_a_currency_that_is_no_code_leaves_no_price(cloud):
    small(cloud)
    cloud.currency = "yuan"
    found = rows(cloud, wanted=CATALOG)
    assert set(codes(found)) == {"unknown_currency"} and {t[4] for t in summary(found["offerings"])} == {"none"}


def test_of_a_zone_the_newest_point_of_its_market_holds_whatever_the_order_and_the_page(cloud):
    small(cloud).markets["ecs.g7.large"] = [
        point("cn-hangzhou-g", 0.3, "2026-03-03T09:00:00Z"), point("cn-hangzhou-g", 0.10000000149011612, "2026-03-03T11:00:00Z"),
        point("cn-hangzhou-g", 0.2, "2026-03-03T10:00:00Z"), point("cn-hangzhou-k", 0.25, "2026-03-03T10:00Z")]
    cloud.page_size = 3
    found = [t for t in summary(rows(cloud, wanted=CATALOG)["offerings"]) if t[2] == SPOT]
    assert found == [("ecs.g7.large", "g", SPOT, AVAILABLE, "0.100000001", "CNY"),
                     ("ecs.g7.large", "k", SPOT, UNKNOWN, "0.25", "CNY")]
    assert [c.get("Offset") for c in cloud.calls if c.get("InstanceType") == "ecs.g7.large"
            and c["Action"] == "DescribeSpotPriceHistory"] == [None, "3"]


def test_points_that_cannot_be_read_and_types_without_a_market_are_told(cloud):
    region = small(cloud)
    region.markets = {"ecs.g7.large": [point("cn-hangzhou-g", None, "2026-03-03T10:00:00Z"),
                                       point("cn-hangzhou-g", 0.1, "soon")]}
    found = rows(cloud, wanted=CATALOG)
    assert codes(found) == ["invalid_value", "missing_price", "no_spot_market"]
    assert [t for t in summary(found["offerings"]) if t[2] == SPOT] == []


def test_subscriptions_are_paid_when_they_begin(cloud):
    """80 % of 200 and 2000."""
    region = small(cloud)
    region.prices.update({("ecs.g7.large", "Month"): (200, 20), ("ecs.g7.large", "Year"): (2000, 200)})
    found = rows(cloud, wanted={"quotas": False, "offerings": False}, subscriptions="both", types="ecs.g7.")
    assert [(p.id, p.term_hours, money(p.upfront), money(p.hourly_fee)[0]) for p in found["products"]] == [
        ("alibaba-subscription/cn-hangzhou/ecs.g7.large/1m", 730, ("160.", "CNY"), "0."),
        ("alibaba-subscription/cn-hangzhou/ecs.g7.large/1y", 8760, ("1600.", "CNY"), "0.")]
    assert {c["PriceUnit"] for c in cloud.calls if c["Action"] == "DescribePrice"} == {"Month", "Year"}


# ---- Quotas, inventory, usage, costs ----

def test_quotas_count_vcpus_of_the_region_and_instances_of_a_type_in_a_zone(cloud):
    region = cloud.region(HZ)
    region.attributes = {"max-postpaid-instance-vcpu-count": "500", "used-postpaid-instance-vcpu-count": "20",
                         "max-spot-instance-vcpu-count": "800"}

    def quota(code, charge, total, unit="AMOUNT", **dimensions):
        return {"ProductCode": "ecs-spec", "QuotaActionCode": code, "QuotaUnit": unit, "TotalQuota": total, "TotalUsage": 1,
                "Dimensions": {"regionId": HZ, "chargeType": charge, **dimensions}}
    region.quotas = [quota("ecs.g5.2xlarge", "PostPaid", 10.0, zoneId="cn-hangzhou-g"), quota("ecs.g5.2xlarge", "PrePaid", 9),
                     quota("q_security-groups", "", 100), quota("ecs.g6.large", "SpotInstance", 7, "vCPU")]
    cloud.page_size, cloud.empty_pages = 1, 1
    found = rows(cloud, wanted={"products": False, "offerings": False})["quotas"]
    assert [(q.code, q.limit, q.used, q.resource, list(q.scope.include[0].purchase), list(q.scope.include[0].type),
             list(q.scope.include[0].zone)) for q in found] == [
        ("max-postpaid-instance-vcpu-count", 500, 20, offering_pb2.RESOURCE_VCPU, [ON_DEMAND], [], []),
        ("max-spot-instance-vcpu-count", 800, 0, offering_pb2.RESOURCE_VCPU, [SPOT], [], []),
        ("ecs.g5.2xlarge", 10, 1, 0, [ON_DEMAND], ["ecs.g5.2xlarge"], ["cn-hangzhou-g"]),
        ("ecs.g6.large", 7, 1, offering_pb2.RESOURCE_VCPU, [SPOT], ["ecs.g6.large"], [])]


def test_the_inventory_tells_state_purchase_and_tags(cloud):
    def instance(name, **changes):
        return {"InstanceId": name, "InstanceType": "ecs.g7.large", "ZoneId": "cn-hangzhou-g", "OSType": "linux",
                "Status": "Running", "CreationTime": "2026-03-01T00:00Z", "SpotStrategy": "NoSpot",
                "Tags": {"Tag": [{"TagKey": "team", "TagValue": "网站"}]}, **changes}
    cloud.region(HZ).instances = [instance("i-1"), instance("i-2", SpotStrategy="SpotAsPriceGo", OSType="windows",
                                                           CreationTime="?"), instance("")]
    cloud.page_size = 2
    found = rows(cloud, wanted={**NOTHING, "inventory": True})
    assert [(r.resource, r.type, r.zone, r.os, r.purchase, r.state, r.tags["team"]) for r in found["inventory"]] == [
        ("i-1", "ecs.g7.large", "cn-hangzhou-g", "linux", ON_DEMAND, "Running", "网站"),
        ("i-2", "ecs.g7.large", "cn-hangzhou-g", "windows", SPOT, "Running", "网站")]
    assert found["inventory"][0].started_at.seconds == NOW - 2 * DAY - DAY // 2
    assert codes(found) == ["invalid_value", "invalid_value"]


def test_usage_is_read_from_the_json_in_the_json(cloud):
    def sample(seconds, **values):
        return {"timestamp": seconds * 1000, "userId": "185", "instanceId": "i-1", **values}
    cloud.region(HZ).points = [sample(NOW - 10800, Average=99), sample(NOW - 7200, Average=12.5, Maximum=80, Minimum=1),
                               sample(NOW - 3600), sample(NOW, Average=99), {"timestamp": 0}]
    cloud.page_size = 2
    found = rows(cloud, wanted={**NOTHING, "usage": (NOW - 7200, NOW)})
    assert [(u.resource, u.metric, u.statistic, u.start.seconds - NOW, u.duration_seconds, u.value, u.account)
            for u in found["usage"]] == [("i-1", "cpu_ratio", 1, -7200, 3600, 0.125, "185"),
                                         ("i-1", "cpu_ratio", 2, -7200, 3600, 0.8, "185")]
    assert codes(found) == ["invalid_value"]


def test_costs_are_asked_for_by_days_of_utc_plus_eight(cloud):
    """From 2026-02-28T12:00Z to 2026-03-02T12:00Z the days of March 1 and 2 begin, each at 16:00Z of the day before."""
    def charge(amount, item="PayAsYouGoBill", **changes):
        return {"InstanceID": "i-1", "ProductCode": "ecs", "Item": item, "PretaxAmount": amount, "PretaxGrossAmount": 2.5,
                "Currency": "CNY", "Region": "华东1（杭州）", "OwnerID": "186", "InstanceSpec": "ecs.g7.large", **changes}
    cloud.bills = {"2026-02-28": [charge(99)], "2026-03-03": [charge(99)],
                   "2026-03-01": [charge(1.25), charge(100, "SubscriptionOrder", Region=HZ, OwnerID="")],
                   "2026-03-02": [charge(-0.5, "Refund"), charge(3, "Odd", Currency=""), charge(None)]}
    cloud.page_size = 1
    found = rows(cloud, wanted={**NOTHING, "costs": (NOW - 3 * DAY, NOW - DAY)})
    assert [(c.category, money(c.billed), money(c.effective)[0], c.start.seconds - NOW, c.account, c.region)
            for c in found["costs"]] == [
        (1, ("1.25", "CNY"), "1.25", -2 * DAY - 20 * 3600, "186", ""),
        (2, ("100.", "CNY"), "100.", -2 * DAY - 20 * 3600, "185", HZ),
        (5, ("-0.5", "CNY"), "-0.5", -DAY - 20 * 3600, "186", ""),
        (5, ("3.", "CNY"), "3.", -DAY - 20 * 3600, "186", "")]
    assert codes(found) == ["invalid_value", "unknown_charge_type"]


# ---- How Alibaba Cloud refuses, throttles and pages ----

def test_tokens_are_followed_and_empty_pages_are_no_end(cloud):
    small(cloud)
    cloud.page_size, cloud.empty_pages = 1, 1
    assert summary(rows(cloud, wanted=CATALOG)["offerings"]) == SMALL
    assert cloud.actions().count("DescribeInstanceTypes") == 3


def test_the_same_token_twice_ends_the_fetch(cloud):
    small(cloud)
    cloud.same_token = True
    failure = refused(cloud, wanted=CATALOG)
    assert failure.kind == "permanent" and "second time" in str(failure) and len(cloud.calls) == 2


THROTTLED = json.dumps({"Code": "Throttling.User", "Message": "Request was denied due to user flow control."}).encode()


@pytest.mark.parametrize("action", ["DescribeInstanceTypes", "DescribePrice", "DescribeSpotPriceHistory"])
def test_throttling_is_waited_out_with_a_new_signature_and_given_up_in_the_end(cloud, action):
    small(cloud)
    cloud.first[action] = [Answer(400, THROTTLED)] * 2
    assert summary(rows(cloud, wanted=CATALOG)["offerings"]) == SMALL
    cloud.first[action] = [Answer(400, THROTTLED)] * 3
    failure = refused(cloud, wanted=CATALOG)
    assert failure.kind in ("retryable", "quota") and failure.code == "Throttling.User"


FALSE = {"Throttling.Api": "quota", "NotAuthorized": "auth", "InternalError": "retryable", "MissingParameter": "permanent"}


@pytest.mark.parametrize("code", FALSE)
def test_an_answer_of_200_that_says_it_failed_is_a_failure(cloud, code):
    cloud.first["DescribeInstanceBill"] = [Answer(body=json.dumps({"Success": False, "Code": code}).encode())]
    failure = refused(cloud, wanted={**NOTHING, "costs": (NOW - 3 * DAY, NOW - DAY)})
    assert (failure.kind, failure.code) == (FALSE[code], code)


def test_a_wrong_secret_and_a_wrong_clock_are_told_as_such(cloud):
    small(cloud)
    cloud.secret = "another"
    failure = refused(cloud, wanted=CATALOG)
    assert (failure.kind, failure.code) == ("auth", "SignatureDoesNotMatch") and "top secret" not in str(failure)
    cloud.secret, cloud.now = "top secret", NOW + 3600
    assert refused(cloud, wanted=CATALOG).code == "InvalidTimeStamp.Expired"


def test_a_refusal_of_permissions_for_one_price_ends_the_fetch(cloud):
    small(cloud)
    cloud.first["DescribePrice"] = [Answer(403, b'{"Code":"Forbidden.RAM"}')]
    failure = refused(cloud, wanted=CATALOG)
    assert (failure.kind, failure.code) == ("auth", "Forbidden.RAM")


@pytest.mark.parametrize("body", [b"{", b"<html></html>", b'{"NextToken":"","NextToken":""}'])
def test_an_answer_that_is_no_json_can_be_asked_for_later(cloud, body):
    small(cloud)
    cloud.first["DescribeInstanceTypes"] = [Answer(body=body)] * 3
    assert refused(cloud, wanted=CATALOG).kind == "retryable"


def test_datapoints_that_are_no_json_can_be_asked_for_later(cloud):
    cloud.first["DescribeMetricList"] = [Answer(body=b'{"Success":true,"Datapoints":"[{"}')]
    assert refused(cloud, wanted={**NOTHING, "usage": (NOW - 7200, NOW)}).kind == "retryable"


@pytest.mark.parametrize("config", [{"regions": "cn-hangzhou.evil.example/"}, {"regions": ","},
                                    {"usage_period_seconds": "90"}])
def test_what_stands_in_a_url_is_checked(cloud, config):
    assert next(iter(config)) in str(refused(cloud, **config))


# ---- What Alibaba Cloud really answered ----

@recorded
def test_the_recorded_answers_of_types_and_zones(cloud):
    small(cloud)
    cloud.first = {"DescribeInstanceTypes": [Answer(body=(DATA / "recorded" / "DescribeInstanceTypes.json").read_bytes())],
                   "DescribeAvailableResource": [
                       Answer(body=(DATA / "recorded" / "DescribeAvailableResource_disk.json").read_bytes())]}
    assert rows(cloud, wanted=CATALOG, spot="false")["offerings"] == []  # disks are no instances
    for name in ("empty", "zone_without_resources"):
        cloud.first["DescribeAvailableResource"] = [
            Answer(body=(DATA / "recorded" / f"DescribeAvailableResource_{name}.json").read_bytes())]
        cloud.first["DescribeInstanceTypes"] = [
            Answer(body=(DATA / "recorded" / "DescribeInstanceTypes.json").read_bytes())]
        found = rows(cloud, wanted=CATALOG, spot="false")
        assert found["offerings"] == [] and codes(found) == (["unknown_type"] if name != "empty" else [])


@recorded
def test_the_real_prices_of_a_region(cloud):
    """The prices and spot prices of cn-hangzhou of 2024-06-12 in CNY; the answers around them are made up."""
    types = json.load(lzma.open(DATA / "prices_2024-06-12.json.xz"))[HZ]["instanceTypePrices"]
    region = cloud.region(HZ)
    for name, told in types.items():
        region.types.append(instance_type(name, told["vcpu"], told["memory"]))
        region.prices[name, "Hour"] = (told.get("onDemandPricePerHour", 0), 0.1)
        region.markets[name] = [point(z, p, "2026-03-03T10:00:00Z") for z, p in (told.get("spotPricePerHour") or {}).items()]
        for zone in told["zones"]:
            region.zones.setdefault(zone, {})[name] = "WithStock"
    found = rows(cloud, wanted=CATALOG, price="original", max_priced_types="5000")
    on_demand = {(o.type, o.zone): float(money(o.price)[0]) for o in found["offerings"] if o.purchase == ON_DEMAND}
    spot = {(o.type, o.zone): float(money(o.price)[0]) for o in found["offerings"] if o.purchase == SPOT}
    assert on_demand == {(n, z): t.get("onDemandPricePerHour", 0) for n, t in types.items() for z in t["zones"]}
    assert spot == {(n, z): pytest.approx(p, abs=1e-9) for n, t in types.items()
                    for z, p in (t.get("spotPricePerHour") or {}).items()}
    assert codes(found) == [] and len(types) > 100
