"""Runs the `isocost` program for a test.

    done = run("solve", "-f", path, "-o", "json")
    done.returncode, done.stdout, done.stderr
"""

import contextlib
import json
import os
import pathlib
import subprocess

BUILD = pathlib.Path(os.environ.get("ISO_BUILD", "build")).resolve()
SOURCE = pathlib.Path(os.environ.get("ISO_SOURCE", ".")).resolve()
EXAMPLES = SOURCE / "docs" / "examples"
SECONDS = 120


def program():
    return BUILD / "bin" / "isocost"


def environment(**more):
    """Ours, without what a user may have set."""
    kept = {k: v for k, v in os.environ.items()
            if not k.startswith("ISOCOST_") and k not in ("NO_COLOR", "LC_ALL", "LANG")}
    return {**kept, "ISO_SOURCE": str(SOURCE), **more}


@contextlib.contextmanager
def started(*arguments, env=None):
    """A command that goes on; it is stopped when the block is left."""
    process = subprocess.Popen([str(program()), *map(str, arguments)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=env or environment())
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=SECONDS)


def run(*arguments, env=None, stdin=None, **options):
    return subprocess.run([str(program()), *map(str, arguments)], input=stdin or "",
                          capture_output=True, text=True, timeout=SECONDS,
                          env=env or environment(), **options)


def plan(*arguments, **options):
    """The Plan message that a command prints as JSON; the whole of its standard output."""
    done = run(*arguments, "-o", "json", **options)
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done


def money(value):
    """A Money of JSON in 1e-9 of its unit."""
    return int(value.get("units", 0)) * 10**9 + value.get("nanos", 0)
