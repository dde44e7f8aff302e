"""PlanService from outside: solves, kept plans, lines, watches, exports."""

import csv
import io
import json
import sys
import time

import grpc
import pytest

import canonical_digest
import isocost_cli
from isocost_protos import plan_pb2, plan_service_pb2 as p, plan_service_pb2_grpc
from isocost_server import IsocostServer
from small_models import FAKE_SOLVER, amount, many_lines, part, two_clouds

sys.path.append(str(isocost_cli.SOURCE / "tests" / "bench"))
import family_levels  # noqa: E402  the benchmarks' models
import models  # noqa: E402

QUEUED, RUNNING, DONE, FAILED, CANCELLED = 1, 2, 3, 4, 5


@pytest.fixture(scope="module")
def server():
    with IsocostServer() as running:
        yield running


@pytest.fixture(scope="module")
def plans(server):
    return plan_service_pb2_grpc.PlanServiceStub(server.channel())


@pytest.fixture(scope="module")
def slow_server():
    with IsocostServer("--solver", str(FAKE_SOLVER), "--solvers", "2") as running:
        yield running


@pytest.fixture(scope="module")
def slow(slow_server):
    return plan_service_pb2_grpc.PlanServiceStub(slow_server.channel())


def ref(model):
    return p.ModelRef(model=model)


def fails(code, call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as caught:
        result = call(*arguments, timeout=30, **options)
        if hasattr(result, "__next__"):
            list(result)
    assert caught.value.code() == code, caught.value
    return caught.value


def wait_state(plans, plan_id, *states, seconds=30, **options):
    end = time.monotonic() + seconds
    while True:
        plan = plans.GetPlan(p.GetPlanRequest(id=plan_id), timeout=10, **options).plan
        if plan.state in states:
            return plan
        assert time.monotonic() < end, plan
        time.sleep(0.02)


# --- solves that are not kept ---


def test_solve_answers_with_the_cheapest_plan(plans):
    plan = plans.SolvePlan(p.SolvePlanRequest(model=ref(two_clouds())), timeout=30).plan
    assert plan.id == "" and plan.state == DONE
    assert amount(plan.cost) == 850  # see small_models
    assert plan.termination.reason == 1  # OPTIMAL
    assert plan.line_count == len(plan.lines) == 2
    assert plan.certificate.passed
    assert plan.digests.model.startswith("sha256:")
    assert plan.create_time.seconds <= plan.end_time.seconds


def test_solve_stream_sends_accepted_then_the_plan_last(plans):
    events = list(plans.SolvePlanStream(
        p.SolvePlanStreamRequest(model=ref(two_clouds())), timeout=30))
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds[0] == "accepted" and kinds[-1] == "plan"
    assert set(kinds[1:-1]) <= {"progress"}
    assert amount(events[-1].plan.cost) == 850


def test_incumbents_come_as_plans_when_asked_for(slow):
    stream = slow.SolvePlanStream(
        p.SolvePlanStreamRequest(model=ref(part("improve", 4)), incumbents=True), timeout=30)
    found = [e.progress.incumbent for e in stream
             if e.WhichOneof("event") == "progress" and e.progress.HasField("incumbent")]
    assert found and all(amount(plan.cost) >= 7200 for plan in found)


def test_infeasible_is_an_answer(plans):
    model = two_clouds()
    model.workloads[0].throughput.rate[0] = 2501  # 1000 + 1500 are allowed
    plan = plans.SolvePlan(p.SolvePlanRequest(model=ref(model)), timeout=60).plan
    assert plan.state == DONE and plan.termination.reason == 3


def test_missing_model_is_invalid(plans):
    for request in (p.SolvePlanRequest(), p.SolvePlanRequest(model=p.ModelRef())):
        assert "model" in fails(grpc.StatusCode.INVALID_ARGUMENT, plans.SolvePlan, request).details()


def test_validate_gives_digests_and_counts(plans):
    answer = plans.ValidateModel(p.ValidateModelRequest(model=ref(two_clouds())), timeout=30)
    solved = plans.SolvePlan(p.SolvePlanRequest(model=ref(two_clouds())), timeout=30).plan
    assert answer.digests.problem == solved.digests.problem
    assert answer.stats.offerings == 2


def test_snapshot_that_is_not_there_is_said(plans):
    model = two_clouds()
    model.catalog.selectors.add()
    error = fails(grpc.StatusCode.INVALID_ARGUMENT, plans.SolvePlan, p.SolvePlanRequest(model=ref(model)))
    assert "snapshot" in error.details()
    model.catalog.snapshot_digest = "sha256:" + "0" * 64
    fails(grpc.StatusCode.NOT_FOUND, plans.SolvePlan, p.SolvePlanRequest(model=ref(model)))


# --- uploads ---


def pieces(data, size):
    return (p.UploadModelRequest(chunk=data[i:i + size]) for i in range(0, len(data), size))


def test_uploaded_model_is_solved_by_digest(plans):
    data = two_clouds().SerializeToString()
    answer = plans.UploadModel(pieces(data, 7), timeout=30)
    assert answer.size_bytes == len(data)
    plan = plans.SolvePlan(
        p.SolvePlanRequest(model=p.ModelRef(model_digest=answer.model_digest)), timeout=30).plan
    assert amount(plan.cost) == 850
    assert plan.digests.model == answer.model_digest


def test_upload_is_checked(plans):
    wrong = two_clouds()
    wrong.workloads[0].id = "Wrong Id"
    fails(grpc.StatusCode.INVALID_ARGUMENT, plans.UploadModel, pieces(wrong.SerializeToString(), 64))
    fails(grpc.StatusCode.INVALID_ARGUMENT, plans.UploadModel, iter([p.UploadModelRequest(chunk=b"\xff")]))
    fails(grpc.StatusCode.INVALID_ARGUMENT, plans.UploadModel, iter([]))
    too_large = p.UploadModelRequest(chunk=b"\0" * ((1 << 20) + 1))
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, plans.UploadModel, iter([too_large]))
    much = (p.UploadModelRequest(chunk=b"\0" * (1 << 20)) for _ in range(65))
    fails(grpc.StatusCode.RESOURCE_EXHAUSTED, plans.UploadModel, much)


