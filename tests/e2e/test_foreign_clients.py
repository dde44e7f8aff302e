"""Clients that know nothing but the contract: grpcio does every rpc, and buf curl by reflection."""

import json
import os
import random
import shutil
import subprocess
import threading
import time

import grpc
import pytest
from google.protobuf import json_format

from isocost_protos import (
    SOURCE, catalog_service_pb2 as c, catalog_service_pb2_grpc, error_details_pb2, health_pb2,
    health_pb2_grpc, model_pb2, plan_service_pb2 as p, plan_service_pb2_grpc, reflection_alpha_pb2,
    reflection_alpha_pb2_grpc, reflection_pb2, reflection_pb2_grpc, server_service_pb2 as s,
    server_service_pb2_grpc, status_pb2)
from isocost_server import IsocostServer
from process_facts import wait_until
from small_models import amount, many_lines, two_clouds

QUEUED, RUNNING, DONE, FAILED, CANCELLED = 1, 2, 3, 4, 5
OPTIMAL = 1
BY_CANCEL, BY_DEADLINE = 6, 7
LATE_S = 0.3  # most that an answer may come after the deadline
PLAN_RPCS = {m.name for m in p.DESCRIPTOR.services_by_name["PlanService"].methods}


@pytest.fixture(scope="module")
def server():
    with IsocostServer() as running:
        yield running


@pytest.fixture(scope="module")
def channel(server):
    return server.channel(options=[("grpc.max_send_message_length", 64 << 20)])


@pytest.fixture(scope="module")
def plans(channel):
    return plan_service_pb2_grpc.PlanServiceStub(channel)


@pytest.fixture(scope="module")
def catalog(channel):
    return catalog_service_pb2_grpc.CatalogServiceStub(channel)


def ref(model):
    return p.ModelRef(model=model)


