"""The plugin aws against a cloud of its own: what it takes, what it leaves out, and what it does when told off."""
import csv
import gzip
import json
import lzma
import os
import pathlib

import pytest
from fault_cloud import Answer
from isocost_protos import BUILD, offering_pb2
from plugin_host import PluginFailure, PluginHost, codes, money
from replay_aws import OFFER_COLUMNS, ReplayAws, csv_file, large_price_file, price_row, savings_row

PLUGIN = BUILD / "plugins" / "aws.so"
NOW = 1772539200  # 2026-03-03T12:00:00Z
DAY = 86400
ON_DEMAND, SPOT = offering_pb2.PURCHASE_ON_DEMAND, offering_pb2.PURCHASE_SPOT
DATA = pathlib.Path(os.environ.get("ISO_SHARED_DATA", "/nonexistent")) / "aws"
recorded = pytest.mark.skipif(not DATA.exists(), reason="ISO_SHARED_DATA has no data of AWS")


def type_record(name, vcpus=2, mib=8192, **changes):
    return {"InstanceType": name, "CurrentGeneration": True, "SupportedUsageClasses": ["on-demand", "spot"],
            "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]}, "VCpuInfo": {"DefaultVCpus": vcpus},
            "MemoryInfo": {"SizeInMiB": mib}, "InstanceStorageSupported": False,
            "NetworkInfo": {"NetworkCards": [{"BaselineBandwidthInGbps": 0.75}]},
            "EbsInfo": {"EbsOptimizedInfo": {"BaselineIops": 3600}}, **changes}


def spot_record(instance_type, zone, price, at="2026-03-03T11:00:00.000Z", system="Linux/UNIX"):
    return {"instanceType": instance_type, "productDescription": system, "spotPrice": price, "timestamp": at,
            "availabilityZone": zone}


def small(cloud, name="us-east-1", zone="use1-az"):
    """Two types in two zones, one of them in one zone only."""
    region = cloud.region(name)
    region.zones = {name + "a": zone + "4", name + "b": zone + "1"}
    region.types = [type_record("m5.large"), type_record("c5.xlarge", 4, 8192)]
    region.offered = [("m5.large", name + "a"), ("m5.large", name + "b"), ("c5.xlarge", name + "a")]
    region.prices = [price_row("m5.large", "0.0960000000"), price_row("c5.xlarge", "0.1700000000")]
    region.spot = [spot_record("m5.large", name + "a", "0.041900")]
    return region


@pytest.fixture
def cloud():
    with ReplayAws(NOW) as server:
        yield server


def load(host, cloud, *, clock_s=NOW, secrets=None, cache="", **config):
    host.load(PLUGIN, config={"regions": "us-east-1", **config}, http=cloud.http(), cache=cache,
              secrets=cloud.secrets if secrets is None else secrets, clock_ns=clock_s * 10 ** 9)


def rows(cloud, *, wanted=(), **config):
    with PluginHost() as host:
        load(host, cloud, **config)
        return host.rows(**dict(wanted))


def refused(cloud, *, wanted=(), **config):
    with pytest.raises(PluginFailure) as caught:
        rows(cloud, wanted=wanted, **config)
    return caught.value


def summary(offerings):
    return sorted((o.type, o.zone, o.purchase, *(money(o.price) if o.HasField("price") else ("none",)))
                  for o in offerings)


SMALL = [("c5.xlarge", "use1-az4", ON_DEMAND, "0.17", "USD"), ("m5.large", "use1-az1", ON_DEMAND, "0.096", "USD"),
         ("m5.large", "use1-az4", ON_DEMAND, "0.096", "USD"), ("m5.large", "use1-az4", SPOT, "0.0419", "USD")]
CATALOG = {"products": False, "quotas": False}


# ---- The catalog ----

def test_types_zones_and_prices_are_joined_by_the_ids_of_zones(cloud):
    small(cloud)
    found = rows(cloud, wanted=CATALOG)
    assert summary(found["offerings"]) == SMALL and codes(found) == []
    row = next(o for o in found["offerings"] if o.zone == "use1-az1")
    assert (row.provider, row.region, row.os, row.family, row.arch, row.tenancy) == (
        "aws", "us-east-1", "linux", "m5", "x86_64", "shared")
    assert (row.resources.vcpu, row.resources.memory_gib, row.resources.network_gbps, row.resources.iops,
            row.resources.local_disk_gib) == (2, 8, 0.75, 3600, 0)
    assert row.labels["zone_name"] == "us-east-1b" and row.observed_at.seconds == NOW


def test_the_query_api_gives_the_same_as_the_file(cloud):
    region = small(cloud)
    region.prices.append(price_row("m5.large", "0.5", SKU="OTHER", **{"Operating System": "Windows"}))
    assert summary(rows(cloud, wanted=CATALOG, prices="query")["offerings"]) == SMALL
    assert "GetProducts" in cloud.operations and not any("index.csv" in o for o in cloud.operations)


def test_without_zones_a_type_is_one_offering_of_its_region(cloud):
    small(cloud)
    found = rows(cloud, wanted=CATALOG, zones="false", spot="false")
    assert [(o.type, o.zone) for o in found["offerings"]] == [("m5.large", ""), ("c5.xlarge", "")]


