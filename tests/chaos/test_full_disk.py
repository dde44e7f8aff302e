"""A full disk under the store: writes fail cleanly, reads are served, and writes come back with room.

The data folder is on a tmpfs of a few MiB, which needs the right to mount one.
"""

import os
import random
import subprocess

import grpc
import pytest

from isocost_protos import plan_service_pb2 as p, plan_service_pb2_grpc
from isocost_server import IsocostServer, program
from process_facts import wait_until
from small_models import amount, two_clouds

POINTS = int(os.environ.get("ISO_POINTS", "5"))
SEED = int(os.environ.get("ISO_SEED", "1"))
DISK_MIB = 16 + 2 * POINTS  # each point leaves up to 1.5 MB of rows
DONE = 3
CLEAN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "isocost-test",
                              folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


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
    """Leaves so much of the disk free."""
    ballast = folder / "ballast"
    room = os.statvfs(folder)
    with open(ballast, "wb") as file:
        file.write(b"\0" * max(room.f_bavail * room.f_frsize - leave_bytes, 0))
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


def test_a_full_disk_fails_writes_cleanly_and_reads_go_on(small_disk):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    data = small_disk / "data"
    acknowledged = {}
    with IsocostServer("--solvers", "1", data=data) as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        for point in range(POINTS):
            ballast = fill_up(small_disk, chance.randrange(100_000, 1_500_000))
            error, more = write_until_full(plans, chance, 100_000 * point)
            acknowledged.update(more)
            print(f"full after {len(more)} plans: {error.code().name}: {error.details()}")
            assert error.code() in CLEAN
            assert "full" in error.details()
            for plan_id in list(acknowledged.values())[-20:]:
                assert plans.GetPlan(p.GetPlanRequest(id=plan_id), timeout=20).plan.id == plan_id
            ballast.unlink()
            wait_until(lambda: try_to_write(plans, f"back{point}"), 30)
        wait_until(lambda: all_done(plans, acknowledged), 120)
    found = subprocess.run([program("isocost-store"), "check", data], capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr


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