def usd(value):
    nanos = round(value * 10**9)
    return {"currencyCode": "USD", "units": nanos // 10**9, "nanos": nanos % 10**9}


def hard(time_limit_seconds=60):
    """A market split problem (Cornuejols and Dawande 1998): 30 instances, each taken or not, shall
    come as near as they can to half of each of 4 resources. Any choice is a plan; proving the best
    takes branch and bound very long."""
    chance = random.Random(4)
    names, resources = ("VCPU", "MEMORY_GIB", "GPU", "LOCAL_DISK_GIB"), {}
    for j in range(30):
        resources[f"t{j}"] = [chance.randrange(100) for _ in names]
    offerings = [{"provider": "aws", "type": name, "purchase": "PURCHASE_ON_DEMAND",
                  "price": usd(0.001),
                  "resources": dict(zip(("vcpu", "memoryGib", "gpu", "localDiskGib"), amounts))}
                 for name, amounts in resources.items()]
    limits = [{"id": f"one-{name}", "metric": "LIMIT_METRIC_INSTANCES", "maximum": 1,
               "scope": {"include": [{"type": [name]}]}} for name in resources]
    for i, name in enumerate(names):
        for bound in ("maximum", "minimum"):
            limits.append({"id": f"{bound}-{i}", "metric": f"LIMIT_METRIC_{name}",
                           bound: sum(r[i] for r in resources.values()) // 2,
                           "policy": {"kind": "POLICY_KIND_SOFT", "price": usd(1)}})
    return json_format.ParseDict({
        "catalog": {"offerings": offerings}, "periods": [{"id": "p", "hours": 1}],
        "workloads": [{"id": "w", "mustServe": True, "throughput": {
            "rate": [10], "performance": [{"perInstance": 1}]}}],
        "limits": limits, "currency": {"baseCurrency": "USD"},
        "options": {"gap": 0, "timeLimitSeconds": time_limit_seconds}}, model_pb2.Model())


def fails(codes, call, *arguments, **options):
    options.setdefault("timeout", 30)
    with pytest.raises(grpc.RpcError) as caught:
        result = call(*arguments, **options)
        if hasattr(result, "__next__"):
            list(result)
    codes = codes if isinstance(codes, tuple) else (codes,)
    assert caught.value.code() in codes, caught.value
    return caught.value


def fields(error):
    """The fields of the BadRequest that came with an error."""
    status = status_pb2.Status.FromString(
        dict(error.trailing_metadata())["grpc-status-details-bin"])
    assert status.code == error.code().value[0] and status.message == error.details()
    for detail in status.details:
        if detail.type_url.endswith("BadRequest"):
            return [v.field for v in
                    error_details_pb2.BadRequest.FromString(detail.value).field_violations]
    return []


def wait_state(plans, plan_id, *states):
    def get():
        plan = plans.GetPlan(p.GetPlanRequest(id=plan_id), timeout=10).plan
        return plan if plan.state in states else None

    return wait_until(get, 60)


# --- every rpc once ---


def test_every_rpc_of_plan_service_answers(plans):
    used = set()

    def call(name, request, **options):
        used.add(name)
        result = getattr(plans, name)(request, timeout=30, **options)
        return list(result) if hasattr(result, "__next__") else result

    model = two_clouds()
    assert amount(call("SolvePlan", p.SolvePlanRequest(model=ref(model))).plan.cost) == 850
    events = call("SolvePlanStream", p.SolvePlanStreamRequest(model=ref(model), incumbents=True))
    assert events[0].WhichOneof("event") == "accepted"
    assert amount(events[-1].plan.cost) == 850
    digest = call("UploadModel", iter([p.UploadModelRequest(
        chunk=model.SerializeToString())])).model_digest
    assert call("ValidateModel", p.ValidateModelRequest(
        model=p.ModelRef(model_digest=digest))).digests.model == digest
    plan = call("CreatePlan", p.CreatePlanRequest(model=p.ModelRef(model_digest=digest))).plan
    watched = call("WatchPlan", p.WatchPlanRequest(id=plan.id))
    assert watched[-1].ended.state == DONE
    assert amount(call("GetPlan", p.GetPlanRequest(id=plan.id)).plan.cost) == 850
    assert plan.id in [x.id for x in call("ListPlans", p.ListPlansRequest()).plans]
    assert call("ListPlanLines", p.ListPlanLinesRequest(id=plan.id)).total_count == 2
    (lines,) = call("StreamPlanLines", p.StreamPlanLinesRequest(id=plan.id))
    assert sum(lines.lines.cost) == 850
    assert call("ExportPlan", p.ExportPlanRequest(model=p.ModelRef(plan_id=plan.id), format=3))
    compared = call("ComparePlans", p.ComparePlansRequest(plan_id=plan.id, other_plan_id=plan.id))
    assert compared[-1].WhichOneof("event") == "comparison"
    asked = p.ExplainPlanRequest(plan_id=plan.id)
    asked.questions.add().repairs.SetInParent()
    assert call("ExplainPlan", asked)[-1].WhichOneof("event") == "answer"
    used.add("CancelPlan")
    fails(grpc.StatusCode.FAILED_PRECONDITION, plans.CancelPlan, p.CancelPlanRequest(id=plan.id))
    call("DeletePlan", p.DeletePlanRequest(id=plan.id))
    assert used == PLAN_RPCS


def test_every_rpc_of_catalog_service_answers(catalog):
    assert not catalog.ListProviders(c.ListProvidersRequest(), timeout=10).providers
    text = b"provider,type,purchase,price,currency\naws,a,on-demand,1,USD\naws,b,spot,0.5,USD\n" \
           b"aws,c,on-demand,0,USD\n"
    pieces = [c.ImportCatalogRequest(name="offerings.csv", kind=1, chunk=text[:20]),
              c.ImportCatalogRequest(chunk=text[20:])]
    snapshot = catalog.ImportCatalog(iter(pieces), timeout=30).snapshot
    assert snapshot.offering_count == 2 and snapshot.row_count == 3
    assert snapshot.digest in [
        x.digest for x in catalog.ListSnapshots(c.ListSnapshotsRequest(), timeout=10).snapshots]
    assert catalog.GetSnapshot(c.GetSnapshotRequest(), timeout=10).snapshot.current
    page = catalog.ListOfferings(c.ListOfferingsRequest(page_size=1), timeout=10)
    rest = catalog.ListOfferings(
        c.ListOfferingsRequest(page_size=1, page_token=page.next_page_token), timeout=10)
    assert [o.type for o in (*page.offerings, *rest.offerings)] == ["a", "b"]
    assert page.total_count == 2 and not rest.next_page_token
    faults = catalog.ListDiagnostics(c.ListDiagnosticsRequest(code="zero_price"), timeout=10)
    assert len(faults.diagnostics) == 1
    error = fails(grpc.StatusCode.FAILED_PRECONDITION,
                  catalog.RefreshCatalog, c.RefreshCatalogRequest(provider="nobody"))
    assert "no provider is configured" in error.details()


def test_server_info_health_and_both_reflections_answer(channel):
    info = server_service_pb2_grpc.ServerServiceStub(channel).GetServerInfo(
        s.GetServerInfoRequest(), timeout=10)
    assert "isocost" in {v.name for v in info.versions}
    health = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service="isocost.v1.PlanService")
    assert health.Check(request, timeout=10).status == 1
    watch = health.Watch(request, timeout=10)
    assert next(watch).status == 1
    watch.cancel()
    for messages, stubs in ((reflection_pb2, reflection_pb2_grpc),
                            (reflection_alpha_pb2, reflection_alpha_pb2_grpc)):
        (answer,) = stubs.ServerReflectionStub(channel).ServerReflectionInfo(
            iter([messages.ServerReflectionRequest(list_services="")]), timeout=10)
        names = {x.name for x in answer.list_services_response.service}
        assert {"isocost.v1.PlanService", "isocost.v1.CatalogService"} <= names


