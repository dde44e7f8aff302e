"""What pages of the documentation show: blocks of code, and whole walks.

    documented.blocks("README.md", "sh")            # the text of each such block
    documented.walk("docs/howto/page.md", home)     # follows the page, and checks what it shows

A walk is one page in one shell. Files stand in blocks that a line like "`name`:" goes before, commands in
`sh` blocks, a command and all that it prints in a `console` block, where "…" stands for anything in a line.
"""
import os
import pathlib
import re
import signal
import subprocess

from isocost_cli import SOURCE

FENCE = re.compile(r"(?:^`([\w./-]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.M | re.S)
MARK = "@@@ block"


def blocks(page, language):
    return [text for _, kind, text in FENCE.findall((SOURCE / page).read_text()) if kind == language]


def files(page):
    """{name: text} of the files that a page shows."""
    return {name: text for name, _, text in FENCE.findall((SOURCE / page).read_text()) if name}


def _script(page):
    """All commands in their order, a mark before each block; and what each should print, or None."""
    parts, shown = [], []
    for name, kind, text in FENCE.findall((SOURCE / page).read_text()):
        if kind == "console":
            command, _, output = text.partition("\n")
            assert command.startswith("$ "), command
            parts.append(f"echo '{MARK}'\nset +e\n{command[2:]}\n")
            shown.append(output)
        elif kind == "sh" and not name:
            parts.append(f"echo '{MARK}'\nset -e\n{text}")
            shown.append(None)
    return "".join(parts), shown


def _lines(text):
    return [line.rstrip() for line in text.rstrip().splitlines()]


def same(said, shown):
    """Whether a command said what the page shows."""
    pattern = "\n".join(".*".join(map(re.escape, line.split("…"))) for line in _lines(shown))
    return re.fullmatch(pattern, "\n".join(_lines(said))) is not None


def walk(page, folder, begin, environment, seconds=120):
    """Follows a page: its files are in `folder`, its commands begin in `begin`. Gives [(said, shown)]."""
    for name, text in files(page).items():
        path = pathlib.Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    script, shown = _script(page)
    shell = subprocess.Popen(["bash", "-u", "-c", script], cwd=begin, env=environment, text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True)
    try:
        said, _ = shell.communicate(timeout=seconds)
    finally:
        try:
            os.killpg(shell.pid, signal.SIGKILL)  # what the page left running
        except ProcessLookupError:
            pass
        shell.wait()
    parts = said.split(f"{MARK}\n")[1:]
    assert shell.returncode == 0 and len(parts) == len(shown), said
    return list(zip(parts, shown))
