"""What the plugin huawei tells of an account: quotas, servers, usage and costs; and answers of a wrong shape."""
import json
import os
import pathlib
import types

import pytest
from fault_cloud import Answer
from huawei_fetch import CATALOG, NOTHING, NOW, R, refused, rows, small
from isocost_protos import offering_pb2
from plugin_host import codes, money
from replay_huawei import ReplayHuawei

DAY = 86400
ON_DEMAND, SPOT = offering_pb2.PURCHASE_ON_DEMAND, offering_pb2.PURCHASE_SPOT
INSTANCES, VCPU, MEMORY = 0, offering_pb2.RESOURCE_VCPU, offering_pb2.RESOURCE_MEMORY_GIB
QUOTAS = {"products": False, "offerings": False}
VECTORS = pathlib.Path(os.environ.get("ISO_SHARED_DATA", "/nonexistent")) / "signing" / "huawei_sdk_hmac_sha256.json"


@pytest.fixture
def cloud():
    with ReplayHuawei(NOW) as server:
        yield server


@pytest.mark.skipif(not VECTORS.exists(), reason="ISO_SHARED_DATA has no signatures")
def test_the_cloud_checks_signatures_as_the_vendor_publishes_them(cloud):
    cases = json.loads(VECTORS.read_text())["cases"]
    for case in cases:
        cloud.secret = case["secret_key"]
        headers = {"host": case["host"], **{k.lower(): v for k, v in case["headers_sent"].items()}}
        request = types.SimpleNamespace(method=case["method"], path=case["path"], query=[tuple(q) for q in case["query"]],
                                        headers=headers, body=case["body"].encode())
        assert cloud._signature(request, ";".join(case["signed_headers"]), headers["x-sdk-date"]) == case["signature"]
    assert len(cases) == 4


# ---- Quotas ----

def test_quotas_count_cores_memory_and_instances(cloud):
    """51,200 MiB are 50 GiB, of which 4608 are 4.5."""
    cloud.region(R).limits = {
        "maxTotalCores": 100, "totalCoresUsed": 8, "maxTotalRAMSize": 51200, "totalRAMUsed": 4608, "maxTotalInstances": -1,
        "totalInstancesUsed": 3, "maxTotalSpotCores": "20", "totalSpotCoresUsed": 0}
    found = rows(cloud, wanted=QUOTAS)
    assert [(q.provider, q.region, q.code, q.resource, q.limit, q.used, q.unlimited, list(q.scope.include[0].purchase))
            for q in found["quotas"]] == [
        ("huawei", R, "maxTotalCores", VCPU, 100, 8, False, [ON_DEMAND]),
        ("huawei", R, "maxTotalRAMSize", MEMORY, 50, 4.5, False, [ON_DEMAND]),
        ("huawei", R, "maxTotalInstances", INSTANCES, 0, 3, True, [ON_DEMAND]),
        ("huawei", R, "maxTotalSpotCores", VCPU, 20, 0, False, [SPOT])]
    assert codes(found) == []


@pytest.mark.parametrize("limit", [-2, "many", None, True])
def test_a_limit_that_is_none_is_told(cloud, limit):
    cloud.region(R).limits = {"maxTotalCores": limit, "maxTotalInstances": 5}
    found = rows(cloud, wanted=QUOTAS)
    assert [q.code for q in found["quotas"]] == ["maxTotalInstances"] and codes(found) == ["invalid_value"]


# ---- Servers ----

def server(name, **changes):
    metadata = {"charging_mode": "0", "os_type": "Linux", **changes.pop("metadata", {})}
    return {"id": name, "name": name, "status": "ACTIVE", "flavor": {"id": "s6.large.2", "vcpus": "2", "ram": "4096"},
            "OS-EXT-AZ:availability_zone": "cn-north-4a", "created": "2026-03-01T00:00:00Z", "metadata": metadata,
            "tags": ["team=网站", "a=b=c", "bare"], "tenant_id": f"project-{R}", **changes}


def test_the_inventory_tells_state_purchase_system_and_tags(cloud):
    cloud.region(R).servers = [
        server("1"), server("2", metadata={"charging_mode": "2", "os_type": "Windows"}, status="SHUTOFF", created="?", tags=[]),
        server("3", metadata={"charging_mode": "1"}), server("4", status="DELETED"), server("5", status="SOFT_DELETED"), server("")]
    found = rows(cloud, wanted={**NOTHING, "inventory": True}, domain_id="account-1")
    assert [(r.provider, r.account, r.resource, r.type, r.region, r.zone, r.os, r.purchase, r.state) for r in found["inventory"]] == [
        ("huawei", "account-1", "1", "s6.large.2", R, "cn-north-4a", "linux", ON_DEMAND, "ACTIVE"),
        ("huawei", "account-1", "2", "s6.large.2", R, "cn-north-4a", "windows", SPOT, "SHUTOFF"),
        ("huawei", "account-1", "3", "s6.large.2", R, "cn-north-4a", "linux", ON_DEMAND, "ACTIVE")]
    assert dict(found["inventory"][0].tags) == {"team": "网站", "a": "b=c", "bare": ""}
    assert found["inventory"][0].started_at.seconds == NOW - 2 * DAY - DAY // 2
    assert codes(found) == ["invalid_value"] * 2  # a time of creation, and a server without an id


