"""kill -9 of the server while clients create plans and import catalogs: what was acknowledged stays,
once, and what was begun is finished."""

import os
import random
import subprocess
import threading
import time

import grpc

from isocost_protos import (
    catalog_service_pb2 as c, catalog_service_pb2_grpc, plan_service_pb2 as p,
    plan_service_pb2_grpc)
from isocost_server import IsocostServer, program
from postgres_cluster import PostgresCluster
from small_models import amount, two_clouds

KILLS = int(os.environ.get("ISO_KILLS", "20"))
POSTGRES_KILLS = max(KILLS // 4, 3)
SEED = int(os.environ.get("ISO_SEED", "1"))
PLANNERS = 3
RESTART_S = 15
QUEUED, RUNNING, DONE = 1, 2, 3
GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED,
        grpc.StatusCode.RESOURCE_EXHAUSTED)


class History:
    """What clients sent and what they were told; request ids are sent again until acknowledged."""

    def __init__(self):
        self.lock = threading.Lock()
        self.plans = {}  # request id -> plan id
        self.sent = set()
        self.snapshots = set()
        self.next_price = 1


def run(history, stop, work):
    """Repeats work() until the server has gone or the test stops it."""
    while not stop.is_set():
        try:
            work()
        except grpc.RpcError as error:
            assert error.code() in GONE, error
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                return


def create_plans(history, channel, stop, name):
    plans = plan_service_pb2_grpc.PlanServiceStub(channel)

    def work():
        with history.lock:
            waiting = sorted(r for r in history.sent - set(history.plans) if r.startswith(name))
            request_id = waiting[0] if waiting else f"{name}.{len(history.sent)}"
            history.sent.add(request_id)
        plan = plans.CreatePlan(p.CreatePlanRequest(
            model=p.ModelRef(model=two_clouds(labels={"request": request_id})),
            request_id=request_id), timeout=20).plan
        with history.lock:
            history.plans[request_id] = plan.id
        time.sleep(0.005)

    run(history, stop, work)


def import_catalogs(history, channel, stop):
    catalog = catalog_service_pb2_grpc.CatalogServiceStub(channel)

    def work():
        with history.lock:
            price, history.next_price = history.next_price, history.next_price + 1
        text = ("provider,type,purchase,price,currency\n"
                f"aws,server,on-demand,{price}.5,USD\n").encode()
        answer = catalog.ImportCatalog(iter([c.ImportCatalogRequest(
            name="offerings.csv", kind=1, chunk=text)]), timeout=20)
        with history.lock:
            history.snapshots.add(answer.snapshot.digest)

    run(history, stop, work)


def work_until_killed(server, history, chance):
    stop = threading.Event()
    channel = server.channel(options=[("grpc.use_local_subchannel_pool", 1)])
    threads = [threading.Thread(target=create_plans, args=(history, channel, stop, f"client{i}"))
               for i in range(PLANNERS)]
    threads.append(threading.Thread(target=import_catalogs, args=(history, channel, stop)))
    failures = []

    def guarded(target):
        try:
            target()
        except BaseException as failure:  # told by the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(t.run,)) for t in threads]
    for thread in threads:
        thread.start()
    time.sleep(chance.uniform(0.1, 0.8))
    server.kill()
    stop.set()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    channel.close()
    assert not failures, failures


def all_plans(plans):
    found, token = [], ""
    while True:
        page = plans.ListPlans(p.ListPlansRequest(page_size=1000, page_token=token), timeout=30)
        found += page.plans
        token = page.next_page_token
        if not token:
            return found


def all_snapshots(catalog):
    found, token = [], ""
    while True:
        page = catalog.ListSnapshots(
            c.ListSnapshotsRequest(page_size=1000, page_token=token), timeout=30)
        found += page.snapshots
        token = page.next_page_token
        if not token:
            return found


def check(server, history):
    channel = server.channel(options=[("grpc.use_local_subchannel_pool", 1)])
    plans = plan_service_pb2_grpc.PlanServiceStub(channel)
    catalog = catalog_service_pb2_grpc.CatalogServiceStub(channel)
    stored = all_plans(plans)
    of_request = {}
    for plan in stored:
        of_request.setdefault(plan.labels["request"], []).append(plan.id)
    assert all(len(ids) == 1 for ids in of_request.values()), "a plan is there twice"
    assert set(of_request) <= history.sent
    for request_id, plan_id in history.plans.items():
        assert of_request.get(request_id) == [plan_id], f"{request_id} was acknowledged and is lost"

    digests = [s.digest for s in all_snapshots(catalog)]
    assert len(digests) == len(set(digests)), "a snapshot is there twice"
    assert history.snapshots <= set(digests), "an acknowledged snapshot is lost"
    for digest in sorted(history.snapshots)[-3:]:  # and its file with it
        assert catalog.ListOfferings(
            c.ListOfferingsRequest(snapshot_digest=digest), timeout=10).total_count == 1
    return channel, plans


def wait_for_all_ends(plans, seconds):
    end = time.monotonic() + seconds
    while any(plan.state in (QUEUED, RUNNING) for plan in all_plans(plans)):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(1)


def check_store(name):
    """What `isocost-store check` finds: pages, the audit chain, plans and jobs, snapshots."""
    done = subprocess.run([program("isocost-store"), "check", name], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout.strip())


def kill_again_and_again(kills, *arguments, store=None):
    print(f"seed {SEED}")
    chance, history, slowest = random.Random(SEED), History(), 0
    with IsocostServer("--solvers", "1", "--queue", "1000", *arguments) as server:
        for _ in range(kills):
            work_until_killed(server, history, chance)
            begin = time.monotonic()
            server.start()
            slowest = max(slowest, time.monotonic() - begin)
            channel, plans = check(server, history)
            channel.close()
        channel, plans = check(server, history)
        wait_for_all_ends(plans, 60 + 6 * kills)  # one solver has a queue of some kills' plans
        ended = all_plans(plans)
        assert ended and all(plan.state == DONE and amount(plan.cost) == 850 for plan in ended)
        print(f"{kills} kills, {len(ended)} plans, {len(history.plans)} acknowledged, "
              f"{len(history.snapshots)} snapshots, slowest restart {slowest:.2f} s")
        assert history.plans and history.snapshots and slowest < RESTART_S
        channel.close()
        assert server.stop() == 0
        check_store(store or str(server.data))


def test_nothing_acknowledged_is_lost_by_kills_of_the_server():
    kill_again_and_again(KILLS)


def test_nothing_acknowledged_is_lost_by_kills_of_the_server_on_postgres():
    with PostgresCluster() as cluster:
        database = cluster.new_database()
        # A plan that was begun is another's to finish when its lease has ended.
        kill_again_and_again(POSTGRES_KILLS, "--store", database.address, "--lease-seconds", "3",
                             store=database.address)
        assert database.number("SELECT count(*) FROM (SELECT object FROM audit"
                               " WHERE action = 'plan.end' GROUP BY object HAVING count(*) > 1) x"
                               ) == 0