# --- cancels and deadlines of a solve that would go on ---


def serves_at_once(plans):
    begin = time.monotonic()
    assert amount(plans.SolvePlan(p.SolvePlanRequest(model=ref(two_clouds())),
                                  timeout=30).plan.cost) == 850
    return time.monotonic() - begin


def test_hard_model_sends_progress_and_incumbents_and_is_cancelled(plans):
    stream = plans.SolvePlanStream(
        p.SolvePlanStreamRequest(model=ref(hard()), incumbents=True), timeout=60)
    kinds, incumbents = [], 0
    begin = time.monotonic()
    for event in stream:
        kinds.append(event.WhichOneof("event"))
        assert kinds[-1] != "plan", "the hard model is not hard; the test needs another"
        if kinds[-1] == "progress" and event.progress.HasField("incumbent"):
            incumbents += 1
        if time.monotonic() - begin > 3 and incumbents and kinds.count("progress") >= 3:
            break
    cancelled = time.monotonic()
    stream.cancel()
    assert kinds[0] == "accepted" and kinds.count("progress") >= 3
    with pytest.raises(grpc.RpcError) as caught:
        list(stream)
    assert caught.value.code() == grpc.StatusCode.CANCELLED
    assert time.monotonic() - cancelled < 1
    assert serves_at_once(plans) < 2


def test_cancelled_plan_stops_within_a_second_and_keeps_what_was_found(plans):
    plan = plans.CreatePlan(p.CreatePlanRequest(model=ref(hard())), timeout=30).plan
    wait_state(plans, plan.id, RUNNING)
    time.sleep(1)
    begin = time.monotonic()
    plans.CancelPlan(p.CancelPlanRequest(id=plan.id), timeout=10)
    ended = wait_state(plans, plan.id, DONE, CANCELLED)
    took = time.monotonic() - begin
    print(f"stopped {took:.3f} s after the cancel")
    assert took < 1 and ended.termination.stopped_by == BY_CANCEL
    assert serves_at_once(plans) < 2


@pytest.mark.parametrize("seconds", [1, 2])
def test_deadline_brings_the_best_plan_or_is_said_in_time(plans, seconds):
    begin = time.monotonic()
    try:
        plan = plans.SolvePlan(p.SolvePlanRequest(model=ref(hard())), timeout=seconds).plan
        assert time.monotonic() - begin < seconds
        assert plan.termination.stopped_by == BY_DEADLINE and plan.certificate.passed
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    took = time.monotonic() - begin
    print(f"answered {took:.3f} s after the call")
    assert took < seconds + LATE_S
    assert serves_at_once(plans) < 2


# --- size ---


def large_model():
    """Two clouds among 4000 offerings of another provider that nothing may use: over 16 MiB."""
    model = two_clouds()
    for i in range(4000):
        offering = model.catalog.offerings.add(
            provider="azure", type=f"t{i:05d}", purchase=1, source="x" * 240)
        offering.price.currency_code, offering.price.units = "USD", 9
        for k in range(18):
            offering.labels[f"k{k}"] = f"{i:06d}" + "y" * 240
    return model


def test_model_over_16_mib_goes_by_upload(plans):
    model = large_model()
    data = model.SerializeToString()
    assert len(data) > 16 << 20
    error = fails(grpc.StatusCode.RESOURCE_EXHAUSTED, plans.SolvePlan,
                  p.SolvePlanRequest(model=ref(model)), timeout=60)
    assert "UploadModel" in error.details()
    begin = time.monotonic()
    chunks = (p.UploadModelRequest(chunk=data[i:i + (1 << 20)]) for i in range(0, len(data), 1 << 20))
    answer = plans.UploadModel(chunks, timeout=60)
    assert answer.size_bytes == len(data)
    uploaded = time.monotonic()
    plan = plans.SolvePlan(p.SolvePlanRequest(
        model=p.ModelRef(model_digest=answer.model_digest)), timeout=120).plan
    print(f"{len(data) >> 20} MiB: upload {uploaded - begin:.2f} s, "
          f"solve {time.monotonic() - uploaded:.2f} s")
    assert amount(plan.cost) == 850 and plan.digests.model == answer.model_digest


