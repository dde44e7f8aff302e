"""Solves generated planning models over gRPC and, in the same run, their plain MIP with CBC.

Prints one JSON line a figure and a table. Families: F3, several providers and regions, quotas a region
and a cap on one provider's share, as offerings x periods x workloads. A peer that does not finish counts as its
limit and is marked censored.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["ISO_SOURCE"], "tests", "support"))

import grpc  # noqa: E402
from google.protobuf import json_format  # noqa: E402

from isocost_protos import model_pb2, plan_service_pb2, plan_service_pb2_grpc  # noqa: E402
from isocost_server import IsocostServer  # noqa: E402
from random_models import usd  # noqa: E402

SIZES = [(50, 24, 5), (200, 24, 10), (500, 24, 20)]
SEEDS = [1, 2, 3]
PEER_SECONDS = 20
LIMIT_SECONDS = 10


def f3(seed, n_offerings, n_periods, n_workloads):
    pick = random.Random(seed)
    offerings = []
    for i in range(n_offerings):
        vcpu = pick.choice([2, 4, 8, 16, 32])
        offerings.append({"provider": f"cloud{i % 4}", "region": f"r{i % 12}", "type": f"t{i}",
                          "purchase": "PURCHASE_ON_DEMAND", "resources": {"vcpu": vcpu},
                          "price": usd(round(vcpu * pick.uniform(0.03, 0.06), 4))})
    workloads = [{"id": f"w{a}", "mustServe": True,
                  "throughput": {"rate": [pick.randint(200, 2000) for _ in range(n_periods)],
                                 "performance": [{"perVcpu": pick.choice([8, 10, 12.5])}]},
                  "shares": [{"id": f"share{a}", "maximum": 0.6,
                              "offerings": {"include": [{"provider": ["cloud0"]}]}}]}
                 for a in range(n_workloads)]
    need = sum(max(w["throughput"]["rate"]) / 10 for w in workloads)
    limits = [{"id": f"quota{r}", "metric": "LIMIT_METRIC_VCPU", "maximum": round(need * 1.6 / 12),
               "scope": {"include": [{"region": [f"r{r}"]}]}} for r in range(12)]
    return json_format.ParseDict(
        {"periods": [{"id": f"p{t}", "hours": 1} for t in range(n_periods)],
         "catalog": {"offerings": offerings}, "workloads": workloads, "limits": limits,
         "options": {"gap": 0.01, "timeLimitSeconds": LIMIT_SECONDS}}, model_pb2.Model())


def peer(plans, reference):
    """Seconds and cost of CBC to the same gap; (limit, None) when it finds nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path, answer = os.path.join(folder, "m.lp"), os.path.join(folder, "out.txt")
        with open(path, "wb") as file:
            for piece in plans.ExportPlan(plan_service_pb2.ExportPlanRequest(
                    model=reference, format=plan_service_pb2.EXPORT_FORMAT_LP)):
                file.write(piece.chunk)
        began = time.monotonic()
        subprocess.run(["cbc", path, "ratioGap", "0.01", "sec", str(PEER_SECONDS), "solve", "solu",
                        answer], capture_output=True, check=False, timeout=PEER_SECONDS * 3)
        seconds = time.monotonic() - began
        first = open(answer).readline() if os.path.exists(answer) else ""
    cost = float(first.split("objective value")[1]) if "objective value" in first else None
    return seconds, cost, not first.startswith("Optimal")


def main():
    rows = []
    with IsocostServer() as server:
        plans = plan_service_pb2_grpc.PlanServiceStub(
            grpc.insecure_channel(server.target,
                                  [("grpc.max_send_message_length", -1),
                                   ("grpc.max_receive_message_length", -1)]))
        for size in SIZES:
            for seed in SEEDS:
                reference = plan_service_pb2.ModelRef(model=f3(seed, *size))
                began = time.monotonic()
                plan = plans.SolvePlan(plan_service_pb2.SolvePlanRequest(model=reference),
                                       timeout=60).plan
                seconds = time.monotonic() - began
                money = next(t for t in plan.tiers if t.name == "money")
                peer_seconds, peer_cost, censored = peer(plans, reference)
                row = {"suite": "solver", "case": "F3 %dx%dx%d" % size, "seed": seed,
                       "value": round(seconds, 3), "unit": "s", "peak_mb": plan.stats.peak_memory_mib,
                       "cost": money.value, "bound": money.bound, "gap": round(money.gap, 5),
                       "peer": "cbc", "peer_value": round(peer_seconds, 3), "peer_cost": peer_cost,
                       "censored": censored, "limit": LIMIT_SECONDS,
                       "ok": money.gap <= 0.015 and seconds <= LIMIT_SECONDS}
                print(json.dumps(row), flush=True)
                rows.append(row)
    print(f"\n{'case':16} {'seed':>4} {'s':>8} {'gap':>8} {'CBC s':>8} {'CBC cost/ours':>14}")
    for row in rows:
        ratio = "none" if row["peer_cost"] is None else f"{row['peer_cost'] / row['cost']:.4f}"
        print(f"{row['case']:16} {row['seed']:4} {row['value']:8.3f} {row['gap']:8.4f} "
              f"{row['peer_value']:7.1f}{'+' if row['censored'] else ' '} {ratio:>14}")
    sys.exit(0 if all(row["ok"] for row in rows) else 1)


main()
