"""`isocost whatif` and `isocost session` against a server."""

import csv
import io
import json
import os
import pty
import select
import subprocess
import time

import pytest

import isocost_cli
from isocost_server import IsocostServer

SEED = str(isocost_cli.EXAMPLES / "seed-two-clouds.yaml")  # 1500 at 0.4 and 1000 at 0.5; 2000 asked


@pytest.fixture(scope="module")
def env(tmp_path_factory):
    with IsocostServer("--solvers", "2", listen=("unix",)) as server:
        yield isocost_cli.environment(ISOCOST_ADDRESS=server.target,
                                      HOME=str(tmp_path_factory.mktemp("home")))


def run(env, *arguments, **options):
    return isocost_cli.run(*arguments, env=env, **options)


def rows(done):
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_one_question_is_answered_with_the_difference(env):
    done = run(env, "whatif", "-f", SEED, "--set", "demand.service=+20%")
    assert done.returncode == 0, done.stderr
    assert "as it is" in done.stdout and "850.00 USD" in done.stdout
    assert "1,050.00 USD" in done.stdout and "+200.00" in done.stdout and "+23.5 %" in done.stdout


def test_a_changed_model_without_a_plan_ends_with_4_and_names_the_rules(env):
    done = run(env, "whatif", "-f", SEED, "--set", "demand.service=9000")
    assert done.returncode == 4
    assert "infeasible" in done.stdout and "aws-instances" in done.stdout


def test_scenarios_come_from_options_and_files_and_sets_are_part_of_all(env, tmp_path):
    path = tmp_path / "scenarios"
    path.write_text("# a comment\n\nsmall:demand.service=900\n"
                    "outage:outage.alibaba=on,demand.service=900\n")
    done = rows(run(env, "whatif", "-f", SEED, "--set", "price.aws=0.6", "-o", "csv",
                    "--scenario", "big:demand.service=+20%", "--scenarios", path))
    # 600 + 500 x 0.6, 600 + 900 x 0.6, 900 x 0.4, 900 x 0.6
    assert {r["scenario"]: float(r["cost"]) for r in done} == {
        "as it is": 900, "big": 1140, "small": 360, "outage": 540}


def test_json_is_a_list_of_results(env):
    done = run(env, "whatif", "-f", SEED, "--scenario", "a:demand.service=900", "-o", "json")
    results = json.loads(done.stdout)
    assert [r["name"] for r in results] == ["as it is", "a"]
    assert isocost_cli.money(results[1]["plan"]["cost"]) == 360 * 10**9


def test_a_sweep_is_a_chart_with_the_knee(env):
    done = run(env, "whatif", "-f", SEED, "--sweep", "limit.alibaba-instances=1000..2600:5")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[0] == "limit.alibaba-instances"
    assert [line.split()[0] for line in lines[1:6]] == ["1000", "1400", "1800", "2200", "2600"]
    assert "◄ knee" in lines[3] and sum("knee" in line for line in lines) == 1
    assert lines[1].count("█") > lines[2].count("█") > lines[5].count("█")
    assert "begin at 800" in done.stdout


def test_two_sweeps_are_a_table_of_costs(env):
    done = run(env, "whatif", "-f", SEED, "--sweep", "demand.service=1000..2000:2",
               "--sweep", "price.alibaba=*1..*2:2")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[1] == ["demand.service", "1", "2"]
    assert lines[2] == ["1000", "400.00", "USD", "500.00", "USD"]
    assert lines[3] == ["2000", "850.00", "USD", "1,300.00", "USD"]


def test_frontiers_say_what_is_served(env):
    done = run(env, "whatif", "-f", SEED, "--frontier", "budget=0..1000:6")
    assert done.returncode == 0, done.stderr
    assert "SERVED" in done.stdout and "75 %" in done.stdout and "100 %" in done.stdout
    done = rows(run(env, "whatif", "-f", SEED, "--frontier", "service=0.5..1.5:3", "-o", "csv"))
    assert [(r["value"], r["ended"], r["cost"]) for r in done] == [
        ("0.5", "optimal", "400"), ("1", "optimal", "850"), ("1.5", "infeasible", "")]


def test_a_frontier_asked_again_says_the_same(env):
    """Solvers remember what they found: a budget of nothing begun from another one's plan has
    multipliers whose terms cancel, and its claim was refused for their rounding."""
    answers = [run(env, "whatif", "-f", SEED, "--frontier", "budget=0..1000:6", "-o", "csv")
               for _ in range(12)]
    assert [done.returncode for done in answers] == [0] * 12, answers[-1].stderr
    assert len({tuple((r["value"], r["ended"], r["cost"]) for r in rows(done))
                for done in answers}) == 1


def test_a_mistake_is_underlined_in_the_text(env):
    done = run(env, "whatif", "-f", SEED, "--set", "limit.aws-cup=900")
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        'isocost: changed: column 7: no limit has the id "aws-cup"; there are aws-instances, '
        "alibaba-instances", "    limit.aws-cup=900", "          ^~~~~~~"]
    done = run(env, "whatif", "-f", SEED, "--set", "demnd.web=1")
    assert done.returncode == 3
    assert done.stderr.splitlines()[-2:] == ["    demnd.web=1", "    ^"]
    done = run(env, "whatif", "-f", SEED, "--sweep", "budget.total=1..2")
    assert done.returncode == 3 and "^" in done.stderr


