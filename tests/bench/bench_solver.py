"""The solver at scale: generated models over gRPC against their proven bounds and other solvers.

    ./dev bench solver [--case PART] [--seeds 1,2,3] [--peers cbc,glpk,highs|none] [--peer-seconds N]
                       [--quick] [--dump CASE SEED FILE]

One JSON line for each solve, one for each peer, then a table of medians and worst values against their
targets, and an SVG of seconds by size in the build folder. Ends with 1 when a target is missed.
"""
import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.environ["ISO_SOURCE"], "tests", "support"))

import grpc  # noqa: E402

import family_everything  # noqa: E402
import family_levels  # noqa: E402
import family_packing  # noqa: E402
import family_year  # noqa: E402
import models  # noqa: E402
import peers  # noqa: E402
import process_facts  # noqa: E402
import real_catalog  # noqa: E402
from isocost_protos import catalog_service_pb2 as c  # noqa: E402
from isocost_protos import catalog_service_pb2_grpc  # noqa: E402
from isocost_protos import offering_pb2  # noqa: E402
from isocost_protos import plan_service_pb2 as p  # noqa: E402
from isocost_protos import plan_service_pb2_grpc  # noqa: E402
from isocost_server import IsocostServer  # noqa: E402

CHUNK = 1 << 20
# with these, quotas bind in 11, 15 and 16 % of the hours (seeds 1, 2, 3): so many have a multiplier of a
# limit in the proof (`capped` of solve_models)
HOURS_TIGHTNESS = (1.9, 1.7, 1.45)  # by seed % 3
PLAIN_COSTS = {}  # of F3 models, for the budgets of the mixed ones


class Case:
    """A family member: how to make it, how near it must come, and in what time."""

    def __init__(self, name, make, gap, seconds, median_gap, worst_gap, median_seconds, peak_mb=None,
                 size=0, peer=True, ask=None, catalog=None, peer_seeds=None):
        self.catalog = catalog  # writes the catalog's files into a folder
        self.name, self.make, self.gap, self.seconds = name, make, gap, seconds
        self.median_gap, self.worst_gap, self.median_seconds = median_gap, worst_gap, median_seconds
        self.peak_mb, self.size, self.peer = peak_mb, size, peer
        self.ask = ask if ask is not None else gap
        self.peer_seeds = peer_seeds  # that peers solve, too; None: all


