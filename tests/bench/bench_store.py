"""Durable writes of the store: group commit against one commit a write, in the same run.

    ./dev bench store [--clients 32] [--seconds 1] [--stores sqlite,postgres]

Five pairs of runs, one JSON line for each run and one for each store with the median of the pairs'
ratios. On SQLite it must be 10 or more with 32 clients, over the pairs before which the median fdatasync
took a millisecond or more; where syncs are quicker, and on PostgreSQL, where the way to the server and
back bounds both, it is only told. Ends with 1 when the limit is missed.
"""
import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from postgres_cluster import PostgresCluster

PROGRAM = pathlib.Path(os.environ["ISO_BUILD"]) / "tests/bench/store_writes"
RATIO, SYNC_MS, CLIENTS = 10, 1.0, 32


def run(store, address, options):
    with tempfile.TemporaryDirectory(prefix="isocost-bench-", dir=options.folder) as folder:
        done = subprocess.run([PROGRAM, folder, address, str(options.clients),
                               str(options.seconds)], stdout=subprocess.PIPE, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    pairs = []
    for sync, group, single in zip(lines[::3], lines[1::3], lines[2::3]):
        for line in (group, single):
            print(json.dumps({"suite": "store", "store": store, **sync, **line,
                              "ok": line["failed"] == 0}), flush=True)
        pairs.append((sync["fdatasync_ms"], group["writes_per_s"] / single["writes_per_s"]))
    # what counts is where a sync takes long enough for sharing it to matter
    slow = [ratio for sync_ms, ratio in pairs if sync_ms >= SYNC_MS]
    bound = store == "sqlite" and options.clients == CLIENTS and len(slow) > 0
    ratio = statistics.median(slow or [ratio for _, ratio in pairs])
    row = {"suite": "store", "store": store, "case": "group commit", "clients": options.clients,
           "fdatasync_ms": statistics.median(sync_ms for sync_ms, _ in pairs),
           "pairs": len(slow) or len(pairs), "ratio": round(ratio, 2),
           "limit": RATIO if bound else None, "ok": not bound or ratio >= RATIO}
    print(json.dumps(row), flush=True)
    return row["ok"] and all(line.get("failed", 0) == 0 for line in lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--stores", default="sqlite,postgres")
    parser.add_argument("--folder", help="where the data is; default: that for temporary files")
    options = parser.parse_args()
    ok = True
    for store in options.stores.split(","):
        with contextlib.ExitStack() as stack:
            address = "-"
            if store == "postgres":
                address = stack.enter_context(PostgresCluster()).new_database().address
            ok = run(store, address, options) and ok
    sys.exit(0 if ok else 1)


main()