def test_wrong_command_lines_are_told(env):
    assert run(env, "whatif", "-f", SEED).returncode == 2
    assert run(env, "whatif", "--set", "demand.x=1").returncode == 2
    assert run(env, "whatif", "-f", SEED, "--scenario", "nothing").returncode == 3
    assert run(env, "whatif", "-f", SEED, "--scenario", "a:demand.service=1",
               "--sweep", "demand.service=1..2:2").returncode == 2
    assert run(env, "session", "undo", "0").returncode == 2


def test_a_question_can_be_asked_without_a_server(env):
    done = isocost_cli.run("whatif", "--local", "-f", SEED, "--set", "demand.service=900")
    assert done.returncode == 0 and "360.00 USD" in done.stdout, done.stderr


def test_a_session_from_start_to_end(env):
    session = run(env, "session", "start", "-f", SEED, "--name", "mine").stdout.strip()
    assert len(session) == 26
    done = run(env, "session", "set", "demand.service=+20%")
    assert done.stdout == "revision 1: 1,050.00 USD, +200.00 against revision 0\n", done.stderr
    done = run(env, "session", "set", "price.aws=-20%", "limit.aws-instances=*2")
    assert done.stdout == "revision 2: 960.00 USD, -90.00 against revision 1\n"
    assert run(env, "session", "undo", "2").stdout.startswith("revision 0: 850.00 USD, -110.00")
    assert run(env, "session", "redo").stdout.startswith("revision 1: 1,050.00 USD")
    assert run(env, "session", "goto", "2", "--no-solve").stdout == "revision 2\n"

    shown = run(env, "session", "show").stdout
    assert "mine" in shown and "at revision 2 of 2" in shown and "demand.service=+20%" in shown
    compared = rows(run(env, "session", "compare", "0", "1", "2", "-o", "csv"))
    assert [float(r["cost"]) for r in compared] == [850, 1050, 960]
    assert "+110.00" in run(env, "session", "compare").stdout
    assert "960.00 USD" in run(env, "session", "show", "--plan").stdout

    fork = run(env, "session", "fork", "--name", "other").stdout.strip()
    listed = run(env, "session", "list").stdout.splitlines()
    assert listed[1].split()[0] == fork and listed[2].split()[0] == session
    assert json.loads(run(env, "session", "show", "-s", session, "-o", "json").stdout)["revision"] == 2
    plan = run(env, "session", "save", "-s", session).stdout.strip()
    assert run(env, "plan", "watch", plan).returncode == 0
    assert "960.00 USD" in run(env, "plan", "get", plan).stdout
    again = run(env, "whatif", plan, "--set", "demand.service=900")
    assert again.returncode == 0 and "360.00 USD" in again.stdout
    assert run(env, "session", "end", fork, session).returncode == 0
    assert run(env, "session", "show", "-s", session).returncode == 1


def test_a_change_that_a_session_does_not_allow_is_shown_in_its_text(env):
    session = run(env, "session", "start", "-f", SEED).stdout.strip()
    done = run(env, "session", "set", "-s", session, "demand.service=+5%", "rule.x=off")
    assert done.returncode == 3
    assert done.stderr.splitlines()[-2:] == ["    rule.x=off", "         ^"]
    assert "at revision 0" in run(env, "session", "show", "-s", session).stdout


def test_the_shell_reads_lines_from_a_pipe(env):
    run(env, "session", "start", "-f", SEED)
    done = run(env, "session", "shell", stdin="# a comment\ndemand.service=+20%\n"
               "try demand.service=900\nundo\nset price.aws=0.6 demand.service=2000\n"
               "sweep demand.service=1000..2000:3\nnonsense\nshow\nquit\nset never.x=1\n")
    assert done.returncode == 0, done.stderr
    assert "revision 1: 1,050.00 USD, +200.00 against revision 0" in done.stdout
    assert "360.00 USD" in done.stdout and "revision 0: 850.00 USD" in done.stdout
    assert "revision 2: 900.00 USD" in done.stdout and "at revision 2 of 2" in done.stdout
    assert "nonsense" in done.stderr and "never" not in done.stderr


class Terminal:
    """The shell on a terminal of its own."""

    def __init__(self, env):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [str(isocost_cli.program()), "session", "shell"], stdin=slave, stdout=slave,
            stderr=slave, env={**env, "TERM": "dumb"}, close_fds=True)
        os.close(slave)
        self.said = ""

    def wait_for(self, text, seconds=30):
        end = time.monotonic() + seconds
        while text not in self.said:
            ready, _, _ = select.select([self.master], [], [], 0.1)
            if ready:
                self.said += os.read(self.master, 4096).decode(errors="replace")
            assert time.monotonic() < end, self.said

    def type(self, text):
        self.said = ""
        os.write(self.master, text.encode())

    def close(self):
        os.close(self.master)
        return self.process.wait(30)


def test_the_shell_completes_and_remembers_on_a_terminal(env):
    run(env, "session", "start", "-f", SEED)
    terminal = Terminal(env)
    try:
        terminal.wait_for("isocost> ")
        terminal.type("dem\t")
        terminal.wait_for("demand.")
        terminal.type("s\t")
        terminal.wait_for("service=")
        terminal.type("+20%\n")
        terminal.wait_for("1,050.00 USD")
        terminal.wait_for("isocost> ")
        terminal.type("half a line\x03")  # given up
        terminal.wait_for("^C")
        terminal.type("quit\n")
        assert terminal.process.wait(30) == 0
    finally:
        if terminal.process.poll() is None:
            terminal.process.kill()
        terminal.close()
    history = (open(os.path.join(env["HOME"], ".isocost", "history")).read()).splitlines()
    assert history == ["demand.service=+20%", "quit"]
