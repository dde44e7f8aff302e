"""SessionService from outside: sessions, changes, undo and redo, scenarios, sweeps, frontiers."""

import grpc
import pytest

from isocost_protos import change_pb2 as c, plan_service_pb2 as p, plan_service_pb2_grpc
from isocost_protos import session_service_pb2 as s, session_service_pb2_grpc
from isocost_server import IsocostServer
from small_models import FAKE_SOLVER, amount, part, two_clouds


@pytest.fixture(scope="module")
def server():
    with IsocostServer("--solvers", "2") as running:
        yield running


@pytest.fixture(scope="module")
def sessions(server):
    return session_service_pb2_grpc.SessionServiceStub(server.channel())


@pytest.fixture(scope="module")
def plans(server):
    return plan_service_pb2_grpc.PlanServiceStub(server.channel())


def changes(*texts):
    return [c.Change(text=text) for text in texts]


def ref(model, *texts):
    return p.ModelRef(model=model, changes=changes(*texts))


def scenario(name, *texts):
    return s.Scenario(name=name, changes=changes(*texts))


def fails(code, call, request):
    with pytest.raises(grpc.RpcError) as caught:
        result = call(request, timeout=30)
        if hasattr(result, "__next__"):
            list(result)
    assert caught.value.code() == code, caught.value
    return caught.value


def evaluate(sessions, model, *scenarios, **options):
    """Events of an evaluation: accepted, results by name, ended."""
    events = [r.event for r in sessions.EvaluateScenarios(
        s.EvaluateScenariosRequest(model=model, scenarios=scenarios, **options), timeout=120)]
    return check_events(events)


def check_events(events):
    kept = [e for e in events if e.WhichOneof("event") != "progress"]
    assert [e.sequence for e in kept] == list(range(1, len(kept) + 1))
    assert kept[0].WhichOneof("event") == "accepted"
    assert kept[-1].WhichOneof("event") == "ended"
    assert all(e.WhichOneof("event") == "result" for e in kept[1:-1])
    return kept[0].accepted, [e.result for e in kept[1:-1]], kept[-1].ended


def start(sessions, model=None, **options):
    return sessions.CreateSession(
        s.CreateSessionRequest(model=p.ModelRef(model=model or two_clouds()), **options),
        timeout=30).session


def apply(sessions, session, *texts, **options):
    return sessions.ApplyChanges(
        s.ApplyChangesRequest(id=session.id, changes=changes(*texts), **options), timeout=30).session


def cost(plans, session, **options):
    reference = p.ModelRef(session=p.SessionRef(id=session.id, **options))
    return amount(plans.SolvePlan(p.SolvePlanRequest(model=reference), timeout=60).plan.cost)


# --- what each change does, on two clouds: 1500 at 0.4 and 1000 at 0.5, of which 2000 are asked ---

