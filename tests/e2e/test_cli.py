"""The command line against a real server."""

import json
import pathlib
import random
import re
import signal
import subprocess
import tempfile
import time

import pytest
from google.protobuf import json_format

import isocost_cli as cli
from isocost_protos import plan_pb2
from isocost_server import IsocostServer

SEED = cli.EXAMPLES / "seed-two-clouds.yaml"
INFEASIBLE = cli.EXAMPLES / "infeasible-budget.yaml"


@pytest.fixture(scope="module")
def server():
    with IsocostServer() as running:
        yield running


@pytest.fixture
def here(server):
    """The environment in which commands find the server."""
    return cli.environment(ISOCOST_ADDRESS=server.target)


def hard_model(path):
    """Forty types whose speeds differ by workload, and limits that bind: a tree that no solver
    finishes in the time of a test."""
    luck = random.Random(7)
    types = [f"t{i}" for i in range(40)]
    model = {
        "display_name": "Hard",
        "catalog": {"offerings": [
            {"provider": f"p{i % 3}", "type": t, "purchase": "on-demand",
             "price": f"{luck.randint(20001, 99999) / 10000} USD"} for i, t in enumerate(types)]},
        "periods": [{"id": "p", "hours": 1}],
        "workloads": [
            {"id": f"w{j}", "must_serve": True,
             "throughput": {"rate": 3001 + 137 * j, "performance": [
                 {"offerings": {"include": [{"type": t}]}, "per_instance": luck.randint(37, 97)}
                 for t in types]}} for j in range(12)],
        "limits": [{"id": f"l-{t}", "scope": {"include": [{"type": t}]}, "metric": "instances",
                    "maximum": luck.randint(7, 19)} for t in types],
    }
    path.write_text(json.dumps(model))
    return path


def test_the_seed_costs_850_and_json_is_a_plan_message_and_nothing_else(here):
    done = cli.run("solve", "-f", SEED, "-o", "json", env=here)
    assert done.returncode == 0, done.stderr
    plan = json_format.Parse(done.stdout, plan_pb2.Plan())
    assert (plan.cost.units, plan.cost.nanos, plan.cost.currency_code) == (850, 0, "USD")
    assert {(line.offering.split("/")[0], line.quantity) for line in plan.lines} == {
        ("alibaba", 1500), ("aws", 500)}


def test_the_table_of_the_seed_adds_up(here):
    done = cli.run("solve", "-f", SEED, env=here)
    assert done.returncode == 0, done.stderr
    assert "AWS and 阿里云, one hour: 850.00 USD for 1 h" in done.stdout
    assert re.search(r"alibaba/\*/\*/server/linux/on-demand +1500 +1500 +0.4 USD +1 +600.00\n",
                     done.stdout)
    assert re.search(r"^total +850.00$", done.stdout, re.M)
    assert "\033" not in done.stdout


def test_yaml_and_csv_say_the_same(here):
    done = cli.run("solve", "-f", SEED, "-o", "yaml", env=here)
    assert "displayName: " in done.stdout and done.returncode == 0
    done = cli.run("solve", "-f", SEED, "-o", "csv", env=here)
    rows = done.stdout.splitlines()
    assert len(rows) == 3 and rows[0].startswith("kind,period,last_period,periods,workload,")
    assert any(",1500,1500,0.4,USD,1,1,600,USD," in row for row in rows)


def test_a_model_may_come_from_standard_input(here):
    done = cli.run("solve", "-f", "-", "-o", "json", env=here, stdin=SEED.read_text())
    assert done.returncode == 0 and json.loads(done.stdout)["cost"]["units"] == "850"


def test_an_infeasible_model_ends_with_4_and_tells_rules_and_ways_out(here):
    done = cli.run("solve", "-f", INFEASIBLE, env=here)
    assert done.returncode == 4
    # 10 instances x 0.5 USD x 720 h = 3600; 3000 USD pay for 8 instances, which serve 80.
    assert re.search(r"^total +budget ", done.stdout, re.M)
    assert re.search(r"^web +must-serve ", done.stdout, re.M)
    assert re.search(r"^total +3000 +3600 +3,600.00 USD +a solve ", done.stdout, re.M)