def test_a_local_zone_has_spot_offerings_only(cloud):
    region = small(cloud)
    region.zones["us-east-1-bos-1a"], region.zone_types["us-east-1-bos-1a"] = "use1-bos1-az1", "local-zone"
    region.offered.append(("m5.large", "us-east-1-bos-1a"))
    region.spot.append(spot_record("m5.large", "us-east-1-bos-1a", "0.05"))
    found = rows(cloud, wanted=CATALOG)
    assert summary(found["offerings"]) == sorted(SMALL + [("m5.large", "use1-bos1-az1", SPOT, "0.05", "USD")])


def test_several_regions_are_each_their_own(cloud):
    small(cloud)
    small(cloud, "eu-west-1", "euw1-az")
    found = rows(cloud, wanted=CATALOG, regions="us-east-1,eu-west-1")
    assert sorted({(o.region, o.zone) for o in found["offerings"]}) == [
        ("eu-west-1", "euw1-az1"), ("eu-west-1", "euw1-az4"), ("us-east-1", "use1-az1"), ("us-east-1", "use1-az4")]


def test_china_has_hosts_paths_and_a_currency_of_its_own(cloud):
    region = small(cloud, "cn-north-1", "cnn1-az")
    region.prices = [price_row("m5.large", "0.7440000000", Currency="CNY")]
    found = rows(cloud, wanted=CATALOG, regions="cn-north-1")
    assert ("m5.large", "cnn1-az4", ON_DEMAND, "0.744", "CNY") in summary(found["offerings"])
    assert ("m5.large", "cnn1-az4", SPOT, "0.0419", "CNY") in summary(found["offerings"])
    assert "/offers/v1.0/cn/AmazonEC2/current/cn-north-1/index.csv" in cloud.operations
    cloud.operations.clear()
    assert ("m5.large", "cnn1-az4", ON_DEMAND, "0.744", "CNY") in summary(
        rows(cloud, wanted=CATALOG, regions="cn-north-1", prices="query")["offerings"])


LEFT_OUT = {
    "another system": {"Operating System": "Windows"},
    "a licence": {"License Model": "Bring your own license"},
    "software": {"Pre Installed S/W": "SQL Std"},
    "a capacity reservation that is not used": {"CapacityStatus": "UnusedCapacityReservation"},
    "a capacity reservation": {"CapacityStatus": "AllocatedCapacityReservation"},
    "a host of one's own": {"Tenancy": "Host"},
    "dedicated": {"Tenancy": "Dedicated"},
    "a capacity block at 0": {"MarketOption": "CapacityBlock", "operation": "RunInstances:CB", "PricePerUnit": "0"},
    "another operation": {"operation": "RunInstances:0010"},
    "no instance": {"Product Family": "Storage"},
    "a price of the future": {"EffectiveDate": "2026-03-04"},
    "a later tier": {"StartingRange": "744"},
    "a local zone": {"Location Type": "AWS Local Zone"},
}


@pytest.mark.parametrize("source", ["file", "query"])
@pytest.mark.parametrize("what", LEFT_OUT)
def test_twins_of_a_price_are_left_out(cloud, what, source):
    small(cloud).prices.insert(0, price_row("m5.large", "9.9000000000", **{"SKU": "TWIN", **LEFT_OUT[what]}))
    found = rows(cloud, wanted=CATALOG, prices=source)
    assert summary(found["offerings"]) == SMALL and codes(found) == []


def test_a_second_price_that_nothing_tells_apart_is_told_and_not_chosen(cloud):
    small(cloud).prices.append(price_row("m5.large", "0.0970000000", SKU="SECOND"))
    found = rows(cloud, wanted=CATALOG, spot="false")
    assert codes(found) == ["ambiguous_price"] and [o.type for o in found["offerings"]] == ["c5.xlarge"]


def test_of_a_price_with_two_dates_the_newest_holds(cloud):
    small(cloud).prices += [price_row("m5.large", "0.0950000000", EffectiveDate="2026-03-01"),
                            price_row("m5.large", "0.0990000000", EffectiveDate="2025-01-01")]
    assert ("m5.large", "use1-az1", ON_DEMAND, "0.095", "USD") in summary(rows(cloud, wanted=CATALOG)["offerings"])


BROKEN_PRICES = {
    "missing_price": {"PricePerUnit": ""},
    "invalid_price": {"PricePerUnit": "0.12345678901"},
    "non_finite_price": {"PricePerUnit": "NaN"},
    "unknown_currency": {"Currency": ""},
    "unknown_unit": {"Unit": "Quantity"},
    "invalid_value": {"EffectiveDate": "soon"},
}


@pytest.mark.parametrize("code", BROKEN_PRICES)
def test_a_price_that_cannot_be_read_is_told_and_its_type_has_none(cloud, code):
    small(cloud).prices[0].update(BROKEN_PRICES[code])
    found = rows(cloud, wanted=CATALOG, spot="false")
    assert codes(found) == [code]
    assert summary(found["offerings"])[1:] == [("m5.large", "use1-az1", ON_DEMAND, "none"),
                                               ("m5.large", "use1-az4", ON_DEMAND, "none")]


def test_what_is_priced_and_unknown_and_what_is_known_and_unpriced_is_told(cloud):
    region = small(cloud)
    region.prices.append(price_row("x9.huge", "1.0000000000"))
    region.types.append(type_record("p9.small"))
    region.offered.append(("p9.small", "us-east-1a"))
    region.spot.append(spot_record("z9.small", "us-east-1a", "0.1"))
    region.spot.append(spot_record("m5.large", "us-east-1z", "0.1"))
    found = rows(cloud, wanted=CATALOG)
    assert codes(found) == ["priced_unknown", "priced_unknown", "unknown_zone"]
    assert ("p9.small", "use1-az4", ON_DEMAND, "none") in summary(found["offerings"])