EXPECTED = [
    # 1500 x 0.4 + 500 x 0.5
    ([], 850),
    # 2400 = 1500 x 0.4 + 900 x 0.5
    (["demand.service=+20%"], 1050),
    (["demand.*=*0.5"], 400),  # 1000 x 0.4
    (["demand.service=2500"], 1100),  # 600 + 1000 x 0.5
    (["demand.service@now=100"], 40),
    (["price.alibaba=0.6USD"], 1100),  # now aws is the cheaper: 1000 x 0.5 + 1000 x 0.6
    (["price.alibaba=0.6"], 1100),
    (["price.aws=-20%"], 800),  # 2000 x 0.4
    (["price.*=*2"], 1700),
    (["price.aws/*/*/server/linux/on-demand=*2"], 1100),  # 600 + 500 x 1.0
    (["limit.alibaba-cap=1200"], 880),  # 1200 x 0.4 + 800 x 0.5
    (["limit.alibaba-cap=-20%"], 880),
    (["limit.alibaba-cap=1600", "limit.aws-cap=*2"], 840),  # 640 + 400 x 0.5
    (["rule.alibaba-cap=off"], 800),
    (["rule.alibaba-cap=off", "rule.alibaba-cap=on"], 850),
    (["demand.service=900", "outage.alibaba=on"], 450),
    (["demand.service=900", "outage.alibaba=on", "outage.alibaba=off"], 360),
    (["demand.service=900", "forbid.provider:alibaba=on"], 450),
    (["demand.service=900", "forbid.alibaba@service=on"], 450),
    (["demand.service=900", "offering.alibaba=off"], 450),
    (["demand.service=900", "offering.alibaba=off", "offering.alibaba=on"], 360),
    (["demand.service=900", "require.aws=100"], 370),  # 800 x 0.4 + 100 x 0.5
    (["demand.service=900", "require.aws=100", "require.aws=off"], 360),
    (["demand.service=900", "require.aws@now=100", "require.aws@now=1"], 360.1),
    (['offering.gcp/*/*/small/linux/on-demand={"price":"0.1 USD"}'], 200),
    (['workload.more={"mustServe":true,"throughput":{"rate":[100],'
      '"performance":[{"perInstance":1}]}}'], 900),  # 2100: 600 + 600 x 0.5
    (['workload.more={"mustServe":true,"throughput":{"rate":[100],'
      '"performance":[{"perInstance":1}]}}', "workload.service=off"], 40),
    # 100 units that cost nothing more cover 100 of the dearest: 600 + 400 x 0.5 + 100 x 0.1
    (['commitment.plan={"provider":"aws","kind":"UNIT","termHours":8760,'
      '"eligible":{"include":[{"provider":"aws"}]},"hourlyFee":"0.1 USD"}',
      "commitment.plan=100", "demand.service=2000"], 810),
    (['commitment.plan={"provider":"aws","kind":"UNIT","termHours":8760,'
      '"eligible":{"include":[{"provider":"aws"}]},"hourlyFee":"0.1 USD"}',
      "commitment.plan=100", "commitment.plan=off"], 850),
]


@pytest.mark.parametrize("texts, expected", EXPECTED, ids=lambda x: " ".join(x) if x and
                         isinstance(x, list) else None)
def test_a_change_makes_the_model_that_it_says(plans, texts, expected):
    plan = plans.SolvePlan(p.SolvePlanRequest(model=ref(two_clouds(), *texts)), timeout=60).plan
    assert plan.termination.reason == 1, plan
    assert abs(amount(plan.cost) - expected) < 1e-9


def test_scenarios_answer_as_fresh_solves_do(sessions, plans):
    scenarios = [scenario(f"s{i}", *texts) for i, (texts, _) in enumerate(EXPECTED)]
    accepted, results, ended = evaluate(sessions, ref(two_clouds()), *scenarios)
    assert accepted.scenario_count == len(scenarios) and len(accepted.evaluation_id) == 26
    assert sorted(r.name for r in results) == sorted(x.name for x in scenarios)
    for result in results:
        assert abs(amount(result.plan.cost) - EXPECTED[result.place][1]) < 1e-9, result
        assert not result.plan.lines and result.plan.certificate.passed
    assert ended.end == 1 and ended.progress.done == len(scenarios)


def test_what_is_wrong_with_a_change_is_told_by_its_place_in_the_text(sessions, plans):
    for text, field, said in [
            ("demnd.service=1", "model.changes[0].text", "column 1: "),
            ("limit.aws-cup=1", "model.changes[0].text",
             'column 7: no limit has the id "aws-cup"; there are aws-cap, alibaba-cap'),
            ("demand.service@then=1", "model.changes[0].text",
             'column 8: no period has the id "then"; there is now'),
            ("cash.total=5", "model.changes[0].text", "the model has none"),
            ("rule.x=off", "model.changes[0].text", "column 6: "),
            ("outage.aws=off", "model.changes[0].text", "cannot be taken back"),
            ("workload.service=off", "model.workloads", "is empty")]:
        error = fails(grpc.StatusCode.INVALID_ARGUMENT, plans.SolvePlan,
                      p.SolvePlanRequest(model=ref(two_clouds(), text)))
        assert field in error.details() and said in error.details(), error.details()
    wrong = [scenario("a", "demand.service=x"), scenario("b", "demand.service=+5%"),
             scenario("c", "nothing")]
    error = fails(grpc.StatusCode.INVALID_ARGUMENT, sessions.EvaluateScenarios,
                  s.EvaluateScenariosRequest(model=ref(two_clouds()), scenarios=wrong))
    assert "scenarios[0].changes[0].text" in error.details() and "1 more" in error.details()


