"""What /proc tells about a server that a test started."""

import os
import pathlib
import time


def children(pid):
    """{pid: (name, state)} of the children of a process; a zombie has state Z."""
    found = {}
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            text = (folder / "stat").read_text()
        except OSError:
            continue  # it has ended
        name, rest = text[text.index("(") + 1:].rsplit(")", 1)
        state, parent = rest.split()[:2]
        if int(parent) == pid:
            found[int(folder.name)] = (name, state)
    return found


def start_time(pid):
    """When a process began, in ticks since the machine did; an id that was used again has another."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return int(text.rsplit(")", 1)[1].split()[19])


def zombies(pid):
    return [child for child, (_, state) in children(pid).items() if state == "Z"]


def open_files(pid):
    """How many files are open; not those of the database, whose readers open them when first used."""
    count = 0
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            count += "/isocost.db" not in os.readlink(link)
        except OSError:
            continue  # closed meanwhile
    return count


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has no VmRSS")


def peak_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"process {pid} has no VmHWM")


def wait_until(holds, seconds=20):
    """Waits until holds() is true; gives its value."""
    end = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)
