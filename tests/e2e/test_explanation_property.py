"""Every part of a cost bridge, regret, price of a rule, worth, price range, repair and set of raises is
the difference of full solves, on random models. The models of the full solves are made by other code
(random_pairs, change_oracle) and sent whole. ISO_SEEDS_TIMES makes it long."""

import itertools
import math
import os
import random

import grpc
import pytest

from change_oracle import changed
from isocost_protos import explanation_pb2 as x, json_format, model_pb2, plan_pb2
from isocost_protos import plan_service_pb2 as p, plan_service_pb2_grpc
from isocost_server import IsocostServer
from random_changes import _id as offering_id
from random_models import random_model
from random_pairs import GROUPS, mixed, random_pair
from small_models import amount

TIMES = int(os.environ.get("ISO_SEEDS_TIMES", "1"))
TOLERANCE = 1e-6
INFEASIBLE = plan_pb2.TERMINATION_REASON_INFEASIBLE


def seeds(n):
    return pytest.mark.parametrize("seed", range(n * TIMES))


@pytest.fixture(scope="module")
def plans():
    with IsocostServer("--solvers", "2") as server:
        yield plan_service_pb2_grpc.PlanServiceStub(server.channel())


def message(model):
    return json_format.ParseDict(model, model_pb2.Model()) if isinstance(model, dict) else model


def solve(plans, model, keep=False):
    """None: the model is refused."""
    request = p.SolvePlanRequest(model=p.ModelRef(model=message(model)), keep=keep)
    try:
        return plans.SolvePlan(request, timeout=120).plan
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
        return None


def has_cost(plan):
    if plan is None or plan.termination.reason == INFEASIBLE:
        return False
    assert plan.termination.reason == plan_pb2.TERMINATION_REASON_OPTIMAL, plan.termination
    return True


def kept(plans, model):
    """A stored plan that has a cost; otherwise the test has nothing to ask."""
    plan = solve(plans, model, keep=True)
    if not has_cost(plan):
        pytest.skip("the model is infeasible")
    return plan


def money(plan):
    return next(t.value for t in plan.tiers if t.name == "money")


def earlier(plan):
    return {t.name: t.value for t in plan.tiers if t.name not in ("money", "moves")}


def close(a, b):
    return abs(a - b) <= 2 * TOLERANCE * (1 + max(abs(a), abs(b)))


def nanos(value):
    return value.units * 10**9 + value.nanos


def explain(plans, plan, *questions):
    request = p.ExplainPlanRequest(plan_id=plan.id, questions=[x.Question(**q) for q in questions])
    answers = [e.answer for e in plans.ExplainPlan(request, timeout=300) if e.HasField("answer")]
    assert len(answers) == len(questions)
    return answers


def check_effect(effect, before, after, what):
    """The effect is the difference of two full solves."""
    if not has_cost(after):
        assert effect.reason == INFEASIBLE and not effect.HasField("cost"), what
        return
    assert effect.reason == plan_pb2.TERMINATION_REASON_OPTIMAL, what
    old, new = earlier(before), earlier(after)
    moved = {name for name in {**old, **new}
             if not close(old.get(name, 0), new.get(name, 0))}
    assert {t.name for t in effect.tiers} == moved, what
    for tier in effect.tiers:
        assert close(tier.before, old.get(tier.name, 0)), what
        assert close(tier.after, new.get(tier.name, 0)), what
    difference = money(after) - money(before)
    assert close(amount(effect.objective_difference) + money(before), money(after)), \
        f"{what}: {effect.objective_difference}, full solves differ by {difference}"
    assert effect.HasField("range") == (not moved), what
    if not moved:
        slack = 2 * TOLERANCE * (1 + abs(money(before)) + abs(money(after)))
        assert effect.range.lowest - slack <= difference <= effect.range.highest + slack, what


# --- the bridge ---