def test_messages_are_changes_as_well_as_texts(plans):
    change = c.Change(demand=c.DemandChange(workload="service", factor=1.2))
    model = p.ModelRef(model=two_clouds(), changes=[change])
    assert amount(plans.SolvePlan(p.SolvePlanRequest(model=model), timeout=60).plan.cost) == 1050
    for empty in (c.Change(), c.Change(demand=c.DemandChange(workload="service")),
                  c.Change(commitment=c.CommitmentChange()), c.Change(rate=c.RateChange())):
        fails(grpc.StatusCode.INVALID_ARGUMENT, plans.SolvePlan, p.SolvePlanRequest(
            model=p.ModelRef(model=two_clouds(), changes=[empty])))


# --- sessions ---


def test_a_session_keeps_changes_and_goes_back_and_forth(sessions, plans):
    session = start(sessions, display_name="what if")
    assert session.revision == 0 and session.display_name == "what if"
    assert cost(plans, session) == 850
    first = apply(sessions, session, "demand.service=+20%")
    assert first.revision == 1 and cost(plans, session) == 1050
    second = apply(sessions, session, "price.aws=-20%", "limit.aws-cap=+100%")
    assert second.revision == 2 and cost(plans, session) == 960  # 2400 x 0.4
    assert cost(plans, session, revision=1) == 1050 and cost(plans, session, revision=0) == 850

    undone = sessions.ApplyChanges(s.ApplyChangesRequest(id=session.id, undo=2), timeout=60).session
    assert undone.revision == 0 and cost(plans, session) == 850
    redone = sessions.ApplyChanges(s.ApplyChangesRequest(id=session.id, redo=1), timeout=60).session
    assert redone.revision == 1
    branched = apply(sessions, session, "demand.service=900")  # after revision 1
    assert branched.revision == 3 and cost(plans, session) == 360
    assert [(r.number, r.parent) for r in branched.revisions] == [(1, 0), (2, 1), (3, 1)]
    assert [x.text for x in branched.revisions[1].changes] == ["price.aws=-20%",
                                                               "limit.aws-cap=+100%"]
    sessions.ApplyChanges(s.ApplyChangesRequest(id=session.id, undo=1), timeout=60)
    newest = sessions.ApplyChanges(s.ApplyChangesRequest(id=session.id, redo=1), timeout=60).session
    assert newest.revision == 3  # the newest that was made from there
    back = sessions.ApplyChanges(s.ApplyChangesRequest(id=session.id, revision=2), timeout=60).session
    assert back.revision == 2 and cost(plans, session) == 960


def test_moves_that_cannot_be_are_refused(sessions):
    session = start(sessions)
    apply(sessions, session, "demand.service=+20%")

    def refused(code, **move):
        return fails(code, sessions.ApplyChanges, s.ApplyChangesRequest(id=session.id, **move))

    refused(grpc.StatusCode.FAILED_PRECONDITION, undo=2)
    refused(grpc.StatusCode.FAILED_PRECONDITION, redo=1)
    refused(grpc.StatusCode.NOT_FOUND, revision=2)
    refused(grpc.StatusCode.INVALID_ARGUMENT, undo=-1)
    refused(grpc.StatusCode.INVALID_ARGUMENT)
    refused(grpc.StatusCode.INVALID_ARGUMENT, undo=1, changes=changes("demand.service=5"))
    assert "changes[0].text" in refused(grpc.StatusCode.INVALID_ARGUMENT,
                                        changes=changes("limit.x=5")).details()
    assert sessions.GetSession(s.GetSessionRequest(id=session.id), timeout=60).session.revision == 1


