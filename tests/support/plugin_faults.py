"""A server whose provider plugins go wrong one after the other, while clients are at work.

    with PluginFaults() as matrix, matrix.load():
        matrix.repeat("segv", 20)
        matrix.quarantine_and_recover()
    matrix.check_nothing_is_left()

Each fault has a provider and a plugin file of its own. A plugin is well while its file is that of the plugin
`well`, and sick while it is that of the fault: what an operator does who installs a broken file, and mends it.
"""
import collections
import contextlib
import dataclasses
import os
import pathlib
import shutil
import tempfile
import threading
import time

import grpc
import yaml

from isocost_protos import (
    catalog_service_pb2 as c, catalog_service_pb2_grpc, plan_service_pb2 as p, plan_service_pb2_grpc)
from isocost_server import BUILD, IsocostServer
from plugin_host import SANITIZED
from process_facts import children, open_files, resident_mib, start_time, wait_until, zombies
from small_models import amount, two_clouds

READY, DEGRADED, QUARANTINED, REFUSED = 1, 2, 3, 4
CRASHES_TO_QUARANTINE = 5  # ISO_INSTANCE_CRASHES
QUARANTINE_S = 2
MEMORY_MIB = 256
CLIENTS = 2  # that solve; one more lists
PRICES = """provider,region,type,purchase,price,currency,vcpu
aws,us-east-1,server,on-demand,0.5,USD,2
alibaba,cn-hangzhou,server,on-demand,0.4,USD,2
"""
Code = grpc.StatusCode


@dataclasses.dataclass(frozen=True)
class Fault:
    """What docs/howto/add-a-provider.md and reliability's rules say becomes of it."""
    code: Code  # UNAVAILABLE: try again; UNAUTHENTICATED: the credentials; FAILED_PRECONDITION: in vain
    words: tuple  # in the error's text, any of them
    state: int = DEGRADED
    crash: bool = False  # counts towards the quarantine
    seldom: bool = False  # takes seconds: the gate tries it less often
    deadline_s: int = 1


# The sanitizer takes the signal and ends with a status of its own.
SEGV = ("exit status",) if SANITIZED else ("killed by signal 11",)
FAULTS = {
    "segv": Fault(Code.UNAVAILABLE, SEGV, crash=True),
    "abort": Fault(Code.UNAVAILABLE, ("killed by signal 6",), crash=True),
    "stack": Fault(Code.UNAVAILABLE, SEGV, crash=True),
    "exit": Fault(Code.UNAVAILABLE, ("ended before it was done (exit status 0)",), crash=True),
    "half_way_crash": Fault(Code.UNAVAILABLE, SEGV, crash=True),
    "garbage": Fault(Code.UNAVAILABLE, ("broken frame",), crash=True),
    "half_frame": Fault(Code.UNAVAILABLE, ("ended before it was done",), crash=True),
    "hang": Fault(Code.DEADLINE_EXCEEDED, ("did not finish within its 1 seconds",), crash=True, seldom=True),
    "hang_up": Fault(Code.UNAVAILABLE, ("ended before it was done",), crash=True, seldom=True, deadline_s=30),
    "memory": Fault(Code.UNAVAILABLE, ("no memory after",)),
    "throttled": Fault(Code.UNAVAILABLE, ("the provider throttles (SlowDown)",)),
    "unavailable": Fault(Code.UNAVAILABLE, ("the provider does not answer",)),
    "half_way": Fault(Code.UNAVAILABLE, ("the second page did not come",)),
    "refused_key": Fault(Code.UNAUTHENTICATED, ("the provider refuses the key",)),
    "hide": Fault(Code.FAILED_PRECONDITION, ("a row of ",)),
    "many": Fault(Code.FAILED_PRECONDITION, ("more than 2000000 rows",), seldom=True, deadline_s=60),
    "wrong_rows": Fault(Code.UNAVAILABLE, ("no usable row",)),
    "none": Fault(Code.UNAVAILABLE, ("no usable row",)),
    "other_major": Fault(Code.FAILED_PRECONDITION, ("ABI",), REFUSED),
    "no_symbol": Fault(Code.FAILED_PRECONDITION, ("iso_plugin_v1",), REFUSED),
    "loose": Fault(Code.PERMISSION_DENIED, ("mode 0666",), REFUSED),
}
if SANITIZED:
    del FAULTS["memory"]  # the sanitizer needs memory without a limit
CRASHES = [name for name, fault in FAULTS.items() if fault.crash]


def provider_name(fault):
    return fault.replace("_", "-")


