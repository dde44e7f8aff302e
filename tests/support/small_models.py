"""Models whose answers are known by hand.

two_clouds(): 2000 units; 1500 instances at 0.4 and 1000 at 0.5, one unit each, one hour. The cheapest
2000 are all 1500 of the cheaper (600) and 500 of the other (250): 850 USD.

part(name): for the fake solver (tests/integration/fake_solver.c), which does as the name says; one
offering at 1 USD an hour of which each serves 10, a demand of 100, 720 hours: 7200 USD are best.
"""

import os
import pathlib

from isocost_protos import json_format, model_pb2

FAKE_SOLVER = pathlib.Path(os.environ.get("ISO_BUILD", "build")) / "tests/integration/fake_solver"


def _model(fields):
    return json_format.ParseDict(fields, model_pb2.Model())


def _usd(units, nanos=0):
    return {"currencyCode": "USD", "units": str(units), "nanos": nanos}


def two_clouds(**changes):
    def offering(provider, nanos):
        return {"provider": provider, "type": "server", "purchase": "PURCHASE_ON_DEMAND",
                "price": _usd(0, nanos)}

    def limit(provider, maximum):
        return {"id": f"{provider}-cap", "maximum": maximum, "metric": "LIMIT_METRIC_INSTANCES",
                "scope": {"include": [{"provider": [provider]}]}}

    return _model({
        "displayName": "two clouds",
        "catalog": {"offerings": [offering("aws", 500000000), offering("alibaba", 400000000)]},
        "periods": [{"id": "now", "hours": 1}],
        "workloads": [{"id": "service", "mustServe": True, "throughput": {
            "rate": [2000], "performance": [{"perInstance": 1}]}}],
        "limits": [limit("aws", 1000), limit("alibaba", 1500)],
        "currency": {"baseCurrency": "USD"},
        "options": {"gap": 0},
        **changes,
    })


def part(name, time_limit_seconds=20, **changes):
    return _model({
        "displayName": name,
        "catalog": {"offerings": [{"provider": "aws", "type": "m6i.large",
                                   "purchase": "PURCHASE_ON_DEMAND", "price": _usd(1)}]},
        "periods": [{"id": "p1", "hours": 720}],
        "workloads": [{"id": "web", "mustServe": True, "throughput": {
            "rate": [100], "performance": [{"perInstance": 10}]}}],
        "currency": {"baseCurrency": "USD"},
        "options": {"timeLimitSeconds": time_limit_seconds},
        **changes,
    })


def many_lines(n_workloads, n_periods=1):
    """n workloads of one instance each: n * n_periods lines, as no period is like the one before."""
    model = part("many lines")
    del model.workloads[:]
    del model.periods[:]
    for i in range(n_periods):
        model.periods.add(id=f"p{i}", hours=1 + i % 2)
    for i in range(n_workloads):
        workload = model.workloads.add(id=f"w{i:05d}", must_serve=True)
        workload.throughput.rate.append(10)
        workload.throughput.performance.add(per_instance=10)
    return model


def amount(money):
    """A Money as a float; exact for the sums here."""
    return money.units + money.nanos * 1e-9