def test_who_changes_a_session_that_was_changed_meanwhile_is_told(sessions):
    session = start(sessions)
    other = apply(sessions, session, "demand.service=+20%", etag=session.etag)
    assert other.etag != session.etag
    fails(grpc.StatusCode.ABORTED, sessions.ApplyChanges, s.ApplyChangesRequest(
        id=session.id, etag=session.etag, undo=1))
    fails(grpc.StatusCode.ABORTED, sessions.DeleteSession, s.DeleteSessionRequest(
        id=session.id, etag=session.etag))
    fails(grpc.StatusCode.INVALID_ARGUMENT, sessions.ApplyChanges, s.ApplyChangesRequest(
        id=session.id, etag="x", undo=1))
    sessions.DeleteSession(s.DeleteSessionRequest(id=session.id, etag=other.etag), timeout=60)
    fails(grpc.StatusCode.NOT_FOUND, sessions.GetSession, s.GetSessionRequest(id=session.id))


def test_a_fork_goes_its_own_way(sessions, plans):
    session = start(sessions)
    apply(sessions, session, "demand.service=+20%")
    fork = sessions.ForkSession(s.ForkSessionRequest(id=session.id, display_name="b"), timeout=60).session
    assert fork.forked_from == session.id and fork.revision == 1 and fork.display_name == "b"
    apply(sessions, fork, "demand.service=900")
    assert cost(plans, fork) == 360 and cost(plans, session) == 1050
    sessions.DeleteSession(s.DeleteSessionRequest(id=session.id), timeout=60)
    sessions.ApplyChanges(s.ApplyChangesRequest(id=fork.id, undo=2), timeout=60)
    assert cost(plans, fork) == 850


def test_a_request_id_makes_one_session(sessions):
    one = start(sessions, request_id="mine-1")
    assert start(sessions, request_id="mine-1").id == one.id
    fails(grpc.StatusCode.ALREADY_EXISTS, sessions.CreateSession, s.CreateSessionRequest(
        model=ref(two_clouds()), display_name="other", request_id="mine-1"))


def test_sessions_are_listed_by_pages_newest_first_and_by_project(server):
    sessions = session_service_pb2_grpc.SessionServiceStub(server.channel())
    metadata = (("isocost-project", "pages"),)
    made = [sessions.CreateSession(s.CreateSessionRequest(model=ref(two_clouds())),
                                   metadata=metadata).session.id for _ in range(5)]
    listed, token = [], ""
    while True:
        page = sessions.ListSessions(s.ListSessionsRequest(page_size=2, page_token=token),
                                     metadata=metadata)
        listed += [x.id for x in page.sessions]
        assert not any(x.revisions for x in page.sessions)
        token = page.next_page_token
        if not token:
            break
    assert listed == made[::-1]
    fails(grpc.StatusCode.NOT_FOUND, sessions.GetSession, s.GetSessionRequest(id=made[0]))


def test_a_session_is_a_model_for_everything(sessions, plans):
    session = start(sessions)
    apply(sessions, session, "outage.alibaba=on", "demand.service=900")
    reference = p.ModelRef(session=p.SessionRef(id=session.id))
    kept = plans.SolvePlan(p.SolvePlanRequest(model=reference, keep=True), timeout=60).plan
    assert kept.id and amount(kept.cost) == 450
    # what a session put, a scenario of it takes back
    _, results, _ = evaluate(sessions, reference, scenario("back", "outage.alibaba=off"),
                             scenario("as it is"))
    assert {r.name: amount(r.plan.cost) for r in results} == {"back": 360, "as it is": 450}
    # a plan of a changed model is a model again
    again = p.ModelRef(plan_id=kept.id, changes=changes("demand.service=+10%"))
    assert amount(plans.SolvePlan(p.SolvePlanRequest(model=again), timeout=60).plan.cost) == 495


