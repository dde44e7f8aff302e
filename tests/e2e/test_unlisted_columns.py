"""The columns method with few columns listed: what is not listed is priced from the problem, and answers
and bounds are those of a whole list."""

import pytest

from isocost_protos import json_format, model_pb2
from oracle import CbcFailed
from random_models import random_model
from test_forced_strategies import INFEASIBLE, answers, ask_cbc, disagreement, in_parallel, larger_models

LISTS_FEW = ("--listed", "1")  # columns of instances come in as prices ask for them


def without_what_lists_all(fields):
    """The model without the rules beside which every column is listed."""
    kept = ("id", "team", "throughput", "allowed", "forbidden", "headroom", "shares", "survive", "spread",
            "penalty")
    works = [{key: work[key] for key in kept if key in work} for work in fields["workloads"]
             if "throughput" in work]
    for work in works:
        if "penalty" not in work:
            work["mustServe"] = True
    dropped = ("workloads", "current", "moves", "currentPlacement", "scenarios", "risk")
    return {**{key: value for key, value in fields.items() if key not in dropped}, "workloads": works} \
        if works else fields


def test_columns_that_are_listed_as_they_are_worth_it_agree_with_cbc(tmp_path):
    models = [json_format.ParseDict(without_what_lists_all(random_model(seed)), model_pb2.Model())
              for seed in range(3000, 3080)]
    found = answers(tmp_path, "columns", models, *LISTS_FEW)
    expected = in_parallel(ask_cbc, models)
    wrong = {seed: text for seed, (answer, best) in enumerate(zip(found, expected), 3000)
             if not isinstance(best, CbcFailed) and (text := disagreement(answer, best))}
    infeasible = sum(answer["reason"] == INFEASIBLE for answer in found)
    print(f"{infeasible} infeasible")
    assert not wrong


@pytest.mark.parametrize("kind, count", [("levels", 12), ("mixed", 6)])
def test_what_is_not_listed_is_proved_by_the_same_bound(kind, count, tmp_path):
    models = larger_models(kind, count, tmp_path)
    whole = answers(tmp_path, "columns", models)
    few = answers(tmp_path, "columns", models, *LISTS_FEW)
    for seed, (one, other) in enumerate(zip(whole, few), 1):
        assert one["verified"] and other["verified"], f"{kind} {seed}: {other['refusal']}"
        assert (one["reason"] == INFEASIBLE) == (other["reason"] == INFEASIBLE), f"{kind} {seed}"
        if one["reason"] != INFEASIBLE:
            assert abs(one["proved"][-1] - other["proved"][-1]) <= 1e-5 * one["proved"][-1], f"{kind} {seed}"
