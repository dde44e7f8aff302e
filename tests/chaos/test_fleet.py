"""Scenarios of evaluations on workers: every scenario has one result, whatever is killed meanwhile."""

import os
import random
import signal

import grpc
import pytest

from fleet import (Killer, begin, check_events, count_results, service, watch,
                   watch_with_breaks)
from isocost_protos import change_pb2, plan_service_pb2 as p, session_service_pb2 as s
from isocost_server import IsocostServer, IsocostWorker
from postgres_cluster import PostgresCluster
from process_facts import wait_until
from small_models import FAKE_SOLVER, amount, part, two_clouds

SCENARIOS = int(os.environ.get("ISO_SCENARIOS", "300"))
KILLS = int(os.environ.get("ISO_WORKER_KILLS", "5"))
SEED = int(os.environ.get("ISO_SEED", "1"))
WORKERS = 3
RUN_RUNNING, RUN_DONE, RUN_CANCELLED, RUN_DEAD = 2, 3, 5, 6
END_DONE, END_CANCELLED = 1, 2


@pytest.fixture(scope="module")
def cluster():
    with PostgresCluster() as running:
        yield running


@pytest.fixture
def database(cluster):
    return cluster.new_database()


def scenario(name, *texts):
    return s.Scenario(name=name, changes=[change_pb2.Change(text=text) for text in texts])


def demands(n, distinct=None):
    """Scenarios of two_clouds() whose demand is 100, 101, ..., at most 2500."""
    distinct = distinct or n
    return [scenario(f"d{i}", f"demand.service={100 + i % distinct}") for i in range(n)]


def check_demands(results, n, distinct=None):
    assert sorted(r.place for r in results) == list(range(n))
    for result in results:
        units = 100 + result.place % (distinct or n)
        expected = 0.4 * min(units, 1500) + 0.5 * max(units - 1500, 0)
        assert abs(amount(result.plan.cost) - expected) < 1e-9


@pytest.mark.parametrize("durable", [True, False])
def test_workers_solve_the_scenarios_of_an_evaluation(database, tmp_path, durable):
    with IsocostServer("--store", database.address, "--workers-only") as server:
        with IsocostWorker(database.address, tmp_path / "a", "--solvers", "1"), \
                IsocostWorker(database.address, tmp_path / "b", "--solvers", "2"):
            results, ended = check_events(begin(server, two_clouds(), demands(130, 100),
                                                durable=durable))
    check_demands(results, 130, 100)
    assert ended.end == END_DONE and ended.progress.done == 130 and ended.cpu_seconds > 0
    # equal ones stand next to each other in the order, so most are one solve
    assert ended.progress.same == sum(bool(r.same_as) for r in results) >= 20
    assert database.number("SELECT count(DISTINCT owner) FROM job") == 2
    assert database.number(f"SELECT count(*) FROM job WHERE state <> {RUN_DONE}") == 0


def test_the_solvers_of_isocostd_take_part(database, tmp_path):
    with IsocostServer("--store", database.address, "--solvers", "1") as server:
        with IsocostWorker(database.address, tmp_path / "a", "--solvers", "1"):
            results, _ = check_events(begin(server, two_clouds(), demands(200), durable=True))
    check_demands(results, 200)
    assert database.number("SELECT count(DISTINCT owner) FROM job") == 2


def test_sweeps_end_with_their_knee_on_workers(database, tmp_path):
    with IsocostServer("--store", database.address, "--workers-only") as server:
        with IsocostWorker(database.address, tmp_path / "a", "--solvers", "2"):
            results, ended = check_events(service(server).Sweep(s.SweepRequest(
                model=p.ModelRef(model=two_clouds()), parameters=[
                    s.SweepParameter(text="limit.alibaba-cap=1000..2600:161")]), timeout=120))
            assert len(results) == 161 and ended.knee == 100  # 2000: from there on the cap is idle
            results, ended = check_events(service(server).Frontier(s.FrontierRequest(
                model=p.ModelRef(model=two_clouds(),
                                 changes=[change_pb2.Change(text="price.aws=0.8")]),
                budget=s.BudgetFrontier(amounts=range(0, 1010, 10))), timeout=120))
    # 0.4 for each of the first 1500 units, then 0.8
    assert len(results) == 101 and ended.knee == 60
    shares = {r.place: r.served_share for r in results}
    assert round(shares[30], 9) == 0.375 and round(shares[100], 9) == 1


def test_wrong_scenarios_are_told_and_the_others_are_solved(database, tmp_path):
    scenarios = demands(20) + [scenario("wrong", "demand.nobody=1")]
    with IsocostServer("--store", database.address, "--workers-only") as server:
        with IsocostWorker(database.address, tmp_path / "a", "--solvers", "1"):
            results, ended = check_events(begin(server, two_clouds(), scenarios, durable=True))
    wrong = [r for r in results if r.HasField("error")]
    assert [r.name for r in wrong] == ["wrong"] and ended.end == END_DONE
    assert wrong[0].error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert b"scenarios[20].changes[0]" in wrong[0].error.details[1].value