def test_a_session_says_what_changes_can_name(sessions):
    session = start(sessions)
    apply(sessions, session, "offering.gcp/eu/*/small/linux/spot={\"price\":\"0.1 USD\"}")
    plain = sessions.GetSession(s.GetSessionRequest(id=session.id), timeout=60)
    assert not plain.HasField("targets")
    targets = sessions.GetSession(s.GetSessionRequest(id=session.id, with_targets=True), timeout=60).targets
    assert targets.workloads == ["service"] and targets.periods == ["now"]
    assert targets.limits == targets.rules == ["aws-cap", "alibaba-cap"]
    assert targets.places == ["aws", "alibaba", "gcp", "gcp/eu"]


def test_sessions_survive_a_restart(tmp_path):
    with IsocostServer(data=tmp_path / "data") as server:
        sessions = session_service_pb2_grpc.SessionServiceStub(server.channel())
        session = start(sessions, display_name="kept")
        apply(sessions, session, "demand.service=+20%")
    with IsocostServer(data=tmp_path / "data") as server:
        sessions = session_service_pb2_grpc.SessionServiceStub(server.channel())
        again = sessions.GetSession(s.GetSessionRequest(id=session.id), timeout=30).session
        assert again.revision == 1 and again.display_name == "kept"
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        assert cost(plans, again) == 1050


# --- evaluations ---


def test_the_same_model_is_solved_once(sessions):
    twins = [scenario(f"t{i}", text) for i, text in enumerate(
        ["demand.service=+20%", "demand.service=*1.2", "demand.service=2400", "demand.*=2400"])]
    _, results, ended = evaluate(sessions, ref(two_clouds()), *twins, scenario("other"))
    assert len(results) == 5 and ended.progress.same == 3
    solved = [r for r in results if not r.same_as]
    assert len(solved) == 2
    assert {amount(r.plan.cost) for r in results if r.name != "other"} == {1050}
    assert len({r.plan.digests.problem for r in results}) == 2


def test_a_scenario_that_the_model_does_not_allow_has_an_error_and_the_others_answers(sessions):
    _, results, ended = evaluate(
        sessions, ref(two_clouds()), scenario("good", "demand.service=900"),
        scenario("no such limit", "limit.x=4"), scenario("too much", "demand.service=9000"),
        scenario("no catalog", 'workload.w={"mustServe":true}'))
    by_name = {r.name: r for r in results}
    assert ended.end == 1 and len(by_name) == 4
    assert amount(by_name["good"].plan.cost) == 360
    assert by_name["no such limit"].error.code == 3
    assert "column 7" in by_name["no such limit"].error.message
    assert by_name["too much"].plan.termination.reason == 3  # INFEASIBLE is an answer
    assert by_name["too much"].plan.conflicts
    assert by_name["no catalog"].error.code == 3


def test_names_and_numbers_of_scenarios_are_checked(sessions):
    for scenarios in ([], [scenario("")], [scenario("a"), scenario("a")], [scenario("x" * 129)]):
        fails(grpc.StatusCode.INVALID_ARGUMENT, sessions.EvaluateScenarios,
              s.EvaluateScenariosRequest(model=ref(two_clouds()), scenarios=scenarios))