@pytest.mark.parametrize("n, pages", [(0, 1), (1000, 1), (1001, 2)])
def test_servers_are_asked_for_until_all_that_are_counted_came(cloud, n, pages):
    cloud.region(R).servers = [server(str(i)) for i in range(n)]
    found = rows(cloud, wanted={**NOTHING, "inventory": True})
    assert len({r.resource for r in found["inventory"]}) == len(found["inventory"]) == n
    assert [a["offset"] for c, a in cloud.calls] == ["1", "2"][:pages]


def test_the_same_page_of_servers_twice_ends_the_fetch(cloud):
    cloud.region(R).servers = [server(str(i)) for i in range(2001)]
    cloud.ignores_cursor = True
    failure = refused(cloud, wanted={**NOTHING, "inventory": True})
    assert failure.kind == "permanent" and "second time" in str(failure) and cloud.names() == ["servers"] * 2


def test_an_empty_page_before_all_servers_came_can_be_asked_for_later(cloud):
    cloud.first["servers"] = [Answer(body=json.dumps({"count": 3, "servers": [server("1")]}).encode()),
                              Answer(body=json.dumps({"count": 3, "servers": []}).encode())]
    failure = refused(cloud, wanted={**NOTHING, "inventory": True})
    assert failure.kind == "retryable" and "page 2" in str(failure)


# ---- Usage ----

def test_usage_is_told_in_ratios_of_points_in_the_span(cloud):
    region = cloud.region(R)
    region.servers = [server("1"), server("2")]
    region.samples = {("1", "average"): {NOW - 10800: 99, NOW - 7200: 12.5, NOW - 3600: 0, NOW: 99}, ("1", "max"): {NOW - 7200: "80"}}
    found = rows(cloud, wanted={**NOTHING, "usage": (NOW - 7200, NOW)}, domain_id="account-1")
    assert sorted((u.provider, u.account, u.resource, u.type, u.region, u.metric, u.statistic, u.start.seconds - NOW,
                   u.duration_seconds, u.value) for u in found["usage"]) == [
        ("huawei", "account-1", "1", "s6.large.2", R, "cpu_ratio", 1, -7200, 3600, 0.125),
        ("huawei", "account-1", "1", "s6.large.2", R, "cpu_ratio", 1, -3600, 3600, 0),
        ("huawei", "account-1", "1", "s6.large.2", R, "cpu_ratio", 2, -7200, 3600, 0.8)]
    assert codes(found) == []
    assert [(a["filter"], a["period"], a["from"], a["to"]) for c, a in cloud.calls if c == "metrics"] == [
        (f, "3600", (NOW - 7200) * 1000, NOW * 1000) for f in ("average", "max")]


# Servers, seconds, period, seconds from a whole period to the end: calls of each statistic, and metrics in the largest.
# 500 metrics and 3000 points are the most.
SPANS = {
    "one call": (500, 6 * 3600, "3600", 0, 1, 500),           # 500 * 6 = 3000
    "too many metrics": (501, 3600, "3600", 0, 2, 500),       # 501 metrics
    "too many points": (500, 7 * 3600, "3600", 0, 2, 428),    # 3000 // 7 = 428
    "a long span": (2, 3001 * 60, "60", 0, 3, 2),             # two calls of 3000 minutes, one of the last minute
    "a long span at an odd time": (2, 3001 * 60, "60", 17, 3, 2),
    "a day": (1, DAY, "86400", 0, 1, 1),
    "six hours at an odd time": (500, 6 * 3600, "3600", 1800, 1, 500),
}


