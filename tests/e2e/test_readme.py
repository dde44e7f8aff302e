"""Every command that the documents show is run; what they show of its output is compared."""

import os
import pathlib
import re
import subprocess

import pytest

import isocost_cli as cli
from documented import blocks
from isocost_server import IsocostServer

PAGES = ["README.md", "README.zh-CN.md", "docs/README.md", "docs/reference/command-line.md",
         "docs/examples/catalog/README.md", "docs/howto/add-a-rule.md", "docs/reference/model.md",
         "docs/howto/what-if-session.md", "docs/howto/explain-a-plan.md", "docs/reference/changes.md",
         "docs/explanation/how-a-plan-is-found.md", "CHANGELOG.md", "SECURITY.md"]
WALKS = ["docs/howto/add-a-provider.md"]  # tests of their own follow these from beginning to end
# These do not end by themselves or are the gate that runs this test; test_cli.py runs `serve`.
NOT_RUN = re.compile(r"^(\./dev\b|isocost serve\b)")


def cases(language):
    return [pytest.param(block, id=f"{page}-{i}") for page in PAGES
            for i, block in enumerate(blocks(page, language))]


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """Runs a script in a copy of the examples, beside a server."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "docs").mkdir()
    (folder / "docs" / "examples").symlink_to(cli.EXAMPLES)
    with IsocostServer() as server:
        path = f"{cli.BUILD / 'bin'}{os.pathsep}{os.environ['PATH']}"
        env = cli.environment(PATH=path, ISOCOST_ADDRESS=server.target)

        def run(script):
            return subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=env,
                                  capture_output=True, text=True, timeout=120)

        yield run


@pytest.mark.parametrize("block", cases("sh"))
def test_commands_run(shell, block):
    script = "\n".join(line for line in block.splitlines() if not NOT_RUN.match(line))
    done = shell(script)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", cases("console"))
def test_transcripts_are_what_the_program_says(shell, block):
    command, *shown = block.splitlines()
    assert command.startswith("$ ")
    said = [line.rstrip() for line in shell(command[2:]).stdout.splitlines()]
    assert said == shown


def test_both_languages_show_the_same_commands():
    for language in ("sh", "console"):
        assert blocks("README.md", language) == blocks("README.zh-CN.md", language)


@pytest.mark.parametrize("page", PAGES + WALKS)
def test_links_lead_somewhere(page):
    path = cli.SOURCE / page
    for link in re.findall(r"\]\(([^)#]+)", path.read_text()):
        if "://" not in link:
            assert (path.parent / link).exists(), link


def test_no_page_names_a_machine():
    for page in PAGES + WALKS:
        assert not re.search(r"/(work|root|home)/", (cli.SOURCE / page).read_text()), page


def test_every_exit_code_is_in_the_reference():
    header = (cli.SOURCE / "clients/cli/exit_code.h").read_text()
    reference = pathlib.Path(cli.SOURCE / "docs/reference/command-line.md").read_text()
    for code in re.findall(r"ISO_EXIT_\w+ = (\d+)", header):
        assert f"\n| {code} |" in reference, code