def test_a_watcher_gets_every_event_once_from_where_it_left_off(sessions):
    scenarios = [scenario(f"d{i}", f"demand.service={100 + i}") for i in range(40)]
    stream = sessions.EvaluateScenarios(s.EvaluateScenariosRequest(
        model=ref(two_clouds()), scenarios=scenarios, durable=True), timeout=120)
    seen = []
    for response in stream:
        if response.event.sequence:
            seen.append(response.event)
        if len(seen) == 7:
            break
    stream.cancel()
    evaluation_id = seen[0].accepted.evaluation_id
    rest = [r.event for r in sessions.WatchEvaluation(s.WatchEvaluationRequest(
        evaluation_id=evaluation_id, after_sequence=seen[-1].sequence), timeout=120)]
    _, results, ended = check_events(seen + rest)
    assert sorted(r.name for r in results) == sorted(x.name for x in scenarios)
    assert ended.end == 1
    again = [r.event for r in sessions.WatchEvaluation(
        s.WatchEvaluationRequest(evaluation_id=evaluation_id), timeout=120)]
    assert len(check_events(again)[1]) == 40
    fails(grpc.StatusCode.NOT_FOUND, sessions.WatchEvaluation, s.WatchEvaluationRequest(
        evaluation_id="0" * 26))


def test_an_evaluation_ends_with_its_caller_unless_it_is_durable():
    with IsocostServer("--solver", str(FAKE_SOLVER), "--solvers", "2") as server:
        sessions = session_service_pb2_grpc.SessionServiceStub(server.channel())
        stream = sessions.EvaluateScenarios(s.EvaluateScenariosRequest(
            model=ref(part("wait")), scenarios=[scenario(f"d{i}", f"demand.web={100 + i}")
                                                for i in range(20)]), timeout=120)
        accepted = next(stream).event.accepted
        stream.cancel()
        events = [r.event for r in sessions.WatchEvaluation(s.WatchEvaluationRequest(
            evaluation_id=accepted.evaluation_id), timeout=60)]
        _, results, ended = check_events([e for e in events])
        assert ended.end == 2 and len(results) < 20


def test_progress_comes_while_scenarios_are_solved():
    with IsocostServer("--solver", str(FAKE_SOLVER), "--solvers", "2") as server:
        sessions = session_service_pb2_grpc.SessionServiceStub(server.channel())
        events = [r.event for r in sessions.EvaluateScenarios(s.EvaluateScenariosRequest(
            model=ref(part("improve", 4)), scenarios=[scenario("one"),
                                                      scenario("two", "demand.web=110")]),
            timeout=120)]
        progress = [e.progress for e in events if e.WhichOneof("event") == "progress"]
        assert progress and progress[0].total == 2 and progress[0].running >= 1
        assert progress[0].seconds > 0


def test_a_scenario_that_kills_solvers_is_given_up_after_three():
    with IsocostServer("--solver", str(FAKE_SOLVER), "--solvers", "2") as server:
        sessions = session_service_pb2_grpc.SessionServiceStub(server.channel())
        _, results, ended = evaluate(sessions, ref(part("abort", 4)), scenario("dies"))
        assert ended.end == 1 and results[0].error.code == 14  # UNAVAILABLE
        assert len([x for x in server.log().splitlines() if "died" in x]) == 3


def test_a_server_that_stops_ends_evaluations():
    with IsocostServer("--solver", str(FAKE_SOLVER), "--solvers", "2") as server:
        sessions = session_service_pb2_grpc.SessionServiceStub(server.channel())
        stream = sessions.EvaluateScenarios(s.EvaluateScenariosRequest(
            model=ref(part("wait")), durable=True,
            scenarios=[scenario(f"d{i}", f"demand.web={100 + i}") for i in range(20)]), timeout=60)
        next(stream)
        assert server.stop() == 0
        try:
            list(stream)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE


# --- evaluations that go on without their caller ---


def watch(sessions, evaluation_id, after):
    """The rest of an evaluation; the server may be on its way."""
    stream = sessions.WatchEvaluation(
        s.WatchEvaluationRequest(evaluation_id=evaluation_id, after_sequence=after), timeout=120,
        wait_for_ready=True)
    return [r.event for r in stream if r.event.sequence]