@pytest.mark.parametrize("name", SPANS)
def test_no_call_reaches_the_number_of_points_at_which_cloud_eye_moves_its_begin(cloud, name):
    """All samples that exist come, each once, whatever they are cut into."""
    n, seconds, period, odd, n_calls, most = SPANS[name]
    region, end = cloud.region(R), NOW - NOW % 86400 + odd
    region.servers = [server(str(i)) for i in range(n)]
    samples = range(end - odd - seconds - DAY, end + DAY, int(period))
    region.samples = {(str(i), "average"): {s: 50 for s in samples} for i in range(n)}
    found = rows(cloud, wanted={**NOTHING, "usage": (end - seconds, end)}, usage_period_seconds=period)
    calls = [a for c, a in cloud.calls if c == "metrics" and a["filter"] == "average"]
    assert len(calls) == n_calls and max(len(a["metrics"]) for a in calls) == most
    assert all(len(a["metrics"]) * (a["to"] - a["from"]) // (int(period) * 1000) <= 3000 for a in calls)
    assert {a["period"] for a in calls} == {"1" if period == "60" else period}
    told = [(u.resource, u.start.seconds) for u in found["usage"]]
    assert len(told) == len(set(told)) == n * sum(end - seconds <= s < end for s in samples)


def test_points_that_cannot_be_read_are_told(cloud):
    cloud.region(R).servers = [server("1")]
    points = [{"average": 5}, {"average": "NaN", "timestamp": (NOW - 3600) * 1000}, {"timestamp": (NOW - 3600) * 1000},
              {"average": 5, "timestamp": -1}]

    def answer(unit):
        return Answer(body=json.dumps({"metrics": [{"unit": unit, "dimensions": [{"name": "instance_id", "value": "1"}],
                                                    "datapoints": points}]}).encode())
    cloud.first["metrics"] = [answer("%"), answer("count")]
    found = rows(cloud, wanted={**NOTHING, "usage": (NOW - 7200, NOW)})
    assert found["usage"] == [] and codes(found) == ["invalid_value"] * 3 + ["unknown_unit"]


def test_a_project_without_servers_asks_cloud_eye_nothing(cloud):
    assert rows(cloud, wanted={**NOTHING, "usage": (NOW - 7200, NOW)})["usage"] == [] and cloud.names() == ["servers"]


# ---- Costs ----

ECS, DISK = "hws.service.type.ec2", "hws.service.type.ebs"


def test_costs_are_told_by_days_of_utc_plus_eight_as_billed_and_as_amortized(cloud):
    """From 2026-02-28T12:00Z to 2026-03-02T12:00Z the days of March 1 and 2 begin, each at 16:00Z of the day before.
    The second of March is not amortized yet."""
    cloud.costs = {
        "ORIGINAL_COST": {("2026-02-28", ECS, R): ("9", "9"), ("2026-03-01", ECS, R): ("1200.5", "1500"),
                          ("2026-03-01", DISK, ""): ("-0.25", "0"), ("2026-03-02", ECS, R): ("3.12345678905", "4"),
                          ("2026-03-03", ECS, R): ("9", "9")},
        "AMORTIZED_COST": {("2026-02-28", ECS, R): ("9", "9"), ("2026-03-01", ECS, R): ("3.5", "4"),
                           ("2026-03-01", "hws.service.type.vpc", R): ("0.5", "1")}}
    found = rows(cloud, wanted={**NOTHING, "costs": (NOW - 3 * DAY, NOW - DAY)}, domain_id="account-1")
    assert sorted((c.start.seconds - NOW, c.service, c.region, money(c.billed)[0], money(c.effective), money(c.list)[0],
                   c.effective_from_billed, c.account, c.category) for c in found["costs"]) == [
        (-2 * DAY - 20 * 3600, DISK, "", "-0.25", ("0.", "CNY"), "0.", False, "account-1", 1),
        (-2 * DAY - 20 * 3600, ECS, R, "1200.5", ("3.5", "CNY"), "1500.", False, "account-1", 1),
        (-2 * DAY - 20 * 3600, "hws.service.type.vpc", R, "0.", ("0.5", "CNY"), "0.", False, "account-1", 1),
        (-DAY - 20 * 3600, ECS, R, "3.123456789", ("3.123456789", "CNY"), "4.", True, "account-1", 1)]
    assert {c.end.seconds - c.start.seconds for c in found["costs"]} == {DAY} and codes(found) == []
    assert [(a["cost_type"], a["time_condition"]["begin_time"], a["time_condition"]["end_time"]) for _, a in cloud.calls] == [
        ("ORIGINAL_COST", "2026-03-01", "2026-03-03"), ("AMORTIZED_COST", "2026-03-01", "2026-03-03")]
    assert {r.headers["x-domain-id"] for r in cloud.requests} == {"account-1"}


def test_days_that_have_not_begun_are_not_asked_for_and_a_span_without_a_day_asks_nothing(cloud):
    """It is 20:00 of March 3 in UTC+8."""
    rows(cloud, wanted={**NOTHING, "costs": (NOW - DAY, NOW + 3 * DAY)})
    assert {a["time_condition"]["end_time"] for _, a in cloud.calls} == {"2026-03-03"}
    cloud.calls.clear()
    assert rows(cloud, wanted={**NOTHING, "costs": (NOW - 3600, NOW)})["costs"] == [] and cloud.calls == []


@pytest.mark.parametrize("n, offsets", [(0, [0]), (1000, [0]), (1001, [0, 1000])])
def test_costs_are_asked_for_until_all_that_are_counted_came(cloud, n, offsets):
    cloud.costs = {"ORIGINAL_COST": {("2026-03-01", f"service-{i}", R): ("1", "1") for i in range(n)}}
    found = rows(cloud, wanted={**NOTHING, "costs": (NOW - 3 * DAY, NOW - DAY)})
    assert len({c.service for c in found["costs"]}) == len(found["costs"]) == n
    assert [a["offset"] for _, a in cloud.calls if a["cost_type"] == "ORIGINAL_COST"] == offsets


def test_the_same_page_of_costs_twice_can_be_asked_for_later(cloud):
    cloud.costs = {"ORIGINAL_COST": {("2026-03-01", f"service-{i}", R): ("1", "1") for i in range(1001)}}
    cloud.ignores_cursor = True
    failure = refused(cloud, wanted={**NOTHING, "costs": (NOW - 3 * DAY, NOW - DAY)})
    assert failure.kind == "retryable" and "came twice" in str(failure)


@pytest.mark.parametrize("day, service, amount", [("2026-03", ECS, "1"), ("2026-13-01", ECS, "1"), ("2026-03-01", "", "1"),
                                                  ("2026-03-01", ECS, None), ("2026-03-01", ECS, "1,5")])
def test_a_cost_that_cannot_be_read_is_told(cloud, day, service, amount):
    cloud.first["costs"] = [Answer(body=json.dumps({"currency": "CNY", "total_count": 1, "cost_data": [
        {"dimensions": [{"key": "CLOUD_SERVICE_TYPE", "value": service}],
         "costs": [{"time_dimension_value": day, "amount": amount}]}]}).encode())]
    found = rows(cloud, wanted={**NOTHING, "costs": (NOW - 3 * DAY, NOW - DAY)})
    assert found["costs"] == [] and codes(found) == ["invalid_value"]


# ---- Wrong shapes and refusals of each call ----

CALLS = {"zones": CATALOG, "flavors": CATALOG, "on_demand": CATALOG, "subscribe": {"quotas": False, "offerings": False},
         "limits": QUOTAS, "servers": {**NOTHING, "inventory": True}, "metrics": {**NOTHING, "usage": (NOW - 7200, NOW)},
         "costs": {**NOTHING, "costs": (NOW - 3 * DAY, NOW - DAY)}}
WHOLE = {"zones": "availability_zones", "flavors": "flavors", "on_demand": "product_rating_results",
         "subscribe": "official_website_rating_result", "limits": "absolute", "servers": "servers", "metrics": "metrics",
         "costs": "cost_data"}
WRONG = [b"{}", b"[]", b"null", b"7", b'{"NAME":7}', b'{"NAME":null}', b'{"NAME":"x"}', b"{", b"", b"<html></html>",
         b'{"NAME":[],"NAME":[]}', b"\xff", b'{"a":' * 70 + b"1" + b"}" * 70]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("body", WRONG)
def test_an_answer_of_a_wrong_shape_can_be_asked_for_later(cloud, call, body):
    small(cloud).servers = [server("1")]
    cloud.first[call] = [Answer(body=body.replace(b"NAME", WHOLE[call].encode()))] * 3
    assert refused(cloud, wanted=CALLS[call]).kind == "retryable"


@pytest.mark.parametrize("call, body", [
    ("on_demand", {"product_rating_results": [{"id": "7", "amount": 1}]}), ("on_demand", {"product_rating_results": [7]}),
    ("on_demand", {"product_rating_results": [{"id": "0x", "amount": 1}]}), ("servers", {"servers": []}),
    ("servers", {"count": "many", "servers": []}), ("metrics", {"metrics": [{"dimensions": [], "datapoints": []}]}),
    ("costs", {"cost_data": []}), ("costs", {"total_count": 2, "cost_data": []}),
    ("costs", {"currency": "yuan", "total_count": 0, "cost_data": []}), ("costs", {"total_count": 1, "cost_data": [{}]})])
def test_an_answer_that_does_not_fit_its_question_can_be_asked_for_later(cloud, call, body):
    small(cloud).servers = [server("1")]
    cloud.first[call] = [Answer(body=json.dumps(body).encode())] * 3
    assert refused(cloud, wanted=CALLS[call]).kind == "retryable"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status, code, kind", [(403, "APIGW.0302", "auth"), (429, "ces.0429", "quota"), (404, "Ecs.0114", "permanent"),
                                                (400, "Ecs.0005", "permanent"), (503, "APIG.0201", "retryable")])
def test_a_refusal_ends_the_fetch_with_its_code(cloud, call, status, code, kind):
    small(cloud).servers = [server("1")]
    cloud.first[call] = [Answer(status, json.dumps({"error": {"code": code, "message": "x"}}).encode())] * 3
    failure = refused(cloud, wanted=CALLS[call])
    assert (failure.kind, failure.code) == (kind, code)
