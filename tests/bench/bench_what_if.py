"""What-if at scale: 100 changes of one thing in one call, against cold solves of the same models.

    ./dev bench what-if [--scenarios N] [--cold N] [--seed N] [--gap G] [--explanations N]

A model of five clouds, at least 20,000 offerings, 20 workloads and 168 hours (what_if_model.py) is
solved once, cold. Then N scenarios go in one call, and `--cold` of each kind (0: all) are solved again
by SolvePlan on another server, each by a solver process that has just been started and has seen
nothing. Seconds are CPU seconds of the solver process from request to answer, which do not depend on
who else uses the machine; wall seconds are told too.
Then explanations of N random models (default 200; 0: none) are held against full solves. With
--scenarios 0 that is all.
One JSON line a figure, with its limit and whether it was kept. Ends with 1 when a limit is missed.
"""
import argparse
import contextlib
import json
import os
import signal
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["ISO_SOURCE"], "tests", "support"))

import process_facts  # noqa: E402
from explanations import explanations  # noqa: E402
from isocost_protos import catalog_service_pb2 as c  # noqa: E402
from isocost_protos import catalog_service_pb2_grpc, change_pb2  # noqa: E402
from isocost_protos import plan_service_pb2 as p, plan_service_pb2_grpc  # noqa: E402
from isocost_protos import session_service_pb2 as s, session_service_pb2_grpc  # noqa: E402
from isocost_server import IsocostServer  # noqa: E402
from small_models import amount  # noqa: E402
from what_if_model import single_changes, what_if_model, write_catalog  # noqa: E402

CHUNK = 1 << 20
COLD_SECONDS = 10  # of the first solve; beyond it the ratios are void
FEWEST_OFFERINGS = 20_000
# kind: (most p95 as a share of cold, most p95 in seconds)
LIMITS = {"demand": (0.1, 0.25), "limit": (0.1, 0.25), "budget": (0.1, 0.25),
          "price": (1 / 3, 0.5), "rate": (None, None)}

missed = False


def say(figure, value, limit=None, ok=None, **more):
    global missed
    missed = missed or ok is False
    print(json.dumps({"bench": "what-if", "figure": figure, "value": value, "limit": limit,
                      "ok": ok, **more}), flush=True)


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def import_catalog(server, paths):
    stub = catalog_service_pb2_grpc.CatalogServiceStub(server.channel())

    def pieces():
        for path in paths:
            data = path.read_bytes()
            for at in range(0, len(data), CHUNK):
                first = {} if at else {"name": path.name,
                                       "kind": c.CATALOG_FILE_KIND_OFFERINGS_CSV}
                yield c.ImportCatalogRequest(chunk=data[at:at + CHUNK], **first)

    return stub.ImportCatalog(pieces(), timeout=300).snapshot


def solve(server, model, *texts):
    stub = plan_service_pb2_grpc.PlanServiceStub(server.channel())
    changes = [change_pb2.Change(text=x) for x in texts]
    begin = time.monotonic()
    plan = stub.SolvePlan(p.SolvePlanRequest(model=p.ModelRef(model=model, changes=changes)),
                          timeout=600).plan
    return plan, time.monotonic() - begin


def evaluate(server, model, changes):
    stub = session_service_pb2_grpc.SessionServiceStub(server.channel())
    scenarios = [s.Scenario(name=f"{i} {text}", changes=[change_pb2.Change(text=text)])
                 for i, (_, text) in enumerate(changes)]
    begin, results = time.monotonic(), {}
    for response in stub.EvaluateScenarios(s.EvaluateScenariosRequest(
            model=p.ModelRef(model=model), scenarios=scenarios), timeout=7200):
        if response.event.WhichOneof("event") == "result":
            results[response.event.result.place] = response.event.result
    return results, time.monotonic() - begin


def same_answer(plan, cold, gap):
    """Same reason, and money within the gap of each other's bound."""
    if plan.termination.reason != cold.termination.reason:
        return False
    if not plan.tiers:
        return True
    a, b = plan.tiers[-1], cold.tiers[-1]
    slack = 1 + gap + 1e-6
    return a.value <= b.value * slack and b.value <= a.value * slack and a.bound <= b.value * (
        1 + 1e-6) and b.bound <= a.value * (1 + 1e-6)


