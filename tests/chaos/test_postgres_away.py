"""PostgreSQL is killed and comes back while isocostd and a worker run: errors that pass, and nothing that
was acknowledged is lost. Nobody starts isocostd or the worker again."""

import os
import random
import time

from isocost_server import IsocostServer, IsocostWorker
from kept_history import Clients, History, check, check_ends, check_store, wait_for_all_ends
from postgres_cluster import PostgresCluster
from process_facts import wait_until

KILLS = max(int(os.environ.get("ISO_KILLS", "20")) // 5, 3)
SEED = int(os.environ.get("ISO_SEED", "1"))
LEASE = ("--lease-seconds", "3")


def test_nothing_acknowledged_is_lost_when_postgres_comes_and_goes(tmp_path):
    print(f"seed {SEED}")
    chance, history = random.Random(SEED), History()
    with PostgresCluster() as cluster:
        database = cluster.new_database()
        with IsocostServer("--solvers", "1", "--store", database.address, *LEASE) as server, \
                IsocostWorker(database.address, tmp_path / "worker", "--solvers", "1", *LEASE):
            clients = Clients(server, history)
            for _ in range(KILLS):
                n_before = len(history.plans)
                time.sleep(chance.uniform(0.1, 0.8))
                cluster.kill()
                time.sleep(chance.uniform(0, 1))
                cluster.start()
                wait_until(lambda: len(history.plans) > n_before + 3, 60)  # writes come back
            clients.stop()
            channel, plans = check(server, history)
            wait_for_all_ends(plans, 60 + 6 * KILLS)
            n_ended = check_ends(server, plans, history)
            print(f"{KILLS} kills of PostgreSQL, {n_ended} plans, {len(history.plans)} acknowledged, "
                  f"{len(history.snapshots)} snapshots, {len(history.evaluations)} evaluations")
            channel.close()
        check_store(database.address)
        assert database.number("SELECT count(*) FROM (SELECT object FROM audit"
                               " WHERE action = 'plan.end' GROUP BY object HAVING count(*) > 1) x"
                               ) == 0
