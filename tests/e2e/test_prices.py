"""What a plan shows of rules about prices: penalties in steps, carbon, minimum quantities, volumes."""

import grpc
import pytest

from isocost_protos import json_format, model_pb2, plan_pb2, plan_service_pb2, \
    plan_service_pb2_grpc
from isocost_server import IsocostServer
from small_models import amount


@pytest.fixture(scope="module")
def plans():
    with IsocostServer() as server:
        yield plan_service_pb2_grpc.PlanServiceStub(server.channel())


def usd(value):
    nanos = round(value * 10**9)
    return {"currencyCode": "USD", "units": str(nanos // 10**9), "nanos": nanos % 10**9}


def request(**rules):
    """10 units for an hour; aws at 1 (0.5 kg an hour), azure at 0.9 (0.1 kg)."""
    model = {
        "periods": [{"id": "hour", "hours": 1}],
        "catalog": {"offerings": [
            {"provider": provider, "type": "m", "purchase": "PURCHASE_ON_DEMAND",
             "price": usd(price), "carbonKgPerHour": carbon}
            for provider, price, carbon in (("aws", 1, 0.5), ("azure", 0.9, 0.1))]},
        "workloads": [{"id": "web", "mustServe": True, "throughput": {
            "rate": [10], "performance": [{"perInstance": 1}]}}],
        "options": {"gap": 0}, **rules}
    ref = plan_service_pb2.ModelRef(model=json_format.ParseDict(model, model_pb2.Model()))
    return plan_service_pb2.SolvePlanRequest(model=ref)


def provider(name):
    return {"include": [{"provider": [name]}]}


def test_a_price_by_volume_has_lines_that_name_it(plans):
    # aws: 4 + 6 * 0.5 = 7, below 9 in azure; the line takes off 6 * 0.5.
    plan = plans.SolvePlan(request(volumePrices=[
        {"id": "bulk", "offerings": provider("aws"), "steps": [{"from": usd(4), "factor": 0.5}]}
    ])).plan
    assert amount(plan.cost) == pytest.approx(7, abs=1e-9)
    instance, volume = plan.lines
    assert amount(instance.cost) == pytest.approx(10, abs=1e-9)
    assert volume.kind == plan_pb2.LINE_KIND_VOLUME
    assert (volume.quantity, amount(volume.unit_price), amount(volume.cost)) == (6, -0.5, -3)
    assert volume.reason == "price by volume bulk: 0.5 times the price for what is beyond 4 USD"
    assert plan.certificate.passed
    assert sum(amount(x.cost) for x in plan.cost_by_provider) == pytest.approx(7, abs=1e-9)


def test_a_violation_shows_its_penalty_over_all_steps_once(plans):
    # An instance in azure saves 0.1. The cap there is 4; 3 more cost 0.05 each and further ones 0.2,
    # so 7 run there: 3 over, 0.15 of penalty.
    plan = plans.SolvePlan(request(limits=[{
        "id": "cap", "scope": provider("azure"), "maximum": 4,
        "policy": {"kind": "POLICY_KIND_SOFT", "price": usd(0.05),
                   "steps": [{"from": 3, "price": usd(0.2)}]}}])).plan
    assert amount(plan.cost) == pytest.approx(7 * 0.9 + 3, abs=1e-9)
    (violation,) = plan.violations
    assert (violation.rule, violation.amount) == ("cap", 3)
    assert amount(violation.penalty) == pytest.approx(0.15, abs=1e-9)


def test_the_steps_of_a_budget_are_one_violation_too(plans):
    # Everything runs in azure for 9. The budget of 5 is broken by 4: 2 * 0.1 + 2 * 0.3 = 0.8.
    plan = plans.SolvePlan(request(budgets=[{
        "id": "money", "windows": [{"amount": usd(5)}],
        "policy": {"kind": "POLICY_KIND_SOFT", "price": usd(0.1),
                   "steps": [{"from": 2, "price": usd(0.3)}]}}])).plan
    (violation,) = plan.violations
    assert (violation.rule, violation.amount) == ("money", 4)
    assert amount(violation.penalty) == pytest.approx(0.8, abs=1e-9)


def test_a_lot_is_all_or_nothing(plans):
    # Azure sells 12 or none: 12 * 0.9 = 10.8, so aws serves for 10.
    plan = plans.SolvePlan(request(limits=[{
        "id": "lot", "scope": provider("azure"), "minimum": 12, "orNothing": True}])).plan
    assert amount(plan.cost) == pytest.approx(10, abs=1e-9)
    assert [line.offering.split("/")[0] for line in plan.lines] == ["aws"]


def test_no_way_to_take_a_lot_is_infeasible(plans):
    # Neither 12 nor none is within a cap of 5 on aws and of 11 on azure.
    plan = plans.SolvePlan(request(limits=[
        {"id": "lot", "scope": provider("azure"), "minimum": 12, "orNothing": True},
        {"id": "azure", "scope": provider("azure"), "maximum": 11},
        {"id": "aws", "scope": provider("aws"), "maximum": 5}])).plan
    assert plan.termination.reason == plan_pb2.TERMINATION_REASON_INFEASIBLE


def test_carbon_binds_in_kilograms(plans):
    # All in aws would be 5 kg; azure is cheaper and cleaner: 1 kg an hour is its 10.
    plan = plans.SolvePlan(request(limits=[
        {"id": "climate", "metric": "LIMIT_METRIC_CARBON_KG", "maximum": 1}])).plan
    assert amount(plan.cost) == pytest.approx(9, abs=1e-9)
    plan = plans.SolvePlan(request(limits=[
        {"id": "climate", "metric": "LIMIT_METRIC_CARBON_KG", "maximum": 0.9}])).plan
    assert plan.termination.reason == plan_pb2.TERMINATION_REASON_INFEASIBLE
    texts = [rule.text for conflict in plan.conflicts for rule in conflict.rules]
    assert "limit climate asks for at most 0.9 kg CO2 an hour" in texts, texts


def test_such_a_model_is_not_written_as_one_program(plans):
    model = request(volumePrices=[{"id": "bulk", "steps": [{"from": usd(4), "factor": 0.5}]}]).model
    with pytest.raises(grpc.RpcError) as caught:
        list(plans.ExportPlan(plan_service_pb2.ExportPlanRequest(
            model=model, format=plan_service_pb2.EXPORT_FORMAT_LP), timeout=30))
    assert "prices by volume" in caught.value.details()
