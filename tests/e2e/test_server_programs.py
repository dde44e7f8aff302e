"""docs/reference/server-programs.md says of every flag what --help says, and the files in
server/deploy/ name flags that there are."""

import os
import pathlib
import re
import subprocess

from isocost_server import program

SOURCE = pathlib.Path(os.environ["ISO_SOURCE"])
PROGRAMS = ("isocostd", "isocost-worker", "isocost-store")


def help_of(name):
    return subprocess.run([program(name), "--help"], capture_output=True, text=True,
                          check=True).stdout


def test_the_reference_has_the_help_of_every_program():
    page = (SOURCE / "docs/reference/server-programs.md").read_text()
    for name in PROGRAMS:
        assert help_of(name) in page, f"docs/reference/server-programs.md: paste `{name} --help`"


def test_deployments_use_flags_that_the_worker_has():
    known = help_of("isocost-worker")
    for file in ("isocost-worker@.service", "isocost-worker.yaml"):
        text = (SOURCE / "server/deploy" / file).read_text()
        text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        flags = set(re.findall(r"--[a-z-]+", text))
        assert "--queue" in flags
        for flag in flags:
            assert f"  {flag}" in known, f"{file}: {flag}"