def f3(name, o, t, w, gap, seconds, median_gap, worst_gap, **more):
    # quotas of 1.6 times the peak leave some long horizons without a whole plan at their peak
    tightness = family_levels.TIGHTNESS if t <= 24 else 2.0
    return Case(f"F3 {name}", lambda seed: family_levels.plain(seed, o, t, w, tightness), gap, seconds,
                median_gap, worst_gap, seconds * 1.2, size=o // 2 * t * w, **more)


def to_one_percent(name, o, t, w):
    """The same until 1 % is proved, as peers are asked for it: with one seed, since they take their limit."""
    return f3(f"{name} to 1 %", o, t, w, 0.01, 10, 0.01, 0.01, peer_seeds=[1])


def mixed(seed):
    return family_levels.mixed(seed, 200, 24, 10, PLAIN_COSTS.get(("F3 200x24x10", seed), 600_000))


def everything(seed):
    """All rules with a budget of 1.02 times what the same costs without."""
    return family_everything.plain(seed, PLAIN_COSTS.get(("X without budgets", seed), 1e6) * 1.02)


def vb(size, seconds, median_gap, worst_gap, resources=2, kind="", make=family_packing.plain, ask=0.0001):
    types, classes, items = (int(n) for n in size.split("/"))
    name = f"VB {size}" + (f" {resources} resources" if resources > 2 else "") + (kind and f" {kind}")
    return Case(name, lambda seed: make(seed, types, classes, items, resources), ask, seconds, median_gap,
                worst_gap, seconds * 1.2, size=types * classes, peer=items <= 100 and not kind)


CASES = [
    Case("R 3 apps", lambda s: family_year.plain(s, 3), 0, 10, 0, 1e-9, 0.030, size=3 * 8 * 8760),
    Case("R 3 apps shared", lambda s: family_year.plain(s, 3, shared=True), 0.0005, 10, 0.001, 0.001, 2,
         size=3 * 8 * 8760),
    Case("R 50 apps", lambda s: family_year.plain(s, 50), 0, 30, 0, 1e-9, 1.0, size=50 * 8 * 8760,
         peer=False),
    f3("50x24x5", 50, 24, 5, 0.0001, 5, 0.0125, 0.0125),
    f3("200x24x10", 200, 24, 10, 0.0001, 10, 0.005, 0.01),
    f3("500x24x20", 500, 24, 20, 0.0001, 20, 0.005, 0.01, peer=False),
    f3("200x96x10", 200, 96, 10, 0.0001, 30, 0.005, 0.01, peer=False),
    to_one_percent("500x24x20", 500, 24, 20),
    to_one_percent("200x96x10", 200, 96, 10),
    f3("500x168x20", 500, 168, 20, 0.0001, 60, 0.005, 0.01, peer=False),
    f3("2000x8760x20", 2000, 8760, 20, 0.0001, 60, 0.005, 0.01, peer=False),
    f3("5000x24x50", 5000, 24, 50, 0.005, 60, 0.005, 0.01, peer=False),
    Case("F3 200x24x10 budget+survive+plan", mixed, 0.0001, 10, 0.015, 0.015, 12, size=24_000,
         peer=False),
    Case("F3 200x24x10 traffic", lambda seed: family_levels.traffic(seed, 200, 24, 10), 0.0001, 10, 0.005,
         0.01, 12, size=24_000, peer=False),
    Case("F3 200x24x10 together", lambda seed: family_levels.in_pairs(seed, 200, 24, 10, "together"), 0.0001, 10,
         0.01, 0.01, 12, size=24_000, peer=False),
    Case("F3 200x24x10 apart", lambda seed: family_levels.in_pairs(seed, 200, 24, 10, "apart"), 0.0001, 10,
         0.02, 0.05, 12, size=24_000, peer=False),
    Case("F3 200x24x10 ramps", lambda seed: family_levels.ramped(seed, 200, 10, 25), 0.0001, 10,
         0.02, 0.03, 12, size=24_000, peer=False),
    Case("hours 8760x20x200", lambda s: family_levels.plain(s, 400, 8760, 20, HOURS_TIGHTNESS[s % 3],
                                                            shares=False, shared=True),
         0.003, 100, 0.005, 0.005, 60, peak_mb=200, size=200 * 20 * 8760, peer=False),
    vb("5/5/30", 2, 0, 0, ask=0),
    vb("10/10/50", 1, 0.02, 0.05, ask=0),
    vb("20/20/100", 1, 0.02, 0.05),
    vb("50/40/300", 5, 0.005, 0.008),
    vb("100/60/600", 5, 0.005, 0.008),
    vb("300/80/1000", 10, 0.005, 0.008),
    vb("300/120/2000", 10, 0.005, 0.008),
    vb("300/150/20000", 10, 0.0002, 0.0002),
    vb("300/40/1000", 4, 0.004, 0.004),
    vb("300/40/1000", 4, 0.004, 0.004, resources=3),
    vb("300/40/1000", 4, 0.004, 0.004, resources=4),
    vb("50/40/300", 10, 0.005, 0.008, kind="zones", make=family_packing.zoned),
    vb("300/40/1000", 10, 0.005, 0.008, kind="zones", make=family_packing.zoned),
    vb("300/40/1000", 10, 0.005, 0.008, resources=4, kind="zones", make=family_packing.zoned),
    vb("50/40/300", 10, 0.005, 0.008, kind="quota", make=family_packing.under_quota),
    vb("300/40/1000", 10, 0.005, 0.008, kind="quota", make=family_packing.under_quota),
]
CASES += [
    Case("X without budgets", family_everything.plain, 0.005, 60, 0.02, 0.03, 72, peer=False,
         catalog=family_everything.write_catalog),
    Case("X", everything, 0.005, 60, 0.02, 0.03, 72, peer=False,
         catalog=family_everything.write_catalog),
]
QUICK = ["R 3 apps", "F3 50x24x5", "F3 200x24x10", "VB 10/10/50", "VB 50/40/300"]


def reference(plans, model):
    data = model.SerializeToString()
    if len(data) < 8 << 20:
        return p.ModelRef(model=model)
    pieces = (p.UploadModelRequest(chunk=data[i:i + CHUNK]) for i in range(0, len(data), CHUNK))
    return p.ModelRef(model_digest=plans.UploadModel(pieces, timeout=120).model_digest)


def cpu_seconds(server):
    """Of isocostd and its solvers until now."""
    return sum(int(path.read_text().split()[0]) for pid in [server.process.pid,
                                                            *process_facts.children(server.process.pid)]
               for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def import_catalog(channel, case):
    """Gives the server the case's catalog."""
    def pieces(folder):
        for path in case.catalog(folder):
            data = path.read_bytes()
            for at in range(0, len(data), CHUNK):
                first = {} if at else {"name": path.name, "kind": c.CATALOG_FILE_KIND_OFFERINGS_CSV}
                yield c.ImportCatalogRequest(chunk=data[at:at + CHUNK], **first)
    with tempfile.TemporaryDirectory() as folder:
        catalogs = catalog_service_pb2_grpc.CatalogServiceStub(channel)
        catalogs.ImportCatalog(pieces(folder), timeout=300)


def inline_offering(row):
    """An offering of a model from a row of a catalog's table."""
    units, _, places = row["price"].partition(".")
    offering = offering_pb2.Offering(
        **{key: row[key] for key in ("provider", "region", "zone", "type", "family", "arch") if row[key]},
        purchase=offering_pb2.PURCHASE_SPOT if row["purchase"] == "spot" else offering_pb2.PURCHASE_ON_DEMAND)
    offering.price.currency_code, offering.price.units = row["currency"], int(units)
    offering.price.nanos = int(places.ljust(9, "0")) if places else 0
    for key in ("vcpu", "memory_gib", "gpu", "gpu_memory_gib", "local_disk_gib"):
        if row.get(key):
            setattr(offering.resources, key, float(row[key]))
    return offering


def with_catalog(model, case):
    """The model with its catalog inside: rows that a server would take, in the order of the files."""
    with tempfile.TemporaryDirectory() as folder:
        seen = set()
        for path in case.catalog(folder):
            for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
                key = tuple(row[part].lower() for part in ("provider", "region", "zone", "type", "purchase"))
                if not row["price"] or float(row["price"]) <= 0 or row.get("status") or key in seen:
                    continue
                seen.add(key)
                model.catalog.offerings.append(inline_offering(row))
    del model.catalog.selectors[:]
    return model


def watched(plans, ref, seconds):
    """The plan, and the seconds until a bound on money was told; progress comes about each 0.1 s."""
    plan, bound_at = None, None
    began = time.monotonic()
    for event in plans.SolvePlanStream(p.SolvePlanStreamRequest(model=ref), timeout=seconds * 2 + 60):
        if event.WhichOneof("event") == "plan":
            plan = event.plan
        elif event.progress.tier == "money" and event.progress.HasField("bound") and bound_at is None:
            bound_at = time.monotonic() - began
    return plan, bound_at


def repeated(server, ref, n_calls=7):
    """A plan, the median seconds of a call, and the CPU seconds before the last: the solve before
    them, and the first of these, warm the processes up. Seconds are from the request's bytes to the
    answer's: what a client takes to make and read messages is its own."""
    call = server.channel().unary_unary("/isocost.v1.PlanService/SolvePlan")
    request, seconds = p.SolvePlanRequest(model=ref).SerializeToString(), []
    for _ in range(n_calls):
        spent, began = cpu_seconds(server), time.monotonic()
        answer = call(request, timeout=60)
        seconds.append(time.monotonic() - began)
    return p.SolvePlanResponse.FromString(answer).plan, statistics.median(seconds), spent


def solve(server, plans, case, seed):
    model = models.message(case.make(seed), case.ask, case.seconds)
    ref = reference(plans, model)
    row = {"suite": "solver", "case": case.name, "seed": seed, "limit": case.seconds, "peer": None}
    spent, began = cpu_seconds(server), time.monotonic()
    try:
        plan, bound_at = watched(plans, ref, case.seconds)
        seconds = time.monotonic() - began
        if case.median_seconds < 0.1:
            plan, seconds, spent = repeated(server, ref)
    except grpc.RpcError as error:
        row.update(seconds=round(time.monotonic() - began, 3), ok=False,
                   error=f"{error.code().name}: {error.details()[:200]}")
        return row, ref
    row.update(service_cpu_seconds=round(cpu_seconds(server) - spent, 4), lines=plan.line_count,
               service_peak_mb=round(process_facts.peak_mib(server.process.pid), 1))
    row.update(seconds=round(seconds, 4), bound_seconds=round(min(seconds, bound_at or seconds), 3),
               cpu_seconds=round(plan.stats.cpu_seconds, 3),
               peak_mb=round(plan.stats.peak_memory_mib, 1), value=round(seconds, 4), unit="s",
               columns=plan.stats.columns, offerings=plan.stats.offerings,
               strategy=plan.certificate.components[0].strategy if plan.certificate.components else "")
    if case.catalog:
        row["prices"] = "real" if real_catalog.available() else "made up"
    money = [t for t in plan.tiers if t.name == "money"]
    if not money or not plan.HasField("cost"):
        row.update(ok=False, error="no plan")
        return row, ref
    cost, bound = money[0].value, money[0].bound
    gap = (cost - bound) / cost if cost else 0
    PLAIN_COSTS[(case.name, seed)] = cost
    row.update(cost=cost, bound=bound, gap=round(gap, 7),
               ok=gap <= case.worst_gap + 1e-9 and
               (case.peak_mb is None or row["peak_mb"] <= case.peak_mb))
    return row, ref


def pack_by_peers(case, seed, names, seconds):
    """First fit always; trees on the model with a binary for each instance where it is small."""
    model = case.make(seed)
    found = [] if "zones" in case.name or "quota" in case.name else [peers.first_fit_decreasing(model)]
    if case.peer and found:
        peers.FOLDER.mkdir(parents=True, exist_ok=True)
        path = peers.FOLDER / "packing.lp"
        family_packing.write_plain_program(model, found[0]["peer_cost"], path)
        found += [peers.BY_NAME[name](path, 0, min(seconds, 60)) for name in names if name != "glpk"]
    return found


def run_peers(plans, case, seed, ref, row, names, seconds):
    if case.name.startswith("VB"):
        found = pack_by_peers(case, seed, names, seconds)
    elif not names or not case.peer or seed not in (case.peer_seeds or [seed]):
        found = []
    else:
        peers.FOLDER.mkdir(parents=True, exist_ok=True)
        path = peers.FOLDER / "plain.lp"
        try:
            with open(path, "wb") as file:
                for piece in plans.ExportPlan(p.ExportPlanRequest(
                        model=ref, format=p.EXPORT_FORMAT_LP), timeout=300):
                    file.write(piece.chunk)
        except grpc.RpcError as error:
            return [{"suite": "solver", "case": case.name, "seed": seed, "peer": "all",
                     "error": f"not run: {error.details()[:120]}", "ok": True}]
        found = [peers.BY_NAME[name](path, max(row.get("gap") or 0, case.ask, 1e-6), seconds)
                 for name in names]
    for peer in found:
        peer.update(suite="solver", case=case.name, seed=seed, cost=row.get("cost"),
                    seconds=row.get("seconds"), limit=seconds, ok=True)
    return found


def table(cases, rows):
    print(f"\n{'case':34} {'seconds':>9} {'worst':>8} {'CPU s':>8} {'bound s':>8} {'MB':>6} {'gap':>9} "
          f"{'worst':>9} {'must':>8} {'s':>6}  ")
    missed = 0
    for case in cases:
        own = [r for r in rows if r["case"] == case.name and r["peer"] is None]
        good = [r for r in own if "gap" in r]
        if not own:
            continue
        if len(good) < len(own):
            print(f"{case.name:34} {'; '.join(r.get('error', '') for r in own if 'gap' not in r)}")
            missed += 1
            continue
        middle = {k: statistics.median(r[k] for r in own)
                  for k in ("seconds", "cpu_seconds", "bound_seconds", "peak_mb", "gap")}
        ok = (middle["gap"] <= case.median_gap + 1e-9 and all(r["ok"] for r in own)
              and middle["seconds"] <= case.median_seconds)
        missed += not ok
        print(f"{case.name:34} {middle['seconds']:9.3f} {max(r['seconds'] for r in own):8.2f} "
              f"{middle['cpu_seconds']:8.2f} {middle['bound_seconds']:8.2f} "
              f"{max(r['peak_mb'] for r in own):6.0f} "
              f"{middle['gap']:9.5f} {max(r['gap'] for r in own):9.5f} {case.median_gap:8.4f} "
              f"{case.median_seconds:6.2f}  {'ok' if ok else 'MISS'}")
    print(f"\n{'case':34} {'peer':>11} {'seconds':>9} {'cost / ours':>12} {'times as long':>14}")
    for case in cases:
        for name in ("cbc", "glpk", "highs-wasm", "ffd"):
            own = [r for r in rows if r["case"] == case.name and r["peer"] == name]
            if not own:
                continue
            costs = [r["peer_cost"] / r["cost"] for r in own if r["peer_cost"] and r["cost"]]
            spent = statistics.median(r["peer_seconds"] for r in own)
            longer = statistics.median(r["peer_seconds"] / r["seconds"] for r in own if r["seconds"])
            print(f"{case.name:34} {name:>11} {spent:8.2f}{'+' if own[0]['censored'] else ' '} "
                  f"{statistics.median(costs) if costs else float('nan'):12.4f} {longer:14.1f}")
    return missed


def plot(cases, rows, path):
    """Seconds by plain columns, both on log scales, as a small SVG."""
    import math
    points = [(case.size, statistics.median(r["seconds"] for r in rows if r["case"] == case.name
                                            and r["peer"] is None), case.name)
              for case in cases
              if case.size and any(r["case"] == case.name and r["peer"] is None for r in rows)]
    if not points:
        return
    def x_of(size):
        return 60 + 520 * (math.log10(size) - 1) / 7
    def y_of(seconds):
        return 360 - 300 * (math.log10(max(seconds, 1e-3)) + 3) / 5
    marks = "".join(
        f'<circle cx="{x_of(s):.0f}" cy="{y_of(v):.0f}" r="4" fill="#1565c0"/>'
        f'<text x="{x_of(s) + 6:.0f}" y="{y_of(v) - 5:.0f}" font-size="9">{name}</text>'
        for s, v, name in points)
    axes = "".join(f'<text x="{x_of(10 ** k):.0f}" y="378" font-size="10">1e{k}</text>'
                   for k in range(1, 9)) + "".join(
        f'<text x="8" y="{y_of(10 ** k):.0f}" font-size="10">{10 ** k:g} s</text>'
        for k in range(-3, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400">'
                    '<rect width="640" height="400" fill="white"/>'
                    '<path d="M60 40V360H600" fill="none" stroke="black"/>'
                    f'{axes}{marks}<text x="200" y="395" font-size="11">plain columns</text></svg>\n')
    print(f"\nseconds by size: {path}")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", default="")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--peers", default="cbc,glpk,highs")
    parser.add_argument("--peer-seconds", type=float, default=300)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--dump", nargs=3, metavar=("CASE", "SEED", "FILE"))
    return parser.parse_args()


def main():
    wish = arguments()
    cases = [c for c in CASES if wish.case in c.name and (not wish.quick or c.name in QUICK)]
    if wish.dump:
        case = next(c for c in CASES if c.name == wish.dump[0])
        data = models.message(case.make(int(wish.dump[1])), case.ask, case.seconds)
        if case.catalog:
            data = with_catalog(data, case)
        pathlib.Path(wish.dump[2]).write_bytes(data.SerializeToString())
        return 0
    names = [] if wish.peers == "none" else wish.peers.split(",")
    seconds = min(wish.peer_seconds, 20) if wish.quick else wish.peer_seconds
    seeds = [1] if wish.quick else [int(s) for s in wish.seeds.split(",")]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                            cwd=os.environ["ISO_SOURCE"], check=False).stdout.strip()
    rows = []
    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    for case in cases:
        for seed in seeds:
            with IsocostServer() as server:  # a fresh one, so that peaks of memory are the case's own
                channel = grpc.insecure_channel(f"unix:{server.socket}", options)
                if case.catalog:
                    import_catalog(channel, case)
                plans = plan_service_pb2_grpc.PlanServiceStub(channel)
                row, ref = solve(server, plans, case, seed)
                row["commit"] = commit
                for line in [row] + run_peers(plans, case, seed, ref, row, names, seconds):
                    print(json.dumps(line), flush=True)
                    rows.append(line)
    print(f"\ncommit {commit}")
    missed = table(cases, rows)
    plot(cases, rows, peers.FOLDER / "solver.svg")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
