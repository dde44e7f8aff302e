"""Watches the memory and processor time of a process and all that it starts.

    with ProcessWatch(pid) as watch:
        ...
    watch.peaks()["isocost-solver"].peak_mib

Read from /proc every few milliseconds: what a process did in its last moments may be missed.
"""

import dataclasses
import os
import pathlib
import threading

TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Usage:
    peak_mib: float = 0.0  # most of one process, ever
    cpu_seconds: float = 0.0  # during the watch, all processes of this name together


def _stat(pid):
    """Parent and processor seconds."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS


def _status(pid):
    """Name of the program, of a plugin host with the provider that it serves, and peak memory in MiB."""
    peak = 0.0
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            peak = int(line.split()[1]) / 1024
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    name = os.path.basename(words[0])
    return f"{name} {words[3]}" if name == "isocost-plugin-host" and len(words) > 4 else name, peak


class ProcessWatch:
    def __init__(self, pid, interval_seconds=0.02):
        self.pid = pid
        self.interval_seconds = interval_seconds
        self._seen = {}  # pid: (name, peak, cpu)
        self._base = {}  # pid: cpu when the watch began; 0 for what started later
        self._most = {}  # name: most processes in one look
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _family(self):
        """Processor seconds of the watched process and of all below it, by pid."""
        stats = {}
        for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
            try:
                stats[pid] = _stat(pid)
            except (OSError, IndexError):
                pass  # it has ended
        family = {self.pid}
        while more := {pid for pid, (parent, _) in stats.items() if parent in family} - family:
            family |= more
        return {pid: stats[pid][1] for pid in family if pid in stats}

    def _sample(self, first=False):
        names = []
        for pid, cpu in self._family().items():
            try:
                name, peak = _status(pid)
            except (OSError, IndexError):
                continue
            if not name:
                continue
            self._base.setdefault(pid, cpu if first else 0.0)
            _, before, _ = self._seen.get(pid, (name, 0.0, 0.0))
            self._seen[pid] = (name, max(peak, before), cpu)
            names.append(name)
        for name in set(names):
            self._most[name] = max(self._most.get(name, 0), names.count(name))

    def most_at_once(self, name):
        """Most processes of that name that were there together."""
        return self._most.get(name, 0)

    def _run(self):
        while not self._stop.wait(self.interval_seconds):
            self._sample()

    def __enter__(self):
        self._sample(first=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self._sample()

    def peaks(self):
        """Usage by the name of the program."""
        usage = {}
        for pid, (name, peak, cpu) in self._seen.items():
            one = usage.setdefault(name, Usage())
            one.peak_mib = max(one.peak_mib, peak)
            one.cpu_seconds += cpu - self._base[pid]
        return usage