SHAPES = {
    "half a GPU": (
        {"GpuInfo": {"Gpus": [{"Count": 0, "GpuPartitionSize": 0.5, "LogicalGpuCount": 1, "Name": "L4"}],
                     "TotalGpuMemoryInMiB": 11444}},
        lambda o: (o.resources.gpu, o.resources.gpu_model, o.resources.gpu_memory_gib) == (0.5, "L4", 11.17578125)),
    "eight GPUs": (
        {"GpuInfo": {"Gpus": [{"Count": 8, "GpuPartitionSize": 1.0, "LogicalGpuCount": 8, "Name": "A100"}],
                     "TotalGpuMemoryInMiB": 327680}},
        lambda o: (o.resources.gpu, o.resources.gpu_memory_gib) == (8, 320)),
    "memory that is not whole": (
        {"MemoryInfo": {"SizeInMiB": 3840}}, lambda o: o.resources.memory_gib == 3.75),
    "two architectures": (
        {"ProcessorInfo": {"SupportedArchitectures": ["i386", "x86_64"]}}, lambda o: o.arch == "x86_64"),
    "Arm": ({"ProcessorInfo": {"SupportedArchitectures": ["arm64"]}}, lambda o: o.arch == "arm64"),
    "a Mac": (
        {"ProcessorInfo": {"SupportedArchitectures": ["arm64_mac"]}},
        lambda o: (o.arch, o.os, o.tenancy, o.kind) == ("arm64", "macos", "host", offering_pb2.OFFERING_KIND_HOST)),
    "a disk of 75 GB": (  # 75 * 10^9 / 2^30
        {"InstanceStorageSupported": True, "InstanceStorageInfo": {"TotalSizeInGB": 75}},
        lambda o: o.resources.local_disk_gib == 69.849193096),
    "two cards": (
        {"NetworkInfo": {"NetworkCards": [{"BaselineBandwidthInGbps": 100.0}, {"BaselineBandwidthInGbps": 100.0}]}},
        lambda o: o.resources.network_gbps == 200),
    "a network of words": (
        {"NetworkInfo": {"NetworkCards": [{"NetworkPerformance": "Moderate"}]}},
        lambda o: o.resources.network_gbps == 0),
    "an earlier generation": (
        {"CurrentGeneration": False}, lambda o: o.status == offering_pb2.OFFERING_STATUS_DEPRECATED),
}


@pytest.mark.parametrize("what", SHAPES)
def test_shapes_of_types(cloud, what):
    changes, holds = SHAPES[what]
    small(cloud).types = [type_record("m5.large", **changes)]
    found = rows(cloud, wanted=CATALOG)
    assert all(holds(o) for o in found["offerings"]) and found["offerings"], found["offerings"][0]


def test_only_the_newest_spot_price_of_linux_is_taken(cloud):
    small(cloud).spot = [
        spot_record("m5.large", "us-east-1a", "0.050000", "2026-03-03T10:00:00.000Z"),
        spot_record("m5.large", "us-east-1a", "0.040000", "2026-03-03T11:00:00.000Z"),
        spot_record("m5.large", "us-east-1a", "0.060000", "2026-03-03T09:00:00.000Z"),
        spot_record("m5.large", "us-east-1a", "0.900000", "2026-03-03T11:30:00.000Z", "Windows")]
    spot = [o for o in rows(cloud, wanted=CATALOG)["offerings"] if o.purchase == SPOT]
    assert [money(o.price) for o in spot] == [("0.04", "USD")]


def test_a_public_catalog_needs_no_credentials(cloud):
    region = small(cloud)
    region.prices = [
        price_row("x1e.32xlarge", "26.6880000000", vCPU="128", Memory="3,904 GiB", Storage="2 x 1920 SSD"),
        price_row("m6g.large", "0.0770000000", Memory="8 GiB", **{"Physical Processor": "AWS Graviton2 Processor"}),
        price_row("g6f.large", "0.2000000000", GPU="0", Memory="NA"),
        price_row("p4d.24xlarge", "32.7726000000", GPU="8")]
    found = rows(cloud, catalog="public", secrets={}, savings_plans="false")
    by_type = {o.type: o for o in found["offerings"]}
    large = by_type["x1e.32xlarge"].resources
    assert (large.vcpu, large.memory_gib, large.local_disk_gib) == (128, 3904, 3576.278686523)
    assert by_type["m6g.large"].arch == "arm64" and by_type["p4d.24xlarge"].resources.gpu == 8
    assert by_type["g6f.large"].resources.gpu == 0 and by_type["g6f.large"].resources.memory_gib == 0
    assert all(o.zone == "" for o in found["offerings"]) and codes(found) == []


# ---- Commitments ----

def reserved_row(price, unit, payment, **changes):
    return price_row("m5.large", price, TermType="Reserved", Unit=unit, LeaseContractLength="1yr",
                     OfferingClass="standard", PurchaseOption=payment, **changes)


