"""Workers, isocostd and PostgreSQL are killed while plans run: what was acknowledged ends, once."""

import concurrent.futures
import os
import random
import signal
import time

import grpc
import pytest

from fleet import Killer
from isocost_protos import plan_service_pb2 as p, plan_service_pb2_grpc
from isocost_server import IsocostServer, IsocostWorker
from postgres_cluster import PostgresCluster
from process_facts import wait_until
from small_models import FAKE_SOLVER, amount, part, two_clouds

PLANS = int(os.environ.get("ISO_PLANS", "500"))
KILLS = int(os.environ.get("ISO_WORKER_KILLS", "5"))
SEED = int(os.environ.get("ISO_SEED", "1"))
WORKERS, CLIENTS = 3, 3
DONE, FAILED, CANCELLED = 3, 4, 5
TRY_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED,
             grpc.StatusCode.RESOURCE_EXHAUSTED)


@pytest.fixture(scope="module")
def cluster():
    with PostgresCluster() as running:
        yield running


@pytest.fixture
def database(cluster):
    return cluster.new_database()


def create(plans, request_id, model):
    """Asks until it is acknowledged; the request id makes sure that it is there once."""
    end = time.monotonic() + 120
    while True:
        try:
            return plans.CreatePlan(p.CreatePlanRequest(
                model=p.ModelRef(model=model), request_id=request_id), timeout=20).plan.id
        except grpc.RpcError as error:
            assert error.code() in TRY_AGAIN and time.monotonic() < end, error
            time.sleep(0.1)


def get(plans, plan_id):
    return plans.GetPlan(p.GetPlanRequest(id=plan_id), timeout=20).plan


def wait_for_end(plans, plan_id, seconds=60):
    def ended():
        plan = get(plans, plan_id)
        return plan if plan.state >= DONE else None

    return wait_until(ended, seconds)


def test_plans_end_once_while_workers_and_postgres_are_killed(cluster, database, tmp_path):
    print(f"seed {SEED}")
    options = ("--lease-seconds", "4")
    acknowledged = {}
    with IsocostServer("--store", database.address, "--solvers", "1", *options) as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        workers = [IsocostWorker(database.address, tmp_path / f"worker{i}", "--solvers", "1", *options)
                   for i in range(WORKERS)]
        for worker in workers:
            worker.start()

        def ended():
            return database.number("SELECT count(*) FROM job WHERE state >= 3")

        killer = Killer(cluster, workers, random.Random(SEED), ended, PLANS, KILLS)

        def client(name):
            for i in range(name, PLANS, CLIENTS):
                acknowledged[f"r{i}"] = create(plans, f"r{i}", two_clouds())

        try:
            with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
                list(pool.map(client, range(CLIENTS)))
            wait_until(lambda: ended() == PLANS, 180)
        finally:
            killer.join()
        assert len(acknowledged) == len(set(acknowledged.values())) == PLANS
        for plan_id in acknowledged.values():
            plan = get(plans, plan_id)
            assert plan.state == DONE and amount(plan.cost) == 850
        for worker in workers:
            assert worker.stop() == 0, worker.log()
    twice = database.number("SELECT count(*) FROM (SELECT object FROM audit WHERE action = 'plan.end'"
                            " GROUP BY object HAVING count(*) > 1) x")
    ends = database.number("SELECT count(*) FROM audit WHERE action = 'plan.end'")
    again = database.number("SELECT coalesce(sum(attempt - 1), 0) FROM job")
    print(f"{PLANS} plans, {killer.killed} kills of workers and one of PostgreSQL: 0 lost, "
          f"{twice} twice, {again} begun again")
    assert ends == PLANS and twice == 0
    assert killer.killed == KILLS
    assert again <= 0.02 * PLANS


def test_a_worker_that_slept_beyond_its_lease_changes_nothing(database, tmp_path):
    options = ("--solver", str(FAKE_SOLVER), "--solvers", "1", "--lease-seconds", "1")
    with IsocostServer("--store", database.address, "--workers-only", *options[4:]) as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        with IsocostWorker(database.address, tmp_path / "sleeper", *options) as sleeper:
            plan_id = create(plans, "r", part("improve", 4))
            wait_until(lambda: database.number("SELECT count(*) FROM job WHERE state = 2") == 1)
            sleeper.process.send_signal(signal.SIGSTOP)
            with IsocostWorker(database.address, tmp_path / "other", *options):
                wait_until(lambda: database.number("SELECT attempt FROM job") == 2)
                sleeper.process.send_signal(signal.SIGCONT)
                assert wait_for_end(plans, plan_id).state == DONE
                wait_until(lambda: "the lease was lost" in sleeper.log())
    assert database.number("SELECT count(*) FROM audit WHERE action = 'plan.end'") == 1
    assert database.number("SELECT attempt FROM job") == 2


