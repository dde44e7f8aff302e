"""Explanations against full solves of random models, as figures: each property of
tests/e2e/test_explanation_property.py over so many models that have something to explain."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.environ["ISO_SOURCE"], "tests", "e2e"))

import test_explanation_property as properties  # noqa: E402
from isocost_protos import plan_service_pb2_grpc  # noqa: E402
from isocost_server import IsocostServer  # noqa: E402

CHECKS = {
    "cost bridge": properties.test_parts_of_a_bridge_are_full_solves_and_add_up,
    "regret and rule price": properties.test_regrets_and_prices_of_rules_are_differences_of_full_solves,
    "worth of room": properties.test_the_worth_of_room_is_the_difference_of_full_solves,
    "price range": properties.test_a_plan_stays_best_in_its_price_range_and_not_beyond,
    "quota raises": properties.test_no_smaller_set_of_raises_does,
    "repairs": properties.test_every_repair_makes_an_infeasible_model_feasible,
}


def check(plans, seed, holds):
    """1 when it does not hold, 0 when it does, None when the model has nothing to explain."""
    try:
        holds(plans, seed)
    except pytest.skip.Exception:
        return None
    except AssertionError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def explanations(n_models, say):
    """Says how many of n models each property fails on."""
    with IsocostServer("--solvers", "2") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        for name, holds in CHECKS.items():
            answers, seed = [], 0
            while len(answers) < n_models:
                answer = check(plans, seed, holds)
                answers += [] if answer is None else [answer]
                seed += 1
            say(f"explanations, {name}: models that differ from full solves", sum(answers), 0,
                sum(answers) == 0, models=len(answers))