def test_wrong_models_end_with_3_and_name_file_line_and_field(here, tmp_path):
    path = tmp_path / "model.yaml"
    text = SEED.read_text()
    line = 1 + text[:text.index("hours: 1")].count("\n")
    path.write_text(text.replace("hours: 1", "hours: 5I2"))
    done = cli.run("solve", "-f", path, env=here)
    assert done.returncode == 3
    assert f'{path}:{line}: periods[0].hours: "5I2" is not a number' in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("command", ["solve", "validate"])
def test_what_the_server_refuses_is_told_by_line_too(here, tmp_path, command):
    path = tmp_path / "model.yaml"
    text = SEED.read_text().replace("  - id: alibaba-instances", "  - id: aws-instances")
    line = 1 + text[:text.rindex("id: aws-instances")].count("\n")
    path.write_text(text)
    done = cli.run(command, "-f", path, env=here)
    assert done.returncode == 3
    assert f"{path}:{line}: limits[1].id: " in done.stderr


def test_a_server_that_is_not_there_ends_with_7_and_says_what_to_do(tmp_path):
    done = cli.run("solve", "-f", SEED, "--address", f"unix:{tmp_path}/nothing")
    assert done.returncode == 7
    assert "isocost serve" in done.stderr and "--local" in done.stderr
    assert cli.run("doctor", "--address", f"unix:{tmp_path}/nothing").returncode == 7


def test_a_plan_that_is_not_there_is_an_error(here):
    assert cli.run("plan", "get", "01ARZ3NDEKTSV4RRFFQ69G5FAV", env=here).returncode == 1


def test_validate_says_that_a_model_is_good(here):
    done = cli.run("validate", "-f", SEED, env=here)
    assert done.returncode == 0 and "is a model that can be solved" in done.stdout


def test_the_life_of_a_plan(here):
    done = cli.run("plan", "create", "-f", SEED, "--request-id", "cli-life", "--note", "x", env=here)
    assert done.returncode == 0, done.stderr
    plan = done.stdout.strip()
    again = cli.run("plan", "create", "-f", SEED, "--request-id", "cli-life", "--note", "x",
                    env=here)
    assert again.stdout.strip() == plan

    done = cli.run("plan", "watch", plan, env=here)
    assert done.returncode == 0 and "850.00 USD" in done.stdout, done.stderr
    assert "850.00 USD" in cli.run("plan", "get", plan, "--why", env=here).stdout
    assert plan in cli.run("plan", "list", "--filter", "state=DONE", env=here).stdout
    lines = cli.run("plan", "lines", plan, "--filter", "provider=alibaba", env=here)
    assert "600.00" in lines.stdout and "250.00" not in lines.stdout
    assert json.loads(cli.run("plan", "export", plan, "--format", "json", env=here).stdout)
    assert "1500" in cli.run("plan", "export", plan, "--format", "csv", env=here).stdout

    done = cli.run("plan", "cancel", plan, env=here)
    assert done.returncode == 9, "it has ended"
    assert cli.run("plan", "rm", plan, env=here).returncode == 0
    assert cli.run("plan", "get", plan, env=here).returncode == 1


def test_a_request_id_with_another_model_is_a_conflict(here):
    first = cli.run("plan", "create", "-f", SEED, "--request-id", "cli-twice", env=here)
    assert first.returncode == 0
    other = cli.run("plan", "create", "-f", INFEASIBLE, "--request-id", "cli-twice", env=here)
    assert other.returncode == 9


def test_a_model_can_be_given_to_other_solvers(here):
    mps = cli.run("plan", "export", "-f", SEED, "--format", "mps", env=here)
    assert mps.returncode == 0 and "ROWS" in mps.stdout and "ENDATA" in mps.stdout
    lp = cli.run("plan", "export", "-f", SEED, "--format", "lp", env=here)
    assert lp.returncode == 0 and "subject to" in lp.stdout.lower()


def test_a_time_limit_ends_with_5_and_a_plan(here, tmp_path):
    path = hard_model(tmp_path / "hard.json")
    plan, done = cli.plan("solve", "-f", path, "--gap", "0", "--time-limit", "2s", env=here)
    assert done.returncode == 5
    assert plan["termination"]["reason"] == "TERMINATION_REASON_FEASIBLE"
    assert int(plan["cost"]["units"]) > 0