def test_a_plan_that_its_solvers_die_of_is_given_up_and_says_why(database, tmp_path):
    options = ("--solver", str(FAKE_SOLVER), "--solvers", "1")
    with IsocostServer("--store", database.address, "--workers-only") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        with IsocostWorker(database.address, tmp_path / "worker", *options):
            plan = wait_for_end(plans, create(plans, "r", part("abort")))
            assert plan.state == FAILED
            assert "died (signal 6)" in plan.error.message
    assert database.number("SELECT attempt FROM job") == 3
    assert database.number("SELECT count(*) FROM job WHERE state = 6 AND error <> ''") == 1


def test_a_plan_that_was_begun_twenty_times_is_given_up(database, tmp_path):
    with IsocostServer("--store", database.address, "--workers-only") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        plan_id = create(plans, "r", two_clouds())
        database.query("UPDATE job SET attempt = 20")
        with IsocostWorker(database.address, tmp_path / "worker", "--solvers", "1"):
            plan = wait_for_end(plans, plan_id)
    assert plan.state == FAILED and "begun 20 times" in plan.error.message
    assert database.number("SELECT state FROM job") == 6


def test_cancel_and_watch_reach_a_plan_on_a_worker(database, tmp_path):
    options = ("--solver", str(FAKE_SOLVER), "--solvers", "1")
    with IsocostServer("--store", database.address, "--workers-only") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        with IsocostWorker(database.address, tmp_path / "worker", *options):
            plan_id = create(plans, "r", part("improve", 60))
            kinds, last = [], 0
            for event in plans.WatchPlan(p.WatchPlanRequest(id=plan_id), timeout=60):
                assert event.sequence == last + 1
                last = event.sequence
                kinds.append(event.WhichOneof("event"))
                if kinds[-1] == "progress":
                    break  # the connection is lost
            begin = time.monotonic()
            plans.CancelPlan(p.CancelPlanRequest(id=plan_id), timeout=20)
            for event in plans.WatchPlan(
                    p.WatchPlanRequest(id=plan_id, after_sequence=last), timeout=60):
                assert event.sequence == last + 1
                last = event.sequence
                kinds.append(event.WhichOneof("event"))
            print(f"cancelled in {time.monotonic() - begin:.2f} s")
            assert kinds[0] == "state_changed" and kinds[-1] == "ended"
            assert get(plans, plan_id).termination.stopped_by == 6  # with the best so far


def test_a_caller_who_waits_is_answered_by_a_worker(database, tmp_path):
    with IsocostServer("--store", database.address, "--workers-only") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        with IsocostWorker(database.address, tmp_path / "worker", "--solvers", "1"):
            plan = plans.SolvePlan(p.SolvePlanRequest(
                model=p.ModelRef(model=two_clouds()), keep=True, request_id="r"), timeout=60).plan
            assert plan.state == DONE and amount(plan.cost) == 850


def test_a_stream_tells_of_a_plan_on_a_worker_too(database, tmp_path):
    options = ("--solver", str(FAKE_SOLVER), "--solvers", "1")
    with IsocostServer("--store", database.address, "--workers-only") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        with IsocostWorker(database.address, tmp_path / "worker", *options):
            kinds = [message.WhichOneof("event") for message in plans.SolvePlanStream(
                p.SolvePlanStreamRequest(model=p.ModelRef(model=part("improve", 3)), keep=True,
                                         request_id="r"), timeout=60)]
    assert kinds[0] == "accepted" and kinds[-1] == "plan"
    assert set(kinds[1:-1]) == {"progress"}


def test_a_stream_of_a_plan_on_a_worker_has_incumbents_for_who_wants_them(database, tmp_path):
    options = ("--solver", str(FAKE_SOLVER), "--solvers", "1")
    with IsocostServer("--store", database.address, "--workers-only") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        with IsocostWorker(database.address, tmp_path / "worker", *options):
            for wanted in (True, False):
                messages = list(plans.SolvePlanStream(p.SolvePlanStreamRequest(
                    model=p.ModelRef(model=part("improve", 4)), keep=True, incumbents=wanted,
                    request_id=f"r{wanted}"), timeout=60))
                incumbents = [m.progress.incumbent for m in messages
                              if m.WhichOneof("event") == "progress"
                              and m.progress.HasField("incumbent")]
                assert bool(incumbents) == wanted
                # each is a plan of the model, and none is better than the last answer
                costs = [amount(plan.cost) for plan in incumbents]
                assert all(cost >= amount(messages[-1].plan.cost) >= 7200 for cost in costs)
