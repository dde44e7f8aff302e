"""docs/howto/add-a-provider.md, followed as it is written, makes a plugin that a plan is made with."""
import pathlib
import re
import shutil
import tempfile

import pytest

import documented
import isocost_cli as cli

PAGE = "docs/howto/add-a-provider.md"


@pytest.fixture(scope="module")
def walk():
    """The page was followed from a checkout whose build is the one that is tested."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="isocost-"))  # short: it holds a unix socket
    try:
        (folder / "checkout" / "build").mkdir(parents=True)
        (folder / "checkout" / "build" / "release").symlink_to(cli.BUILD)
        yield documented.walk(PAGE, folder / "digitalocean", folder / "checkout",
                              cli.environment(HOME=str(folder)))
    finally:
        shutil.rmtree(folder)


def test_every_command_says_what_the_page_shows(walk):
    shown = [(said, text) for said, text in walk if text is not None]
    assert len(shown) == 8
    for said, text in shown:
        assert documented.same(said, text), f"said:\n{said}\nshown:\n{text}"


def test_the_plan_costs_what_the_page_finds_with_a_pencil(walk):
    """Three Droplets, at least seven vCPUs, of the sizes that are to be had in Frankfurt."""
    price = {1: 744, 2: 2679, 4: 7143}  # USD an hour, in 1e-5
    best = min(price[a] + price[b] + price[c] for a in price for b in price for c in price
               if a + b + c >= 7)
    assert best * 730 == 7713180
    text = (cli.SOURCE / PAGE).read_text()
    assert "= 77.1318 USD" in text
    (solved,) = [said for said, text in walk if text and "Seven vCPUs" in text]
    assert re.match(r"Seven vCPUs in Frankfurt: 77\.13 USD for 730 h\n", solved)
    counts = {int(vcpu): int(n) for vcpu, n in re.findall(r"/s-(\d)vcpu-\S+ +(\d+) ", solved)}
    assert counts == {1: 1, 2: 1, 4: 1}


def test_a_difference_from_the_page_is_seen():
    assert documented.same("sha256:ab12, 3 rows\nend\n", "sha256:…, 3 rows\nend")
    assert not documented.same("sha256:ab12, 4 rows\nend\n", "sha256:…, 3 rows\nend")
    assert not documented.same("sha256:ab12, 3 rows\n", "sha256:…, 3 rows\nend")