def test_lines_come_by_pages_and_as_a_stream(plans):
    plan = plans.SolvePlan(p.SolvePlanRequest(model=ref(many_lines(700)), keep=True),
                           timeout=120).plan
    found, token = [], ""
    while True:
        page = plans.ListPlanLines(p.ListPlanLinesRequest(
            id=plan.id, page_size=300, page_token=token), timeout=30)
        found += [page.lines.strings[i] for i in page.lines.workload_index]
        token = page.next_page_token
        if not token:
            break
    streamed = [m.lines.strings[i] for m in plans.StreamPlanLines(
        p.StreamPlanLinesRequest(id=plan.id), timeout=30) for i in m.lines.workload_index]
    assert found == streamed and sorted(found) == [f"w{i:05d}" for i in range(700)]


# --- stored plans ---


def test_same_request_id_is_one_plan_and_another_body_is_refused(plans):
    request = p.CreatePlanRequest(model=ref(two_clouds()), request_id="foreign.1")
    results = []
    threads = [threading.Thread(target=lambda: results.append(
        plans.CreatePlan(request, timeout=30).plan.id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8 and len(set(results)) == 1
    request.model.model.display_name = "another"
    fails(grpc.StatusCode.ALREADY_EXISTS, plans.CreatePlan, request)


def test_old_etag_is_aborted(plans):
    created = plans.CreatePlan(p.CreatePlanRequest(model=ref(two_clouds())), timeout=30).plan
    ended = wait_state(plans, created.id, DONE)
    assert ended.etag != created.etag
    fails(grpc.StatusCode.ABORTED, plans.DeletePlan,
          p.DeletePlanRequest(id=created.id, etag=created.etag))
    plans.DeletePlan(p.DeletePlanRequest(id=created.id, etag=ended.etag), timeout=10)
    fails(grpc.StatusCode.NOT_FOUND, plans.GetPlan, p.GetPlanRequest(id=created.id))


def test_watch_goes_on_where_it_was_broken_off(plans):
    created = plans.CreatePlan(p.CreatePlanRequest(model=ref(hard(4))), timeout=30).plan
    watch = plans.WatchPlan(p.WatchPlanRequest(id=created.id), timeout=60)
    first = [next(watch), next(watch)]
    watch.cancel()
    rest = list(plans.WatchPlan(p.WatchPlanRequest(
        id=created.id, after_sequence=first[-1].sequence), timeout=60))
    numbers = [event.sequence for event in first + rest]
    assert numbers == sorted(set(numbers)) and rest[-1].ended.state == DONE
    assert list(plans.WatchPlan(p.WatchPlanRequest(id=created.id), timeout=30))[-1] == rest[-1]


def test_list_is_filtered_and_paged(plans):
    project = [("isocost-project", "foreign")]
    ids = [plans.SolvePlan(p.SolvePlanRequest(
        model=ref(two_clouds(labels={"odd": str(i % 2)})), keep=True), timeout=30,
        metadata=project).plan.id for i in range(5)]
    found, token = [], ""
    while True:
        page = plans.ListPlans(p.ListPlansRequest(
            page_size=2, page_token=token, filter="state=DONE AND label.odd=0"), timeout=10,
            metadata=project)
        found += [plan.id for plan in page.plans]
        token = page.next_page_token
        if not token:
            break
    assert found == [ids[4], ids[2], ids[0]]


def test_exported_mps_has_the_same_optimum_in_cbc(plans, tmp_path):
    if not shutil.which("cbc"):
        pytest.skip("cbc is not installed")
    for name, model in (("two-clouds", two_clouds()), ("lines", many_lines(5, 2))):
        plan = plans.SolvePlan(p.SolvePlanRequest(model=ref(model)), timeout=30).plan
        for number, suffix in ((1, "mps"), (2, "lp")):
            path = tmp_path / f"{name}.{suffix}"
            path.write_bytes(b"".join(x.chunk for x in plans.ExportPlan(
                p.ExportPlanRequest(model=ref(model), format=number), timeout=30)))
            answer = tmp_path / "answer"
            subprocess.run(["cbc", str(path), "ratioGap", "0", "allowableGap", "0", "solve",
                            "solu", str(answer)], check=True, capture_output=True, timeout=60)
            first = answer.read_text().splitlines()[0]
            assert first.startswith("Optimal"), first
            assert float(first.split("objective value")[1]) == pytest.approx(amount(plan.cost))


# --- requests that are wrong ---


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def part(number, data):
    """A length-delimited field."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def in_model(data):
    """A SolvePlanRequest whose model is `data`."""
    return part(1, part(1, data))


def nested(depth):
    data = b""
    for _ in range(depth):
        data = part(200, data)
    return data


def changed(change):
    model = two_clouds()
    change(model)
    return p.SolvePlanRequest(model=ref(model)).SerializeToString()


def set_nan(model):
    model.periods[0].hours = float("nan")


def set_infinity(model):
    model.limits[1].maximum = float("inf")


def set_rate(model):
    model.workloads[0].throughput.rate[0] = float("-inf")


INVALID, EXHAUSTED = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED

WRONG = {
    # name: (bytes, code, what the message or a field must say)
    "truncated": (in_model(b"")[:-1] + b"\x05", INVALID, "model"),
    "bad tag": (b"\x07\xff\xff", INVALID, ""),
    "length beyond the end": (b"\x0a\xff\xff\x03ab", INVALID, "model"),
    "wrong wire type": (b"\x08\x01", INVALID, "model"),
    "endless varint": (b"\x10" + b"\xff" * 11, INVALID, "keep"),
    "NaN": (changed(set_nan), INVALID, "model.periods[0].hours"),
    "infinity": (changed(set_infinity), INVALID, "model.limits[1].maximum"),
    "NaN in a packed list": (changed(set_rate), INVALID, "model.workloads[0].throughput.rate"),
    "unknown enum": (changed(lambda m: setattr(m.limits[0], "metric", 99)), INVALID,
                     "model.limits[0].metric"),
    "UTF-8": (in_model(part(1, b"\xff\xfe")), INVALID, "model.display_name"),
    "NUL": (in_model(part(1, b"a\0b")), INVALID, "model.display_name"),
    "long string": (in_model(part(1, b"x" * 70000)), EXHAUSTED, "display_name"),
    "too many messages": (in_model(part(3, b"") * 2000001), EXHAUSTED, "messages"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_request_is_refused_with_its_field(channel, plans, name):
    data, code, said = WRONG[name]
    call = channel.unary_unary("/isocost.v1.PlanService/SolvePlan", lambda x: x, lambda x: x)
    error = fails(code, call, data)
    places = fields(error)
    print(f"{name}: {error.details()} {places}")
    assert error.details()
    assert said in error.details()
    if code == INVALID and said:
        assert any(said in place for place in places)
    serves_at_once(plans)


def test_deep_nesting_does_no_harm(channel, plans):
    call = channel.unary_unary("/isocost.v1.PlanService/SolvePlan", lambda x: x, lambda x: x)
    for depth in (40, 20000):
        for data in (nested(depth), in_model(nested(depth)), b"\x13" * depth):
            fails((INVALID, EXHAUSTED), call, data)
    serves_at_once(plans)


def test_oversized_request_is_refused(channel, plans):
    for path, size in (("PlanService/GetPlan", (4 << 20) + 100),
                       ("CatalogService/ListOfferings", (4 << 20) + 100),
                       ("PlanService/SolvePlan", (16 << 20) + 100)):
        call = channel.unary_unary(f"/isocost.v1.{path}", lambda x: x, lambda x: x)
        fails(EXHAUSTED, call, part(2000, b"\0" * size))
    serves_at_once(plans)


# --- buf curl ---


def buf(server, method, data=None):
    program = SOURCE / "build/tools/node_modules/.bin/buf"
    if not program.exists():
        pytest.skip(f"{program} is absent; ./dev installs it")
    command = [str(program), "curl", "--protocol", "grpc", "--http2-prior-knowledge"]
    command += ["--data", json.dumps(data)] if data is not None else []
    result = subprocess.run(
        [*command, f"http://{server.address}{method}"], capture_output=True, text=True, timeout=60,
        env={**os.environ, "HTTP_PROXY": "", "http_proxy": "", "NO_PROXY": "*"})
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_buf_curl_lists_services_and_calls_by_reflection(server):
    program = SOURCE / "build/tools/node_modules/.bin/buf"
    if not program.exists():
        pytest.skip(f"{program} is absent; ./dev installs it")
    result = subprocess.run(
        [str(program), "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--list-methods",
         f"http://{server.address}"], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert "isocost.v1.PlanService/SolvePlan" in result.stdout.splitlines()
    info = json.loads(buf(server, "/isocost.v1.ServerService/GetServerInfo", {}))
    assert {"isocost"} <= {v["name"] for v in info["versions"]}
    model = json_format.MessageToDict(two_clouds())
    plan = json.loads(buf(server, "/isocost.v1.PlanService/SolvePlan", {"model": {"model": model}}))
    assert plan["plan"]["cost"] == {"currencyCode": "USD", "units": "850"}
