"""The plugin azure against a cloud of its own: what it takes, what it leaves out, and what it does when told off."""
import csv
import gzip
import json
import lzma
import os
import pathlib

import pytest
from fault_cloud import Answer, FaultCloud
from isocost_protos import BUILD, offering_pb2
from plugin_host import SANITIZED, PluginHost, codes, fetching, money
from replay_azure import SUBSCRIPTION, ReplayAzure, item, sku

PLUGIN = BUILD / "plugins" / "azure.so"
NOW = 1772539200  # 2026-03-03T12:00:00Z
DAY = 86400
ON_DEMAND, SPOT = offering_pb2.PURCHASE_ON_DEMAND, offering_pb2.PURCHASE_SPOT
AVAILABLE, RESTRICTED = offering_pb2.OFFERING_STATUS_AVAILABLE, offering_pb2.OFFERING_STATUS_RESTRICTED
DATA = pathlib.Path(os.environ.get("ISO_SHARED_DATA", "/nonexistent")) / "azure"
recorded = pytest.mark.skipif(not DATA.exists(), reason="ISO_SHARED_DATA has no data of Azure")
CATALOG = {"products": False, "quotas": False}
NOTHING = {"products": False, "quotas": False, "offerings": False}


@pytest.fixture
def cloud():
    with ReplayAzure() as server:
        yield server


def small(cloud):
    region = cloud.region("eastus")
    region.zones = {"1": "eastus-az3", "2": "eastus-az1"}
    region.skus = [sku("Standard_D2s_v5"), sku("Standard_E4s_v5", 4, "32", zones=(), family="standardESv5Family")]
    region.items = [item("Standard_D2s_v5", 0.096), item("Standard_E4s_v5", 0.252),
                    item("Standard_D2s_v5", 0.0211, skuName="D2s v5 Spot", meterName="D2s v5 Spot", meterId="spot")]
    return region


rows, refused = fetching(PLUGIN, NOW, lambda _: {"subscription": SUBSCRIPTION, "regions": "eastus"})


def summary(offerings):
    return sorted((o.type, o.zone, o.purchase, *(money(o.price) if o.HasField("price") else ("none",)))
                  for o in offerings)


SMALL = [("standard_d2s_v5", "eastus-az1", ON_DEMAND, "0.096", "USD"),
         ("standard_d2s_v5", "eastus-az1", SPOT, "0.0211", "USD"),
         ("standard_d2s_v5", "eastus-az3", ON_DEMAND, "0.096", "USD"),
         ("standard_d2s_v5", "eastus-az3", SPOT, "0.0211", "USD"),
         ("standard_e4s_v5", "", ON_DEMAND, "0.252", "USD")]


# ---- The catalog ----

def test_sizes_zones_and_prices_are_joined(cloud):
    small(cloud)
    found = rows(cloud, wanted=CATALOG)
    assert summary(found["offerings"]) == SMALL and codes(found) == []
    row = next(o for o in found["offerings"] if o.zone == "eastus-az3" and o.purchase == ON_DEMAND)
    assert (row.provider, row.region, row.os, row.native_id, row.family, row.arch) == (
        "azure", "eastus", "linux", "Standard_D2s_v5", "standarddsv5family", "x86_64")
    assert (row.resources.vcpu, row.resources.memory_gib, row.resources.iops) == (2, 8, 3750)
    assert row.labels["zone_number"] == "1" and row.status == AVAILABLE


def test_without_zones_and_spot_a_size_is_one_offering_of_its_region(cloud):
    small(cloud)
    found = rows(cloud, wanted=CATALOG, zones="false", spot="false")
    assert [(o.type, o.zone) for o in found["offerings"]] == [("standard_d2s_v5", ""), ("standard_e4s_v5", "")]


