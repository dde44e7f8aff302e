"""ComparePlans and ExplainPlan on models whose answers a pencil finds."""

import sqlite3

import grpc
import pytest

import isocost_cli

from isocost_protos import change_pb2, error_details_pb2, json_format, model_pb2, plan_pb2
from isocost_protos import explanation_pb2 as x, plan_service_pb2 as p, plan_service_pb2_grpc
from isocost_protos import status_pb2
from isocost_server import IsocostServer
from small_models import amount, two_clouds

ALIBABA, AWS = "alibaba/*/*/server/linux/on-demand", "aws/*/*/server/linux/on-demand"


@pytest.fixture(scope="module")
def server():
    with IsocostServer("--solvers", "2") as running:
        yield running


@pytest.fixture(scope="module")
def plans(server):
    return plan_service_pb2_grpc.PlanServiceStub(server.channel())


def keep(plans, *changes, base=None, **fields):
    """A stored plan of two clouds with changes, as text, put into its model."""
    reference = p.ModelRef(model=base if base is not None else two_clouds(**fields),
                           changes=[change_pb2.Change(text=text) for text in changes])
    return plans.SolvePlan(p.SolvePlanRequest(model=reference, keep=True), timeout=60).plan


def explain(plans, plan, *questions, **options):
    request = p.ExplainPlanRequest(plan_id=plan.id, questions=[x.Question(**q) for q in questions],
                                   **options)
    answers = [e.answer for e in plans.ExplainPlan(request, timeout=120) if e.HasField("answer")]
    assert [a.question for a in answers] == list(range(len(questions)))
    return answers


def ask(plans, plan, **question):
    answer, = explain(plans, plan, question)
    assert answer.complete, answer.note
    return getattr(answer, answer.WhichOneof("answer"))


def compare(plans, first, second, **options):
    request = p.ComparePlansRequest(plan_id=first.id, other_plan_id=second.id, **options)
    return list(plans.ComparePlans(request, timeout=120))[-1].comparison


