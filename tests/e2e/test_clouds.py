"""Clouds behind a server: replayed ones, refreshed through their plugins, and a plan over what came.

Catalogs are real where ISO_SHARED_DATA has them: all types, zones and prices of four regions of AWS, all prices of
57 regions of Azure. `pytest -s` shows what it measured.
"""
import collections
import time

import grpc
import pytest
import real_catalog
import yaml

from isocost_protos import (
    BUILD,
    catalog_service_pb2 as c,
    catalog_service_pb2_grpc,
    json_format,
    model_pb2,
    plan_service_pb2,
    plan_service_pb2_grpc,
)
from fault_cloud import Answer
from isocost_server import IsocostServer
from process_watch import ProcessWatch
from replay_aws import ReplayAws, price_row, savings_row
from replay_azure import SUBSCRIPTION, ReplayAzure, item, sku
from small_models import amount

NOW = 1772539200  # 2026-03-03T12:00:00Z
REFRESH_S = 200


def provider(name, cloud, folder, **parameters):
    """An instance of providers.yaml, its secrets in files of their own."""
    secrets = {}
    for secret, value in cloud.secrets.items():
        path = folder / f"{name}-{secret}"
        path.write_text(value)
        path.chmod(0o600)
        secrets[secret] = str(path)
    return {"name": name, "plugin": name, "parameters": parameters, "secret_files": secrets, "clock_seconds": NOW,
            "http": cloud.http(), "deadline_seconds": REFRESH_S}


class Clouds:
    def __init__(self, folder, aws, azure, regions):
        config = folder / "providers.yaml"
        config.write_text(yaml.safe_dump({"providers": [
            provider("aws", aws, folder, regions=",".join(regions["aws"])),
            provider("azure", azure, folder, regions=",".join(regions["azure"]), subscription=SUBSCRIPTION)]}))
        self.server = IsocostServer("--config", str(config), "--plugin-dir", str(BUILD / "plugins"))

    def __enter__(self):
        self.server.start()
        channel = self.server.channel()
        self.catalogs = catalog_service_pb2_grpc.CatalogServiceStub(channel)
        self.plans = plan_service_pb2_grpc.PlanServiceStub(channel)
        return self

    def __exit__(self, *_):
        self.server.stop()

    def refresh(self, name=""):
        request = c.RefreshCatalogRequest(provider=name)
        return list(self.catalogs.RefreshCatalog(request, timeout=REFRESH_S))[-1].snapshot

    def cheapest(self, **rules):
        """The plan of one copy for an hour; `rules` of its workload."""
        model = {"periods": [{"id": "hour", "hours": 1}],
                 "catalog": {"selectors": [{"include": [{"provider": ["aws", "azure"]}]}]},
                 "workloads": [{"id": "web", "mustServe": True, **rules, "replicas": {
                     "count": [1], "resources": {"vcpu": 2, "memoryGib": 4}}}]}
        ref = plan_service_pb2.ModelRef(model=json_format.ParseDict(model, model_pb2.Model()))
        return self.plans.SolvePlan(plan_service_pb2.SolvePlanRequest(model=ref), timeout=120).plan


def type_record(name, vcpus, mib):
    return {"InstanceType": name, "CurrentGeneration": True, "SupportedUsageClasses": ["on-demand", "spot"],
            "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]}, "VCpuInfo": {"DefaultVCpus": vcpus},
            "MemoryInfo": {"SizeInMiB": mib}, "InstanceStorageSupported": False}


def fill_small(aws, azure):
    region = aws.region("us-east-1")
    region.zones = {"us-east-1a": "use1-az4"}
    region.types, region.offered = [type_record("m5.large", 2, 8192)], [("m5.large", "us-east-1a")]
    region.prices = [price_row("m5.large", "0.0960000000"),
                     price_row("m5.large", "0.06", TermType="Reserved", LeaseContractLength="1yr",
                               OfferingClass="standard", PurchaseOption="No Upfront")]
    region.savings = [savings_row("m5.large", "0.0702")]
    region.spot = [{"instanceType": "m5.large", "productDescription": "Linux/UNIX", "spotPrice": "0.0419",
                    "timestamp": "2026-03-03T11:00:00.000Z", "availabilityZone": "us-east-1a"}]
    region.quotas = [{"QuotaCode": "L-1216C47A", "Value": 1152.0,
                      "QuotaName": "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances"}]
    region = azure.region("eastus")
    region.zones, region.skus = {"1": "eastus-az3"}, [sku("Standard_D2s_v5", zones=("1",))]
    region.items = [
        item("Standard_D2s_v5", 0.095, savingsPlan=[{"term": "1 Year", "unitPrice": 0.07, "retailPrice": 0.07}]),
        item("Standard_D2s_v5", 3478.0, type="Reservation", reservationTerm="1 Year", meterId="r"),
        item("Standard_D2s_v5", 0.02, skuName="D2s v5 Spot", meterId="spot")]
    region.usages = [{"unit": "Count", "currentValue": 0, "limit": 10, "name": {"value": "standardDSv5Family"}}]


