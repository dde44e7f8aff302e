"""Scenarios in random models, by random numbers of their own, where the rules that are not served
together with them allow it."""
import random

MOST_COLUMNS = 150  # of models that only a tree settles


def excludes(model):
    boxes = any("box" in w.get("throughput", {}) and not w.get("mustServe")
                for w in model["workloads"])
    ramps = any("ramp" in w for w in model["workloads"])
    cash = any(b.get("basis") == "BUDGET_BASIS_CASH" for b in model.get("budgets", []))
    return "current" in model or model.get("volumePrices") or boxes or ramps or cash


def add_uncertainty(model, seed):
    r = random.Random(f"uncertainty {seed}")
    if r.random() > 0.3 or excludes(model):
        return
    odds = r.choice([[1], [0.5, 0.5], [0.7, 0.3], [0.2, 0.5, 0.3]])
    uncertainty = {"scenarios": [
        {"id": f"s{i}", "probability": p, "demandFactor": r.choice([0.5, 0.8, 1, 1.3, 2])}
        for i, p in enumerate(odds)]}
    columns = len(model["catalog"]["offerings"]) * len(model["workloads"]) * \
        len(model["periods"]) * len(odds)
    by_tree = any("fair" in w or "dependencies" in w for w in model["workloads"]) or \
        any("orNothing" in limit for limit in model.get("limits", []))
    if by_tree and columns > MOST_COLUMNS:
        return
    if r.random() < 0.6 and columns <= MOST_COLUMNS:
        uncertainty["tailWeight"] = r.choice([0.1, 0.5, 1])
        uncertainty["tailLevel"] = r.choice([0.3, 0.5, 0.9])
    model["uncertainty"] = uncertainty