@pytest.mark.parametrize("source", ["file", "query"])
def test_reserved_prices_become_products(cloud, source):
    small(cloud).prices += [
        reserved_row("0.0600000000", "Hrs", "No Upfront"),
        reserved_row("0.0280000000", "Hrs", "Partial Upfront"), reserved_row("250", "Quantity", "Partial Upfront"),
        reserved_row("490", "Quantity", "All Upfront"), reserved_row("0.0000000000", "Hrs", "All Upfront"),
        reserved_row("0.0100000000", "Hrs", "No Upfront", EffectiveDate="2024-01-01"),
        reserved_row("0.0200000000", "Hrs", "No Upfront", EffectiveDate="2026-04-01")]
    found = rows(cloud, prices=source, savings_plans="false", wanted={"quotas": False})
    told = sorted((p.id, money(p.hourly_fee)[0], money(p.upfront)[0], p.term_hours) for p in found["products"])
    assert told == [
        ("aws-ri/us-east-1/m5.large/1y/standard/all-upfront", "0.", "490.", 8760),
        ("aws-ri/us-east-1/m5.large/1y/standard/no-upfront", "0.06", "0.", 8760),
        ("aws-ri/us-east-1/m5.large/1y/standard/partial-upfront", "0.028", "250.", 8760)]
    eligible = found["products"][0].eligible.include[0]
    assert (list(eligible.type), list(eligible.region)) == (["m5.large"], ["us-east-1"])


def test_half_a_reserved_price_is_told_and_not_sold(cloud):
    small(cloud).prices.append(reserved_row("250", "Quantity", "Partial Upfront"))
    found = rows(cloud, savings_plans="false", wanted={"quotas": False})
    assert codes(found) == ["missing_price"] and not found["products"]


def test_savings_plans_have_rates_by_share_of_the_price(cloud):
    """0.0702 / 0.096 = 0.73125; 0.1243125 / 0.17 = 0.73125; 0.048 / 0.096 = 0.5."""
    region = small(cloud)
    small(cloud, "eu-west-1", "euw1-az")
    region.savings = [
        savings_row("m5.large", "0.0702"), savings_row("c5.xlarge", "0.1243125"),
        savings_row("m5.large", "0.048", PurchaseOption="All Upfront", LeaseContractLength="3"),
        savings_row("m5.large", "0.06", **{"Product Family": "EC2InstanceSavingsPlans"}),
        savings_row("m5.large", "0.5", DiscountedSKU="WINDOWS"),
        savings_row("m5.large", "0.2", PurchaseOption="Partial Upfront")]
    cloud.region("eu-west-1").savings = [savings_row("m5.large", "0.0480")]
    found = rows(cloud, regions="us-east-1,eu-west-1", reserved="false", wanted={"quotas": False})
    plans = {p.id: p for p in found["products"]}
    assert sorted(plans) == ["aws-compute-sp/1y/no-upfront/usd", "aws-compute-sp/3y/all-upfront/usd"]
    assert codes(found) == ["rate_above_price"]
    one = plans["aws-compute-sp/1y/no-upfront/usd"]
    assert [(r.price_ratio, list(r.offerings.include[0].region), list(r.offerings.include[0].type))
            for r in one.rates] == [(0.73125, ["us-east-1"], ["m5.large", "c5.xlarge"]),
                                    (0.5, ["eu-west-1"], ["m5.large"])]
    assert (money(one.hourly_fee)[0], one.lot, one.term_hours) == ("0.1", 0.1, 8760)
    three = plans["aws-compute-sp/3y/all-upfront/usd"]  # 0.1 * 3 * 8760
    assert (money(three.hourly_fee)[0], money(three.upfront)[0]) == ("0.", "2628.")


def test_a_region_without_savings_plans_is_told(cloud):
    small(cloud)
    assert codes(rows(cloud, reserved="false", wanted={"quotas": False})) == ["no_savings_plans"]


@pytest.mark.parametrize("status", [403, 404])
def test_a_partition_without_savings_plans_is_told(cloud, status):
    small(cloud)
    cloud.first["file"] = [Answer(body=csv_file(OFFER_COLUMNS, []), content_type="text/csv"),
                           Answer(status, b"<Error><Code>AccessDenied</Code></Error>", content_type="application/xml")]
    found = rows(cloud, reserved="false", wanted={"quotas": False, "offerings": False})
    assert codes(found) == ["no_savings_plans"]


# ---- Quotas, inventory, usage, costs ----

def quota(code, name, value, metric=None):
    usage = {"UsageMetric": {"MetricNamespace": "AWS/Usage", "MetricName": "ResourceCount",
                             "MetricStatisticRecommendation": "Maximum",
                             "MetricDimensions": {"Class": metric, "Resource": "vCPU", "Service": "EC2",
                                                  "Type": "Resource"}}} if metric else {}
    return {"ServiceCode": "ec2", "QuotaCode": code, "QuotaName": name, "Value": value, "Adjustable": True, **usage}


STANDARD = "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"
QUOTAS = {"products": False, "offerings": False}


