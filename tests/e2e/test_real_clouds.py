"""All replayed clouds together: one refresh of all that real price files hold, and a plan over it.

What must come is counted in the files (real_cloud_rows.py). `pytest -s` shows what it measured.
"""
import collections
import time

import pytest

import real_catalog
import real_cloud_plan
import real_cloud_rows
from isocost_protos import plan_pb2
from price_findings import offering_id
from real_clouds import CLOUDS, Refreshed, real_clouds
from small_models import amount

pytestmark = pytest.mark.skipif(
    not real_catalog.available(),
    reason=f"the price files are not in {real_catalog.SHARED}; ISO_SHARED_DATA names their folder")


# Google tells memory in whole MiB: of the 1.8 GiB of n1-highcpu-2 a ten-thousandth is missing.
NEAR = collections.defaultdict(float, {"gcp": 2e-5})


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory):
    with real_clouds(tmp_path_factory.mktemp("clouds")) as clouds:
        yield Refreshed(clouds)


@pytest.fixture(scope="module")
def expected():
    return real_cloud_rows.judge(real_cloud_rows.offered_rows())


def test_one_refresh_brings_every_row_of_every_cloud(refreshed, expected):
    good, left_out = expected
    snapshot = refreshed.snapshot
    print(f"\nrefresh: {refreshed.seconds:.1f} s, {snapshot.row_count} rows, {snapshot.offering_count} offerings")
    print(", ".join(f"{d.code} {d.count}" for d in snapshot.diagnostics))
    for name, usage in sorted(refreshed.usage.items()):
        print(f"{name}: {usage.cpu_seconds:.2f} s, {usage.peak_mib:.0f} MiB")
    assert list(snapshot.sources) == list(CLOUDS)
    assert refreshed.left_out() == left_out
    assert snapshot.offering_count == len(good) >= 50000
    assert snapshot.row_count == len(good) + sum(left_out.values())


def test_offerings_have_the_prices_of_the_files(refreshed, expected):
    good, seen = expected[0], collections.Counter()
    for one in refreshed.clouds.offerings():
        purchase = {1: "on-demand", 2: "spot"}[one.purchase]
        row = good[offering_id({"provider": one.provider, "region": one.region, "zone": one.zone or "*",
                                "type": one.type, "purchase": purchase})]
        assert amount(one.price) == pytest.approx(float(row["price"]), rel=NEAR[one.provider], abs=1e-9)
        assert one.price.currency_code == row["currency"]
        seen[one.provider] += 1
    assert seen == collections.Counter(row["provider"] for row in good.values())


def test_a_plan_over_all_clouds_costs_what_the_files_say(refreshed, expected):
    begin = time.monotonic()
    plan = refreshed.clouds.solve(real_cloud_plan.model(CLOUDS))
    print(f"\nplan: {time.monotonic() - begin:.1f} s, {amount(plan.cost):.4f} USD an hour, "
          f"solver {plan.stats.cpu_seconds:.2f} s, {plan.stats.peak_memory_mib:.0f} MiB")
    assert plan.state == plan_pb2.PLAN_STATE_DONE, plan.termination
    assert plan.certificate.passed and plan.certificate.worst_violation == 0
    web, database = real_cloud_plan.least_cost(expected[0].values())
    cost, vcpus = real_cloud_plan.spent(plan, expected[0])
    assert cost["database"] == pytest.approx(database, rel=1e-6)
    assert web * (1 - 1e-6) <= cost["web"] <= web * (1 + 2 * real_cloud_plan.GAP)
    assert sum(vcpus.values()) >= real_cloud_plan.VCPUS
    assert max(vcpus.values()) <= real_cloud_plan.SHARE * sum(vcpus.values()) * (1 + 1e-9)
