"""What is acknowledged, while the server is killed and the disk is full; what is served, while plugins go wrong.

    ./dev bench kills [--kills 100] [--postgres-kills 20] [--points 50] [--faults 20]

kill -9 of isocostd while clients create plans and evaluations and import catalogs, on SQLite and on
PostgreSQL: after each start everything acknowledged must be there, once, and in the end everything has
ended and the store is whole. Then a disk that is full at random points: clean errors, reads served,
writes back with room. Then each fault of a plugin, again and again while clients solve: classed right, the
provider's last rows listed, quarantine and recovery, no call of a client failed. One JSON line a figure, with its limit and whether it was kept; what was not
kept is told on stderr. Ends with 1 when a limit is missed.
"""
import argparse
import contextlib
import json
import os
import sys
import traceback

sys.path.insert(0, os.path.join(os.environ["ISO_SOURCE"], "tests", "support"))
sys.path.insert(0, os.path.join(os.environ["ISO_SOURCE"], "tests", "chaos"))

from test_full_disk import DISK_MIB, fill_again_and_again, small_disk_of  # noqa: E402
from test_kill_server import kill_again_and_again, kill_on_postgres  # noqa: E402
from test_plugin_faults import go_wrong_again_and_again  # noqa: E402

RESTART_S = 2

missed = False


def say(figure, value, limit=None, ok=None, **more):
    global missed
    missed = missed or ok is False
    print(json.dumps({"bench": "kills", "figure": figure, "value": value, "limit": limit, "ok": ok,
                      **more}), flush=True)


def try_out(figure, run, counted="acknowledged"):
    """Says whether it holds, and how many were counted; gives what it gives, or None."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            found = run()
    except AssertionError:
        traceback.print_exc()
        found = None
    say(figure, "kept" if found else "not kept", "kept", found is not None,
        **({counted: found[0]} if found else {}))
    return found


def kill(name, kills, run):
    found = try_out(f"{kills} kills of isocostd on {name}: acknowledged writes and invariants",
                    lambda: run(kills))
    if found:
        say(f"{kills} kills of isocostd on {name}: seconds of the slowest restart",
            round(found[1], 3), RESTART_S, found[1] <= RESTART_S)


def fill(points):
    with small_disk_of(DISK_MIB + 2 * points) as folder:
        if folder is None:
            say("full disks", None, why="a small file system cannot be mounted")
            return
        try_out(f"a disk that is full at {points} points: clean errors, reads, and recovery",
                lambda: (fill_again_and_again(folder, points),))


def fail(times):
    def run():
        matrix = go_wrong_again_and_again(times, times)
        return sum(counts["kept"] for counts in matrix.counts.values()), matrix

    found = try_out(f"plugins that go wrong, {times} times in each way: told, left behind, recovered", run,
                    "faults")
    if found:
        say("calls of clients meanwhile that failed", len(found[1].failures), 0, not found[1].failures,
            calls=sum(found[1].calls.values()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--postgres-kills", type=int, default=20)
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--faults", type=int, default=20)
    options = parser.parse_args()
    kill("SQLite", options.kills, kill_again_and_again)
    kill("PostgreSQL", options.postgres_kills, kill_on_postgres)
    fill(options.points)
    fail(options.faults)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