def test_unknown_digest_and_plan_are_not_found(plans):
    for model in (p.ModelRef(model_digest="sha256:" + "0" * 64),
                  p.ModelRef(plan_id="01ARZ3NDEKTSV4RRFFQ69G5FAV")):
        fails(grpc.StatusCode.NOT_FOUND, plans.SolvePlan, p.SolvePlanRequest(model=model))
    fails(grpc.StatusCode.INVALID_ARGUMENT, plans.GetPlan, p.GetPlanRequest(id="x"))
    fails(grpc.StatusCode.INVALID_ARGUMENT, plans.GetPlan, p.GetPlanRequest())


# --- stored plans ---


def test_created_plan_ends_done_and_is_kept(plans):
    created = plans.CreatePlan(
        p.CreatePlanRequest(model=ref(two_clouds(labels={"team": "web"})), note="why"), timeout=30).plan
    assert len(created.id) == 26 and created.state in (QUEUED, RUNNING, DONE)
    plan = wait_state(plans, created.id, DONE)
    assert amount(plan.cost) == 850
    assert plan.note == "why" and plan.labels == {"team": "web"}
    assert plan.etag != created.etag
    assert plan.create_time.ToNanoseconds() <= plan.start_time.ToNanoseconds()
    assert plan.start_time.ToNanoseconds() <= plan.end_time.ToNanoseconds()
    again = plans.SolvePlan(p.SolvePlanRequest(model=p.ModelRef(plan_id=created.id)), timeout=30).plan
    assert amount(again.cost) == 850


