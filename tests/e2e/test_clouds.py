"""Two small clouds behind a server: replayed ones, refreshed through their plugins, and a plan over what came."""
import grpc
import pytest

from cloud_server import CloudServer
from fault_cloud import Answer
from isocost_protos import offering_pb2
from replay_aws import ReplayAws, price_row, savings_row
from replay_azure import SUBSCRIPTION, ReplayAzure, item, sku
from small_models import amount

NOW = 1772539200  # 2026-03-03T12:00:00Z


def cheapest(clouds, **rules):
    """The plan of one copy for an hour; `rules` of its workload."""
    return clouds.solve({"periods": [{"id": "hour", "hours": 1}], "catalog": {"selectors": [{}]},
                         "workloads": [{"id": "web", "mustServe": True, **rules, "replicas": {
                             "count": [1], "resources": {"vcpu": 2, "memoryGib": 4}}}]})


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
        with CloudServer(tmp_path, {"aws": (aws, {"regions": "us-east-1"}),
                                    "azure": (azure, {"regions": "eastus", "subscription": SUBSCRIPTION})},
                         NOW) as clouds:
            clouds.aws, clouds.azure = aws, azure
            yield clouds


def test_every_row_of_the_plugins_is_taken(small):
    snapshot = small.refresh()
    assert not [d for d in snapshot.diagnostics if d.quarantined], snapshot.diagnostics
    assert (snapshot.offering_count, snapshot.product_count, snapshot.quota_count) == (4, 4, 2)


def test_a_plan_chooses_among_clouds(small):
    small.refresh()
    assert round(amount(cheapest(small).cost), 6) == 0.02  # spot of Azure
    spot = {"include": [{"purchase": ["PURCHASE_SPOT"]}]}
    assert round(amount(cheapest(small, forbidden=spot).cost), 6) == 0.095


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


def price_files(aws):
    """Price files that were asked for since the last call; indexes of versions are none."""
    found = [path for path in aws.operations if path.endswith("/index.csv")]
    aws.operations.clear()
    return found


def on_demand_prices(clouds):
    return {one.provider: round(amount(one.price), 9) for one in clouds.offerings()
            if one.purchase == offering_pb2.PURCHASE_ON_DEMAND}


def test_prices_of_the_same_version_are_not_asked_for_again(small):
    before = small.refresh()
    assert len(price_files(small.aws)) == 2  # on demand and reserved, Savings Plans
    small.aws.region("us-east-1").spot[0]["spotPrice"] = "0.05"
    again = small.refresh()
    assert price_files(small.aws) == []
    assert {d.code: (d.count, d.quarantined) for d in again.diagnostics}["source_unchanged"] == (2, False)
    assert (again.offering_count, again.product_count) == (before.offering_count, before.product_count)
    assert again.digest != before.digest, "what has no version is asked for each time"
    assert on_demand_prices(small) == {"aws": 0.096, "azure": 0.095}


def test_prices_of_a_new_version_are_asked_for(small):
    small.refresh()
    small.aws.version, small.aws.region("us-east-1").prices[0]["PricePerUnit"] = "20260303000000", "0.09"
    price_files(small.aws)
    small.refresh("aws")
    assert price_files(small.aws) == ["/offers/v1.0/aws/AmazonEC2/20260303000000/us-east-1/index.csv"]
    assert on_demand_prices(small) == {"aws": 0.09, "azure": 0.095}


@pytest.mark.parametrize("fault", ["no index", "a file that breaks off"])
def test_an_incremental_refresh_that_fails_changes_nothing(small, fault):
    before = small.refresh()
    small.aws.version, small.aws.region("us-east-1").prices[0]["PricePerUnit"] = "20260303000000", "0.09"
    if fault == "no index":
        small.aws.first["file"] = [Answer(500, b"<html>oops")] * 10
    else:
        index = b'{"regions":{"us-east-1":{"currentVersionUrl":"/offers/v1.0/aws/AmazonEC2/20260303000000/us-east-1/index.json"}}}'
        small.aws.first["file"] = [Answer(body=index), *[Answer(body=b'"SKU","TermType"', fault="stop")] * 3]
    with pytest.raises(grpc.RpcError):
        small.refresh("aws")
    assert small.current().digest == before.digest and on_demand_prices(small)["aws"] == 0.096
    small.aws.first.clear()
    small.refresh("aws")
    assert on_demand_prices(small)["aws"] == 0.09
