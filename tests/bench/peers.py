"""Other solvers on the same model: the plain MIP that ExportPlan writes, and first fit for packing.

A peer that does not finish counts as its limit and is marked censored. HiGHS is the npm package `highs`
(WebAssembly): its times are labelled so and decide nothing.
"""
import json
import os
import pathlib
import re
import subprocess
import time

BUILD = pathlib.Path(os.environ.get("ISO_BUILD", "build")).resolve()
HERE = pathlib.Path(__file__).resolve().parent
FOLDER = BUILD / "bench"


def _run(command, seconds, **more):
    began = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=seconds * 1.5 + 30, **more)
        text = done.stdout
    except subprocess.TimeoutExpired:
        text = ""
    return time.monotonic() - began, text


def cbc(path, gap, seconds):
    answer = FOLDER / "cbc.txt"
    answer.unlink(missing_ok=True)
    spent, _ = _run(["cbc", str(path), "ratioGap", str(gap), "sec", str(seconds), "solve", "solu",
                     str(answer)], seconds)
    first = answer.read_text().split("\n", 1)[0] if answer.exists() else ""
    cost = float(first.split("objective value")[1]) if "objective value" in first else None
    found = cost is not None and "no integer solution" not in first and cost < 1e40
    return {"peer": "cbc", "peer_seconds": round(spent, 2), "peer_cost": cost if found else None,
            "censored": not first.startswith("Optimal")}


def glpk(path, gap, seconds):
    answer = FOLDER / "glpk.txt"
    answer.unlink(missing_ok=True)
    spent, text = _run(["glpsol", "--lp", str(path), "--tmlim", str(int(seconds)), "--mipgap", str(gap),
                        "-w", str(answer)], seconds)
    cost = None
    if answer.exists():
        found = re.search(r"^s mip \d+ \d+ ([ofun]) (\S+)", answer.read_text(), re.M)
        if found and found.group(1) in "of":
            cost = float(found.group(2))
    return {"peer": "glpk", "peer_seconds": round(spent, 2), "peer_cost": cost,
            "censored": "TIME LIMIT EXCEEDED" in text or cost is None}


def _short_names(path):
    """A copy with names that HiGHS's reader takes."""
    numbers = {}

    def short(name):
        return f"n{numbers.setdefault(name.group(0), len(numbers))}"
    text = re.sub(r"\\\*.*?\*\\", "", path.read_text(), flags=re.S)
    copy = path.with_name("short.lp")
    copy.write_text(re.sub(r"[A-Za-z_][A-Za-z_-]*\([^ \n:]*\)", short, text))
    return copy


def highs(path, gap, seconds):
    path = _short_names(path)
    if not (FOLDER / "node_modules" / "highs").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--prefix", str(FOLDER), "highs"], check=True,
                       capture_output=True, timeout=300)
    spent, text = _run(["node", str(HERE / "highs_peer.cjs"), str(FOLDER / "node_modules/highs"),
                        str(path), str(gap), str(seconds)], seconds)
    last = text.strip().split("\n")[-1]
    answer = json.loads(last) if last.startswith("{") else {"status": "no answer", "cost": None}
    return {"peer": "highs-wasm", "peer_seconds": round(spent, 2), "peer_cost": answer["cost"],
            "censored": answer["status"] != "Optimal"}


def first_fit_decreasing(model):
    """Cost of placing the largest copies first, each on the first instance with room; a new instance is
    of the type with the least price for what it can hold of the copy at hand."""
    began = time.monotonic()
    kinds = ("vcpu", "memoryGib", "gpu", "localDiskGib")
    types = []
    for offering in model["catalog"]["offerings"]:
        price = float(offering["price"]["units"]) + offering["price"]["nanos"] / 1e9
        types.append((price, [offering["resources"].get(k, 0) for k in kinds]))
    most = [max(size[k] for _, size in types) or 1 for k in range(4)]
    classes = []
    for work in model["workloads"]:
        need = [work["replicas"]["resources"].get(k, 0) for k in kinds]
        classes.append((max(need[k] / most[k] for k in range(4)), need,
                        int(work["replicas"]["count"][0])))
    cost, bins = 0.0, []
    for _, need, count in sorted(classes, key=lambda c: -c[0]):
        fitting = [(price / max(1, min(int(size[k] / need[k]) for k in range(4) if need[k])), price,
                    size) for price, size in types if all(size[k] >= need[k] for k in range(4))]
        _, price, size = min(fitting)
        first = 0
        for _ in range(count):
            while first < len(bins) and not all(bins[first][k] >= need[k] for k in range(4)):
                first += 1
            if first == len(bins):
                bins.append(list(size))
                cost += price
            for k in range(4):
                bins[first][k] -= need[k]
    return {"peer": "ffd", "peer_seconds": round(time.monotonic() - began, 2),
            "peer_cost": round(cost, 6), "censored": False}


BY_NAME = {"cbc": cbc, "glpk": glpk, "highs": highs}
