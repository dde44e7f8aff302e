"""Parts of a model that share nothing, solved in several processes: the same plan, and ended like any
other solve."""

import sys
import time

import pytest

from isocost_protos import (
    SOURCE, model_pb2, plan_pb2, plan_service_pb2 as p, plan_service_pb2_grpc)
from isocost_server import IsocostServer
from process_watch import ProcessWatch

sys.path.append(str(SOURCE / "tests" / "bench"))
import family_levels  # noqa: E402  the benchmarks' models
import models as bench_models  # noqa: E402


def apart(n_workloads, gap, seconds):
    """Workloads that no limit joins: each is a component, 6,000 columns large."""
    fields = family_levels.plain(1, 500, 24, n_workloads)
    del fields["limits"]
    fields["options"] = {"gap": gap, "timeLimitSeconds": seconds, "deterministic": True}
    model = bench_models.message(fields, gap, seconds)
    model.options.deterministic = True
    return model


def solve(server, model, timeout=60):
    plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
    request = p.SolvePlanRequest(model=p.ModelRef(model=model))
    return plans.SolvePlan(request, timeout=timeout).plan


def test_processes_beside_each_other_make_the_plan_that_one_makes():
    model = apart(5, 0.02, 60)
    plans = []
    for processes in ("1", "3"):
        with IsocostServer("--solvers", "1", "--solver-processes", processes) as server:
            plans.append(solve(server, model))
    assert len(plans[0].certificate.components) == 5
    assert plans[0].termination.reason == plan_pb2.TERMINATION_REASON_OPTIMAL
    assert plans[0].digests.plan == plans[1].digests.plan
    assert plans[0].cost == plans[1].cost


def test_a_model_of_parts_ends_at_its_time_limit_with_a_plan():
    with IsocostServer("--solvers", "1", "--solver-processes", "2") as server:
        begin = time.monotonic()
        plan = solve(server, apart(4, 0, 8))
        assert time.monotonic() - begin < 40  # the limit is 8 s; machines differ
    assert plan.HasField("cost")
    assert plan.termination.reason == plan_pb2.TERMINATION_REASON_FEASIBLE
    assert plan.tiers[-1].bound > 0


def test_more_processes_than_one_really_work():
    with IsocostServer("--solvers", "1", "--solver-processes", "2") as server:
        with ProcessWatch(server.process.pid) as watch:
            solve(server, apart(4, 0, 3))
        assert watch.most_at_once("isocost-solver") >= 3  # one is always spare


@pytest.mark.parametrize("text", ["0", "many"])
def test_a_number_of_processes_that_cannot_be_is_refused(text):
    with pytest.raises(RuntimeError, match="solver-processes"):
        IsocostServer("--solver-processes", text).start()