LEFT_OUT = {
    "Windows": {"productName": "Virtual Machines DSv5 Series Windows"},
    "Windows in short": {"productName": "Virtual Machines DSv5 Series Win"},
    "tests": {"type": "DevTestConsumption"},
    "old services": {"productName": "DSv5 Series Cloud Services"},
    "old services in one word": {"productName": "DSv5 Series CloudServices"},
    "low priority": {"skuName": "D2s v5 Low Priority"},
    "low priority of the meter": {"meterName": "D2s v5 Low Priority"},
    "a host": {"productName": "DSv5 Series Dedicated Host"},
    "no size": {"armSkuName": ""},
    "a later tier": {"tierMinimumUnits": 744.0},
    "the future": {"effectiveStartDate": "2026-04-01T00:00:00Z"},
    "a zero beside a price": {"retailPrice": 0.0, "unitPrice": 0.0},
}


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("what", LEFT_OUT)
def test_twins_of_a_price_are_left_out(cloud, what, first):
    region = small(cloud)
    twin = item("Standard_D2s_v5", 9.9, meterId="twin")
    region.items.insert(0 if first else len(region.items), {**twin, **LEFT_OUT[what]})
    found = rows(cloud, wanted=CATALOG)
    assert summary(found["offerings"]) == SMALL and codes(found) == []


def test_a_second_price_that_nothing_tells_apart_is_told_and_not_chosen(cloud):
    small(cloud).items.append(item("Standard_D2s_v5", 0.097, meterId="another"))
    found = rows(cloud, wanted=CATALOG, spot="false")
    assert codes(found) == ["ambiguous_price"]
    assert summary(found["offerings"]) == [SMALL[-1]]


def test_equal_prices_of_two_meters_are_one(cloud):
    small(cloud).items.append(item("Standard_D2s_v5", 0.096, meterId="another", isPrimaryMeterRegion=False))
    assert summary(rows(cloud, wanted=CATALOG)["offerings"]) == SMALL


def test_of_one_meter_the_newest_price_holds(cloud):
    small(cloud).items += [item("Standard_D2s_v5", 0.09, effectiveStartDate="2026-01-01T00:00:00Z"),
                           item("Standard_D2s_v5", 0.08, effectiveStartDate="2024-01-01T00:00:00Z")]
    assert summary(rows(cloud, wanted=CATALOG)["offerings"])[0][3] == "0.09"


