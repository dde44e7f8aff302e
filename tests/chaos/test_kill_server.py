"""kill -9 of the server while clients create plans and evaluations and import catalogs: what was acknowledged stays,
once, and what was begun is finished."""

import os
import random
import time

from isocost_server import IsocostServer
from kept_history import Clients, History, check, check_ends, check_store, wait_for_all_ends
from postgres_cluster import PostgresCluster

KILLS = int(os.environ.get("ISO_KILLS", "20"))
POSTGRES_KILLS = max(KILLS // 5, 3)
SEED = int(os.environ.get("ISO_SEED", "1"))
RESTART_S = 15


def kill_again_and_again(kills, *arguments, store=None):
    """Gives (writes acknowledged, seconds of the slowest restart)."""
    print(f"seed {SEED}")
    chance, history, slowest = random.Random(SEED), History(), 0
    with IsocostServer("--solvers", "1", "--queue", "1000", *arguments) as server:
        for _ in range(kills):
            clients = Clients(server, history)
            time.sleep(chance.uniform(0.1, 0.8))
            server.kill()
            clients.stop()
            begin = time.monotonic()
            server.start()
            slowest = max(slowest, time.monotonic() - begin)
            channel, plans = check(server, history)
            channel.close()
        channel, plans = check(server, history)
        wait_for_all_ends(plans, 60 + 6 * kills)  # one solver has a queue of some kills' plans
        n_ended = check_ends(server, plans, history)
        print(f"{kills} kills, {n_ended} plans, {len(history.plans)} acknowledged, "
              f"{len(history.snapshots)} snapshots, {len(history.evaluations)} evaluations, "
              f"slowest restart {slowest:.2f} s")
        assert history.plans and history.snapshots and history.evaluations
        assert slowest < RESTART_S
        channel.close()
        assert server.stop() == 0
        check_store(store or str(server.data))
    n_writes = len(history.plans) + len(history.snapshots) + len(history.evaluations)
    return n_writes, slowest


def kill_on_postgres(kills):
    """The same on PostgreSQL; each plan has one end."""
    with PostgresCluster() as cluster:
        database = cluster.new_database()
        # A plan that was begun is another's to finish when its lease has ended.
        figures = kill_again_and_again(kills, "--store", database.address, "--lease-seconds", "3",
                                       store=database.address)
        assert database.number("SELECT count(*) FROM (SELECT object FROM audit"
                               " WHERE action = 'plan.end' GROUP BY object HAVING count(*) > 1) x"
                               ) == 0
    return figures


def test_nothing_acknowledged_is_lost_by_kills_of_the_server():
    kill_again_and_again(KILLS)


def test_nothing_acknowledged_is_lost_by_kills_of_the_server_on_postgres():
    kill_on_postgres(POSTGRES_KILLS)
