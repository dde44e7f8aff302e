"""A sweep of 1,000 scenarios on PostgreSQL by one solver, by two of one isocostd, and by four workers;
then the same while workers and PostgreSQL are killed.

    ./dev bench fleet [--scenarios N] [--kills N] [--seed N]

Seconds are CPU seconds of the solver processes, starts and spares included, as the kernel counts them, so
it does not matter how many processors there are. A kill of a worker costs at most the scenario that
it was solving: scenarios solved again are counted by the attempts of runs, from above. One JSON line
a figure, with its limit and whether it was kept. Ends with 1 when a limit is missed.
"""
import argparse
import json
import os
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["ISO_SOURCE"], "tests", "support"))

from fleet import (Killer, check_events, count_results, service,  # noqa: E402
                   watch_with_breaks)
from fleet_model import fleet_model  # noqa: E402
from isocost_protos import plan_service_pb2 as p, session_service_pb2 as s  # noqa: E402
from isocost_server import IsocostServer, IsocostWorker  # noqa: E402
from postgres_cluster import PostgresCluster  # noqa: E402

LEAST_SHARE = 0.9    # of the scenarios per CPU second of one solver
MOST_AGAIN = 0.02    # of the scenarios
REMOTE, WAIT_S = 4, 3600
LEASE = ("--lease-seconds", "3")
TICKS = os.sysconf("SC_CLK_TCK")

missed = False


def say(figure, value, limit=None, ok=None, **more):
    global missed
    missed = missed or ok is False
    print(json.dumps({"bench": "fleet", "figure": figure, "value": value, "limit": limit, "ok": ok,
                      **more}), flush=True)


def processor_seconds(fields, first):
    return (int(fields[first]) + int(fields[first + 1])) / TICKS


def solver_seconds(*supervisors):
    """CPU seconds of the solver processes that these processes have, and had."""
    seconds, pids = 0, [x.process.pid for x in supervisors]
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has ended
        if int(folder.name) in pids:
            seconds += processor_seconds(fields, 13)  # children that have ended
        elif int(fields[1]) in pids:
            seconds += processor_seconds(fields, 11)
    return seconds


def sweep(server, model, n):
    """The stream of a sweep over a demand, from -25 % to +25 %."""
    values = [round(-25 + 50 * i / (n - 1), 6) for i in range(n)]
    return service(server).Sweep(s.SweepRequest(
        model=p.ModelRef(model=model), durable=True,
        parameters=[s.SweepParameter(target="demand.*", values=values, unit="%")]),
        timeout=WAIT_S)


def check_results(results, n):
    """How many are lost, twice there, or failed."""
    places = [r.place for r in results]
    return {"lost": n - len(set(places)), "twice": len(places) - len(set(places)),
            "failed": sum(r.HasField("error") for r in results)}


def measure(cluster, model, n, name, server_options, n_workers):
    """Scenarios per CPU second of solvers."""
    database = cluster.new_database()
    with IsocostServer("--store", database.address, *server_options) as server, \
            tempfile.TemporaryDirectory() as folder:
        workers = [IsocostWorker(database.address, pathlib.Path(folder) / f"w{i}", "--solvers", "1")
                   for i in range(n_workers)]
        for worker in workers:
            worker.start()
        begin, before = time.monotonic(), solver_seconds(server, *workers)
        results, ended = check_events(sweep(server, model, n))
        seconds, wall = solver_seconds(server, *workers) - before, time.monotonic() - begin
        for worker in workers:
            worker.stop()
    found = check_results(results, n)
    say(f"{name}: scenarios per solver CPU second", round(n / seconds, 3), ok=not any(found.values()),
        cpu_seconds=round(seconds, 2), told_cpu_seconds=round(ended.cpu_seconds, 2),
        wall_seconds=round(wall, 1), **found)
    return n / seconds


def kill(cluster, model, n, kills, seed):
    database, chance = cluster.new_database(), random.Random(seed)
    with IsocostServer("--store", database.address, "--workers-only", *LEASE) as server, \
            tempfile.TemporaryDirectory() as folder:
        workers = [IsocostWorker(database.address, pathlib.Path(folder) / f"w{i}", "--solvers", "1",
                                 *LEASE) for i in range(REMOTE)]
        for worker in workers:
            worker.start()
        killer = Killer(cluster, workers, chance, lambda: count_results(database), n, kills)
        try:
            seen, n_breaks = watch_with_breaks(server, sweep(server, model, n), chance)
        finally:
            killer.join()
        results, _ = check_events(seen)
        for worker in workers:
            worker.stop()
    found = check_results(results, n)
    again = database.number("SELECT coalesce(sum(attempt - 1), 0) FROM job")
    say("kills of workers, and one of PostgreSQL", killer.killed, kills, killer.killed == kills)
    say("results lost", found["lost"], 0, found["lost"] == 0)
    say("results told twice to a client that reconnects", found["twice"], 0, found["twice"] == 0,
        reconnects=n_breaks)
    say("scenarios solved again, as a share, at most", round(again / n, 4), MOST_AGAIN,
        again / n <= MOST_AGAIN, failed=found["failed"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scenarios", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    model, n = fleet_model(options.seed), options.scenarios
    with PostgresCluster() as cluster:
        one = measure(cluster, model, n, "one solver", ("--solvers", "1"), 0)
        for name, server_options, n_workers in [
                ("two local solvers", ("--solvers", "2"), 0),
                ("four remote solvers", ("--workers-only",), REMOTE)]:
            rate = measure(cluster, model, n, name, server_options, n_workers)
            say(f"{name}: as a share of one solver's", round(rate / one, 3), LEAST_SHARE,
                rate / one >= LEAST_SHARE)
        kill(cluster, model, n, options.kills, options.seed)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