def test_kept_solve_has_an_id_and_can_be_read(plans):
    plan = plans.SolvePlan(p.SolvePlanRequest(model=ref(two_clouds()), keep=True), timeout=30).plan
    assert plan.state == DONE and amount(plan.cost) == 850
    assert plans.GetPlan(p.GetPlanRequest(id=plan.id), timeout=10).plan == plan


def test_kept_solve_stream_ends_with_the_stored_plan(plans):
    events = list(plans.SolvePlanStream(
        p.SolvePlanStreamRequest(model=ref(two_clouds()), keep=True), timeout=30))
    assert events[0].WhichOneof("event") == "accepted"
    assert len(events[-1].plan.id) == 26


def test_request_id_makes_creating_idempotent(plans):
    request = p.CreatePlanRequest(model=ref(two_clouds()), request_id="same.1")
    first = plans.CreatePlan(request, timeout=30).plan
    assert plans.CreatePlan(request, timeout=30).plan.id == first.id
    joined = plans.SolvePlan(
        p.SolvePlanRequest(model=ref(two_clouds()), keep=True, request_id="same.1"), timeout=30).plan
    assert joined.id == first.id and joined.state == DONE
    request.note = "another body"
    fails(grpc.StatusCode.ALREADY_EXISTS, plans.CreatePlan, request)
    request.request_id = "not/allowed"
    fails(grpc.StatusCode.INVALID_ARGUMENT, plans.CreatePlan, request)
    request.request_id = "same.1"
    other = plans.CreatePlan(request, timeout=30, metadata=[("isocost-project", "other")]).plan
    assert other.id != first.id


def test_request_id_joins_a_solve_that_runs(slow):
    request = p.SolvePlanRequest(model=ref(part("improve", 3)), keep=True, request_id="join.1")
    calls = [slow.SolvePlan.future(request, timeout=30) for _ in range(3)]
    assert len({call.result().plan.id for call in calls}) == 1


def test_failed_plan_tells_why(slow):
    created = slow.CreatePlan(p.CreatePlanRequest(model=ref(part("refuse"))), timeout=30).plan
    plan = wait_state(slow, created.id, FAILED)
    assert plan.error.code == 3 and "nothing is allowed" in plan.error.message
    error = fails(grpc.StatusCode.INVALID_ARGUMENT, slow.SolvePlan,
                  p.SolvePlanRequest(model=ref(part("refuse")), keep=True))
    assert "nothing is allowed" in error.details()


def test_cancel_keeps_the_best_plan_so_far(slow):
    created = slow.CreatePlan(p.CreatePlanRequest(model=ref(part("improve", 60))), timeout=30).plan
    wait_state(slow, created.id, RUNNING)
    time.sleep(0.5)
    slow.CancelPlan(p.CancelPlanRequest(id=created.id), timeout=30)
    plan = wait_state(slow, created.id, DONE)
    assert plan.termination.stopped_by == 6 and amount(plan.cost) >= 7200
    error = fails(grpc.StatusCode.FAILED_PRECONDITION, slow.CancelPlan, p.CancelPlanRequest(id=created.id))
    assert "ended" in error.details()


def test_queued_plan_is_cancelled_before_it_runs(slow):
    blockers = [slow.CreatePlan(p.CreatePlanRequest(model=ref(part("improve", 60))), timeout=30).plan.id
                for _ in range(4)]
    last = slow.CreatePlan(p.CreatePlanRequest(model=ref(part("good"))), timeout=30).plan
    assert last.state == QUEUED
    answer = slow.CancelPlan(p.CancelPlanRequest(id=last.id), timeout=30).plan
    assert answer.state == CANCELLED
    for blocker in blockers:
        slow.CancelPlan(p.CancelPlanRequest(id=blocker), timeout=30)
    for blocker in blockers:
        wait_state(slow, blocker, DONE, CANCELLED)
    assert wait_state(slow, last.id, CANCELLED).start_time.seconds == 0


