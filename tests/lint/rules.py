"""docs/howto/add-a-rule.md tells the truth: the files it names exist, and each kind of rule and row
stands in each file that it says."""
import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1])
page = (source / "docs/howto/add-a-rule.md").read_text()
wrong = []

for path in sorted(set(re.findall(r"`([a-z]+/[\w./]+)`", page))):
    if not (source / path).exists():
        wrong.append(f"the page names {path}, which does not exist")

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
