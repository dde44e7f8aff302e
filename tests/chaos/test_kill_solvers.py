"""Solver processes are killed at random while many clients solve."""

import concurrent.futures
import itertools
import os
import random
import signal
import threading
import time

import grpc

from isocost_protos import (
    health_pb2, health_pb2_grpc, json_format, model_pb2, plan_pb2, plan_service_pb2,
    plan_service_pb2_grpc, server_service_pb2, server_service_pb2_grpc)
from isocost_server import IsocostServer
from process_facts import children, open_files, resident_mib, wait_until, zombies
from random_models import random_model
from small_models import amount, two_clouds

SOLVES, CLIENTS, SOLVERS = 200, 8, 2
SEED = int(os.environ.get("ISO_SEED", "1"))
KILLS, PLANS_A_KILL, KILL_AFTER_S = 60, 3, 0.01
REFUSED_WAITS_S = 0.02  # the server asks for a second
RSS_GROWTH_MIB = 64


def solver_pids(pid):
    return [child for child, (name, state) in children(pid).items()
            if name.startswith("isocost-solver") and state != "Z"]


def kill_at_random(pid, stop, killed, answers):
    """Kills a solver after every few plans, at a moment of its own choice.

    Paced by plans rather than by a clock: on a slow machine a clock kills every solver while it
    starts, and nothing but refusals is seen.
    """
    chance, seen = random.Random(SEED), 0
    while not stop.is_set():
        seen += chance.randint(1, 2 * PLANS_A_KILL - 1)
        while sum(plan is not None for _, plan in answers) < seen:
            if stop.wait(0.002):
                return
        time.sleep(chance.uniform(0, 2 * KILL_AFTER_S))
        alive = sorted(solver_pids(pid))
        if alive:
            victim = chance.choice(alive)
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                continue
            killed.append(victim)


def solve(plans, model):
    """The plan, or None for UNAVAILABLE; any other end is an exception."""
    request = plan_service_pb2.SolvePlanRequest(model=plan_service_pb2.ModelRef(model=model))
    try:
        return plans.SolvePlan(request, timeout=60).plan
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAVAILABLE, error
        return None


def models(killed):
    """SOLVES models, and more until KILLS solvers were killed."""
    for i in itertools.count():
        if i >= SOLVES and (len(killed) >= KILLS or i >= 100 * SOLVES):
            return
        yield two_clouds() if i % 2 else \
            json_format.ParseDict(random_model(i % SOLVES), model_pb2.Model())


def solve_all(plans, killed, answers):
    """Appends pairs of a model and its plan or None."""
    left, lock = models(killed), threading.Lock()

    def client():
        while True:
            with lock:
                model = next(left, None)
            if model is None:
                return
            plan = solve(plans, model)
            answers.append((model, plan))
            if plan is None:  # a refused caller waits; without it refusals use up what solvers start with
                time.sleep(REFUSED_WAITS_S)

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
        for done in [clients.submit(client) for _ in range(CLIENTS)]:
            done.result()


def test_every_call_is_answered_while_solvers_are_killed():
    print(f"seed {SEED}")
    with IsocostServer("--solvers", str(SOLVERS), "--queue", "64") as server:
        pid = server.process.pid
        channel = server.channel()
        plans = plan_service_pb2_grpc.PlanServiceStub(channel)
        for _ in range(4):  # what is made once has been made
            assert amount(solve(plans, two_clouds()).cost) == 850
        wait_until(lambda: len(solver_pids(pid)) >= SOLVERS)  # and those that wait to replace one
        solvers = len(solver_pids(pid))
        files, resident = open_files(pid), resident_mib(pid)

        stop, killed, answers = threading.Event(), [], []
        killer = threading.Thread(target=kill_at_random, args=(pid, stop, killed, answers))
        killer.start()
        begin = time.monotonic()
        try:
            solve_all(plans, killed, answers)
        finally:
            stop.set()
            killer.join()
        took = time.monotonic() - begin

        planned = [(model, plan) for model, plan in answers if plan]
        print(f"{len(planned)} plans, {len(answers) - len(planned)} UNAVAILABLE, {len(killed)} kills, "
              f"{took:.1f} s")
        assert len(answers) >= SOLVES and len(killed) >= KILLS and planned
        for model, plan in planned:
            assert plan.state == plan_pb2.PLAN_STATE_DONE, plan
            if model.display_name == "two clouds" and plan.termination.reason == 1:  # OPTIMAL
                assert amount(plan.cost) == 850

        assert server.process.poll() is None
        health = health_pb2_grpc.HealthStub(channel)
        assert health.Check(health_pb2.HealthCheckRequest(), timeout=10).status == 1  # SERVING
        info = server_service_pb2_grpc.ServerServiceStub(channel)
        wait_until(lambda: info.GetServerInfo(
            server_service_pb2.GetServerInfoRequest(), timeout=10).solvers_alive >= SOLVERS)
        # the last kills may not have been noticed yet, and who starts too often waits a moment
        plan = wait_until(lambda: solve(plans, two_clouds()))
        assert plan.termination.reason == 1 and amount(plan.cost) == 850
        wait_until(lambda: len(solver_pids(pid)) == solvers)
        wait_until(lambda: not zombies(pid))
        wait_until(lambda: open_files(pid) <= files)
        growth = resident_mib(pid) - resident
        print(f"{files} files open, resident memory grew by {growth:.1f} MiB")
        assert growth <= RSS_GROWTH_MIB