def test_caller_who_leaves_stops_its_kept_plan(slow):
    call = slow.SolvePlanStream(p.SolvePlanStreamRequest(
        model=ref(part("improve", 60, labels={"who": "leaver"})), keep=True), timeout=60)
    assert next(call).WhichOneof("event") == "accepted"
    listed = slow.ListPlans(p.ListPlansRequest(filter="label.who=leaver"), timeout=10).plans
    call.cancel()
    assert wait_state(slow, listed[0].id, DONE, CANCELLED).termination.stopped_by in (0, 6)


def test_list_filters_orders_and_pages(plans):
    project = [("isocost-project", "lists")]
    ids = []
    for i in range(5):
        labels = {"n": str(i % 2)}
        ids.append(plans.CreatePlan(p.CreatePlanRequest(model=ref(two_clouds(labels=labels))),
                                    timeout=30, metadata=project).plan.id)
    for plan_id in ids:
        wait_state(plans, plan_id, DONE, metadata=project)

    def listed(**fields):
        found, token = [], ""
        while True:
            page = plans.ListPlans(p.ListPlansRequest(page_token=token, **fields), timeout=10,
                                   metadata=project)
            assert all(not plan.lines for plan in page.plans)
            found += [plan.id for plan in page.plans]
            token = page.next_page_token
            if not token:
                return found

    assert listed() == ids[::-1]
    assert listed(page_size=2) == ids[::-1]
    assert listed(page_size=2, order_by="create_time") == ids
    assert listed(filter="label.n=1") == [ids[3], ids[1]]
    assert listed(filter="state=DONE AND label.n=0", page_size=1) == [ids[4], ids[2], ids[0]]
    assert listed(filter="state=FAILED") == []
    for wrong in ({"filter": "colour=red"}, {"filter": "state=GONE"}, {"filter": "state"},
                  {"order_by": "cost"}, {"page_size": -1}, {"page_size": 1001}, {"page_token": "zz"}):
        fails(grpc.StatusCode.INVALID_ARGUMENT, plans.ListPlans, p.ListPlansRequest(**wrong),
              metadata=project)
    token = plans.ListPlans(p.ListPlansRequest(page_size=1), timeout=10, metadata=project).next_page_token
    fails(grpc.StatusCode.INVALID_ARGUMENT, plans.ListPlans, p.ListPlansRequest(page_token=token))


def test_projects_do_not_see_each_other(plans):
    plan = plans.SolvePlan(p.SolvePlanRequest(model=ref(two_clouds()), keep=True), timeout=30,
                           metadata=[("isocost-project", "a")]).plan
    other = [("isocost-project", "b")]
    for call, request in ((plans.GetPlan, p.GetPlanRequest(id=plan.id)),
                          (plans.CancelPlan, p.CancelPlanRequest(id=plan.id)),
                          (plans.DeletePlan, p.DeletePlanRequest(id=plan.id)),
                          (plans.ListPlanLines, p.ListPlanLinesRequest(id=plan.id)),
                          (plans.WatchPlan, p.WatchPlanRequest(id=plan.id)),
                          (plans.StreamPlanLines, p.StreamPlanLinesRequest(id=plan.id))):
        fails(grpc.StatusCode.NOT_FOUND, call, request, metadata=other)


def test_delete_wants_the_right_etag_and_an_ended_plan(plans, slow):
    plan = plans.SolvePlan(p.SolvePlanRequest(model=ref(two_clouds()), keep=True), timeout=30).plan
    fails(grpc.StatusCode.ABORTED, plans.DeletePlan, p.DeletePlanRequest(id=plan.id, etag="99"))
    fails(grpc.StatusCode.INVALID_ARGUMENT, plans.DeletePlan, p.DeletePlanRequest(id=plan.id, etag="x"))
    plans.DeletePlan(p.DeletePlanRequest(id=plan.id, etag=plan.etag), timeout=10)
    fails(grpc.StatusCode.NOT_FOUND, plans.GetPlan, p.GetPlanRequest(id=plan.id))
    running = slow.CreatePlan(p.CreatePlanRequest(model=ref(part("improve", 60))), timeout=30).plan
    fails(grpc.StatusCode.FAILED_PRECONDITION, slow.DeletePlan, p.DeletePlanRequest(id=running.id))
    slow.CancelPlan(p.CancelPlanRequest(id=running.id), timeout=10)
    wait_state(slow, running.id, DONE, CANCELLED)


