"""Durable writes of the store: group commit against one commit a write, in the same run.

    ./dev bench store [--clients 32] [--seconds 2] [--stores sqlite,postgres]

One JSON line for each run and one for each store with the ratio of the medians. On SQLite it must be 10
or more with 32 clients where the median fdatasync takes a millisecond or more; where syncs are quicker,
and on PostgreSQL, where the way to the server and back bounds both, it is only told. Ends with 1 when
the limit is missed.
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
    sync_ms = lines[0]["fdatasync_ms"]
    speeds = {"group": [], "one a write": []}
    for line in lines[1:]:
        speeds[line["commits"]].append(line["writes_per_s"])
        print(json.dumps({"suite": "store", "store": store, **line, "ok": line["failed"] == 0}),
              flush=True)
    group, single = (statistics.median(speeds[kind]) for kind in ("group", "one a write"))
    bound = store == "sqlite" and sync_ms >= SYNC_MS and options.clients == CLIENTS
    row = {"suite": "store", "store": store, "case": "group commit", "clients": options.clients,
           "fdatasync_ms": sync_ms, "group_per_s": group, "single_per_s": single,
           "ratio": round(group / single, 2), "limit": RATIO if bound else None,
           "ok": not bound or group >= RATIO * single}
    print(json.dumps(row), flush=True)
    return row["ok"] and all(line["failed"] == 0 for line in lines[1:])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seconds", type=float, default=2)
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