def forget(server):
    """Ends the server's solver processes; it starts others, which know nothing."""
    solvers = [pid for pid, (name, _) in process_facts.children(server.process.pid).items()
               if name == "isocost-solver"]
    for pid in solvers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process_facts.wait_until(
        lambda: not set(solvers) & set(process_facts.children(server.process.pid)))


def compare(cold_server, model, changes, results, colds, gap):
    """Solves some scenarios cold; tells the ratios by kind."""
    ratios, seconds, equal, gaps = {}, {}, 0, []
    places = [place for place, (kind, _) in enumerate(changes)
              if not colds or sum(kind == k for k, _ in changes[:place]) < colds]
    for place in places:
        kind, text = changes[place]
        forget(cold_server)
        cold, _ = solve(cold_server, model, text)
        plan = results[place].plan
        ratios.setdefault(kind, []).append(plan.stats.cpu_seconds / cold.stats.cpu_seconds)
        equal += same_answer(plan, cold, gap)
        if plan.tiers:
            gaps.append(plan.tiers[-1].gap)
    walls = {}
    for place, (kind, _) in enumerate(changes):
        seconds.setdefault(kind, []).append(results[place].plan.stats.cpu_seconds)
        walls.setdefault(kind, []).append(results[place].plan.stats.seconds)
    for kind, (most_ratio, most_seconds) in LIMITS.items():
        p95, p95_s = percentile(ratios[kind], 0.95), percentile(seconds[kind], 0.95)
        say(f"{kind}: p95 CPU seconds as a share of cold", round(p95, 3), most_ratio,
            p95 <= most_ratio if most_ratio else None,
            p50=round(statistics.median(ratios[kind]), 3), n=len(ratios[kind]))
        say(f"{kind}: p95 CPU seconds", round(p95_s, 3), most_seconds,
            p95_s <= most_seconds if most_seconds else None,
            p50=round(statistics.median(seconds[kind]), 3), n=len(seconds[kind]),
            wall_p95=round(percentile(walls[kind], 0.95), 3))
    say("scenarios whose answer is that of a cold solve within the gap", equal, len(places),
        equal == len(places))
    say("largest gap of a scenario", max(gaps, default=0), gap, max(gaps, default=0) <= gap + 1e-9)


def scenarios(options):
    model = what_if_model(options.seed, options.gap)
    with tempfile.TemporaryDirectory() as folder, IsocostServer("--solvers", "1") as server, \
            IsocostServer("--solvers", "1") as cold_server:
        paths, real = write_catalog(folder, options.seed)
        snapshot = import_catalog(server, paths)
        say("offerings", snapshot.offering_count, FEWEST_OFFERINGS,
            snapshot.offering_count >= FEWEST_OFFERINGS, real_prices=real)
        plan, wall = solve(server, model)
        cost = amount(plan.cost)
        say("first solve: CPU seconds", round(plan.stats.cpu_seconds, 3), COLD_SECONDS,
            plan.stats.cpu_seconds <= COLD_SECONDS, wall_seconds=round(wall, 3),
            reason=plan.termination.reason, cost=cost, columns=plan.stats.columns)
        changes = single_changes(options.seed, options.scenarios, cost)
        results, wall = evaluate(server, model, changes)
        cpu = sum(r.plan.stats.cpu_seconds for r in results.values() if not r.same_as)
        say("scenarios answered", len(results), len(changes), len(results) == len(changes),
            wall_seconds=round(wall, 1), cpu_seconds=round(cpu, 1),
            errors=sum(r.HasField("error") for r in results.values()),
            same=sum(bool(r.same_as) for r in results.values()))
        import_catalog(cold_server, paths)
        compare(cold_server, model, changes, results, options.cold, options.gap)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenarios", type=int, default=100)
    parser.add_argument("--cold", type=int, default=0, help="of each kind solved cold too; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gap", type=float, default=0.01)
    parser.add_argument("--explanations", type=int, default=200, help="random models; 0: none")
    options = parser.parse_args()
    if options.scenarios > 0:
        scenarios(options)
    if options.explanations > 0:
        explanations(options.explanations, say)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