def begin_and_end(server, request, method, n_seen, end):
    """Begins an evaluation, ends the server after some events, starts it again; all events."""
    sessions = session_service_pb2_grpc.SessionServiceStub(server.channel())
    seen = []
    for response in getattr(sessions, method)(request, timeout=120):
        if response.event.sequence:
            seen.append(response.event)
        if len(seen) == n_seen:
            break
    getattr(server, end)()
    server.start()
    sessions = session_service_pb2_grpc.SessionServiceStub(server.channel())
    return seen + watch(sessions, seen[0].accepted.evaluation_id, seen[-1].sequence), sessions


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_durable_evaluation_goes_on_after_a_restart(tmp_path, end):
    scenarios = [scenario(f"d{i}", f"demand.service={100 + i % 150}") for i in range(300)]
    with IsocostServer("--solvers", "2", data=tmp_path / "data") as server:
        events, sessions = begin_and_end(server, s.EvaluateScenariosRequest(
            model=ref(two_clouds(), "price.alibaba=0.3"), scenarios=scenarios, durable=True),
            "EvaluateScenarios", 20, end)
        accepted, results, ended = check_events(events)
        assert ended.end == 1 and ended.progress.done == 300
        assert sorted(r.place for r in results) == list(range(300))
        for result in results:
            assert abs(amount(result.plan.cost) - 0.3 * (100 + result.place % 150)) < 1e-9
        again = watch(sessions, accepted.evaluation_id, 0)
        assert [e.sequence for e in again] == list(range(1, 303))


def test_a_durable_evaluation_that_is_asked_for_again_is_the_same_one(sessions):
    def ask(*scenarios, **options):
        return evaluate(sessions, ref(two_clouds()), *scenarios, request_id="again", **options)

    first, results, _ = ask(scenario("a"), scenario("b", "demand.service=100"), durable=True)
    second, again, _ = ask(scenario("a"), scenario("b", "demand.service=100"), durable=True)
    assert first.evaluation_id == second.evaluation_id and results == again
    fails(grpc.StatusCode.ALREADY_EXISTS, sessions.EvaluateScenarios, s.EvaluateScenariosRequest(
        model=ref(two_clouds()), scenarios=[scenario("c")], durable=True, request_id="again"))
    fails(grpc.StatusCode.INVALID_ARGUMENT, sessions.EvaluateScenarios, s.EvaluateScenariosRequest(
        model=ref(two_clouds()), scenarios=[scenario("c")], request_id="other"))


def test_sweeps_and_frontiers_go_on_after_a_restart_with_their_knee(tmp_path):
    with IsocostServer("--solvers", "2", data=tmp_path / "data") as server:
        events, _ = begin_and_end(server, s.SweepRequest(
            model=ref(two_clouds()), durable=True,
            parameters=[s.SweepParameter(text="limit.alibaba-cap=1000..2600:161")]), "Sweep", 9,
            "kill")
        _, results, ended = check_events(events)
        assert len(results) == 161 and ended.knee == 100  # 2000: from there on the cap is idle
        events, _ = begin_and_end(server, s.FrontierRequest(
            model=ref(two_clouds(), "price.aws=0.8"), durable=True,
            budget=s.BudgetFrontier(amounts=range(0, 1010, 10))), "Frontier", 9, "kill")
        _, results, ended = check_events(events)
        # 0.4 for each of the first 1500 units, then 0.8
        assert len(results) == 101 and ended.knee == 60
        shares = {r.place: r.served_share for r in results}
        assert round(shares[30], 9) == 0.375 and round(shares[100], 9) == 1


def test_one_that_ended_is_there_after_a_restart_and_one_that_is_not_durable_is_not(tmp_path):
    with IsocostServer(data=tmp_path / "data") as server:
        sessions = session_service_pb2_grpc.SessionServiceStub(server.channel())
        kept, _, _ = evaluate(sessions, ref(two_clouds()), scenario("a"), durable=True)
        lost, _, _ = evaluate(sessions, ref(two_clouds()), scenario("a"))
    with IsocostServer(data=tmp_path / "data") as server:
        sessions = session_service_pb2_grpc.SessionServiceStub(server.channel())
        _, results, ended = check_events(watch(sessions, kept.evaluation_id, 0))
        assert len(results) == 1 and ended.end == 1
        fails(grpc.StatusCode.NOT_FOUND, sessions.WatchEvaluation,
              s.WatchEvaluationRequest(evaluation_id=lost.evaluation_id))


