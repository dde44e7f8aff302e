"""A full disk under the store: writes fail cleanly, reads are served, and writes come back with room.

The data folder is on a tmpfs of a few MiB, which needs the right to mount one.
"""

import contextlib
import errno
import os
import pathlib
import random
import subprocess
import tempfile

import grpc
import pytest

from isocost_protos import plan_service_pb2 as p, plan_service_pb2_grpc
from isocost_server import IsocostServer
from kept_history import check_store
from postgres_cluster import PostgresCluster
from process_facts import wait_until
from small_models import amount, two_clouds

POINTS = int(os.environ.get("ISO_POINTS", "5"))
SEED = int(os.environ.get("ISO_SEED", "1"))
POSTGRES_POINTS = 3
DISK_MIB = 96 + 2 * POINTS  # a cluster takes 60; each point leaves up to 1.5 MB of rows
DONE = 3
CLEAN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)


@contextlib.contextmanager
def small_disk_of(mib):
    """The folder of a small file system, which other users may enter; None where none can be mounted."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="isocost-disk-"))
    folder.chmod(0o755)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=755", "isocost-test",
                              folder], capture_output=True, text=True)
    try:
        yield folder if mounted.returncode == 0 else None
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        folder.rmdir()


@pytest.fixture
def small_disk():
    with small_disk_of(DISK_MIB) as folder:
        if folder is None:
            pytest.skip("a small file system cannot be mounted")
        yield folder


def upload(plans, text_bytes, number):
    """A model that fills the store by so much."""
    model = two_clouds(labels={"number": str(number), "text": "x" * 60})
    model.display_name = "model"
    for i in range(text_bytes // 200):
        workload = model.workloads.add()
        workload.CopyFrom(model.workloads[0])
        workload.id = f"w{number}-{i}"
        workload.display_name = "y" * 150
    packed = model.SerializeToString()
    chunks = (p.UploadModelRequest(chunk=packed[i:i + (1 << 19)])
              for i in range(0, len(packed), 1 << 19))
    return plans.UploadModel(chunks, timeout=30).model_digest


def fill_up(folder, leave_bytes):
    """Leaves so much of the disk free, or less when the server writes meanwhile."""
    ballast = folder / "ballast"
    room = os.statvfs(folder)
    left = max(room.f_bavail * room.f_frsize - leave_bytes, 0)
    with open(ballast, "wb", buffering=0) as file:
        while left > 0:
            try:
                left -= file.write(b"\0" * min(left, 1 << 16))
            except OSError as error:
                assert error.errno == errno.ENOSPC
                break
    return ballast


def write_until_full(plans, chance, start):
    """Gives the error, and the plans that were acknowledged before."""
    acknowledged = {}
    for i in range(10000):
        try:
            if chance.random() < 0.3:
                upload(plans, 20000, start + i)
            request_id = f"r{start + i}"
            acknowledged[request_id] = plans.CreatePlan(p.CreatePlanRequest(
                model=p.ModelRef(model=two_clouds(labels={"request": request_id})),
                request_id=request_id), timeout=30).plan.id
        except grpc.RpcError as error:
            return error, acknowledged
    raise AssertionError("the disk never was full")


def fill_again_and_again(folder, points):
    """Gives (plans acknowledged before the disk was full, all over again)."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    data = folder / "data"
    acknowledged = {}
    with IsocostServer("--solvers", "1", data=data) as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        for point in range(points):
            ballast = fill_up(folder, chance.randrange(100_000, 1_500_000))
            error, more = write_until_full(plans, chance, 100_000 * point)
            acknowledged.update(more)
            print(f"full after {len(more)} plans: {error.code().name}: {error.details()}")
            assert error.code() in CLEAN
            assert "full" in error.details()
            for plan_id in list(acknowledged.values())[-20:]:
                assert plans.GetPlan(p.GetPlanRequest(id=plan_id), timeout=20).plan.id == plan_id
            ballast.unlink()
            wait_until(lambda: try_to_write(plans, f"back{point}"), 60)
        wait_until(lambda: all_done(plans, acknowledged), 120 + 4 * points)
    check_store(str(data))
    return len(acknowledged)


def test_a_full_disk_fails_writes_cleanly_and_reads_go_on(small_disk):
    fill_again_and_again(small_disk, POINTS)


def test_a_full_disk_under_postgres_fails_writes_cleanly_and_all_is_there_when_it_has_room(small_disk):
    """PostgreSQL may end itself when there is no room for its log; whoever runs it starts it again."""
    chance, acknowledged = random.Random(SEED), {}
    with PostgresCluster("max_wal_size=16MB", "min_wal_size=2MB", parent=small_disk,
                         initdb=("--wal-segsize=1",)) as cluster:
        database = cluster.new_database()
        with IsocostServer("--solvers", "1", "--store", database.address, "--lease-seconds",
                           "3") as server:
            plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
            for point in range(POSTGRES_POINTS):
                ballast = fill_up(small_disk, chance.randrange(100_000, 1_500_000))
                error, more = write_until_full(plans, chance, 100_000 * point)
                acknowledged.update(more)
                print(f"full after {len(more)} plans: {error.code().name}: {error.details()}")
                assert error.code() in CLEAN
                ballast.unlink()
                cluster.start()  # if it ended
                wait_until(lambda: try_to_write(plans, f"back{point}"), 60)
                for plan_id in list(acknowledged.values())[-20:]:
                    assert plans.GetPlan(p.GetPlanRequest(id=plan_id),
                                         timeout=20).plan.id == plan_id
            wait_until(lambda: all_done(plans, acknowledged), 240)
        check_store(database.address)


def try_to_write(plans, request_id):
    try:
        plans.CreatePlan(p.CreatePlanRequest(model=p.ModelRef(model=two_clouds()),
                                             request_id=request_id), timeout=20)
        return True
    except grpc.RpcError as error:
        assert error.code() in CLEAN
        return False


def all_done(plans, acknowledged):
    for plan_id in acknowledged.values():
        plan = plans.GetPlan(p.GetPlanRequest(id=plan_id), timeout=20).plan
        if plan.state < DONE:
            return False
        assert plan.state == DONE and amount(plan.cost) == 850
    return True