@seeds(50)
def test_parts_of_a_bridge_are_full_solves_and_add_up(plans, seed):
    first, second, groups = random_pair(seed)
    a, b = kept(plans, first), kept(plans, second)
    request = p.ComparePlansRequest(plan_id=a.id, other_plan_id=b.id)
    comparison = list(plans.ComparePlans(request, timeout=300))[-1].comparison
    steps = comparison.steps
    assert [x.InputGroup.Name(s.group)[12:].lower() for s in steps] == GROUPS + ["choice"]
    assert sum(nanos(s.effect) for s in steps) == nanos(b.cost) - nanos(a.cost)
    assert nanos(comparison.difference) == nanos(b.cost) - nanos(a.cost)
    assert comparison.solves <= sum(s.changed for s in steps[:-1])
    for k, step in enumerate(steps[:-1], 1):
        what = f"seed {seed}, {GROUPS[k - 1]}: {list(step.changes)}"
        assert not step.changed or GROUPS[k - 1] in groups, what
        before, after = message(mixed(first, second, k - 1)), message(mixed(first, second, k))
        assert step.changed == (before != after), what
        if not step.changed:
            assert nanos(step.effect) == 0 and not step.joined, what
            continue
        expected = solve(plans, after)
        assert step.joined == (not has_cost(expected)), f"{what}: {step.note}"
        if step.joined:
            assert nanos(step.effect) == 0 and step.note, what
        else:
            assert close(amount(step.objective), amount(expected.objective)), what
    assert close(amount(steps[-1].objective), amount(b.objective))


@seeds(50)
def test_changes_of_lines_account_for_the_whole_difference(plans, seed):
    first, second, _ = random_pair(seed)
    a, b = kept(plans, first), kept(plans, second)
    comparison = list(plans.ComparePlans(p.ComparePlansRequest(
        plan_id=a.id, other_plan_id=b.id), timeout=300))[-1].comparison
    told = sum(nanos(line.cost_after) - nanos(line.cost_before) for line in comparison.lines)
    assert told == nanos(b.cost) - nanos(a.cost)
    sizes = [abs(nanos(line.cost_after) - nanos(line.cost_before)) for line in comparison.lines]
    assert sizes == sorted(sizes, reverse=True)


# --- why not, rules, limits ---


def rules_of(model):
    ids = [rule["id"] for key in ("limits", "budgets", "volumePrices") for rule in model.get(key, [])]
    for w in model["workloads"]:
        for key in ("shares", "survive", "spread"):
            ids += [rule["id"] for rule in w.get(key, [])]
        ids += [w[key]["id"] for key in ("ramp", "traffic") if key in w]
    return ids


@seeds(50)
def test_regrets_and_prices_of_rules_are_differences_of_full_solves(plans, seed):
    model = random_model(seed)
    plan = kept(plans, model)
    r = random.Random(seed)
    row = r.choice(model["catalog"]["offerings"])
    targets = [offering_id(row), row["provider"], f"type:{row['type']}"]
    asked, texts = [], []
    for target in targets:
        for kind, text in ((x.WHY_NOT_KIND_FORBID, f"forbid.{target}=on"),
                           (x.WHY_NOT_KIND_REQUIRE, f"require.{target}=2")):
            asked.append({"why_not": x.WhyNot(text=target, kind=kind, minimum=2)})
            texts.append(text)
    for rule in rules_of(model):
        asked.append({"rule_cost": x.RuleCost(rule=rule)})
        texts.append(f"rule.{rule}=off")
    for answer, text in zip(explain(plans, plan, *asked), texts):
        found = getattr(answer, answer.WhichOneof("answer"))
        effect = found.effect if answer.HasField("why_not") else found.without
        check_effect(effect, plan, solve(plans, changed(message(model), [text])),
                     f"seed {seed}: {text}")


@seeds(50)
def test_the_worth_of_room_is_the_difference_of_full_solves(plans, seed):
    model = random_model(seed)
    plan = kept(plans, model)
    by = random.Random(seed).choice([1, 2.5])
    answer, = explain(plans, plan, {"limit_worth": x.LimitWorth(by=by)})
    for row in answer.limit_worth.rows:
        raised = message(model)
        for limit in raised.limits:
            if limit.id == row.rule:
                limit.maximum += by
        for budget in raised.budgets:
            for window in budget.windows if budget.id == row.rule else []:
                total = nanos(window.amount) + round(by * 10**9)
                window.amount.units, window.amount.nanos = divmod(total, 10**9)
        check_effect(row.effect, plan, solve(plans, raised), f"seed {seed}: {row.rule}")


