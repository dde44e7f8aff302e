"""House rules that a machine can check: folder names, banned words, lengths of files and functions."""
import os
import re
import subprocess
import sys

root = sys.argv[1]
HARD_LINES = 600  # the soft limit is 400; beyond this a file must be split
HARD_FUNCTION_LINES = 60  # beyond, the comment above the function says why: "hence long"


def long_functions(text):
    """(name, lines) of functions beyond the limit whose comment does not say why."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if line != "{":
            continue
        first = i  # of the signature
        while lines[first - 1] and not lines[first - 1].startswith(("/*", " *", "#", "}")):
            first -= 1
        end = lines.index("}", i)
        above = first
        while above > 0 and lines[above - 1].startswith(("/*", " *")):
            above -= 1
        if end - first + 1 > HARD_FUNCTION_LINES and "hence long" not in " ".join(lines[above:first]):
            yield lines[first], end - first + 1


files = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True,
                       check=True).stdout.split("\n")
problems = []
for file in filter(None, files):
    parts = file.split("/")
    if any(part in ("utils", "util", "common", "misc", "helpers") for part in parts[:-1]):
        problems.append(f"{file}: no such folder names")
    if not file.endswith((".c", ".h", ".py", ".proto", ".cmake", ".md", ".yaml", ".sh")):
        continue
    path = os.path.join(root, file)
    if not os.path.exists(path):
        continue
    text = open(path, encoding="utf-8").read()
    if file.endswith((".c", ".h")):
        if text.count("\n") > HARD_LINES and not file.startswith("tests/"):
            problems.append(f"{file}: {text.count(chr(10))} lines; at most {HARD_LINES}")
        if re.search(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))", text):
            problems.append(f"{file}: a TODO needs an issue number")
        if re.search(r"^\s*//", text, re.M):
            problems.append(f"{file}: comments are /* */")
    if file.endswith(".c") and not file.startswith("tests/"):
        problems += [f"{file}: {n} lines in {name}; say why above it, or split it" for name, n in long_functions(text)]
    if re.search(r"(?<![\w.])/work/", text) and file != "tests/lint/sizes.py":
        problems.append(f"{file}: names a machine path")
print("\n".join(problems) if problems else "house rules hold")
sys.exit(1 if problems else 0)
