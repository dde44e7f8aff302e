"""Provider plugins that go wrong behind a whole server: it says so and goes on with what it has."""

import pathlib
import time

import grpc
import pytest
import yaml

from isocost_protos import (
    catalog_service_pb2 as c, catalog_service_pb2_grpc, plan_service_pb2 as p,
    plan_service_pb2_grpc)
from isocost_server import BUILD, IsocostServer
from process_facts import children, open_files, wait_until, zombies
from small_models import amount, two_clouds

READY, DEGRADED, QUARANTINED, REFUSED = 1, 2, 3, 4
DEADLINE_S = 2
CRASHES_TO_QUARANTINE = 5

# fault -> words of the error that tell what happened; none of these crash the server
FAULTS = {
    "segv": ("signal", "SIGSEGV", "crash", "ended"),
    "abort": ("signal", "SIGABRT", "crash", "ended"),
    "stack": ("signal", "SIGSEGV", "crash", "ended"),
    "exit": ("exit", "ended"),
    "hang": ("did not finish within its 2 seconds",),
    "memory": ("memory",),
    "garbage": ("frame", "too large", "understood"),
    "no_symbol": ("symbol", "iso_plugin_v1"),
    "other_major": ("ABI", "version"),
}
CRASHES = {"segv", "abort", "stack", "exit"}

PRICES = """provider,region,type,purchase,price,currency,vcpu
aws,us-east-1,server,on-demand,0.5,USD,2
alibaba,cn-hangzhou,server,on-demand,0.4,USD,2
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugins")
    plugins = folder / "plugins"
    plugins.mkdir(mode=0o755)
    for name in FAULTS:
        (plugins / f"{name}.so").write_bytes((BUILD / f"tests/plugins/{name}.so").read_bytes())
    (plugins / "static.so").write_bytes((BUILD / "plugins/static.so").read_bytes())
    prices = folder / "prices"
    prices.mkdir()
    (prices / "offerings.csv").write_text(PRICES)
    providers = [{"name": "good", "plugin": "static", "parameters": {"path": str(prices)},
                  "readable_paths": [str(prices)]}]
    providers += [{"name": name.replace("_", "-"), "plugin": name, "deadline_seconds": DEADLINE_S,
                   "memory_mib": 256} for name in FAULTS]
    config = folder / "providers.yaml"
    config.write_text(yaml.safe_dump({"providers": providers}))
    with IsocostServer("--config", str(config), "--plugin-dir", str(plugins)) as running:
        yield running


@pytest.fixture(scope="module")
def channel(server):
    return server.channel()


@pytest.fixture(scope="module")
def catalog(channel):
    return catalog_service_pb2_grpc.CatalogServiceStub(channel)


@pytest.fixture(scope="module")
def good(catalog):
    """The snapshot that the good provider gave before anything went wrong."""
    return refresh(catalog, "good")


def refresh(catalog, provider):
    events = list(catalog.RefreshCatalog(c.RefreshCatalogRequest(provider=provider), timeout=60))
    assert events[-1].WhichOneof("event") == "snapshot"
    return events[-1].snapshot


def refresh_error(catalog, provider):
    with pytest.raises(grpc.RpcError) as caught:
        refresh(catalog, provider)
    return caught.value


def provider(catalog, name):
    (found,) = [x for x in catalog.ListProviders(c.ListProvidersRequest(), timeout=10).providers
                if x.name == name]
    return found


def still_serves(channel, snapshot):
    """The last good snapshot is the current one, is listed and is solved with."""
    catalog = catalog_service_pb2_grpc.CatalogServiceStub(channel)
    current = catalog.GetSnapshot(c.GetSnapshotRequest(), timeout=10).snapshot
    assert current.digest == snapshot.digest
    offerings = catalog.ListOfferings(c.ListOfferingsRequest(), timeout=10)
    assert [o.provider for o in offerings.offerings] == ["alibaba", "aws"]
    model = two_clouds()
    del model.catalog.offerings[:]
    model.catalog.selectors.add()
    plan = plan_service_pb2_grpc.PlanServiceStub(channel).SolvePlan(
        p.SolvePlanRequest(model=p.ModelRef(model=model)), timeout=30).plan
    assert amount(plan.cost) == 850 and plan.digests.snapshot == snapshot.digest


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_told_and_the_last_good_snapshot_serves(server, channel, catalog, good, fault):
    name = fault.replace("_", "-")
    begin = time.monotonic()
    error = refresh_error(catalog, name)
    took = time.monotonic() - begin
    print(f"{fault}: {error.code().name} in {took:.2f} s: {error.details()}")
    assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED,
                            grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INTERNAL,
                            grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert name in error.details() and "last good snapshot" in error.details()
    assert any(word in error.details() for word in FAULTS[fault])
    assert took < DEADLINE_S + 10
    state = provider(catalog, name)
    assert state.state == (REFUSED if fault in ("no_symbol", "other_major") else DEGRADED)
    assert state.last_error
    still_serves(channel, good)


def test_plugin_that_keeps_crashing_is_left_alone_and_can_be_asked_for(channel, catalog, good):
    for _ in range(CRASHES_TO_QUARANTINE):
        refresh_error(catalog, "segv")
    assert provider(catalog, "segv").state == QUARANTINED
    snapshot = refresh(catalog, "")  # all others: the good one gives what it gave
    assert snapshot.digest == good.digest
    faults = catalog.ListDiagnostics(
        c.ListDiagnosticsRequest(code="refresh_failed"), timeout=10).diagnostics
    assert any("segv" in d.place and "left alone" in d.text for d in faults), faults
    assert refresh_error(catalog, "segv").code() != grpc.StatusCode.NOT_FOUND
    assert provider(catalog, "segv").state == QUARANTINED
    assert provider(catalog, "good").state == READY
    still_serves(channel, good)


def test_faults_leave_no_process_and_no_open_file(server, channel, catalog, good):
    pid = server.process.pid
    refresh_error(catalog, "abort")
    files = open_files(pid)
    for _ in range(10):
        for fault in sorted(CRASHES | {"garbage"}):
            refresh_error(catalog, fault)
    wait_until(lambda: not zombies(pid))
    wait_until(lambda: not [n for n, _ in children(pid).values() if "plugin" in n])
    wait_until(lambda: open_files(pid) <= files)
    still_serves(channel, good)


def test_config_that_is_wrong_is_said_at_the_start(tmp_path):
    config = pathlib.Path(tmp_path) / "providers.yaml"
    config.write_text("providers:\n  - {name: Bad Name, plugin: static}\n")
    server = IsocostServer("--config", str(config))
    with pytest.raises(RuntimeError, match=r"providers\[0\]\.name"):
        server.start()