# --- prices ---


def without_what_counts_prices(model):
    model = {**model, "budgets": [], "volumePrices": []}
    model["catalog"] = {**model["catalog"], "products": [
        c for c in model["catalog"].get("products", []) if c["kind"].endswith("UNIT")]}
    model.pop("uncertainty", None)
    return model


def at_price(model, offering, factor):
    return changed(message(model), [f"price.{offering}=*{factor:.9f}"])


@seeds(50)
def test_a_plan_stays_best_in_its_price_range_and_not_beyond(plans, seed):
    model = without_what_counts_prices(random_model(seed))
    plan = kept(plans, model)
    used = sorted({line.offering for line in plan.lines if line.kind == plan_pb2.LINE_KIND_INSTANCE})
    r = random.Random(seed)
    every = [offering_id(row) for row in model["catalog"]["offerings"]]
    offering = r.choice(used) if used and r.random() < 0.8 else r.choice(every)
    answer, = explain(plans, plan, {"price_range": x.PriceRange(offering=offering)})
    found = answer.price_range
    assert answer.complete and found.interval, f"seed {seed}: {answer.note}"
    paid = sum(amount(line.cost) for line in plan.lines if line.offering == offering
               and line.kind == plan_pb2.LINE_KIND_INSTANCE)

    def at(factor):
        fresh = solve(plans, at_price(model, offering, factor))
        return money(plan) + (factor - 1) * paid, money(fresh)

    for factor in (found.stays_from, r.uniform(found.stays_from, 1),
                   min(found.stays_to, r.uniform(1, min(found.stays_to, 3)))):
        ours, best = at(round(factor, 9))
        assert ours <= best + 3 * TOLERANCE * (1 + abs(best)), \
            f"seed {seed}, {offering} x {factor}: {ours}, best is {best}"
    for factor, there in ((found.changes_below * 0.98, found.changes_below),
                          (found.changes_above * 1.02, found.changes_above)):
        if there:
            ours, best = at(round(factor, 9))
            assert best < ours, f"seed {seed}, {offering} x {factor}: {ours}, best is {best}"
    if found.changes_below:
        assert found.stays_from >= found.changes_below * (1 - 1e-3)
    if found.changes_above:
        assert found.stays_to <= found.changes_above * (1 + 1e-3)


# --- quotas and repairs ---


def capped(seed):
    """A random model with a hard cap on each provider and a quota on each type."""
    model = random_model(seed)
    r = random.Random(seed + 7)
    providers = sorted({row["provider"] for row in model["catalog"]["offerings"]})
    model["limits"] = [{"id": f"cap-{name}", "maximum": r.choice([0, 1, 2, 4]),
                        "metric": r.choice(["LIMIT_METRIC_INSTANCES", "LIMIT_METRIC_VCPU"]),
                        "scope": {"include": [{"provider": [name]}]}} for name in providers]
    row = r.choice(model["catalog"]["offerings"])
    model["catalog"]["quotas"] = [{
        "provider": row["provider"], "region": "*", "code": "q", "limit": r.choice([1, 3]),
        "used": 1, "scope": {"include": [{"type": [row["type"]]}]}}]
    return model


def lifted(model, ids):
    result = message(model)
    for limit in result.limits:
        limit.disabled = limit.id in ids
    for quota in result.catalog.quotas:
        if f"{quota.provider}/*/{quota.code}" in ids:
            quota.ClearField("opt_limit")
            quota.unlimited = True
    return result


