"""A plan whose check takes longer than a solver may overrun its limit is given all the same."""

import sys

from isocost_protos import SOURCE, plan_pb2, plan_service_pb2 as p, plan_service_pb2_grpc
from isocost_server import IsocostServer

sys.path.append(str(SOURCE / "tests" / "bench"))
import family_packing  # noqa: E402  the benchmarks' models
import models as bench_models  # noqa: E402


def test_the_last_plan_of_a_packing_in_four_resources_is_checked_and_given():
    model = bench_models.message(family_packing.plain(1, 300, 40, 1000, 4), 0.0001, 4)
    with IsocostServer("--solvers", "1") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        request = p.SolvePlanRequest(model=p.ModelRef(model=model))
        plan = plans.SolvePlan(request, timeout=120).plan
    assert plan.termination.reason == plan_pb2.TERMINATION_REASON_FEASIBLE
    # what is told of the solver comes with its own last plan alone, not with an earlier one
    assert plan.stats.cpu_seconds > 0