@pytest.fixture
def small(tmp_path):
    with ReplayAws(NOW) as aws, ReplayAzure() as azure:
        fill_small(aws, azure)
        with Clouds(tmp_path, aws, azure, {"aws": ["us-east-1"], "azure": ["eastus"]}) as clouds:
            clouds.aws, clouds.azure = aws, azure
            yield clouds


def test_every_row_of_the_plugins_is_taken(small):
    snapshot = small.refresh()
    assert not [d for d in snapshot.diagnostics if d.quarantined], snapshot.diagnostics
    assert (snapshot.offering_count, snapshot.product_count, snapshot.quota_count) == (4, 4, 2)


def test_a_plan_chooses_among_clouds(small):
    small.refresh()
    assert round(amount(small.cheapest().cost), 6) == 0.02  # spot of Azure
    spot = {"include": [{"purchase": ["PURCHASE_SPOT"]}]}
    assert round(amount(small.cheapest(forbidden=spot).cost), 6) == 0.095


@pytest.mark.parametrize("fault", ["a wrong key", "an answer that is none"])
def test_a_cloud_that_fails_keeps_what_it_gave(small, fault):
    before = small.refresh()
    if fault == "a wrong key":
        small.aws.key = "another"
    else:
        small.aws.first["DescribeSpotPriceHistory"] = [Answer(500, b"<html>oops")] * 10
    small.azure.region("eastus").items[0]["retailPrice"] = 0.094
    with pytest.raises(grpc.RpcError):
        small.refresh("aws")
    after = small.refresh("azure")
    assert after.digest != before.digest and after.offering_count == before.offering_count == 4


# ---- Real catalogs ----

def fill_aws(cloud):
    types = real_catalog.read_json("aws/instance_types.json.xz")
    prices = [r for r in real_catalog.read_csv("aws/ondemand_prices.csv.gz") if r["region"] == "us-east-1"]
    for row in real_catalog.read_csv("aws/az_offerings.csv.xz"):
        region = cloud.region(row["region"])
        region.zones[row["zone"]] = row["zone"] + "-id"
        region.offered.append((row["instance_type"], row["zone"]))
    for region in cloud.regions.values():  # the price file has one region; the others are made as dear
        region.types = list(types.values())
        region.prices = [price_row(r["instance_type"], r["price_per_hour"]) for r in prices]


def fill_azure(cloud):
    for row in real_catalog.read_csv("azure/ondemand_prices.csv.xz"):
        region = cloud.region(row["region"])
        region.skus.append(sku(row["arm_sku_name"], zones=(), location=row["region"]))
        region.items.append(item(row["arm_sku_name"], float(row["price_per_hour"]), armRegionName=row["region"]))


@pytest.mark.skipif(not real_catalog.available(), reason="ISO_SHARED_DATA has no real catalogs")
def test_real_catalogs_of_two_clouds(tmp_path):
    with ReplayAws(NOW) as aws, ReplayAzure() as azure:
        fill_aws(aws)
        fill_azure(azure)
        azure.page_size = 1000
        with Clouds(tmp_path, aws, azure, {"aws": aws.regions, "azure": azure.regions}) as clouds:
            begin = time.monotonic()
            with ProcessWatch(clouds.server.process.pid) as watch:
                snapshot = clouds.refresh()
            print(f"\nrefresh: {time.monotonic() - begin:.1f} s, {snapshot.row_count} rows, "
                  f"{snapshot.offering_count} offerings")
            print(", ".join(f"{d.code} {d.count}" for d in snapshot.diagnostics))
            for name, usage in sorted(watch.peaks().items()):
                print(f"{name}: {usage.cpu_seconds:.2f} s, {usage.peak_mib:.0f} MiB")
            begin = time.monotonic()
            plan = clouds.cheapest()
            print(f"plan: {time.monotonic() - begin:.1f} s, {amount(plan.cost):.6f} USD an hour")
            counts = collections.Counter({d.code: d.count for d in snapshot.diagnostics})
            assert snapshot.offering_count >= 50000
            assert counts["zero_price"] == 68  # shared/data/README.md
            assert snapshot.offering_count + counts["missing_price"] + counts["zero_price"] + counts["invalid_name"] + \
                counts["price_outlier"] + counts["priced_unknown"] == snapshot.row_count
            assert plan.lines