# --- sweeps and frontiers ---


def curve(call, request):
    _, results, ended = check_events([r.event for r in call(request, timeout=120)])
    return sorted(results, key=lambda r: r.place), ended


def test_a_sweep_gives_a_point_for_each_value_and_the_knee(sessions):
    results, ended = curve(sessions.Sweep, s.SweepRequest(
        model=ref(two_clouds()),
        parameters=[s.SweepParameter(text="limit.alibaba-cap=1000..2600:5")]))
    assert [r.values[:] for r in results] == [[1000], [1400], [1800], [2200], [2600]]
    # 0.4 each up to the cap, the rest at 0.5; from 2000 on the cap does not bind
    assert [amount(r.plan.cost) for r in results] == [900, 860, 820, 800, 800]
    # chord from (0, 0) to (1, 1): points at x .25 .5 .75 have y .4 .8 1, so .5 is the farthest
    assert ended.knee == 2


def test_a_sweep_of_two_parameters_has_every_pair(sessions):
    results, ended = curve(sessions.Sweep, s.SweepRequest(
        model=ref(two_clouds()),
        parameters=[s.SweepParameter(target="demand.service", values=[-50, 0], unit="%"),
                    s.SweepParameter(target="price.alibaba", values=[1, 2], unit="*")]))
    assert [(r.values[:], amount(r.plan.cost)) for r in results] == [
        ([-50, 1], 400), ([-50, 2], 500), ([0, 1], 850), ([0, 2], 1300)]
    assert not ended.HasField("knee")


def test_wrong_sweeps_are_told_by_parameter(sessions):
    for parameters, field in [([], "parameters"),
                              ([s.SweepParameter(text="budget.total=1..2")], "parameters[0].text"),
                              ([s.SweepParameter(target="limit.aws-cap")], "parameters[0].values"),
                              ([s.SweepParameter(target="rule.aws-cap", values=[1])],
                               "parameters[0]"),
                              ([s.SweepParameter(target="limit.aws-cap", values=[1] * 200)] * 2,
                               "parameters")]:
        error = fails(grpc.StatusCode.INVALID_ARGUMENT, sessions.Sweep, s.SweepRequest(
            model=ref(two_clouds()), parameters=parameters))
        assert field in error.details(), error.details()


def test_a_service_frontier_says_what_each_level_costs(sessions):
    results, _ = curve(sessions.Frontier, s.FrontierRequest(
        model=ref(two_clouds()), service=s.ServiceFrontier(levels=[0.5, 0.75, 1, 1.25, 1.5])))
    assert [r.plan.termination.reason for r in results] == [1, 1, 1, 1, 3]
    assert [amount(r.plan.cost) for r in results[:4]] == [400, 600, 850, 1100]


def test_a_budget_frontier_says_what_each_amount_can_serve(sessions):
    results, ended = curve(sessions.Frontier, s.FrontierRequest(
        model=ref(two_clouds()), budget=s.BudgetFrontier(amounts=[0, 200, 400, 500, 850, 1000])))
    assert [amount(r.plan.cost) for r in results] == [0, 200, 400, 500, 850, 850]
    # 0.4 for each of the first 1500 units, then 0.5
    assert [round(r.served_share, 9) for r in results] == [0, 0.25, 0.5, 0.625, 1, 1]
    assert ended.knee == 4
    fails(grpc.StatusCode.INVALID_ARGUMENT, sessions.Frontier, s.FrontierRequest(
        model=ref(two_clouds()), budget=s.BudgetFrontier(budget="x", amounts=[1])))