def test_every_scenario_has_one_result_while_workers_and_postgres_are_killed(cluster, database,
                                                                             tmp_path):
    print(f"seed {SEED}")
    options = ("--lease-seconds", "3")
    chance = random.Random(SEED)
    with IsocostServer("--store", database.address, "--workers-only", *options) as server:
        workers = [IsocostWorker(database.address, tmp_path / f"w{i}", "--solvers", "1", *options)
                   for i in range(WORKERS)]
        for worker in workers:
            worker.start()
        first = begin(server, two_clouds(), demands(SCENARIOS), durable=True)
        killer = Killer(cluster, workers, chance, lambda: count_results(database), SCENARIOS, KILLS)
        try:
            seen, _ = watch_with_breaks(server, first, chance)
        finally:
            killer.join()
        results, ended = check_events(seen)
        check_demands(results, SCENARIOS)
        assert ended.end == END_DONE and ended.progress.done == SCENARIOS
        for worker in workers:
            assert worker.stop() == 0, worker.log()
    again = database.number("SELECT coalesce(sum(attempt - 1), 0) FROM job")
    print(f"{SCENARIOS} scenarios, {killer.killed} kills of workers and one of PostgreSQL: 0 lost, "
          f"0 twice, at most {again} solved again")
    assert killer.killed == KILLS
    assert again <= KILLS  # a kill costs one run's newest scenario


def test_an_evaluation_goes_on_when_isocostd_is_killed(database, tmp_path):
    with IsocostServer("--store", database.address, "--workers-only") as server:
        with IsocostWorker(database.address, tmp_path / "a", "--solvers", "1"):
            seen = []
            for response in begin(server, two_clouds(), demands(SCENARIOS), durable=True):
                if response.event.sequence:
                    seen.append(response)
                if len(seen) == 20:
                    break
            server.kill()
            server.start()
            last = seen[-1].event.sequence
            seen += watch(server, seen[0].event.accepted.evaluation_id, last)
    results, ended = check_events(seen)
    check_demands(results, SCENARIOS)
    assert ended.end == END_DONE


def test_a_worker_that_slept_beyond_its_lease_adds_nothing(database, tmp_path):
    options = ("--solver", str(FAKE_SOLVER), "--solvers", "1", "--lease-seconds", "1")
    with IsocostServer("--store", database.address, "--workers-only", *options[4:]) as server:
        with IsocostWorker(database.address, tmp_path / "sleeper", *options) as sleeper:
            stream = begin(server, part("improve", 3), [scenario("one")], durable=True)
            wait_until(lambda: database.number(
                f"SELECT count(*) FROM job WHERE state = {RUN_RUNNING}") == 1)
            sleeper.process.send_signal(signal.SIGSTOP)
            with IsocostWorker(database.address, tmp_path / "other", *options):
                wait_until(lambda: database.number("SELECT attempt FROM job") == 2)
                sleeper.process.send_signal(signal.SIGCONT)
                results, ended = check_events(stream)
                wait_until(lambda: "the lease was lost" in sleeper.log())
    assert len(results) == 1 and ended.end == END_DONE


def test_a_scenario_that_kills_solvers_is_given_up_and_the_run_goes_on(database, tmp_path):
    options = ("--solver", str(FAKE_SOLVER), "--solvers", "1")
    with IsocostServer("--store", database.address, "--workers-only") as server:
        with IsocostWorker(database.address, tmp_path / "worker", *options) as worker:
            results, ended = check_events(begin(
                server, part("abort", 4), [scenario("dies"), scenario("dies too", "demand.web=90")],
                durable=True))
            assert "died" in worker.log()
    assert [r.error.code for r in results] == [14, 14]  # UNAVAILABLE
    assert ended.end == END_DONE
    assert database.number("SELECT max(attempt) FROM job") == 1


def test_a_run_that_was_begun_twenty_times_says_so_for_each_of_its_scenarios(database, tmp_path):
    with IsocostServer("--store", database.address, "--workers-only") as server:
        stream = begin(server, two_clouds(), demands(130), durable=True)
        next(stream)
        database.query("UPDATE job SET attempt = 20 WHERE part = 0")
        with IsocostWorker(database.address, tmp_path / "worker", "--solvers", "1"):
            results = [r.event.result for r in stream if r.event.WhichOneof("event") == "result"]
    failed = [r for r in results if r.HasField("error")]
    assert len(results) == 130 and len(failed) == 7  # 17 runs of 7 or 8, the first of 7
    assert all("begun 20 times" in r.error.message for r in failed)
    assert database.number("SELECT state FROM job WHERE part = 0") == RUN_DEAD


def test_an_evaluation_ends_with_its_caller_unless_it_is_durable(database, tmp_path):
    options = ("--solver", str(FAKE_SOLVER), "--solvers", "1")
    scenarios = [scenario(f"d{i}", f"demand.web={100 + i}") for i in range(20)]
    with IsocostServer("--store", database.address, "--workers-only") as server:
        with IsocostWorker(database.address, tmp_path / "worker", *options):
            stream = begin(server, part("wait"), scenarios)
            evaluation_id = next(stream).event.accepted.evaluation_id
            wait_until(lambda: database.number(
                f"SELECT count(*) FROM job WHERE state = {RUN_RUNNING}") == 1)
            stream.cancel()
            results, ended = check_events(watch(server, evaluation_id))
            assert ended.end == END_CANCELLED and len(results) < 20
            wait_until(lambda: database.number(
                f"SELECT count(*) FROM job WHERE state <> {RUN_CANCELLED}") == 0)


def test_progress_of_scenarios_on_workers_comes_every_second(database, tmp_path):
    options = ("--solver", str(FAKE_SOLVER), "--solvers", "1")
    with IsocostServer("--store", database.address, "--workers-only") as server:
        with IsocostWorker(database.address, tmp_path / "worker", *options):
            events = [r.event for r in begin(server, part("improve", 4), [scenario("one")])]
    progress = [e.progress for e in events if e.WhichOneof("event") == "progress"]
    assert len(progress) >= 2 and progress[-1].total == 1 and progress[-1].running == 1
