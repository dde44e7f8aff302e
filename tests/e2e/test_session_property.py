"""Scenario k is what a fresh solve of the same model finds, on random sessions: random models, random
chains of changes, undo, redo, forks. The model of the fresh solve is made by other code
(change_oracle) and sent whole."""

import random

import grpc
import pytest

from change_oracle import changed
from isocost_protos import change_pb2, json_format, model_pb2, plan_pb2
from isocost_protos import plan_service_pb2 as p, plan_service_pb2_grpc
from isocost_protos import session_service_pb2 as s, session_service_pb2_grpc
from isocost_server import IsocostServer
from random_changes import random_change
from random_models import random_model

TOLERANCE = 1e-6
MOVES = 7


@pytest.fixture(scope="module")
def stubs():
    with IsocostServer("--solvers", "2") as server:
        channel = server.channel()
        yield (session_service_pb2_grpc.SessionServiceStub(channel),
               plan_service_pb2_grpc.PlanServiceStub(channel))


class Session:
    """A session at the server, and what it should be."""

    def __init__(self, sessions, record, texts, parents, at):
        self.sessions, self.id = sessions, record.id
        self.texts, self.parents, self.at = texts, parents, at

    @staticmethod
    def start(sessions, model):
        record = sessions.CreateSession(
            s.CreateSessionRequest(model=p.ModelRef(model=model)), timeout=60).session
        return Session(sessions, record, {0: []}, {0: None}, 0)

    def put(self):
        """The changes made so far, in their order."""
        path, at = [], self.at
        while at is not None:
            path, at = self.texts[at] + path, self.parents[at]
        return path

    def move(self, **move):
        return self.sessions.ApplyChanges(s.ApplyChangesRequest(id=self.id, **move),
                                          timeout=60).session.revision

    def apply(self, texts):
        """False: the server does not allow it (a rule without its workload, for example)."""
        try:
            number = self.move(changes=[change_pb2.Change(text=x) for x in texts])
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
            return False
        assert number == len(self.texts)
        self.texts[number], self.parents[number], self.at = texts, self.at, number
        return True

    def undo(self):
        if self.at > 0:
            self.at = self.parents[self.at]
            assert self.move(undo=1) == self.at

    def redo(self):
        newer = [n for n, parent in self.parents.items() if parent == self.at]
        if newer:
            self.at = max(newer)
            assert self.move(redo=1) == self.at

    def fork(self):
        record = self.sessions.ForkSession(s.ForkSessionRequest(id=self.id), timeout=60).session
        return Session(self.sessions, record, dict(self.texts), dict(self.parents), self.at)


def fresh(plans, model):
    """The plan, or the code of the error."""
    if model is None:
        return grpc.StatusCode.INVALID_ARGUMENT.value[0]
    try:
        return plans.SolvePlan(p.SolvePlanRequest(model=p.ModelRef(model=model)), timeout=120).plan
    except grpc.RpcError as error:
        return error.code().value[0]


def check(result, expected, what):
    if isinstance(expected, int):
        assert result.error.code == expected, what
        return
    assert not result.HasField("error"), f"{what}: {result.error}"
    plan = result.plan
    assert plan.termination.reason == expected.termination.reason, what
    assert [t.name for t in plan.tiers] == [t.name for t in expected.tiers], what
    for tier, other in zip(plan.tiers, expected.tiers):
        assert abs(tier.value - other.value) <= TOLERANCE * (1 + abs(other.value)), \
            f"{what}, {tier.name}: {tier.value}, a fresh solve has {other.value}"
    assert plan.certificate.passed or plan.termination.reason != \
        plan_pb2.TERMINATION_REASON_OPTIMAL, what


def walk(r, session, description):
    """Some random moves; gives the sessions that there are then."""
    all_of_them = [session]
    for _ in range(MOVES):
        one = r.choice(all_of_them)
        move = r.choice(["apply"] * 4 + ["undo", "undo", "redo", "fork"])
        if move == "apply":
            texts = []
            for _ in range(r.randint(1, 2)):
                texts.append(random_change(r, description, one.put() + texts))
            one.apply(texts)
        elif move == "fork":
            all_of_them.append(one.fork())
        else:
            getattr(one, move)()
    return all_of_them


@pytest.mark.parametrize("seed", range(120))
def test_scenario_k_is_a_fresh_solve_of_the_same_model(stubs, seed):
    sessions, plans = stubs
    r = random.Random(seed)
    description = random_model(seed)
    model = json_format.ParseDict(description, model_pb2.Model())
    session = r.choice(walk(r, Session.start(sessions, model), description))
    put = session.put()
    scenarios = {"as it is": []}
    for k in range(3):
        texts = []
        for _ in range(r.randint(1, 2)):
            texts.append(random_change(r, description, put + texts))
        scenarios[f"s{k}"] = texts
    results = [e.event.result for e in sessions.EvaluateScenarios(s.EvaluateScenariosRequest(
        model=p.ModelRef(session=s_ref(session)),
        scenarios=[s.Scenario(name=name, changes=[change_pb2.Change(text=x) for x in texts])
                   for name, texts in scenarios.items()]), timeout=300)
        if e.event.WhichOneof("event") == "result"]
    assert {x.name for x in results} == set(scenarios)
    for result in results:
        texts = put + scenarios[result.name]
        check(result, fresh(plans, changed(model, texts)), f"seed {seed}: {texts}")


def s_ref(session):
    return p.SessionRef(id=session.id)