def refused(call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as error:
        list(call(*arguments, timeout=60, **options))
    return error.value


def fields_of(error):
    raw = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(raw)
    bad = error_details_pb2.BadRequest()
    for detail in status.details:
        if detail.Unpack(bad):
            return {v.field: v.description for v in bad.field_violations}
    return {}


# --- the bridge ---


def effects(comparison):
    return {x.InputGroup.Name(s.group)[12:].lower(): amount(s.effect) for s in comparison.steps}


def test_each_group_of_inputs_has_its_part_of_the_difference(plans):
    first = keep(plans)
    second = keep(plans, "limit.alibaba-cap=1600", "demand.service=2100", "price.alibaba=0.45")
    comparison = compare(plans, first, second)
    # 850; 1500 x 0.45 + 500 x 0.5 = 925; 600 x 0.5 instead: 975; 1600 x 0.45 + 500 x 0.5 = 970
    assert effects(comparison) == pytest.approx({
        "rates": 0, "list_prices": 75, "catalog": 0, "demand": 50, "commitments": 0, "rules": -5,
        "choice": 0}, abs=1e-9)
    assert [s.changed for s in comparison.steps] == [False, True, False, True, False, True, True]
    assert comparison.solves == 3
    assert amount(comparison.difference) == pytest.approx(120)
    texts = [t for s in comparison.steps for t in s.changes]
    assert "limits[alibaba-cap].maximum: 1500, then 1600" in texts
    assert any(t.startswith("workloads[service].throughput.rate[0]: 2000, then 2100")
               for t in texts), texts
    assert f"{ALIBABA}.price: 0.4 USD, then 0.45 USD" in texts
    lines = {(line.item, x.LineChangeKind.Name(line.change)[17:]): line for line in comparison.lines}
    assert lines[ALIBABA, "MORE"].amount_after == 1600
    assert amount(lines[ALIBABA, "MORE"].cost_after) == pytest.approx(720)
    assert (AWS, "MORE") not in lines  # 500 before and after


def test_a_plan_and_itself_differ_by_nothing_and_cost_no_solve(plans):
    first = keep(plans)
    comparison = compare(plans, first, first)
    assert set(effects(comparison).values()) == {0} and comparison.solves == 0
    assert not comparison.lines


def test_what_is_sold_and_what_it_costs_are_told_apart(plans):
    first = keep(plans)
    second = keep(plans, "price.alibaba=*1.1", "offering.alibaba=off", "demand.service=900")
    # the price first: 1500 x 0.44 + 250 = 910; without alibaba 2000 cannot be served; 900 x 0.5 = 450
    comparison = compare(plans, first, second)
    assert effects(comparison)["list_prices"] == pytest.approx(60)
    catalog = comparison.steps[2]
    assert catalog.joined and "no plan can meet" in catalog.note and amount(catalog.effect) == 0
    assert effects(comparison)["demand"] == pytest.approx(450 - 910)
    assert sum(effects(comparison).values()) == pytest.approx(450 - 850)


def test_rates_come_first(plans):
    first_model, second_model = two_clouds(), two_clouds()
    for model, rate in ((first_model, 0.14), (second_model, 0.15)):
        offering = next(o for o in model.catalog.offerings if o.provider == "alibaba")
        offering.price.currency_code, offering.price.units = "CNY", 2
        offering.price.nanos = 0
        model.currency.rates.add(pair="CNY/USD", rate=rate)
    # 1500 x 2 x 0.14 + 250 = 670 and 1500 x 2 x 0.15 + 250 = 700
    comparison = compare(plans, keep(plans, base=first_model), keep(plans, base=second_model))
    assert effects(comparison)["rates"] == pytest.approx(30) and comparison.solves == 1


def test_inputs_that_do_not_go_together_are_joined_with_the_next_step(plans):
    first_model, second_model = two_clouds(), two_clouds()
    first_model.limits[0].periods.append("now")
    second_model.periods[0].id = "later"
    second_model.limits[0].periods.append("later")
    second_model.workloads[0].throughput.rate[0] = 1800
    comparison = compare(plans, keep(plans, base=first_model), keep(plans, base=second_model))
    demand, rules = comparison.steps[3], comparison.steps[5]
    assert demand.joined and "limits[0].periods" in demand.note, demand
    assert amount(rules.effect) == pytest.approx(750 - 850)  # 600 + 300 x 0.5


def test_plans_without_a_cost_are_not_compared(plans):
    first, second = keep(plans), keep(plans, "demand.service=3000")
    error = refused(plans.ComparePlans,
                    p.ComparePlansRequest(plan_id=first.id, other_plan_id=second.id))
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert second.id in error.details() and "has no cost" in error.details()


# --- why ---


def test_forbidding_what_is_used_costs_the_next_best(plans):
    plan = keep(plans, "demand.service=900")
    answer = ask(plans, plan, why_not=x.WhyNot(text="alibaba"))
    assert answer.kind == x.WHY_NOT_KIND_FORBID and answer.used and answer.offering_count == 1
    assert amount(answer.effect.objective_difference) == pytest.approx(90)  # 900 x (0.5 - 0.4)
    assert answer.effect.range.lowest == pytest.approx(90)
    assert answer.effect.range.highest == pytest.approx(90)


def test_requiring_what_is_not_used_costs_its_regret(plans):
    plan = keep(plans, "demand.service=900")
    answer = ask(plans, plan, why_not=x.WhyNot(text="aws"))
    assert answer.kind == x.WHY_NOT_KIND_REQUIRE and not answer.used
    assert amount(answer.effect.cost_difference) == pytest.approx(0.1)
    answer = ask(plans, plan, why_not=x.WhyNot(text=AWS, minimum=300))
    assert amount(answer.effect.cost_difference) == pytest.approx(30)


def test_what_cannot_be_done_without_is_told_with_the_rules_that_stand_against_it(plans):
    answer = ask(plans, keep(plans), why_not=x.WhyNot(text="alibaba"))
    assert answer.effect.reason == plan_pb2.TERMINATION_REASON_INFEASIBLE
    assert not answer.effect.HasField("cost")
    assert {r.rule for c in answer.effect.conflicts for r in c.rules} >= {"aws-cap"}


def test_a_rule_costs_what_is_saved_without_it(plans):
    plan = keep(plans)
    answer = ask(plans, plan, rule_cost=x.RuleCost(rule="alibaba-cap"))
    assert amount(answer.without.cost_difference) == pytest.approx(-50)  # 2000 x 0.4 = 800
    answer = ask(plans, plan, rule_cost=x.RuleCost(rule="aws-cap"))
    assert amount(answer.without.cost_difference) == 0


def test_a_service_that_changes_has_no_range_of_money(plans):
    model = two_clouds()
    model.workloads[0].ClearField("service")
    model.workloads[0].priority = 1
    model.limits[1].maximum = 500  # 1500 of 2000 are served
    plan = keep(plans, base=model)
    answer = ask(plans, plan, rule_cost=x.RuleCost(rule="alibaba-cap"))
    tier, = answer.without.tiers
    assert tier.name == "unserved priority 1" and (tier.before, tier.after) == (0.25, 0)
    assert not answer.without.HasField("range")


def test_a_price_may_move_until_another_offering_is_cheaper(plans):
    plan = keep(plans)
    answer = ask(plans, plan, price_range=x.PriceRange(offering=AWS))
    # 500 of aws are needed whatever they cost; below 0.4 they come first
    assert answer.interval and amount(answer.price) == 0.5
    assert answer.stays_from == pytest.approx(0.8, abs=1e-4)
    assert answer.changes_below == pytest.approx(0.8, abs=1e-4)
    assert answer.stays_to == 1000 and answer.changes_above == 0
    answer = ask(plans, plan, price_range=x.PriceRange(offering=ALIBABA))
    assert answer.changes_above == pytest.approx(1.25, abs=1e-4)
    assert answer.stays_to == pytest.approx(1.25, abs=1e-4)
    assert answer.stays_from == 0.001 and answer.changes_below == 0


def test_a_price_of_what_is_not_used_may_rise_without_a_solve(plans):
    plan = keep(plans, "demand.service=900")
    answer = ask(plans, plan, price_range=x.PriceRange(offering=AWS))
    assert answer.stays_to == 1000
    assert answer.stays_from == pytest.approx(0.8, abs=1e-4)


def test_a_price_that_budgets_count_has_no_certain_interval(plans):
    plan = keep(plans, budgets=[{"id": "total", "windows": [{"amount": {
        "currencyCode": "USD", "units": "900"}}]}])
    answer, = explain(plans, plan, {"price_range": x.PriceRange(offering=AWS)})
    assert not answer.price_range.interval and "budget" in answer.note
    assert [point.factor for point in answer.price_range.points][:3] == [0.5, 0.8, 0.9]


def test_one_unit_more_is_worth_what_it_saves(plans):
    rows = {row.rule: row for row in ask(plans, keep(plans), limit_worth=x.LimitWorth()).rows}
    assert set(rows) == {"aws-cap", "alibaba-cap"}
    assert amount(rows["alibaba-cap"].effect.cost_difference) == pytest.approx(-0.1)
    assert amount(rows["aws-cap"].effect.cost_difference) == 0
    row, = ask(plans, keep(plans), limit_worth=x.LimitWorth(rules=["alibaba-cap"], by=600)).rows
    assert amount(row.effect.cost_difference) == pytest.approx(-50)  # no more than 500 are wanted


def test_reasons_come_from_the_plan_or_from_another_solve(plans):
    plan = keep(plans)
    answer = ask(plans, plan, why_this=x.WhyThis())
    assert not answer.from_plan and answer.same_plan
    assert {r.rule for r in answer.binding_rules} == {"alibaba-cap"}
    plan = keep(plans, options={"gap": 0, "want": ["WANT_RUNNERS_UP"]}, limits=[])
    answer = ask(plans, plan, why_this=x.WhyThis(user="service"))
    assert answer.from_plan and [r.offering for r in answer.runners_up] == [AWS]


# --- quotas and repairs ---


def test_the_fewest_raises_are_found(plans):
    answer = ask(plans, keep(plans), quota_raises=x.QuotaRaises(within=0))
    raise_, = answer.raises
    assert (raise_.id, raise_.quota, raise_.current, raise_.needed) == ("alibaba-cap", False, 1500,
                                                                       2000)
    assert answer.smallest and answer.at_least == 1 and answer.target == pytest.approx(800)
    assert amount(answer.effect.cost_difference) == pytest.approx(-50)
    answer = ask(plans, keep(plans), quota_raises=x.QuotaRaises(within=0.07))  # 850 <= 856
    assert answer.found and answer.smallest and not answer.raises


def test_raises_are_found_for_a_model_that_is_infeasible(plans):
    plan = keep(plans, "demand.service=3000")
    answer = ask(plans, plan, quota_raises=x.QuotaRaises(within=0.5, only=["aws-cap"]))
    assert [(r.id, r.needed) for r in answer.raises] == [("aws-cap", 1500)]
    assert amount(answer.effect.cost) == pytest.approx(600 + 750)


def test_quotas_of_the_catalog_count_too(plans):
    model = two_clouds(limits=[])
    model.catalog.quotas.add(provider="alibaba", region="*", code="servers", limit=1500, used=100)
    plan = keep(plans, base=model)
    assert amount(plan.cost) == pytest.approx(1400 * 0.4 + 600 * 0.5)
    answer = ask(plans, plan, quota_raises=x.QuotaRaises(within=0))
    assert [(r.id, r.quota, r.current, r.needed) for r in answer.raises] == [
        ("alibaba/*/servers", True, 1500, 2100)]


def test_repairs_of_an_infeasible_model_each_make_it_feasible(plans):
    plan = keep(plans, "demand.service=3000")
    answer = ask(plans, plan, repairs=x.Repairs())
    assert answer.infeasible and answer.conflicts[0].minimal
    needed = {r.rule: r.needed for r in answer.relaxations}
    assert needed["aws-cap"] == 1500 and needed["alibaba-cap"] == 2000
    for rule in ("aws-cap", "alibaba-cap"):
        repaired = keep(plans, "demand.service=3000", f"limit.{rule}={needed[rule]}")
        assert repaired.termination.reason == plan_pb2.TERMINATION_REASON_OPTIMAL
        relaxation = next(r for r in answer.relaxations if r.rule == rule)
        assert amount(repaired.cost) == pytest.approx(amount(relaxation.cost))
    answer, = explain(plans, keep(plans), {"repairs": x.Repairs()})
    assert "feasible" in answer.note


# --- what is refused ---


def test_wrong_questions_are_told_with_their_fields_and_the_nearest_names(plans):
    plan = keep(plans)
    request = p.ExplainPlanRequest(plan_id=plan.id, questions=[
        x.Question(why_not=x.WhyNot(text="alibabba")),
        x.Question(rule_cost=x.RuleCost(rule="alibaba-cup")),
        x.Question(price_range=x.PriceRange(offering="aws/*/*/servr/linux/on-demand")),
        x.Question(limit_worth=x.LimitWorth(rules=["aws-cap", "aws"])),
        x.Question(quota_raises=x.QuotaRaises(within=-1, only=["nothing"])),
        x.Question(repairs=x.Repairs(maximum_conflicts=6)),
        x.Question(why_this=x.WhyThis(user="servce")), x.Question()])
    error = refused(plans.ExplainPlan, request)
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    wrong = fields_of(error)
    assert set(wrong) == {
        "questions[0].why_not.text", "questions[1].rule_cost.rule",
        "questions[2].price_range.offering", "questions[3].limit_worth.rules[1]",
        "questions[4].quota_raises.within", "questions[4].quota_raises.only[0]",
        "questions[5].repairs.maximum_conflicts", "questions[6].why_this.user", "questions[7]"}
    assert "nearest are" in wrong["questions[1].rule_cost.rule"]
    assert "alibaba-cap" in wrong["questions[1].rule_cost.rule"]
    assert f"nearest are {AWS}" in wrong["questions[2].price_range.offering"]
    assert "there is service" in wrong["questions[6].why_this.user"]


def test_plans_that_are_not_there_are_not_found(plans, server):
    plan = keep(plans)
    question = [x.Question(why_this=x.WhyThis())]
    request = p.ExplainPlanRequest(plan_id="01ARZ3NDEKTSV4RRFFQ69G5FAV", questions=question)
    assert refused(plans.ExplainPlan, request).code() == grpc.StatusCode.NOT_FOUND
    request = p.ExplainPlanRequest(plan_id=plan.id, questions=question)
    error = refused(plans.ExplainPlan, request, metadata=[("isocost-project", "other")])
    assert error.code() == grpc.StatusCode.NOT_FOUND
    error = refused(plans.ExplainPlan, p.ExplainPlanRequest(plan_id="x", questions=question))
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT and "plan_id" in fields_of(error)
    error = refused(plans.ComparePlans, p.ComparePlansRequest(plan_id=plan.id))
    assert "other_plan_id" in fields_of(error)
    error = refused(plans.ExplainPlan, p.ExplainPlanRequest(
        plan_id=plan.id, questions=question, time_limit_seconds=-1))
    assert "time_limit_seconds" in fields_of(error)


# --- catalogs of the server ---


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A server with the sample catalog, its data folder, and a stub."""
    data = tmp_path_factory.mktemp("data")
    with IsocostServer("--solvers", "2", data=data) as running:
        done = isocost_cli.run("catalog", "import", "--sample",
                               env=isocost_cli.environment(ISOCOST_ADDRESS=running.target))
        assert done.returncode == 0, done.stderr
        yield running, data, plan_service_pb2_grpc.PlanServiceStub(running.channel())


def of_sample():
    """100 vCPUs of aws or azure, with a price that a tenant has, a quota, and nothing else."""
    return json_format.ParseDict({
        "catalog": {
            "selectors": [{"include": [{"provider": ["aws", "azure"], "purchase": [
                "PURCHASE_ON_DEMAND"], "kind": ["OFFERING_KIND_VM"]}]}],
            "snapshotProducts": ["aws*"],
            "overlays": [{"offerings": {"include": [{"provider": ["aws"]}]}, "priceFactor": 0.9}],
            "quotas": [{"provider": "aws", "region": "*", "code": "vcpu", "resource":
                        "RESOURCE_VCPU", "limit": 60}]},
        "periods": [{"id": "month", "hours": 730}],
        "workloads": [{"id": "web", "mustServe": True, "throughput": {
            "rate": [100], "performance": [{"perVcpu": 1}]}}],
        "currency": {"baseCurrency": "USD", "rates": [{"pair": "CNY/USD", "rate": 0.14}]},
        "options": {"gap": 0}}, model_pb2.Model())


def test_steps_of_a_bridge_between_snapshots_and_overlays_are_fresh_solves(sample):
    _, _, plans = sample
    changes = ["price.azure=+20%", "demand.web=+10%", "offering.azure/*=off"]
    first, second = keep(plans, base=of_sample()), keep(plans, *changes[:2], base=of_sample())
    priced = keep(plans, changes[0], base=of_sample())
    comparison = compare(plans, first, second)
    assert [s.changed for s in comparison.steps[:6]] == [False, True, False, True, False, False]
    prices, demand = comparison.steps[1], comparison.steps[3]
    assert amount(prices.cost) == pytest.approx(amount(priced.cost), abs=1e-6)
    assert amount(demand.cost) == pytest.approx(amount(second.cost), abs=1e-6)
    assert prices.change_count > 20 and len(prices.changes) == 20


def test_questions_about_a_snapshot_know_its_offerings(sample):
    _, _, plans = sample
    plan = keep(plans, base=of_sample())
    used = sorted({line.offering for line in plan.lines if line.offering})
    answer = ask(plans, plan, why_not=x.WhyNot(text=used[0]))
    fresh = keep(plans, f"forbid.{used[0]}=on", base=of_sample())
    assert amount(answer.effect.cost) == pytest.approx(amount(fresh.cost), abs=1e-6)
    answer = ask(plans, plan, quota_raises=x.QuotaRaises(within=0))
    lifted = of_sample()
    lifted.catalog.quotas[0].ClearField("opt_limit")
    lifted.catalog.quotas[0].unlimited = True
    assert amount(answer.unlimited_cost) == pytest.approx(
        amount(keep(plans, base=lifted).cost), abs=1e-6)
    error = refused(plans.ExplainPlan, p.ExplainPlanRequest(plan_id=plan.id, questions=[
        x.Question(price_range=x.PriceRange(offering=used[0].replace("large", "larje")))]))
    assert used[0] in error.details()


def test_a_plan_whose_prices_are_gone_is_told_so(sample):
    _, data, plans = sample
    plan = keep(plans, base=of_sample())
    request = p.ExplainPlanRequest(plan_id=plan.id, questions=[x.Question(why_this=x.WhyThis())])
    with sqlite3.connect(data / "isocost.db") as store:  # the last test that needs them
        for name, in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' "
                                   "AND tbl_name = 'snapshot'").fetchall():
            store.execute(f"DROP TRIGGER {name}")
        store.execute("DELETE FROM snapshot")
    error = refused(plans.ExplainPlan, request)
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert "not kept any more" in error.details() and plan.id in error.details()


# --- time, and callers that go ---


def test_what_there_was_no_time_for_is_said(plans):
    first, second = keep(plans), keep(plans, "limit.alibaba-cap=1600", "demand.service=2100")
    answer, = explain(plans, first, {"rule_cost": x.RuleCost(rule="aws-cap")},
                      time_limit_seconds=1e-6)
    assert not answer.complete and "time" in answer.note
    assert not answer.rule_cost.without.HasField("cost")
    comparison = compare(plans, first, second, time_limit_seconds=1e-6)
    assert comparison.solves == 0 and comparison.steps[3].joined and comparison.steps[5].joined
    assert effects(comparison)["choice"] == pytest.approx(amount(comparison.difference))


def test_a_caller_that_goes_ends_its_study(plans):
    plan = keep(plans)
    call = plans.ExplainPlan(p.ExplainPlanRequest(plan_id=plan.id, questions=[
        x.Question(quota_raises=x.QuotaRaises(within=0))] * 100), timeout=60)
    next(call)
    call.cancel()
    with pytest.raises(grpc.RpcError) as error:
        list(call)
    assert error.value.code() == grpc.StatusCode.CANCELLED
    ask(plans, plan, rule_cost=x.RuleCost(rule="aws-cap"))  # others are not held up


def test_a_server_that_stops_ends_its_studies():
    with IsocostServer() as running:
        stub = plan_service_pb2_grpc.PlanServiceStub(running.channel())
        plan = keep(stub)
        call = stub.ExplainPlan(p.ExplainPlanRequest(plan_id=plan.id, questions=[
            x.Question(quota_raises=x.QuotaRaises(within=0))] * 100), timeout=60)
        next(call)
        assert running.stop() == 0
        with pytest.raises(grpc.RpcError) as error:
            list(call)
        assert error.value.code() == grpc.StatusCode.UNAVAILABLE