# --- watching ---


def test_watch_sends_rising_events_to_the_end_and_resumes(slow):
    created = slow.CreatePlan(p.CreatePlanRequest(model=ref(part("improve", 3))), timeout=30).plan
    events = list(slow.WatchPlan(p.WatchPlanRequest(id=created.id), timeout=30))
    numbers = [event.sequence for event in events]
    assert numbers == sorted(set(numbers)) and numbers[0] >= 1
    assert events[0].WhichOneof("event") == "state_changed"
    assert events[0].state_changed.state == RUNNING
    assert "progress" in {event.WhichOneof("event") for event in events}
    assert events[-1].ended.state == DONE and amount(events[-1].ended.cost) >= 7200
    rest = list(slow.WatchPlan(
        p.WatchPlanRequest(id=created.id, after_sequence=numbers[0]), timeout=30))
    assert rest == events[1:]
    assert list(slow.WatchPlan(
        p.WatchPlanRequest(id=created.id, after_sequence=numbers[-1]), timeout=30)) == []


def test_watch_of_a_cancelled_queued_plan_ends(slow):
    blockers = [slow.CreatePlan(p.CreatePlanRequest(model=ref(part("improve", 60))), timeout=30).plan.id
                for _ in range(3)]
    last = slow.CreatePlan(p.CreatePlanRequest(model=ref(part("good"))), timeout=30).plan
    watch = slow.WatchPlan(p.WatchPlanRequest(id=last.id), timeout=30)
    slow.CancelPlan(p.CancelPlanRequest(id=last.id), timeout=10)
    assert list(watch)[-1].ended.state == CANCELLED
    for blocker in blockers:
        slow.CancelPlan(p.CancelPlanRequest(id=blocker), timeout=30)
        wait_state(slow, blocker, DONE, CANCELLED)


# --- lines ---


def rows(table):
    s = table.strings
    return [(s[table.workload_index[i]], s[table.period_index[i]], s[table.offering_index[i]],
             table.quantity[i], table.cost[i]) for i in range(len(table.kind))]


@pytest.fixture(scope="module")
def big(plans):
    """2500 workloads in periods of 1 and 2 hours: 5000 lines of one instance at 1 USD an hour."""
    plan = plans.SolvePlan(p.SolvePlanRequest(model=ref(many_lines(2500, 2)), keep=True), timeout=120).plan
    assert plan.line_count == 5000 and amount(plan.cost) == 7500
    return plan


def test_a_plan_carries_at_most_1_mib_of_lines(big):
    assert 0 < len(big.lines) <= 5000
    assert sum(line.ByteSize() for line in big.lines) <= 1 << 20
    assert big.ByteSize() < 3 << 20


def test_a_plan_that_is_written_while_it_is_verified_is_the_same(plans, big):
    """One that is not kept: its lines were packed apart from the rest of the answer."""
    model = ref(many_lines(2500, 2))
    solved = plans.SolvePlan(p.SolvePlanRequest(model=model), timeout=120).plan
    streamed = [event.plan for event in plans.SolvePlanStream(
        p.SolvePlanStreamRequest(model=model), timeout=120) if event.WhichOneof("event") == "plan"]
    for plan in (solved, *streamed):
        assert plan.line_count == 5000 and list(plan.lines) == list(big.lines)
        assert plan.certificate.passed
        assert plan.certificate.rules_checked == big.certificate.rules_checked > 0
        assert plan.digests.plan == big.digests.plan
    assert len(streamed) == 1


