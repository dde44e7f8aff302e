"""A process that remembers earlier solves answers what one that knows nothing answers: random sessions, each
a random model and a chain of random changes, over all rules and with each strategy."""

import os
import random
import signal

import grpc
import pytest

import process_facts
from change_oracle import changed
from isocost_protos import change_pb2, json_format, model_pb2
from isocost_protos import plan_service_pb2 as p, plan_service_pb2_grpc
from isocost_server import IsocostServer
from random_changes import random_change
from random_models import random_model
from small_models import amount
from test_forced_strategies import CHANGES, FEASIBLE, INFEASIBLE, OPTIMAL, TOLERANCE, answers, suits
from test_unlisted_columns import LISTS_FEW, without_what_lists_all

SESSIONS = 15 * int(os.environ.get("ISO_SEEDS_TIMES", "1"))  # of each of 14 kinds
STEPS = 5       # models of a session, the first as it is
GAP = 0.02
NO_PROBLEM, NO_PLAN_FOUND = 0, 4  # the changes ask for what is not served; the search ended too early
RANK = {NO_PLAN_FOUND: 0, FEASIBLE: 1, OPTIMAL: 2, INFEASIBLE: 2}
REMEMBERS = ("--past", "65536")
FORGETS_MOST = ("--past", "12")  # KiB: a few trees, hardly a start


def session(seed, change, strategy):
    """Models, each the one before with one more change; None when the model does not suit."""
    fields = change(random_model(seed))
    if not fields["workloads"] or not suits(strategy, fields):
        return None
    model, r, put, models = json_format.ParseDict(fields, model_pb2.Model()), random.Random(seed), [], []
    models.append(model)
    while len(models) < STEPS:
        put.append(random_change(r, fields, put))
        after = changed(model, put)
        if after is None:  # not allowed, as a rule without its workload
            put.pop()
            continue
        models.append(after)
    return models


def sessions(strategy, first, change):
    seed, found = first, []
    while len(found) < SESSIONS:
        models = session(seed, change, strategy)
        if models:
            found.append((seed, models))
        seed += 1
    return found


def bracket(answer):
    """Every tier's value and the bound below it."""
    return [(value, bound if bound is not None else float("-inf")) for _, value, bound in answer["tiers"]]


def difference(warm, cold, gap):
    """What a remembered past changed of an answer that it must not change, or None."""
    if NO_PROBLEM in (warm["reason"], cold["reason"]):
        return None if warm == cold else f"{warm}, without a past {cold}"
    if not warm["verified"]:
        return f"the verifier refuses: {warm['refusal']}"
    if (warm["reason"] == INFEASIBLE) != (cold["reason"] == INFEASIBLE):
        return f"reason {warm['reason']}, without a past {cold['reason']}"
    if RANK[warm["reason"]] < RANK[cold["reason"]]:
        return f"reason {warm['reason']}, without a past {cold['reason']}"
    if INFEASIBLE in (warm["reason"], cold["reason"]) or NO_PLAN_FOUND in (warm["reason"], cold["reason"]):
        return None
    for (value, bound), (other, other_bound) in zip(bracket(warm), bracket(cold)):
        slack = TOLERANCE * (1 + abs(other))
        if bound > other + slack or other_bound > value + slack:
            return f"{value} above {bound}, without a past {other} above {other_bound}"
        if warm["reason"] == OPTIMAL == cold["reason"] and abs(value - other) > gap * abs(other) + slack:
            return f"{value}, without a past {other}"
        if abs(value - other) > slack:
            return None  # later tiers are then of other plans
    return None


def solve_all(folder, strategy, models, gap, *wishes):
    for model in models:
        model.options.gap = gap
        model.options.time_limit_seconds = 20
    return answers(folder, strategy, models, *wishes)


@pytest.mark.parametrize("gap", [0, GAP])
@pytest.mark.parametrize("strategy, listed", [
    ("separable", ()), ("horizon", ()), ("columns", ()), ("columns", LISTS_FEW), ("patterns", ()),
    ("plain-mip", ()), ("lattice", ())])
def test_sessions_are_answered_as_by_a_process_that_remembers_nothing(strategy, listed, gap, tmp_path):
    change = without_what_lists_all if listed else CHANGES.get(strategy, lambda fields: fields)
    found = sessions(strategy, 7000 + int(100000 * gap), change)
    wrong, optimal, remembered = {}, 0, 0
    for seed, models in found:
        cold = solve_all(tmp_path, strategy, models, gap, *listed)
        for past in (REMEMBERS, FORGETS_MOST):
            warm = solve_all(tmp_path, strategy, models, gap, *listed, *past)
            remembered += max(answer.get("remembered", 0) for answer in warm)
            for step, (one, other) in enumerate(zip(warm, cold)):
                text = difference(one, other, gap)
                optimal += one["reason"] == OPTIMAL
                if text:
                    wrong[seed, step, past] = text
    print(f"{strategy} {gap}: {len(found)} sessions, {optimal} optimal, {remembered} times remembered")
    assert not wrong
    assert optimal > SESSIONS
    assert remembered > 0


def a_model():
    """One that the columns method solves by trees."""
    return json_format.ParseDict(without_what_lists_all(random_model(7000)), model_pb2.Model())


def test_a_deterministic_solve_neither_asks_the_past_nor_adds_to_it(tmp_path):
    plain, certain = a_model(), a_model()
    certain.options.deterministic = True
    found = answers(tmp_path, "columns", [certain, certain, plain, plain, certain], *LISTS_FEW, *REMEMBERS)
    so_far = [answer["remembered"] for answer in found]
    assert so_far[:3] == [0, 0, 0] and so_far[3] > 0 and so_far[4] == so_far[3]


def test_a_solver_that_was_killed_in_a_session_answers_as_if_it_were_the_first():
    with IsocostServer("--solvers", "1") as server:
        stub = plan_service_pb2_grpc.PlanServiceStub(server.channel())

        def cost(text):
            ref = p.ModelRef(model=a_model(), changes=[change_pb2.Change(text=text)])
            for _ in range(5):  # a process that was killed with a question in it: "try again"
                try:
                    return amount(stub.SolvePlan(p.SolvePlanRequest(model=ref), timeout=60).plan.cost)
                except grpc.RpcError as error:
                    assert error.code() == grpc.StatusCode.UNAVAILABLE, error
            raise AssertionError("five solvers died in a row")

        before = [cost("demand.*=+10%"), cost("demand.*=+20%")]
        for pid, (name, _) in process_facts.children(server.process.pid).items():
            if name == "isocost-solver":
                os.kill(pid, signal.SIGKILL)
        assert [cost("demand.*=+10%"), cost("demand.*=+20%")] == pytest.approx(before, rel=TOLERANCE)
