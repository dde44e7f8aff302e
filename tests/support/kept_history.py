"""What clients sent to a server and what they were told, and whether the server still has it: plans,
catalogs and evaluations, by several clients at a time, while something is killed."""

import subprocess
import threading
import time

import grpc

from fleet import check_events, watch
from isocost_protos import (
    catalog_service_pb2 as c, catalog_service_pb2_grpc, change_pb2, plan_service_pb2 as p,
    plan_service_pb2_grpc, session_service_pb2 as s, session_service_pb2_grpc)
from isocost_server import program
from small_models import amount, two_clouds

PLANNERS, SCENARIOS = 3, 5
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
        self.evaluations = set()
        self.next_price = 1


def run(stop, work):
    """Repeats work() until it is stopped; what went wrong may be tried again."""
    while not stop.is_set():
        try:
            work()
        except grpc.RpcError as error:
            assert error.code() in GONE, error
            stop.wait(0.02)


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

    run(stop, work)


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

    run(stop, work)


def create_evaluations(history, channel, stop):
    sessions = session_service_pb2_grpc.SessionServiceStub(channel)
    scenarios = [s.Scenario(name=f"d{i}", changes=[change_pb2.Change(
        text=f"demand.service={1000 + i}")]) for i in range(SCENARIOS)]

    def work():
        for response in sessions.EvaluateScenarios(s.EvaluateScenariosRequest(
                model=p.ModelRef(model=two_clouds()), scenarios=scenarios, durable=True),
                timeout=20):
            if response.event.WhichOneof("event") == "accepted":
                with history.lock:
                    history.evaluations.add(response.event.accepted.evaluation_id)

    run(stop, work)


class Clients:
    """Clients that write until they are stopped."""

    def __init__(self, server, history):
        self.stopped = threading.Event()
        self.failures = []
        self.channel = server.channel(options=[("grpc.use_local_subchannel_pool", 1)])
        targets = [lambda name=f"client{i}": create_plans(history, self.channel, self.stopped, name)
                   for i in range(PLANNERS)]
        targets.append(lambda: import_catalogs(history, self.channel, self.stopped))
        targets.append(lambda: create_evaluations(history, self.channel, self.stopped))
        self.threads = [threading.Thread(target=self._guarded, args=(x,)) for x in targets]
        for thread in self.threads:
            thread.start()

    def _guarded(self, target):
        try:
            target()
        except BaseException as failure:  # told by the test's own thread
            self.failures.append(failure)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()
        self.channel.close()
        assert not self.failures, self.failures


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
    strange = [(plan.id, plan.state, plan.error) for plan in stored
               if plan.labels["request"] not in history.sent]
    assert not strange, f"plans that nobody asked for: {strange}"
    twice = {request: ids for request, ids in of_request.items() if len(ids) > 1}
    assert not twice, f"a plan is there twice: {twice}"
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


def check_ends(server, plans, history):
    """Every plan and every evaluation ended as it must; gives the number of plans."""
    ended = all_plans(plans)
    assert ended and all(plan.state == DONE and amount(plan.cost) == 850 for plan in ended)
    for evaluation_id in sorted(history.evaluations):
        results, end = check_events(watch(server, evaluation_id))
        assert sorted(r.place for r in results) == list(range(SCENARIOS)) and end.end == 1
        assert all(abs(amount(r.plan.cost) - 0.4 * (1000 + r.place)) < 1e-9 for r in results)
    return len(ended)