def test_lines_come_by_pages(plans, big):
    found, token = [], ""
    while True:
        page = plans.ListPlanLines(
            p.ListPlanLinesRequest(id=big.id, page_size=1700, page_token=token), timeout=30)
        assert page.total_count == 5000
        found += rows(page.lines)
        token = page.next_page_token
        if not token:
            break
    assert len(found) == 5000
    assert {(w, period) for w, period, *_ in found} == {
        (f"w{i:05d}", f"p{k}") for i in range(2500) for k in range(2)}
    assert all(quantity == 1 and cost == (1 if period == "p0" else 2)
               for _, period, _, quantity, cost in found)
    streamed = [row for part_ in plans.StreamPlanLines(
        p.StreamPlanLinesRequest(id=big.id), timeout=30) for row in rows(part_.lines)]
    assert streamed == found


def test_lines_are_filtered(plans, big):
    def lines(text):
        return rows(plans.ListPlanLines(p.ListPlanLinesRequest(
            id=big.id, filter=text, page_size=10000), timeout=30).lines)

    assert len(lines("workload=w00007")) == 2
    assert len(lines("workload=w00007 AND period=p1")) == 1
    assert len(lines("provider=aws")) == 5000
    assert lines("provider=aw") == []
    assert len(lines("kind=INSTANCE AND team=default AND period=p0")) == 2500
    assert lines("kind=MOVE") == []
    for wrong in ("kind=BIG", "size=1", "workload", "workload=a AND "):
        if wrong.endswith("AND "):
            assert lines(wrong) == []
        else:
            fails(grpc.StatusCode.INVALID_ARGUMENT, plans.ListPlanLines,
                  p.ListPlanLinesRequest(id=big.id, filter=wrong))


@pytest.fixture(scope="module")
def year(plans):
    """Twelve months of 730 h. Demand 10, from July on 20, of instances that serve 10 at 1 USD an hour;
    one is committed to for the year at 0.5 USD an hour, so that it costs 0.5 * 8760 = 4380 USD and the
    other half year 6 * 730 = 4380 USD."""
    model = many_lines(1)
    del model.periods[:]
    for month in range(12):
        model.periods.add(id=f"m{month + 1}", hours=730)
    model.workloads[0].throughput.rate[:] = [10] * 6 + [20] * 6
    product = model.catalog.products.add(
        id="c", provider=model.catalog.offerings[0].provider, kind=1, term_hours=8760)
    product.eligible.SetInParent()
    product.hourly_fee.currency_code = "USD"
    product.hourly_fee.nanos = 500_000_000
    return plans.SolvePlan(p.SolvePlanRequest(model=ref(model), keep=True), timeout=30).plan


def test_periods_that_are_alike_are_one_line(plans, year):
    assert amount(year.cost) == 8760
    found = [(line.kind, line.period, line.last_period, line.place, line.periods, line.quantity,
              line.hours, amount(line.cost)) for line in year.lines]
    assert found == [(1, "m1", "m6", 0, 6, 1, 730, 0), (2, "m1", "m12", 0, 12, 1, 730, 4380),
                     (1, "m7", "m12", 6, 6, 2, 730, 4380)]
    # the fee of 365 USD a month, from July on with 730 USD of instances
    assert [amount(row.cost) for row in year.cost_by_period] == [365] * 6 + [1095] * 6
    page = plans.ListPlanLines(p.ListPlanLinesRequest(id=year.id), timeout=30).lines
    assert list(page.place) == [0, 0, 6] and list(page.periods) == [6, 12, 6]
    assert [page.strings[i] for i in page.last_period_index] == ["m6", "m12", "m12"]

    def kinds(period):
        return list(plans.ListPlanLines(p.ListPlanLinesRequest(
            id=year.id, filter=f"period={period}"), timeout=30).lines.kind)

    assert kinds("m1") == kinds("m6") == [1, 2] and kinds("m7") == kinds("m12") == [2, 1]
    assert kinds("m13") == []
    table = list(csv.DictReader(io.StringIO(
        export(plans, model=p.ModelRef(plan_id=year.id), format=4).decode())))
    assert [(row["period"], row["last_period"], row["periods"]) for row in table] == [
        ("m1", "m6", "6"), ("m1", "m12", "12"), ("m7", "m12", "6")]