def test_quotas_count_vcpus_of_classes_and_old_ones_instances_of_a_type(cloud):
    region = cloud.region("us-east-1")
    region.quotas = [quota("L-1216C47A", STANDARD, 1152.0, "Standard/OnDemand"),
                     quota("L-DB2E81BA", "Running On-Demand G and VT instances", 64.0),
                     quota("L-3819A6DF", "All G and VT Spot Instance Requests", 8.0),
                     quota("L-355B2B67", "Running On-Demand c3.large instances", 36.0),
                     quota("L-0263D0A3", "EC2-VPC Elastic IPs", 5.0)]
    region.metrics[("Standard/OnDemand", "Maximum")] = [(NOW - 600, 90.0), (NOW - 300, 96.0)]
    found = rows(cloud, wanted=QUOTAS)["quotas"]
    told = {q.code: q for q in found}
    assert sorted(told) == ["L-1216C47A", "L-355B2B67", "L-3819A6DF", "L-DB2E81BA"]
    standard = told["L-1216C47A"]
    assert (standard.limit, standard.used, standard.resource) == (1152, 96, offering_pb2.RESOURCE_VCPU)
    assert list(standard.scope.include[0].family) == ["a*", "c*", "d*", "h*", "i*", "m*", "r*", "t*", "z*"]
    assert list(standard.scope.exclude[0].family) == ["inf*", "trn*", "dl*", "hpc*", "mac*"]
    assert list(told["L-3819A6DF"].scope.include[0].family) == ["g*", "vt*"]
    assert list(told["L-3819A6DF"].scope.include[0].purchase) == [SPOT]
    old = told["L-355B2B67"]
    assert (old.limit, old.resource, list(old.scope.include[0].type)) == (36, 0, ["c3.large"])


def instance(name, instance_type="m5.large", state="running", **changes):
    return {"instanceId": name, "instanceType": instance_type, "instanceState": {"code": 16, "name": state},
            "launchTime": "2026-03-01T00:00:00.000Z", "placement": {"availabilityZone": "us-east-1b"}, **changes}


def test_the_inventory_names_zones_as_the_catalog_does(cloud):
    region = small(cloud)
    region.instances = [
        {"ownerId": "123456789012", "instancesSet": [
            instance("i-1", tagSet=[{"key": "team", "value": "web & <co>"}]),
            instance("i-2", state="terminated")]},
        {"ownerId": "123456789012", "instancesSet": [
            instance("i-3", instanceLifecycle="spot", platform="windows", state="stopped")]}]
    found = rows(cloud, wanted={**QUOTAS, "quotas": False, "inventory": True})["inventory"]
    assert [(r.resource, r.zone, r.os, r.purchase, r.state, r.account) for r in found] == [
        ("i-1", "use1-az1", "linux", ON_DEMAND, "running", "123456789012"),
        ("i-3", "use1-az1", "windows", SPOT, "stopped", "123456789012")]
    assert found[0].tags["team"] == "web & <co>" and found[0].started_at.seconds == NOW - 2 * DAY - DAY // 2


def test_usage_is_a_ratio_by_resource_and_hour(cloud):
    region = small(cloud)
    region.instances = [{"ownerId": "1", "instancesSet": [instance(f"i-{i}") for i in range(251)]}]
    region.metrics = {("i-0", "Average"): [(NOW - 7200, 12.5), (NOW - 3600, 50.0), (NOW, 99.0)],
                      ("i-250", "Maximum"): [(NOW - 3600, 100.0)]}
    found = rows(cloud, wanted={**QUOTAS, "quotas": False, "usage": (NOW - 7200, NOW)})["usage"]
    told = sorted((u.resource, u.statistic, u.start.seconds - NOW, u.value) for u in found)
    assert told == [("i-0", 1, -7200, 0.125), ("i-0", 1, -3600, 0.5), ("i-250", 2, -3600, 1.0)]
    assert {(u.metric, u.type, u.region) for u in found} == {("cpu_ratio", "m5.large", "us-east-1")}
    assert cloud.operations.count("GetMetricData") == 6  # 502 queries: 500 and 2, in pages of 100


def test_a_series_that_was_not_asked_for_can_be_asked_for_later(cloud):
    small(cloud).instances = [{"ownerId": "1", "instancesSet": [instance("i-1")]}]
    for series in ({"Id": "m7_0", "Timestamps": [1.0], "Values": [1.0]},
                   {"Id": "m0_0", "Timestamps": [1.0, 2.0], "Values": [1.0]}, {"Id": "x"}):
        cloud.first["GetMetricData"] = [Answer(body=json.dumps({"MetricDataResults": [series]}).encode())]
        failure = refused(cloud, wanted={**QUOTAS, "quotas": False, "usage": (NOW - 7200, NOW)})
        assert failure.kind == "retryable" and "does not fit" in str(failure)


def cost_day(day, *groups):
    return {"TimePeriod": {"Start": day, "End": day}, "Total": {}, "Estimated": False, "Groups": [
        {"Keys": [service, record], "Metrics": {
            "UnblendedCost": {"Amount": billed, "Unit": "USD"}, "AmortizedCost": {"Amount": effective, "Unit": "USD"},
            "UsageQuantity": {"Amount": "24", "Unit": "N/A"}}} for service, record, billed, effective in groups]}


