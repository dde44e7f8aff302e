"""docs/howto/add-a-rule.md tells the truth: the files and functions it names exist, its example stands
in each file that it sends a reader to, each kind of rule and row stands in each file that it says, and
each rule that the server says it serves has a model whose answer a pencil finds."""
import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1])
page = (source / "docs/howto/add-a-rule.md").read_text()
wrong = []

for path in sorted(set(re.findall(r"`([a-z]+/[\w./]+)`", page))):
    if not (source / path).exists():
        wrong.append(f"the page names {path}, which does not exist")

for name, path in re.findall(r"`(\w+)\(\)` in\s+`([\w./]+)`", page):
    if not re.search(rf"^\w.*\b{name}\(", (source / path).read_text(), re.M):
        wrong.append(f"{name}() is not in {path}")

# "Look up its name in each file": a ramp joins nothing, caps no instances, and is no part of this test.
NOT_THE_EXAMPLE = {"solver/split.c", "server/solve/resolve_limits.c", "tests/lint/rules.py"}
for path in sorted(set(re.findall(r"`([a-z]+/[\w./]+\.[a-z]+)`", page)) - NOT_THE_EXAMPLE):
    if "ramp" not in (source / path).read_text().lower():
        wrong.append(f"{path} knows nothing of the page's example")

# How a rule is spelled in a model, where that is not its name in the server's list.
SPELLED = {"priorities": "priority", "penalties": "penalty", "policies": "policy", "commitments": "products",
           "currencies": "rates", "replica_demand": "replicas", "throughput_demand": "throughput",
           "policy.steps": "steps", "load_levels.levels": "levels", "demand_box": "box"}
served = re.search(r"served\[\] = \{(.*?)\};", (source / "server/api/server_info.c").read_text(), re.S)
by_hand = [file.read_text() for file in sorted((source / "tests/unit").glob("test_*.c"))]
by_hand = "\n".join(text for text in by_hand if "solved_fixture.h" in text)
for rule in re.findall(r'"([\w.]+)"', served.group(1)):
    if not re.search(rf"\b{SPELLED.get(rule, rule)}\b", by_hand):
        wrong.append(f"{rule} has no model in tests/unit whose answer is derived by hand")

# Without a rule of its own, or made of others: nothing to export or to multiply.
EXCEPT = {"ISO_ROW_FREEZE": {"solver/export.c"}}
kinds = {}
header = (source / "solver/include/isocost/plan.h").read_text()
for kind in re.findall(r"^    (ISO_(?:RULE|ROW)_[A-Z_]+)\b", header, re.M):
    kinds.setdefault(kind.split("_")[1], []).append(kind)
rows = re.findall(r"^\| `ISO_(RULE|ROW)_` \| (.*) \|$", page, re.M)
if len(rows) != 2 or not all(kinds.get(prefix) for prefix, _ in rows):
    wrong.append("the page has no table of kinds, or the header none of these kinds")
for prefix, files in rows:
    for path in re.findall(r"`([^`]+)`", files):
        text = (source / path).read_text()
        for kind in kinds[prefix]:
            if not re.search(rf"\b{kind}\b", text) and path not in EXCEPT.get(kind, ()):
                wrong.append(f"{kind} does not stand in {path}")

for line in wrong:
    print(line)
sys.exit(1 if wrong else 0)