def test_the_digest_of_a_plan_is_that_of_its_page(plans, year):
    assert year.digests.plan == canonical_digest.plan_digest(year)
    for name in ("good", "pool"):
        plan = plans.SolvePlan(p.SolvePlanRequest(model=ref(part(name))), timeout=30).plan
        assert plan.digests.plan == canonical_digest.plan_digest(plan)


# --- export ---


def export(plans, **fields):
    return b"".join(c.chunk for c in plans.ExportPlan(p.ExportPlanRequest(**fields), timeout=60))


def test_export_of_a_stored_plan_as_csv_and_json(plans, big):
    table = list(csv.DictReader(io.StringIO(
        export(plans, model=p.ModelRef(plan_id=big.id), format=4).decode())))
    assert len(table) == 5000
    assert {row["kind"] for row in table} == {"INSTANCE"}
    assert sum(float(row["cost"]) for row in table) == 7500
    document = json.loads(export(plans, model=p.ModelRef(plan_id=big.id), format=3))
    assert document["id"] == big.id and len(document["lines"]) == 5000
    from google.protobuf import json_format
    assert json_format.ParseDict(document, plan_pb2.Plan()).line_count == 5000


def test_export_of_the_plain_mip(plans):
    mps = export(plans, model=ref(two_clouds()), format=1).decode()
    assert "ROWS" in mps and mps.rstrip().endswith("ENDATA")
    lp = export(plans, model=ref(two_clouds()), format=2).decode()
    assert "Minimize" in lp and lp.rstrip().endswith("End")


def test_export_refuses_what_it_cannot_do(plans):
    fails(grpc.StatusCode.INVALID_ARGUMENT, plans.ExportPlan, p.ExportPlanRequest(model=ref(two_clouds())))
    fails(grpc.StatusCode.INVALID_ARGUMENT, plans.ExportPlan,
          p.ExportPlanRequest(model=ref(two_clouds()), format=3))


# --- restarts ---


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_plans_survive_a_restart(how):
    with IsocostServer("--solver", str(FAKE_SOLVER), "--solvers", "1", "--drain-seconds", "1") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        done = plans.SolvePlan(p.SolvePlanRequest(model=ref(part("good")), keep=True), timeout=30).plan
        running = plans.CreatePlan(p.CreatePlanRequest(model=ref(part("improve", 2))), timeout=30).plan
        queued = plans.CreatePlan(
            p.CreatePlanRequest(model=ref(part("good")), request_id="r1"), timeout=30).plan
        wait_state(plans, running.id, RUNNING)
        getattr(server, how)()
        server.start()
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        assert plans.GetPlan(p.GetPlanRequest(id=done.id), timeout=10).plan == done
        assert amount(wait_state(plans, running.id, DONE).cost) >= 7200
        assert amount(wait_state(plans, queued.id, DONE).cost) == 7200
        same = p.CreatePlanRequest(model=ref(part("good")), request_id="r1")
        assert plans.CreatePlan(same, timeout=30).plan.id == queued.id


def test_budgets_with_survival_and_a_spend_plan_leave_a_plan_and_a_bound(plans):
    """The two budgets are measured by what the plan without any of these rules costs."""
    def solve(fields):
        model = models.message(fields, 0.02, 6)
        return plans.SolvePlan(p.SolvePlanRequest(model=ref(model)), timeout=60).plan

    def money(plan):
        return next(tier for tier in plan.tiers if tier.name == "money")

    without = money(solve(family_levels.plain(2, 40, 6, 4)))
    bound = money(solve(family_levels.mixed(2, 40, 6, 4, without.value)))
    assert 0 < bound.bound <= bound.value < 1.2 * bound.bound
