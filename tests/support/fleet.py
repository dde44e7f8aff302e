"""Evaluations on several workers, while workers and PostgreSQL are killed and the client comes and
goes."""

import threading
import time

import grpc

from isocost_protos import plan_service_pb2 as p, session_service_pb2 as s, session_service_pb2_grpc

TRY_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
HOUR_S = 3600


def service(server):
    return session_service_pb2_grpc.SessionServiceStub(server.channel())


def begin(server, model, scenarios, **options):
    """The stream of a new evaluation."""
    return service(server).EvaluateScenarios(s.EvaluateScenariosRequest(
        model=p.ModelRef(model=model), scenarios=scenarios, **options), timeout=HOUR_S)


def watch(server, evaluation_id, after=0):
    return service(server).WatchEvaluation(s.WatchEvaluationRequest(
        evaluation_id=evaluation_id, after_sequence=after), timeout=HOUR_S, wait_for_ready=True)


def check_events(responses):
    """Every event once and in order; the results and the end."""
    kept = [r.event for r in responses if r.event.WhichOneof("event") != "progress"]
    assert [e.sequence for e in kept] == list(range(1, len(kept) + 1))
    assert kept[0].WhichOneof("event") == "accepted" and kept[-1].WhichOneof("event") == "ended"
    return [e.result for e in kept[1:-1]], kept[-1].ended


def watch_with_breaks(server, first, chance):
    """All kept events of an evaluation, by a client that goes away again and again and comes back with
    its token; and how often it did."""
    seen, stream, n_breaks = [], first, 0
    while True:
        try:
            many = chance.randrange(20, 60)
            for response in stream:
                if response.event.sequence:
                    seen.append(response)
                    many -= 1
                if many == 0:
                    stream.cancel()
                    break
            else:
                return seen, n_breaks
        except grpc.RpcError as error:
            assert error.code() in TRY_AGAIN, error
            time.sleep(0.1)
        n_breaks += 1
        stream = watch(server, seen[0].event.accepted.evaluation_id, seen[-1].event.sequence)


def count_results(database):
    return database.number("SELECT count(*) FROM evaluation_event WHERE place >= 0")


class Killer:
    """Kills a random worker whenever `count()` has grown by so much of `total`, and starts it again;
    half-way it is PostgreSQL's turn."""

    def __init__(self, cluster, workers, chance, count, total, kills):
        self.cluster, self.workers, self.chance = cluster, workers, chance
        self.count, self.total, self.kills, self.killed = count, total, kills, 0
        self.stop = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self._guarded)
        self.thread.start()

    def _guarded(self):
        try:
            self._run()
        except BaseException as failure:  # told by the test's own thread
            self.failure = failure

    def _run(self):
        crashed = False
        while self.killed < self.kills and not self.stop.is_set():
            n = self.count()
            if not crashed and n > self.total / 2:
                crashed = True
                self.cluster.kill()
                self.cluster.start()
            if n >= (self.killed + 1) * self.total / (self.kills + 2):
                worker = self.chance.choice(self.workers)
                worker.kill()
                worker.start()
                self.killed += 1
            time.sleep(0.01)

    def join(self):
        self.stop.set()
        self.thread.join(120)
        if self.failure:
            raise self.failure
