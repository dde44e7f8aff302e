"""Usage, costs and what runs are refreshed by themselves: what is asked for, and when a provider fails."""
import datetime
import time
from decimal import Decimal

import pytest
import yaml

import isocost_cli as cli
from cloud_server import provider
from fault_cloud import Answer
from isocost_protos import (
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    usage_service_pb2 as u,
    usage_service_pb2_grpc,
)
from isocost_server import IsocostServer
from replay_aws import ReplayAws

DAY, HOUR = datetime.timedelta(days=1), datetime.timedelta(hours=1)
WAIT_S = 30
HEAD = ("BilledCost,BillingCurrency,ChargeCategory,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,"
        "EffectiveCost,PricingCategory,ProviderName,RegionId,ResourceId,ServiceName,SubAccountId\n")


def midnight(time):
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def now():
    return datetime.datetime.utcnow()


def write_bill(folder, today, billed):
    """A bill with a charge on each of 30 days; `billed`: days ago: amount, else 1."""
    rows = []
    for ago in range(30):
        start, cost = today - ago * DAY, billed.get(ago, 1)
        rows.append(f"{cost},USD,Usage,{start + DAY:%Y-%m-%d},{start:%Y-%m-%d},1,Hours,{cost},Standard,AWS,us-east-1,r,"
                    "S3,42\n")
    (folder / "bill.csv").write_text(HEAD + "".join(rows))


class Scheduled:
    """A server that refreshes what one provider can tell."""

    def __init__(self, folder, instance, records):
        config = folder / "providers.yaml"
        config.write_text(yaml.safe_dump({"providers": [{**instance, "records": {"refresh_seconds": 60, **records}}]}))
        self.name = instance["name"]
        self.server = IsocostServer("--config", str(config), data=folder / "data")

    def __enter__(self):
        self.server.__enter__()
        self.usage = usage_service_pb2_grpc.UsageServiceStub(self.server.channel())
        self.catalogs = catalog_service_pb2_grpc.CatalogServiceStub(self.server.channel())
        return self

    def __exit__(self, *failure):
        self.server.__exit__(*failure)

    def refreshes(self, kind):
        """Of one kind, oldest first."""
        found = self.usage.ListUsageRefreshes(u.ListUsageRefreshesRequest(page_size=200), timeout=WAIT_S).refreshes
        return [one for one in reversed(found) if list(one.kinds) == [kind]]

    def wait(self, kind, n):
        end = time.monotonic() + WAIT_S
        while len(found := self.refreshes(kind)) < n:
            assert time.monotonic() < end, self.server.log()
            time.sleep(0.05)
        return found

    def total(self):
        sums = self.usage.QueryCosts(u.QueryCostsRequest(), timeout=WAIT_S).sums
        return sum(s.billed.units + Decimal(s.billed.nanos).scaleb(-9) for s in sums)


def span(refresh):
    return getattr(refresh, "from").ToDatetime(), refresh.to.ToDatetime()


def test_a_restart_goes_on_where_the_store_ends_and_asks_its_end_once_more(tmp_path):
    bills = tmp_path / "bills"
    bills.mkdir()
    instance = {"name": "bills", "plugin": "focus", "parameters": {"path": str(bills)}, "readable_paths": [str(bills)]}
    records = {"kinds": ["costs"], "window_hours": 240, "cost_overlap_hours": 72}
    began = now()
    today = midnight(began)
    write_bill(bills, today, {})
    with Scheduled(tmp_path, instance, records) as scheduled:
        spans = [span(one) for one in scheduled.wait(u.RECORD_KIND_COST, 2)]
        first = midnight(spans[1][1] - 240 * HOUR)
        assert spans[0][0] == first and spans[0][1] == first + 7 * DAY, "at most a week of what is not there yet"
        assert spans[1][0] == spans[0][1] and began - HOUR < spans[1][1] <= now()
        days = sum(first <= today - ago * DAY < spans[1][1] for ago in range(30))
        assert scheduled.total() == days
    write_bill(bills, today, {9: 100, 2: 10})
    with Scheduled(tmp_path, instance, records) as scheduled:
        again = span(scheduled.wait(u.RECORD_KIND_COST, 3)[-1])
        assert again[0] == midnight(spans[1][1] - 72 * HOUR)
        assert scheduled.total() == days + 9, "a late correction two days ago is seen, one before the overlap is not"


@pytest.fixture
def aws(tmp_path):
    with ReplayAws(1772539200) as cloud:
        cloud.region("us-east-1")
        yield cloud, provider("aws", cloud, tmp_path, cloud.clock_s, {"regions": "us-east-1"})


def test_a_provider_that_fails_is_tried_again_by_itself_and_waits_longer_each_time(tmp_path, aws):
    cloud, instance = aws
    attempts = cloud.http()["attempts"]
    cloud.first["DescribeInstances"] = [Answer(500, b"<html>oops")] * (2 * attempts)  # two refreshes fail
    with Scheduled(tmp_path, instance, {"kinds": ["inventory"]}) as scheduled:
        scheduled.wait(u.RECORD_KIND_RUNNING, 1)
        (known,) = scheduled.catalogs.ListProviders(catalog_service_pb2.ListProvidersRequest(), timeout=WAIT_S).providers
        assert known.state == catalog_service_pb2.PROVIDER_STATE_READY and known.last_error == ""
        log = scheduled.server.log()
    assert cloud.operations.count("DescribeInstances") == 2 * attempts + 1
    assert log.count("refresh of usage of aws failed, nothing was changed") == 2


def test_a_kind_that_the_plugin_cannot_tell_is_told_once_and_not_asked(tmp_path):
    prices = cli.EXAMPLES / "catalog"
    instance = {"name": "prices", "plugin": "static", "parameters": {"path": str(prices)}, "readable_paths": [str(prices)]}
    with Scheduled(tmp_path, instance, {"kinds": ["costs"]}) as scheduled:
        scheduled.server.wait_for_log("provider prices cannot tell costs")
        assert scheduled.refreshes(u.RECORD_KIND_COST) == [] and "failed" not in scheduled.server.log()
