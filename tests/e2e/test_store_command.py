"""isocost-store as who runs a server uses it: backup of a store in use, restore, check, prune."""

import re
import subprocess

from isocost_protos import (
    catalog_service_pb2 as c, catalog_service_pb2_grpc, plan_service_pb2 as p,
    plan_service_pb2_grpc)
from isocost_server import IsocostServer, program
from process_facts import wait_until
from small_models import amount, two_clouds

DONE = 3
CATALOG = b"provider,type,purchase,price,currency\naws,server,on-demand,1.5,USD\n"


def store(*arguments):
    return subprocess.run([program("isocost-store"), *map(str, arguments)], capture_output=True,
                          text=True, timeout=60)


def solved(plans, request_id):
    plan_id = plans.CreatePlan(p.CreatePlanRequest(
        model=p.ModelRef(model=two_clouds()), request_id=request_id), timeout=20).plan.id
    wait_until(lambda: plans.GetPlan(p.GetPlanRequest(id=plan_id), timeout=20).plan.state == DONE)
    return plan_id


def test_a_backup_of_a_server_that_runs_is_restored_and_served(tmp_path):
    backup, restored = tmp_path / "backup", tmp_path / "restored"
    with IsocostServer("--solvers", "1") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        catalog = catalog_service_pb2_grpc.CatalogServiceStub(server.channel())
        snapshot = catalog.ImportCatalog(iter([c.ImportCatalogRequest(
            name="offerings.csv", kind=1, chunk=CATALOG)]), timeout=20).snapshot.digest
        before = solved(plans, "before")
        done = store("backup", server.data, backup)
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(r"copied \d+ rows and 1 snapshots, and read them back\n", done.stdout)
        after = solved(plans, "after")
        refused = store("check", server.data)  # it is in use
        assert refused.returncode == 1 and "in use by another isocostd" in refused.stderr

    assert store("restore", backup, restored).returncode == 0
    checked = store("check", restored)
    assert checked.returncode == 0, checked.stdout
    assert "all is well" in checked.stdout and "1 snapshots" in checked.stdout
    with IsocostServer("--solvers", "1", data=restored) as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        catalog = catalog_service_pb2_grpc.CatalogServiceStub(server.channel())
        plan = plans.GetPlan(p.GetPlanRequest(id=before), timeout=20).plan
        assert amount(plan.cost) == 850 and len(plan.lines) > 0
        ids = {found.id for found in plans.ListPlans(p.ListPlansRequest(), timeout=20).plans}
        assert ids == {before} and after not in ids
        offerings = catalog.ListOfferings(
            c.ListOfferingsRequest(snapshot_digest=snapshot), timeout=20)
        assert offerings.total_count == 1
        # the same request is known, so it is not solved a second time
        again = plans.CreatePlan(p.CreatePlanRequest(
            model=p.ModelRef(model=two_clouds()), request_id="before"), timeout=20).plan
        assert again.id == before


def test_what_cannot_be_done_is_said_and_changes_nothing(tmp_path):
    with IsocostServer("--solvers", "1") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        plan_id = solved(plans, "r")
        full = store("backup", server.data, tmp_path / "backup")
        assert full.returncode == 0
        again = store("backup", server.data, tmp_path / "backup")
        assert again.returncode == 1 and "the target is not empty" in again.stderr
        nothing = store("restore", tmp_path / "nowhere", tmp_path / "target")
        assert nothing.returncode == 1 and "there is no store" in nothing.stderr
        assert not (tmp_path / "target").exists()
    for arguments in ((), ("backup", "a"), ("forget", "a"), ("prune", "a", "--keep-plans-days"),
                      ("prune", "a", "--keep-plans-days", "-1")):
        assert store(*arguments).returncode == 2
    pruned = store("prune", tmp_path / "backup", "--keep-plans-days", "1")
    assert pruned.stdout == "removed 0 events, 0 plans, 0 models, 0 snapshots, 0 records\n"
    with IsocostServer("--solvers", "1", data=tmp_path / "backup") as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(server.channel())
        assert plans.GetPlan(p.GetPlanRequest(id=plan_id), timeout=20).plan.state == DONE