BROKEN = {
    "missing_price": {"retailPrice": None},
    "unknown_currency": {"currencyCode": ""},
    "unknown_unit": {"unitOfMeasure": "1/Month"},
    "invalid_value": {"effectiveStartDate": "soon"},
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_price_that_cannot_be_read_is_told_and_its_size_has_none(cloud, code):
    small(cloud).items[1].update(BROKEN[code])
    found = rows(cloud, wanted=CATALOG)
    assert codes(found) == [code]
    assert summary(found["offerings"])[-1] == ("standard_e4s_v5", "", ON_DEMAND, "none")


def test_units_of_many_hours_and_artefacts_of_binary_numbers(cloud):
    small(cloud).items[:2] = [item("Standard_D2s_v5", 9.6, unitOfMeasure="100 Hours"),
                              item("Standard_E4s_v5", 0.10000000149011612)]
    told = summary(rows(cloud, wanted=CATALOG, spot="false")["offerings"])
    assert [t[3] for t in told] == ["0.096", "0.096", "0.100000001"]


def test_what_is_priced_and_unknown_is_told(cloud):
    small(cloud).items.append(item("Standard_X1", 1.5))
    assert codes(rows(cloud, wanted=CATALOG)) == ["priced_unknown"]


def test_restrictions_of_the_subscription_hold_for_places_and_zones(cloud):
    region = small(cloud)
    region.skus = [
        sku("Standard_D2s_v5", restrictions=[{"type": "Zone", "reasonCode": "NotAvailableForSubscription",
                                              "restrictionInfo": {"locations": ["eastus"], "zones": ["2"]}}]),
        sku("Standard_E4s_v5", 4, "32", restrictions=[{"type": "Location", "reasonCode": "QuotaId", "values": ["eastus"],
                                                       "restrictionInfo": {"locations": ["eastus"], "zones": []}}])]
    found = rows(cloud, wanted=CATALOG, spot="false")["offerings"]
    assert {(o.type, o.zone): o.status for o in found} == {
        ("standard_d2s_v5", "eastus-az3"): AVAILABLE, ("standard_d2s_v5", "eastus-az1"): RESTRICTED,
        ("standard_e4s_v5", "eastus-az3"): RESTRICTED, ("standard_e4s_v5", "eastus-az1"): RESTRICTED}


SHAPES = {
    "a constrained size": ({"vCPUsAvailable": "1"}, lambda o: o.resources.vcpu == 1),
    "memory that is not whole": ({"MemoryGB": "0.75"}, lambda o: o.resources.memory_gib == 0.75),
    "Arm": ({"CpuArchitectureType": "Arm64"}, lambda o: o.arch == "arm64"),
    "GPUs": ({"GPUs": "4"}, lambda o: o.resources.gpu == 4),
    "a disk of its own": ({"MaxResourceVolumeMB": "76800"}, lambda o: o.resources.local_disk_gib == 75),
    "no spot": ({"LowPriorityCapable": "False"}, lambda o: o.purchase == ON_DEMAND or o.status == RESTRICTED),
    "memory that is no number": ({"MemoryGB": "lots"}, lambda o: o.resources.memory_gib == 0),
}


@pytest.mark.parametrize("what", SHAPES)
def test_shapes_of_sizes(cloud, what):
    changes, holds = SHAPES[what]
    small(cloud).skus[0]["capabilities"] = sku("x", **changes)["capabilities"]
    found = [o for o in rows(cloud, wanted=CATALOG)["offerings"] if o.type == "standard_d2s_v5"]
    assert len(found) == 4 and all(holds(o) for o in found), found[0]


def test_only_machines_are_taken_of_a_list_of_all_skus(cloud):
    region = small(cloud)
    region.skus.append({"name": "Premium_LRS", "resourceType": "disks", "capabilities": []})
    region.skus.append({"resourceType": "virtualMachines", "capabilities": []})
    found = rows(cloud, wanted=CATALOG)
    assert summary(found["offerings"]) == SMALL and codes(found) == ["missing_type"]


# ---- Commitments ----

def test_reservations_are_divided_by_their_hours(cloud):
    """3478 / 8760 = 0.397031963; 6000 / 26280 = 0.228310502 (round half even of 0.22831050228...)."""
    small(cloud).items += [
        item("Standard_D2s_v5", 3478.0, type="Reservation", reservationTerm="1 Year", meterId="r"),
        item("Standard_D2s_v5", 6000.0, type="Reservation", reservationTerm="3 Years", meterId="r"),
        item("Standard_D2s_v5", 1.0, type="Reservation", reservationTerm="soon", meterId="r"),
        item("Standard_D2s_v5", 1.0, type="Reservation", reservationTerm="1 Year", meterId="w",
             productName="Virtual Machines DSv5 Series Windows")]
    found = rows(cloud, wanted={"quotas": False})
    assert [(p.id, money(p.hourly_fee), p.term_hours) for p in found["products"]] == [
        ("azure-ri/eastus/standard_d2s_v5/1y", ("0.397031963", "USD"), 8760),
        ("azure-ri/eastus/standard_d2s_v5/3y", ("0.228310502", "USD"), 26280)]
    assert codes(found) == ["invalid_value"]


def test_savings_plans_are_of_an_hour_and_become_shares(cloud):
    """0.072 / 0.096 = 0.75; 0.189 / 0.252 = 0.75; 0.048 / 0.096 = 0.5."""
    region = small(cloud)
    region.items[0]["savingsPlan"] = [{"term": "1 Year", "unitPrice": 0.072, "retailPrice": 0.072},
                                      {"term": "3 Years", "unitPrice": 0.048, "retailPrice": 0.048}]
    region.items[1]["savingsPlan"] = [{"term": "1 Year", "unitPrice": 0.189, "retailPrice": 0.189},
                                      {"term": "3 Years", "unitPrice": 0.3, "retailPrice": 0.3}]
    found = rows(cloud, wanted={"quotas": False})
    plans = {p.id: p for p in found["products"]}
    assert {i: [(r.price_ratio, list(r.offerings.include[0].type)) for r in p.rates] for i, p in plans.items()} == {
        "azure-compute-sp/1y": [(0.75, ["standard_d2s_v5", "standard_e4s_v5"])],
        "azure-compute-sp/3y": [(0.5, ["standard_d2s_v5"])]}
    assert codes(found) == ["rate_above_price"] and money(plans["azure-compute-sp/1y"].hourly_fee)[0] == "0.1"


# ---- Quotas, inventory, usage, costs ----

def usage(name, used, limit):
    return {"unit": "Count", "currentValue": used, "limit": limit, "name": {"value": name, "localizedValue": name}}


def test_a_machine_counts_against_its_family_and_the_region(cloud):
    cloud.region("eastus").usages = [
        usage("availabilitySets", 0, 2500), usage("cores", 17, 100), usage("lowPriorityCores", 0, 3),
        usage("virtualMachines", 4, 25000), usage("standardDSv5Family", 17, 19),
        usage("standardESv5Family", 0, -1), usage("PremiumDiskCount", 1, 50000)]
    found = rows(cloud, wanted={"products": False, "offerings": False})["quotas"]
    assert [(q.code, q.limit, q.used, q.unlimited, q.resource, list(q.scope.include[0].family),
             list(q.scope.include[0].purchase)) for q in found] == [
        ("cores", 100, 17, False, offering_pb2.RESOURCE_VCPU, [], [ON_DEMAND]),
        ("lowPriorityCores", 3, 0, False, offering_pb2.RESOURCE_VCPU, [], [SPOT]),
        ("virtualMachines", 25000, 4, False, 0, [], []),
        ("standardDSv5Family", 19, 17, False, offering_pb2.RESOURCE_VCPU, ["standarddsv5family"], [ON_DEMAND]),
        ("standardESv5Family", 0, 0, True, offering_pb2.RESOURCE_VCPU, ["standardesv5family"], [ON_DEMAND])]
    assert not found[-1].WhichOneof("opt_limit")


def machine(name, location="eastus", **changes):
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Rg-(ü)"
    properties = {"hardwareProfile": {"vmSize": "Standard_D2s_v5"}, "timeCreated": "2026-03-01T00:00:00.5+00:00",
                  "storageProfile": {"osDisk": {"osType": "Linux"}}, **changes.pop("properties", {})}
    return {"id": f"{group}/providers/Microsoft.Compute/virtualMachines/{name}", "name": name, "location": location,
            "zones": ["2"], "tags": {"team": "web"}, "properties": properties, **changes}


def id_of(name):
    return (f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-(ü)/providers/microsoft.compute/virtualmachines/"
            f"{name.lower()}")


def test_the_inventory_names_zones_as_the_catalog_does(cloud):
    small(cloud)
    cloud.machines = [machine("Web-1"), machine("far", "westus"), machine("job", properties={
        "priority": "Spot", "storageProfile": {"osDisk": {"osType": "Windows"}}}, zones=[]),
        {**machine("evil"), "id": ".evil.example/x"}]
    cloud.states = {cloud.machines[0]["id"]: "running", cloud.machines[2]["id"]: "deallocated"}
    found = rows(cloud, wanted={**NOTHING, "inventory": True})
    assert [(r.resource, r.type, r.zone, r.os, r.purchase, r.state, r.tags["team"]) for r in found["inventory"]] == [
        (id_of("Web-1"), "standard_d2s_v5", "eastus-az1", "linux", ON_DEMAND, "running", "web"),
        (id_of("job"), "standard_d2s_v5", "", "windows", SPOT, "deallocated", "web")]
    assert found["inventory"][0].started_at.seconds == NOW - 2 * DAY - DAY // 2
    assert codes(found) == ["invalid_value"]


def test_usage_leaves_out_points_without_a_value(cloud):
    small(cloud)
    cloud.machines = [machine("web"), machine("gone")]
    cloud.metrics = {id_of("web").removeprefix(f"/subscriptions/{SUBSCRIPTION}"): [
        {"timeStamp": "2026-03-03T09:00:00Z", "average": 99.0},
        {"timeStamp": "2026-03-03T10:00:00Z", "average": 12.5, "maximum": 80.0},
        {"timeStamp": "2026-03-03T11:00:00Z"}, {"timeStamp": "2026-03-03T12:00:00Z", "average": 99.0}]}
    found = rows(cloud, wanted={**NOTHING, "usage": (NOW - 7200, NOW)})
    assert [(u.resource, u.metric, u.statistic, u.start.seconds - NOW, u.value, u.type) for u in found["usage"]] == [
        (id_of("web"), "cpu_ratio", 1, -7200, 0.125, "standard_d2s_v5"),
        (id_of("web"), "cpu_ratio", 2, -7200, 0.8, "standard_d2s_v5")]
    assert codes(found) == ["resource_gone"]


def charge(cost, day, resource, kind="Usage", currency="EUR"):
    return {"Cost": cost, "UsageDate": day, "ResourceId": resource, "ChargeType": kind, "Currency": currency}


@pytest.mark.parametrize("columns", [
    ["Cost", "UsageDate", "ResourceId", "ChargeType", "Currency"],
    ["Currency", "ChargeType", "UsageDate", "ResourceId", "Cost"]])
def test_costs_are_found_by_the_names_of_columns_and_joined(cloud, columns):
    cloud.columns, cloud.page_size = columns, 2
    vm, order = id_of("Web").replace("ü", "u"), "/providers/Microsoft.Capacity/reservationOrders/1"
    cloud.costs = {
        "ActualCost": [charge(1.25, 20260301, vm), charge(0.5, 20260301, vm.upper()), charge(3478, 20260302, order, "Purchase"),
                       charge(-5.2e-9, 20260302, vm, "Refund"), charge(9, 20260303, vm), charge(2, 20260302, vm, "Odd")],
        "AmortizedCost": [charge(1.75, 20260301, vm), charge(9.123456789123, 20260302, order, "UnusedReservation")]}
    found = rows(cloud, wanted={**NOTHING, "costs": (NOW - 2 * DAY - DAY // 2, NOW - DAY // 2)})
    told = sorted((c.resource.rpartition("/")[2], c.category, money(c.billed)[0], money(c.effective)[0],
                   c.start.seconds - NOW + DAY // 2, c.service) for c in found["costs"])
    assert told == [("1", 1, "0.", "9.123456789", -DAY, "microsoft.capacity"),
                    ("1", 2, "3478.", "0.", -DAY, "microsoft.capacity"),
                    ("web", 1, "1.75", "1.75", -2 * DAY, "microsoft.compute"),
                    ("web", 5, "-0.000000005", "0.", -DAY, "microsoft.compute"),
                    ("web", 5, "2.", "0.", -DAY, "microsoft.compute")]
    assert codes(found) == ["unknown_charge_type"] and {c.billed.currency_code for c in found["costs"]} == {"EUR"}
    assert sum(r.method == "POST" and r.path.endswith("/query") for r in cloud.requests) == 4  # 3 pages and 1


def test_an_answer_without_a_column_can_be_asked_for_later(cloud):
    cloud.columns = ["Cost", "UsageDate", "ResourceId", "Currency"]
    failure = refused(cloud, wanted={**NOTHING, "costs": (NOW - DAY, NOW)})
    assert failure.kind == "retryable" and "ChargeType" in str(failure)


# ---- How Azure refuses, throttles and pages ----

def test_links_with_a_port_are_followed_and_empty_pages_are_no_end(cloud):
    small(cloud)
    cloud.page_size, cloud.empty_pages = 1, 1
    assert summary(rows(cloud, wanted=CATALOG)["offerings"]) == SMALL
    assert cloud.paths.count("/api/retail/prices") == 4


@pytest.mark.parametrize("origin", ["https://evil.example", "https://prices.azure.com.evil.example:443",
                                    "http://prices.azure.com", "https://prices.azure.com:8443"])
def test_a_link_to_another_host_is_refused(cloud, origin):
    small(cloud)
    cloud.page_size, cloud.link_origin = 1, origin
    failure = refused(cloud, wanted=CATALOG)
    assert failure.kind == "permanent" and "link to the next page" in str(failure)
    assert cloud.paths.count("/api/retail/prices") == 1


def test_a_link_of_the_management_api_to_another_host_gets_no_token(cloud):
    small(cloud)
    with FaultCloud() as other:
        body = json.dumps({"value": [], "nextLink": other.url + "/x"}).encode()
        cloud.first["/skus"] = [Answer(body=body)]
        assert refused(cloud, wanted=CATALOG).kind == "permanent" and other.requests == []


def test_the_same_link_twice_ends_the_fetch(cloud):
    small(cloud)
    cloud.same_link = True
    failure = refused(cloud, wanted=CATALOG)
    assert failure.kind == "permanent" and "second time" in str(failure) and len(cloud.paths) == 3


THROTTLES = {
    "Resource Manager": ("/skus", Answer(429, b'{"error":{"code":"OperationNotAllowed"}}', {"Retry-After": "0"})),
    "Retail Prices": ("/retail/", Answer(429, b"Too many requests", {"Retry-After": "0"}, content_type="text/plain")),
    "a server that is out of order": ("/skus", Answer(503, b'{"error":{"code":"ServerTimeout"}}')),
}


@pytest.mark.parametrize("name", THROTTLES)
def test_throttling_is_waited_out_and_given_up_in_the_end(cloud, name):
    small(cloud)
    part, answer = THROTTLES[name]
    cloud.first[part] = [answer] * 2
    assert summary(rows(cloud, wanted=CATALOG)["offerings"]) == SMALL
    cloud.first[part] = [answer] * 3
    assert refused(cloud, wanted=CATALOG).kind in ("retryable", "quota")


def test_the_wait_of_cost_management_is_told_when_it_is_long(cloud):
    cloud.first["/query"] = [Answer(429, b'{"error":{"code":"429","message":"Too many requests. Please retry."}}',
                                    {"x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": "120"})]
    failure = refused(cloud, wanted={**NOTHING, "costs": (NOW - DAY, NOW)})
    assert failure.kind in ("retryable", "quota") and failure.failure.retry_after_seconds == 120


def test_wrong_credentials_are_told_as_such(cloud):
    small(cloud)
    cloud.secret = "another"
    failure = refused(cloud, wanted=CATALOG)
    assert failure.kind == "auth" and "top secret" not in str(failure)


def test_a_token_that_is_refused_once_is_renewed_once(cloud):
    small(cloud)
    cloud.revoked = 1
    assert summary(rows(cloud, wanted=CATALOG)["offerings"]) == SMALL and cloud.n_tokens == 2
    cloud.revoked = 2
    failure = refused(cloud, wanted=CATALOG)
    assert (failure.kind, failure.code, cloud.n_tokens) == ("auth", "InvalidAuthenticationToken", 4)


def test_prices_alone_are_asked_for_without_a_token(cloud):
    small(cloud)
    rows(cloud, wanted={"quotas": False, "offerings": False})
    assert cloud.n_tokens == 0 and "/api/retail/prices" in cloud.paths


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"Items":{}}', b'{"Items":[],"Items":[]}', b"{", b"null"])
def test_an_answer_that_is_no_page_of_prices_can_be_asked_for_later(cloud, body):
    small(cloud)
    cloud.first["/retail/"] = [Answer(body=body)] * 3
    assert refused(cloud, wanted=CATALOG).kind == "retryable"


@pytest.mark.parametrize("config", [{"regions": "east us/../.."}, {"regions": ","}, {"subscription": "a/b"},
                                    {"currency": "U'D"}])
def test_what_stands_in_a_url_is_checked(cloud, config):
    assert next(iter(config)) in str(refused(cloud, **config))


# ---- What Azure really answered ----

@recorded
def test_recorded_pages_of_other_services_give_no_price(cloud):
    """Their rows are of no machine: 17 items with units such as 1/Month, tiers from 500 on, zeros and 10K."""
    region = small(cloud)
    pages = [json.loads(p.read_text()) for p in sorted((DATA / "retail_api").glob("*.json"))]
    region.items += [i for page in pages for i in page["Items"]]
    assert sum(len(p["Items"]) for p in pages) == 17
    found = rows(cloud, wanted=CATALOG)
    assert summary(found["offerings"]) == SMALL
    assert set(codes(found)) <= {"unknown_unit", "priced_unknown", "ambiguous_price"}


@recorded
def test_recorded_sizes_of_a_region(cloud):
    region = cloud.region("westcentralus")
    region.skus = json.load(gzip.open(DATA / "resource_skus_westcentralus.json.gz"))["value"]
    region.items = [item(s["name"], 0.1, armRegionName="westcentralus") for s in region.skus]
    found = {o.native_id: o for o in rows(cloud, wanted=CATALOG, regions="westcentralus", spot="false")["offerings"]}
    assert sorted(found) == sorted(s["name"] for s in region.skus if s["resourceType"] == "virtualMachines")
    for one in region.skus:
        told = {c["name"]: c["value"] for c in one["capabilities"]}
        row = found[one["name"]]
        assert row.resources.vcpu == float(told.get("vCPUsAvailable", told["vCPUs"]))
        assert row.resources.memory_gib == float(told["MemoryGB"])
        assert row.arch == {"x64": "x86_64", "Arm64": "arm64"}[told["CpuArchitectureType"]]
        assert row.status == (RESTRICTED if one["restrictions"] else AVAILABLE)


@recorded
def test_the_recorded_answers_of_metrics_and_costs(cloud):
    small(cloud)
    cloud.machines = [machine("web")]
    found = json.loads((DATA / "recorded" / "metrics_find_average.json").read_text())
    answer = next(r["body"] for r in found if "/metrics" in r["request"]["uri"])
    cloud.first["/metrics"] = [Answer(body=json.dumps(answer).encode())]
    at = 1556755140  # 2019-05-01T23:59:00Z
    told = rows(cloud, wanted={**NOTHING, "usage": (at - DAY, at + DAY)}, usage_interval="P1D")["usage"]
    assert [(u.start.seconds, u.value, u.duration_seconds) for u in told] == [(at, 0.031704730617608408, DAY)]
    refusal = json.loads((DATA / "recorded" / "metrics_invalid_metric.json").read_text())[0]
    cloud.first["/metrics"] = [Answer(400, json.dumps(refusal["body"]).encode())]
    failure = refused(cloud, wanted={**NOTHING, "usage": (at - DAY, at + DAY)})
    assert (failure.kind, failure.code) == ("permanent", "BadRequest")


@recorded
def test_a_recorded_cost_answer_of_2019_without_days_is_not_read_as_something_else(cloud):
    answer = json.loads((DATA / "recorded" / "cost_query_resource.json").read_text())[0]["body"]
    cloud.first["/query"] = [Answer(body=json.dumps(answer).encode())]
    failure = refused(cloud, wanted={**NOTHING, "costs": (NOW - DAY, NOW)})
    assert failure.kind == "retryable" and "UsageDate" in str(failure)


@recorded
def test_the_real_prices_of_all_regions(cloud):
    """shared/data/README.md: 67,672 prices of 57 regions and 1849 sizes, 68 of them 0. Sizes of machines are made up
    where the price file is all that is known of them."""
    prices = list(csv.DictReader(lzma.open(DATA / "ondemand_prices.csv.xz", "rt")))
    for row in prices:
        region = cloud.region(row["region"])
        region.skus.append(sku(row["arm_sku_name"], zones=(), location=row["region"]))
        region.items.append(item(row["arm_sku_name"], float(row["price_per_hour"]), armRegionName=row["region"]))
    cloud.page_size = 1000
    with PluginHost() as host:
        host.load(PLUGIN, config={"subscription": SUBSCRIPTION, "regions": ",".join(cloud.regions)}, http=cloud.http(),
                  secrets=cloud.secrets, clock_ns=NOW * 10 ** 9)
        found = host.rows(deadline_seconds=240, **CATALOG)
        peak = host.peak_rss_bytes()
    told = {(o.region, o.native_id): float(money(o.price)[0]) for o in found["offerings"]}
    assert len(found["offerings"]) == len(prices) == 67672 and len(cloud.regions) == 57
    assert told == {(r["region"], r["arm_sku_name"]): float(r["price_per_hour"]) for r in prices}
    assert sum(price == 0 for price in told.values()) == 68 and codes(found) == []
    assert peak <= 256 << 20 or SANITIZED, f"{peak >> 20} MiB"