@seeds(50)
def test_no_smaller_set_of_raises_does(plans, seed):
    model = capped(seed)
    plan = solve(plans, model, keep=True)
    within = random.Random(seed).choice([0, 0.05, 0.3])
    answer, = explain(plans, plan, {"quota_raises": x.QuotaRaises(within=within)})
    found = answer.quota_raises
    quota = model["catalog"]["quotas"][0]
    every = [limit["id"] for limit in model["limits"]] + [f"{quota['provider']}/*/q"]
    best = solve(plans, lifted(model, every))
    if not has_cost(best):
        assert not found.found and answer.note, f"seed {seed}"
        return
    target = (1 + within) * money(best)

    def good(ids):
        with_ids = solve(plans, lifted(model, ids))
        return has_cost(with_ids) and money(with_ids) <= target + TOLERANCE * (1 + target) and all(
            value <= earlier(best).get(name, 0) + TOLERANCE
            for name, value in earlier(with_ids).items())

    size = next(n for n in range(len(every) + 1)
                if any(good(ids) for ids in itertools.combinations(every, n)))
    raised = [raise_.id for raise_ in found.raises]
    what = f"seed {seed}: {raised}, {size} do"
    assert found.found and found.smallest and len(raised) == size == found.at_least, what
    assert good(raised), what
    exact = message(model)  # and it is enough to raise them to what is said to be needed
    for raise_ in found.raises:
        for limit in exact.limits:
            if limit.id == raise_.id:
                limit.maximum = max(limit.maximum, raise_.needed)
        if raise_.quota:
            exact.catalog.quotas[0].limit = max(quota["limit"], raise_.needed)
    with_needed = solve(plans, exact)
    assert has_cost(with_needed) and money(with_needed) <= target + TOLERANCE * (1 + target), what


def lower_demand(model, w, needed):
    """So that no period requires more, headroom, box and the highest scenario included."""
    rise = 1 + w.throughput.box.rise if w.HasField("throughput") else 1
    factors = [s.demand_factor for s in model.uncertainty.scenarios] or [1]
    most = needed / (1 + w.headroom) / rise / max(factors)
    series = w.throughput.rate if w.HasField("throughput") else w.replicas.count
    for t, value in enumerate(series):
        series[t] = min(value, math.floor(most * 1e6) / 1e6 if w.HasField("throughput")
                        else math.floor(most + 1e-9))


def repair_workload(model, w, change):
    if w.id == change.rule and "the demand of" in change.text:
        lower_demand(model, w, change.needed)
    if w.id == change.rule and "drop the box" in change.text:
        w.throughput.ClearField("box")
    for share in w.shares:
        if share.id == change.rule:
            setattr(share, "maximum" if share.HasField("maximum") else "minimum", change.needed)
    for rule in w.survive:
        if rule.id == change.rule:
            rule.share = change.needed
    for name in ("survive", "spread", "together", "apart"):
        # a share of 0 and one domain ask nothing; the contract has no number for it
        kept_rules = [rule for rule in getattr(w, name) if rule.id != change.rule]
        if len(kept_rules) != len(getattr(w, name)):
            kept_rules = [type(rule).FromString(rule.SerializeToString()) for rule in kept_rules]
            del getattr(w, name)[:]
            getattr(w, name).extend(kept_rules)
    if w.HasField("ramp") and w.ramp.id == change.rule:
        w.ClearField("ramp")
    for rule in [w.traffic, *w.dependencies]:
        if rule.id == change.rule:
            rule.maximum_latency_ms = change.needed


def repair(model, change):
    """Does what a way out says, to the letter."""
    result = model_pb2.Model.FromString(message(model).SerializeToString())
    for limit in result.limits:
        if limit.id == change.rule:
            limit.disabled = "or_nothing" in change.text
            setattr(limit, limit.WhichOneof("bound"), change.needed)
    for budget in result.budgets:
        raised = change.needed - change.current
        for window in budget.windows if budget.id == change.rule else []:
            total = nanos(window.amount) + round(raised * 10**9)
            window.amount.units, window.amount.nanos = divmod(total, 10**9)
    for w in result.workloads:
        repair_workload(result, w, change)
    if "maximum_moves" in change.text:
        result.current.maximum_moves = change.needed
    return result


@seeds(100)
def test_every_repair_makes_an_infeasible_model_feasible(plans, seed):
    model = random_model(seed)
    plan = solve(plans, model, keep=True)
    if plan.termination.reason != INFEASIBLE:
        pytest.skip("the model is feasible")
    answer, = explain(plans, plan, {"repairs": x.Repairs()})
    assert answer.repairs.infeasible and answer.repairs.conflicts, f"seed {seed}"
    assert all(conflict.minimal for conflict in answer.repairs.conflicts), f"seed {seed}"
    for way in answer.repairs.relaxations:
        repaired = model
        for change in [way, *way.also]:
            repaired = repair(repaired, change)
        assert has_cost(solve(plans, repaired)), f"seed {seed}: {way.text}"