COSTS = {**QUOTAS, "quotas": False, "costs": (NOW - DAY * 2 - DAY // 2, NOW - DAY // 2)}  # 1 and 2 March


def test_cost_explorer_is_not_asked_unless_it_is_allowed(cloud, tmp_path):
    found = rows(cloud, wanted=COSTS, cache=tmp_path)
    assert codes(found) == ["costs_not_allowed"] and cloud.operations == []
    failure = refused(cloud, wanted=COSTS, cost_explorer="true")
    assert "cache folder" in str(failure) and cloud.operations == []


def test_costs_are_asked_once_and_then_kept(cloud, tmp_path):
    cloud.page_size = 1
    cloud.costs = [
        cost_day("2026-03-01", ("Amazon EC2", "Usage", "12.3456789012", "14.5"), ("Tax", "Tax", "1.2", "1.2"),
                 ("Savings Plans", "Savings Plan Recurring Fee", "2.4", "0")),
        cost_day("2026-03-02", ("Amazon EC2", "Savings Plan Covered Usage", "0", "2.4"),
                 ("Amazon EC2", "Credit", "-5.2E-9", "-5.2E-9"))]
    expected = [("Amazon EC2", "12.345678901", "14.5", 1, NOW - DAY * 2 - DAY // 2),
                ("Tax", "1.2", "1.2", 3, NOW - DAY * 2 - DAY // 2),
                ("Savings Plans", "2.4", "0.", 2, NOW - DAY * 2 - DAY // 2),
                ("Amazon EC2", "0.", "2.4", 1, NOW - DAY - DAY // 2),
                ("Amazon EC2", "-0.000000005", "-0.000000005", 4, NOW - DAY - DAY // 2)]
    for clock_s, asked in ((NOW, 2), (NOW + 3600, 2), (NOW + 25 * 3600, 4)):
        cloud.clock_s = clock_s
        found = rows(cloud, wanted=COSTS, cost_explorer="true", cache=tmp_path, clock_s=clock_s)["costs"]
        assert [(c.service, money(c.billed)[0], money(c.effective)[0], c.category, c.start.seconds)
                for c in found] == expected
        assert cloud.operations.count("GetCostAndUsage") == asked


def test_costs_of_other_days_take_the_place_of_those_kept(cloud, tmp_path):
    cloud.costs = [cost_day("2026-03-01", ("Amazon EC2", "Usage", "1", "1")),
                   cost_day("2026-03-02", ("Amazon EC2", "Usage", "2", "2"))]
    later = {**COSTS, "costs": (COSTS["costs"][0] + DAY, COSTS["costs"][1] + DAY)}
    for minute, (wanted, asked) in enumerate(((COSTS, 1), (later, 2), (later, 2), (COSTS, 3))):
        cloud.clock_s = NOW + 60 * minute  # what is kept is not from later than now
        rows(cloud, wanted=wanted, cost_explorer="true", cache=tmp_path, clock_s=cloud.clock_s)
        assert cloud.operations.count("GetCostAndUsage") == asked
        assert len([path for path in tmp_path.iterdir() if path.name.startswith("costs-")]) == 1


# ---- How AWS refuses, throttles and pages ----

def test_pages_are_followed_and_empty_ones_are_no_end(cloud):
    small(cloud)
    cloud.page_size, cloud.empty_pages = 1, 1
    for source in ("file", "query"):
        assert summary(rows(cloud, wanted=CATALOG, prices=source)["offerings"]) == SMALL
    assert cloud.operations.count("GetProducts") == 3 and cloud.operations.count("DescribeInstanceTypes") == 6


@pytest.mark.parametrize("operation", ["DescribeInstanceTypes", "DescribeSpotPriceHistory", "GetProducts"])
def test_the_same_token_twice_ends_the_fetch(cloud, operation):
    region = small(cloud)
    region.spot *= 5
    region.types *= 5
    cloud.page_size, cloud.tokens = 1, {operation: ["again", "again", "again"]}
    if operation == "GetProducts":
        region.prices += [price_row(f"m{i}.large", "1") for i in range(5)]
    failure = refused(cloud, wanted=CATALOG, prices="query")
    assert failure.kind == "permanent" and "second time" in str(failure)
    assert cloud.operations.count(operation) == 2


EXPIRED = {
    "ExpiredNextTokenException": ("GetProducts", b'{"__type":"com.amazon#ExpiredNextTokenException","message":"x"}'),
    "InvalidPaginationTokenException": ("ListServiceQuotas", b'{"__type":"InvalidPaginationTokenException"}'),
    "InvalidNextToken": ("DescribeInstanceTypes", b"<Response><Errors><Error><Code>InvalidNextToken</Code><Message>x"
                                                  b"</Message></Error></Errors></Response>"),
}


@pytest.mark.parametrize("code", EXPIRED)
def test_a_token_that_expired_is_a_reason_to_begin_anew_later(cloud, code):
    small(cloud)
    operation, body = EXPIRED[code]
    cloud.first[operation] = [Answer(400, body)]
    failure = refused(cloud, wanted={"products": False}, prices="query")
    assert (failure.kind, failure.code) == ("retryable", code)


XML_THROTTLE = (b'<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>RequestLimitExceeded</Code>'
                b"<Message>Request limit exceeded.</Message></Error></Errors><RequestID>1</RequestID></Response>")
JSON_THROTTLE = b'{"__type":"ThrottlingException","message":"Rate exceeded"}'


def throttle(operation):
    if operation.startswith("Describe"):
        return Answer(503, XML_THROTTLE, content_type="text/xml")
    return Answer(400, JSON_THROTTLE, content_type="application/x-amz-json-1.1")


@pytest.mark.parametrize("operation", ["DescribeInstanceTypes", "GetProducts"])
def test_throttling_is_waited_out_and_given_up_in_the_end(cloud, operation):
    small(cloud)
    cloud.first[operation] = [throttle(operation) for _ in range(2)]
    assert summary(rows(cloud, wanted=CATALOG, prices="query")["offerings"]) == SMALL
    cloud.first[operation] = [throttle(operation) for _ in range(3)]
    failure = refused(cloud, wanted=CATALOG, prices="query")
    assert failure.kind == "retryable" and failure.code in ("RequestLimitExceeded", "ThrottlingException")


@pytest.mark.parametrize("wanted, code", [(CATALOG, "AuthFailure"), (QUOTAS, "SignatureDoesNotMatch")])
def test_a_wrong_key_is_a_failure_of_credentials(cloud, wanted, code):
    small(cloud)
    cloud.key = "another"
    failure = refused(cloud, wanted=wanted)
    assert (failure.kind, failure.code, len(cloud.operations)) == ("auth", code, 1)


def test_a_clock_that_is_off_is_a_failure_of_credentials(cloud):
    small(cloud)
    failure = refused(cloud, wanted=CATALOG, clock_s=NOW + 1200)
    assert (failure.kind, failure.code) == ("auth", "RequestExpired")


@pytest.mark.parametrize("body", [b"<html>", b"<DescribeAvailabilityZonesResponse>", b"",
                                  b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'])
def test_an_answer_that_is_no_xml_can_be_asked_for_later(cloud, body):
    small(cloud)
    cloud.first["DescribeAvailabilityZones"] = [Answer(body=body, content_type="text/xml")] * 3
    assert refused(cloud, wanted=CATALOG).kind == "retryable"


@pytest.mark.parametrize("body", [b"", b"a,b\n" * 30, b"SKU,TermType,Unit\n", b'SKU,"TermType'])
def test_a_price_file_that_is_none_loses_the_fetch(cloud, body):
    small(cloud)
    cloud.first["file"] = [Answer(body=body, content_type="text/csv")]
    assert refused(cloud, wanted=CATALOG).kind in ("retryable", "permanent")


@pytest.mark.parametrize("regions", ["", ",", "us-east-1.evil.example", "US-EAST-1", "x" * 33])
def test_regions_are_checked(cloud, regions):
    assert "regions" in str(refused(cloud, regions=regions))


def test_a_price_file_of_300_mb_is_read_in_little_memory(cloud):
    region = small(cloud)
    region.types, region.offered, region.spot = [type_record(f"x{i}.large") for i in range(1000)], [], []
    region.zones = {}
    cloud.first["file"] = [Answer(body=large_price_file(300 << 20, 1000), content_type="text/csv")]
    with PluginHost() as host:
        load(host, cloud, savings_plans="false")
        found = host.rows(quotas=False, deadline_seconds=240)
        peak = host.peak_rss_bytes()
    assert len(found["offerings"]) == 1000 and len(found["products"]) == 4000 and codes(found) == []
    assert peak <= 256 << 20, f"{peak >> 20} MiB"
    print(f"peak of the host: {peak >> 20} MiB")


# ---- What AWS really answered ----

def true_spot():
    """The recorded page of 1000 spot prices of 2013, its token ended."""
    body = gzip.open(DATA / "wire_xml" / "ec2-describe-spot-price-history.xml.gz").read()
    return Answer(body=body, content_type="text/xml;charset=UTF-8"), body.count(b"<item>")


@recorded
def test_a_recorded_page_of_spot_prices(cloud):
    answer, n = true_spot()
    expected = {}
    for item in json.load(gzip.open(DATA / "wire_xml" / "ec2-describe-spot-price-history.json.gz"))["SpotPriceHistory"]:
        if item["ProductDescription"].startswith("Linux/UNIX"):
            key = item["InstanceType"], item["AvailabilityZone"]
            expected[key] = max(expected.get(key, ("", "")), (item["Timestamp"], item["SpotPrice"]))
    region = cloud.region("us-west-2")
    region.zones = {f"us-west-2{letter}": f"usw2-az{letter}" for letter in "abc"}
    region.types = [type_record(t) for t in sorted({t for t, _ in expected})]
    cloud.first["DescribeSpotPriceHistory"] = [answer]  # its token leads to an empty page
    cloud.tokens["DescribeSpotPriceHistory"] = ["Qj9iZzP9N1Vh5jjNyad6X73sizWaPtVQ6328oKe9/GbmNSbOFX1TIhQaz5vok0nu"]
    region.spot = []
    found = [o for o in rows(cloud, wanted=CATALOG, regions="us-west-2")["offerings"] if o.purchase == SPOT]
    assert n == 1000 and len(found) == len(expected)
    assert {(o.type, o.labels["zone_name"]): float(money(o.price)[0]) for o in found} == {
        key: float(price) for key, (_, price) in expected.items()}


@recorded
def test_recorded_zones_without_ids_keep_their_names(cloud):
    small(cloud, "us-west-2")
    cloud.first["DescribeAvailabilityZones"] = [Answer(
        body=(DATA / "wire_xml" / "ec2-describe-availability-zones.xml").read_bytes(), content_type="text/xml")]
    found = rows(cloud, wanted=CATALOG, regions="us-west-2")
    assert {o.zone for o in found["offerings"]} == {"us-west-2a", "us-west-2b"}


@recorded
def test_a_recorded_error_keeps_its_code(cloud):
    small(cloud)
    cloud.first["DescribeInstanceTypes"] = [Answer(
        400, (DATA / "wire_xml" / "error-ec2-describe-instances.xml").read_bytes(), content_type="text/xml")]
    failure = refused(cloud, wanted=CATALOG)
    assert (failure.kind, failure.code) == ("permanent", "InvalidInstanceID.Malformed")


@recorded
def test_the_capacity_block_of_the_recorded_offer_is_left_out(cloud):
    """The excerpt of us-east-1 has p4d.24xlarge at 32.7726 and its capacity block at 0."""
    region = small(cloud)
    offer = json.loads((DATA / "price_list" / "offer_AmazonEC2_us-east-1_excerpt.json").read_text())
    region.types = [type_record("p4d.24xlarge")]
    region.offered, region.spot = [("p4d.24xlarge", "us-east-1a")], []
    items = [json.dumps({"product": product, "terms": {"OnDemand": offer["terms"]["OnDemand"][sku]}})
             for sku, product in offer["products"].items()]
    cloud.first["GetProducts"] = [Answer(body=json.dumps({"PriceList": items}).encode())]
    found = rows(cloud, wanted=CATALOG, prices="query")
    assert summary(found["offerings"]) == [("p4d.24xlarge", "use1-az4", ON_DEMAND, "32.7726", "USD")]


@recorded
def test_a_recorded_answer_of_getproducts_without_instances_gives_no_price(cloud):
    small(cloud)
    example = json.loads((DATA / "examples_pricing.json").read_text())["examples"]["GetProducts"][0]["output"]
    del example["NextToken"]
    cloud.first["GetProducts"] = [Answer(body=json.dumps(example).encode())]
    found = rows(cloud, wanted=CATALOG, prices="query", spot="false")
    assert {s[3] for s in summary(found["offerings"])} == {"none"} and codes(found) == []


@recorded
def test_recorded_quotas_of_2019_count_instances(cloud):
    for n, expected in ((1, {"c3.large": 36, "c3.xlarge": 36}),):
        answer = json.loads((DATA / "recorded_boto" /
                             f"test_service_quota__servicequotas.ListServiceQuotas_{n}.json").read_text())["data"]
        cloud.first["ListServiceQuotas"] = [Answer(body=json.dumps({"Quotas": answer["Quotas"]}).encode())]
        found = rows(cloud, wanted=QUOTAS)["quotas"]
        assert {q.scope.include[0].type[0]: q.limit for q in found} == expected


@recorded
def test_the_real_types_of_a_region_against_its_real_prices(cloud):
    """shared/data/README.md: 1373 types, 1367 prices; 28 types without price, 22 prices without type, 9 Macs among
    the types that us-east-1 offers and has no price of; 5 types with parts of a GPU."""
    types = json.load(lzma.open(DATA / "instance_types.json.xz"))
    offered = [r for r in csv.DictReader(lzma.open(DATA / "az_offerings.csv.xz", "rt")) if r["region"] == "us-east-1"]
    prices = [r for r in csv.DictReader(gzip.open(DATA / "ondemand_prices.csv.gz", "rt"))
              if r["region"] == "us-east-1"]
    region = cloud.region("us-east-1")
    region.zones = {z: "use1-az" + z[-1] for z in sorted({r["zone"] for r in offered})}
    region.types = list(types.values())
    region.offered = [(r["instance_type"], r["zone"]) for r in offered]
    region.prices = [price_row(r["instance_type"], r["price_per_hour"]) for r in prices]
    found = rows(cloud, wanted=CATALOG, spot="false")
    by_type = {o.type: o for o in found["offerings"]}
    assert len(found["offerings"]) == len({(r["instance_type"], r["zone"]) for r in offered})
    unpriced = {o.type for o in found["offerings"] if not o.HasField("price")}
    assert len(unpriced) == 9 and all(by_type[t].os == "macos" for t in unpriced)
    assert codes(found) == ["priced_unknown"] * len({r["instance_type"] for r in prices} - set(types))
    parts = {t: by_type[t].resources.gpu for t in by_type if t.startswith(("g6f.", "gr6f."))}
    assert set(parts.values()) <= {0.125, 0.25, 0.5} and len(parts) == 5
    for name, row in by_type.items():
        assert row.resources.vcpu == types[name]["VCpuInfo"]["DefaultVCpus"]
        assert abs(row.resources.memory_gib * 1024 - types[name]["MemoryInfo"]["SizeInMiB"]) < 1e-5


@recorded
def test_the_real_prices_of_china_stay_in_yuan(cloud):
    """shared/data/README.md: 316 prices of cn-north-1, all CNY."""
    types = json.load(lzma.open(DATA / "instance_types.json.xz"))
    prices = [r for r in csv.DictReader(gzip.open(DATA / "ondemand_prices.csv.gz", "rt")) if r["region"] == "cn-north-1"]
    region = cloud.region("cn-north-1")
    region.types = list(types.values())
    region.prices = [price_row(r["instance_type"], r["price_per_hour"], Currency=r["currency"]) for r in prices]
    found = rows(cloud, wanted=CATALOG, regions="cn-north-1", spot="false")
    priced = {o.type: money(o.price) for o in found["offerings"] if o.HasField("price")}
    known = [r for r in prices if r["instance_type"] in types]
    assert len(prices) == 316 and len(priced) == len(known)
    assert all(float(priced[r["instance_type"]][0]) == float(r["price_per_hour"]) for r in known)
    assert {currency for _, currency in priced.values()} == {"CNY"}