def wait_for(process, text, seconds=60):
    """Reads standard error until it says `text`."""
    end = time.monotonic() + seconds
    said = ""
    while time.monotonic() < end:
        line = process.stderr.readline()
        said += line
        if text in line:
            return said
        if not line and process.poll() is not None:
            break
    raise AssertionError(f"never said {text!r}: {said}")


def leftovers(folder):
    """What a run left in its temporary folder."""
    return list(pathlib.Path(folder).glob("isocost-*"))


def test_the_first_interrupt_gives_the_best_plan_and_ends_with_5(tmp_path):
    path = hard_model(tmp_path / "hard.json")
    with cli.started("solve", "--local", "-f", path, "--gap", "0", "--time-limit", "100s",
                     "--watch", "-o", "json") as process:
        wait_for(process, "best ")
        time.sleep(1.5)  # incumbents are sent at most once a second
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 5, err
    assert json.loads(out)["termination"]["stoppedBy"] == "STOPPED_BY_CANCEL"


def test_the_second_interrupt_ends_with_130_and_leaves_nothing(tmp_path):
    path = hard_model(tmp_path / "hard.json")
    with tempfile.TemporaryDirectory() as short:  # a socket's path must be short
        with cli.started("solve", "--local", "-f", path, "--gap", "0", "--time-limit", "100s",
                         "--watch", env=cli.environment(TMPDIR=short)) as process:
            wait_for(process, "best ")
            assert len(leftovers(short)) == 1
            # Both wait until it goes on, so that the second comes while the first is handled.
            process.send_signal(signal.SIGSTOP)
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGCONT)
            process.communicate(timeout=60)
        assert process.returncode == 130
        assert leftovers(short) == []


def test_a_terminal_gets_bold_titles_unless_no_color(here):
    script = ["script", "-qec", f"{cli.program()} solve -f {SEED}", "/dev/null"]
    bold = subprocess.run(script, env={**here, "TERM": "xterm"}, capture_output=True, text=True,
                          timeout=60)
    plain = subprocess.run(script, env={**here, "TERM": "xterm", "NO_COLOR": "1"},
                           capture_output=True, text=True, timeout=60)
    assert "\033[1m" in bold.stdout
    assert "\033[1m" not in plain.stdout and "850.00 USD" in plain.stdout


def test_doctor_tells_what_is_there(here):
    done = cli.run("doctor", env=here)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^server program +ok ", done.stdout, re.M)
    assert re.search(r"^server +ok ", done.stdout, re.M)


def test_serve_becomes_the_server(tmp_path):
    with cli.started("serve", "--data-dir", tmp_path / "data",
                     "--listen", "127.0.0.1:0") as process:
        line = process.stdout.readline()
        assert line.startswith("isocostd ready"), line
        address = re.search(r"listen=(\S+)", line).group(1)
        done = cli.run("solve", "-f", SEED, "--address", address)
        assert done.returncode == 0 and "850.00 USD" in done.stdout, done.stderr
    assert process.returncode == 0


def test_output_that_cannot_be_written_is_an_error(here):
    with open("/dev/full", "w") as full:
        done = subprocess.run([str(cli.program()), "solve", "-f", str(SEED)], stdout=full,
                              stderr=subprocess.PIPE, text=True, env=here, timeout=60)
    assert done.returncode == 1 and "standard output" in done.stderr


def test_a_stored_plan_is_where_a_search_begins(here):
    kept = json.loads(cli.run("solve", "-f", SEED, "--keep", "-o", "json", env=here).stdout)
    again = cli.run("solve", "-f", SEED, "--start", kept["id"], "-o", "json", env=here)
    assert again.returncode == 0, again.stderr
    plan = json.loads(again.stdout)
    assert plan["cost"] == kept["cost"]
    assert not plan.get("warnings"), plan["warnings"]


def test_a_search_cannot_begin_with_a_plan_that_is_not_there(here):
    done = cli.run("solve", "-f", SEED, "--start", "01ARZ3NDEKTSV4RRFFQ69G5FAV", env=here)
    assert done.returncode not in (0, 4) and "01ARZ3NDEKTSV4RRFFQ69G5FAV" in done.stderr
    done = cli.run("solve", "-f", SEED, "--start", "any", "--local", env=here)
    assert done.returncode == 2 and "--local" in done.stderr
