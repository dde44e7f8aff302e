"""Provider plugins that go wrong behind a whole server under load: it says so and goes on with what it has.

ISO_FAULTS: how often each fault is repeated; `./dev bench kills` does it twenty times.
"""
import os
import pathlib

import pytest

from isocost_server import IsocostServer
from plugin_faults import FAULTS, PluginFaults

TIMES = int(os.environ.get("ISO_FAULTS", "6"))  # one more than a quarantine needs
SELDOM = int(os.environ.get("ISO_FAULTS", "2"))  # of those that take a second or more


def go_wrong_again_and_again(times=TIMES, seldom=SELDOM):
    """Gives the matrix, for its counts."""
    with PluginFaults() as matrix:
        with matrix.load():
            for fault, expected in FAULTS.items():
                matrix.repeat(fault, seldom if expected.seldom else times)
            matrix.cancel(seldom)
            matrix.quarantine_and_recover()
        print(matrix.table())
        matrix.check_nothing_is_left()
    return matrix


def test_every_fault_is_told_and_left_behind_while_clients_are_served():
    matrix = go_wrong_again_and_again()
    assert sum(counts["failed"] for counts in matrix.counts.values()) >= len(FAULTS) * SELDOM


def test_config_that_is_wrong_is_said_at_the_start(tmp_path):
    config = pathlib.Path(tmp_path) / "providers.yaml"
    config.write_text("providers:\n  - {name: Bad Name, plugin: static}\n")
    server = IsocostServer("--config", str(config))
    with pytest.raises(RuntimeError, match=r"providers\[0\]\.name"):
        server.start()