class PluginFaults:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="isocost-"))
        self.counts = collections.defaultdict(collections.Counter)  # of each fault
        self.calls = collections.Counter()  # of the load, by what they are
        self.failures = []
        self._stack = contextlib.ExitStack()

    # ---- what is installed ----

    def _install(self, fault, build):
        new = self.folder / "new"
        shutil.copyfile(BUILD / f"tests/plugins/{build}.so", new)
        new.chmod(0o644)
        new.replace(self.folder / f"plugins/{fault}.so")

    def sicken(self, fault):
        if fault == "loose":
            (self.folder / "plugins/loose.so").chmod(0o666)
        else:
            self._install(fault, fault)

    def cure(self, fault):
        self._install(fault, "well")

    def _configure(self):
        (self.folder / "plugins").mkdir()
        prices = self.folder / "prices"
        prices.mkdir()
        (prices / "offerings.csv").write_text(PRICES)
        shutil.copyfile(BUILD / "plugins/static.so", self.folder / "plugins/static.so")
        providers = [{"name": "good", "plugin": "static", "parameters": {"path": str(prices)},
                      "readable_paths": [str(prices)]}]
        for fault, expected in FAULTS.items():
            self.cure(fault)
            providers.append({"name": provider_name(fault), "plugin": fault,
                              "deadline_seconds": expected.deadline_s, "memory_mib": MEMORY_MIB})
        (self.folder / "providers.yaml").write_text(yaml.safe_dump({"providers": providers}))

    def __enter__(self):
        try:
            self._configure()
            self.server = self._stack.enter_context(IsocostServer(
                "--config", str(self.folder / "providers.yaml"), "--plugin-dir", str(self.folder / "plugins"),
                "--quarantine-seconds", str(QUARANTINE_S)))
            self.catalog = catalog_service_pb2_grpc.CatalogServiceStub(self.server.channel())
            self.plans = plan_service_pb2_grpc.PlanServiceStub(self.server.channel())
            self.refresh("")
            self._solve()
            self.pid = self.server.process.pid
            self.started = start_time(self.pid)
            self.files, self.resident = open_files(self.pid), resident_mib(self.pid)
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self._stack.close()
        shutil.rmtree(self.folder)

    # ---- what is asked ----

    def refresh(self, provider):
        events = list(self.catalog.RefreshCatalog(c.RefreshCatalogRequest(provider=provider), timeout=120))
        return events[-1].snapshot

    def refresh_error(self, provider):
        try:
            self.refresh(provider)
        except grpc.RpcError as error:
            return error
        raise AssertionError(f"{provider} was refreshed")

    def states(self):
        """{provider: (state, last error)}"""
        providers = self.catalog.ListProviders(c.ListProvidersRequest(), timeout=30).providers
        return {one.name: (one.state, one.last_error) for one in providers}

    def state(self, fault):
        return self.states()[provider_name(fault)][0]

    def _prices(self, *providers):
        """{provider: price in USD} of what is listed of the providers."""
        request = c.ListOfferingsRequest(page_size=100)
        request.selector.include.add(provider=providers)
        offerings = self.catalog.ListOfferings(request, timeout=30).offerings
        return {one.provider: amount(one.price) for one in offerings}

    def _solve(self):
        model = two_clouds()
        del model.catalog.offerings[:]
        model.catalog.selectors.add().include.add(provider=["aws", "alibaba"])
        plan = self.plans.SolvePlan(p.SolvePlanRequest(model=p.ModelRef(model=model)), timeout=60).plan
        assert amount(plan.cost) == 850, plan
        self.calls["plans"] += 1

    def _list(self):
        assert self._prices("aws", "alibaba") == {"aws": 0.5, "alibaba": 0.4}
        self.calls["lists"] += 1

    @contextlib.contextmanager
    def load(self):
        """Clients that solve with the healthy provider and list it, without a break."""
        stop = threading.Event()

        def client(work):
            while not stop.is_set():
                try:
                    work()
                except Exception as failure:  # whatever it is, the test fails by it
                    self.failures.append(failure)
                stop.wait(0.01)

        clients = [threading.Thread(target=client, args=(work,))
                   for work in [self._solve] * CLIENTS + [self._list]]
        for one in clients:
            one.start()
        try:
            yield
        finally:
            stop.set()
            for one in clients:
                one.join()

    # ---- what is tried ----

    def check_all_stands(self, fault, counted_as=None):
        """The server is the same process, and the rows that the provider gave last are listed."""
        self.check_server()
        assert self._prices(provider_name(fault)) == {provider_name(fault): 1}
        self.counts[counted_as or fault]["kept"] += 1

    def check_server(self):
        assert self.server.process.poll() is None and start_time(self.pid) == self.started

    def _fail_once(self, fault, n_crashes):
        expected, name = FAULTS[fault], provider_name(fault)
        begin = time.monotonic()
        error = self.refresh_error(name)
        self.counts[fault]["milliseconds"] += int(1000 * (time.monotonic() - begin))
        assert error.code() == expected.code, (fault, error)
        text = error.details()
        assert any(word in text for word in expected.words), (fault, text)
        assert name in text or "no usable row" in text, text
        assert "last good snapshot goes on serving" in text, text
        state, last_error = self.states()[name]
        quarantined = expected.crash and n_crashes >= CRASHES_TO_QUARANTINE
        assert state == (QUARANTINED if quarantined else expected.state), (fault, n_crashes, state)
        assert last_error, fault
        self.counts[fault]["failed"] += 1
        self.check_all_stands(fault)

    def repeat(self, fault, times):
        """A refresh fails so often, each time in the same way; a cured plugin then serves at once."""
        self.sicken(fault)
        for i in range(times):
            self._fail_once(fault, i + 1)
        self.cure(fault)
        self.refresh(provider_name(fault))
        assert self.states()[provider_name(fault)] == (READY, ""), fault
        self.counts[fault]["cured"] += 1

    def cancel(self, times):
        """A caller who gives up on a plugin that hangs says nothing about the provider."""
        self.sicken("hang")
        for _ in range(times):
            call = self.catalog.RefreshCatalog(c.RefreshCatalogRequest(provider="hang"), timeout=60)
            wait_until(self.plugin_hosts)
            call.cancel()
            wait_until(lambda: not self.plugin_hosts())
            assert self.state("hang") == READY
            self.counts["cancelled"]["failed"] += 1
            self.check_all_stands("hang", "cancelled")
        self.cure("hang")

    def _refresh_all(self):
        """Gives {provider: why it was not refreshed} of a refresh of all."""
        self.refresh("")
        request = c.ListDiagnosticsRequest(code="refresh_failed", page_size=100)
        found = self.catalog.ListDiagnostics(request, timeout=30).diagnostics
        return {one.place.split(":")[0]: one.text for one in found}

    def quarantine_and_recover(self):
        """Five crashes: left alone. A probe that crashes: left alone again. A probe that does not: ready."""
        for fault in sorted(CRASHES, key=lambda fault: not FAULTS[fault].seldom):  # the slow ones first
            self.sicken(fault)
            for i in range(CRASHES_TO_QUARANTINE):
                self._fail_once(fault, i + 1)
        names = {provider_name(fault): fault for fault in CRASHES}
        unseen = {"left alone": set(names), "probed in vain": set(names)}

        def all_seen():
            for name, text in self._refresh_all().items():
                what = "left alone" if "is left alone for another" in text else "probed in vain"
                unseen[what].discard(name)
                self.counts[names[name]][what] += 1
                assert self.states()[name][0] == QUARANTINED
                self.check_all_stands(names[name])
            return not any(unseen.values())

        wait_until(all_seen, 120)
        for fault in CRASHES:
            self.cure(fault)
        wait_until(lambda: not self._refresh_all(), 120)
        assert all(self.states()[name] == (READY, "") for name in names), self.states()
        for fault in CRASHES:
            self.counts[fault]["probed well"] += 1

    # ---- what is left ----

    def plugin_hosts(self):
        return [name for name, state in children(self.pid).values() if "plugin" in name and state != "Z"]

    def check_nothing_is_left(self):
        self.check_server()
        assert not self.failures, self.failures[:3]
        assert self.calls["plans"] and self.calls["lists"]
        wait_until(lambda: not zombies(self.pid) and not self.plugin_hosts())
        wait_until(lambda: open_files(self.pid) <= self.files)
        assert not list((self.server.data / "tmp").iterdir())

    def table(self):
        head = ("failed", "kept", "cured", "left alone", "probed in vain", "probed well")
        lines = [f"{'FAULT':15} " + " ".join(f"{one.upper():>14}" for one in head) + f" {'MS EACH':>8}"]
        for fault, counts in self.counts.items():
            each = counts["milliseconds"] // max(counts["failed"], 1)
            lines.append(f"{fault:15} " + " ".join(f"{counts[one]:14}" for one in head) + f" {each:8}")
        return "\n".join(lines)
