"""All replayed clouds together, with all that real price files hold: one refresh, a plan over it, a refresh again.

    ./dev bench clouds [--runs N] [--clouds NAMES]

Each run has a server of its own. The clouds are in this process, which is not what is measured: seconds of a refresh
are mostly theirs, CPU seconds and memory are those of isocostd, of the plugin host of each provider, and of the solver.
Rows and what was left out are held against counts made from the files; the plan against its cost worked out by hand.
One JSON line a figure, then a table of medians and worst values. Ends with 1 when a limit is missed. Prices are
in the folder that ISO_SHARED_DATA names; without it there is nothing to measure.
"""
import argparse
import collections
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["ISO_SOURCE"], "tests", "support"))

import real_catalog  # noqa: E402
import real_cloud_plan  # noqa: E402
import real_cloud_rows  # noqa: E402
from real_clouds import CLOUDS, Refreshed, real_clouds  # noqa: E402
from small_models import amount  # noqa: E402

FEWEST_OFFERINGS = 50000
told = collections.defaultdict(list)  # case: its lines


def say(case, run, value, unit, limit=None, ok=None, **more):
    line = {"suite": "clouds", "case": case, "seed": run, "value": value, "unit": unit, "limit": limit,
            "ok": ok is not False, **more}
    told[case].append(line)
    print(json.dumps(line), flush=True)


def say_usage(what, run, usage):
    for name, one in sorted(usage.items()):
        say(f"{what}: {name}", run, round(one.cpu_seconds, 2), "CPU s", peak_mib=round(one.peak_mib, 1))
        say(f"{what}: {name}, peak", run, round(one.peak_mib, 1), "MiB")


def measure_refresh(run, clouds, good, left_out):
    refreshed = Refreshed(clouds)
    snapshot, by_provider = refreshed.snapshot, collections.Counter(one.provider for one in clouds.offerings())
    say("refresh", run, round(refreshed.seconds, 2), "s", rows=snapshot.row_count)
    say_usage("refresh", run, {k: v for k, v in refreshed.usage.items() if k != "isocost-solver"})
    say("offerings", run, snapshot.offering_count, "rows", FEWEST_OFFERINGS,
        snapshot.offering_count >= FEWEST_OFFERINGS, expected=len(good))
    expected = collections.Counter(row["provider"] for row in good.values())
    for name in clouds.names:
        say(f"offerings: {name}", run, by_provider[name], "rows", expected[name], by_provider[name] == expected[name])
    found = refreshed.left_out()
    for code in sorted(left_out | found):
        say(f"left out: {code}", run, found.get(code, 0), "rows", left_out[code],
            found.get(code, 0) == left_out[code])


def measure_again(run, clouds, good):
    """The same once more: what has a version is not asked for."""
    aws = clouds.replays.get("aws")
    for replay in clouds.replays.values():
        replay.requests.clear()
    refreshed = Refreshed(clouds)
    say("again", run, round(refreshed.seconds, 2), "s", requests=sum(len(r.requests) for r in clouds.replays.values()))
    say("again: offerings", run, refreshed.snapshot.offering_count, "rows", len(good),
        refreshed.snapshot.offering_count == len(good))
    if aws:
        n_files = sum(request.path.endswith("/index.csv") for request in aws.requests)
        say("again: price files of AWS", run, n_files, "", 0, n_files == 0)


def measure_plan(run, clouds, good):
    begin = time.monotonic()
    plan = clouds.solve(real_cloud_plan.model(clouds.names))
    say("plan", run, round(time.monotonic() - begin, 2), "s", columns=plan.stats.columns)
    say("plan: solver", run, round(plan.stats.cpu_seconds, 2), "CPU s")
    say("plan: solver, peak", run, round(plan.stats.peak_memory_mib, 1), "MiB")
    least = sum(real_cloud_plan.least_cost(good.values()))
    say("plan: cost above the least possible", run, round(amount(plan.cost) / least - 1, 6), "of it",
        2 * real_cloud_plan.GAP, least * (1 - 1e-6) <= amount(plan.cost) <= least * (1 + 2 * real_cloud_plan.GAP),
        cost=amount(plan.cost))
    say("plan: verified", run, int(plan.certificate.passed), "", 1, plan.certificate.passed)


def table():
    print(f"\n{'case':52} {'median':>10} {'worst':>10} {'limit':>10} {'':6}")
    for case, lines in told.items():
        values = [line["value"] for line in lines]
        limit = "" if lines[0]["limit"] is None else lines[0]["limit"]
        ok = "" if all(line["ok"] for line in lines) else "MISSED"
        print(f"{case:52} {statistics.median(values):>10} {max(values):>10} {limit:>10} {lines[0]['unit']:6} {ok}")
    return any(not line["ok"] for lines in told.values() for line in lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--clouds", default=",".join(CLOUDS))
    options = parser.parse_args()
    if not real_catalog.available():
        print(f"the price files are not in {real_catalog.SHARED}; ISO_SHARED_DATA names their folder", file=sys.stderr)
        return 0
    names = options.clouds.split(",")
    good, left_out = real_cloud_rows.judge(real_cloud_rows.offered_rows(names))
    for run in range(1, options.runs + 1):
        with tempfile.TemporaryDirectory() as folder, real_clouds(pathlib.Path(folder), names) as clouds:
            measure_refresh(run, clouds, good, left_out)
            measure_plan(run, clouds, good)
            measure_again(run, clouds, good)
    return 1 if table() else 0


if __name__ == "__main__":
    sys.exit(main())
