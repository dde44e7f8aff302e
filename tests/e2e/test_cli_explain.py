"""`isocost plan diff` and `isocost plan explain` against a server; the figures are derived in
test_explanations.py."""

import csv
import io
import json

import pytest

import isocost_cli
from isocost_server import IsocostServer

SEED = isocost_cli.EXAMPLES / "seed-two-clouds.yaml"  # 1500 at 0.4 and 1000 at 0.5; 2000 asked
ALIBABA = "alibaba/*/*/server/linux/on-demand"


@pytest.fixture(scope="module")
def env():
    with IsocostServer("--solvers", "2", listen=("unix",)) as server:
        yield isocost_cli.environment(ISOCOST_ADDRESS=server.target)


def run(env, *arguments, **options):
    return isocost_cli.run(*arguments, env=env, **options)


def keep(env, tmp_path, rate):
    path = tmp_path / f"{rate}.yaml"
    path.write_text(SEED.read_text().replace("rate: 2000", f"rate: {rate}"))
    plan, _ = isocost_cli.plan("solve", "--keep", "-f", path, env=env)
    return plan["id"]


@pytest.fixture
def plan(env, tmp_path):
    return keep(env, tmp_path, 2000)


def table(done):
    assert done.returncode in (0, 10), done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def figures(done):
    return {(r["question"], r["asked"], r["name"]): r["value"] for r in table(done)}


def test_a_diff_ends_with_10_and_its_parts_add_up(env, tmp_path, plan):
    other = keep(env, tmp_path, 2100)
    done = run(env, "plan", "diff", plan, other)
    assert done.returncode == 10 and done.stderr == ""
    assert "+50.00" in done.stdout and "2000, then 2100" in done.stdout
    rows = table(run(env, "plan", "diff", plan, other, "-o", "csv"))
    effects = {r["name"]: float(r["effect"]) for r in rows if r["part"] == "bridge"}
    assert effects["demand"] == 50 and sum(effects.values()) == 50
    assert [r["name"] for r in rows if r["part"] == "line"] == ["more"]
    message = json.loads(run(env, "plan", "diff", plan, other, "-o", "json").stdout)
    assert isocost_cli.money(message["difference"]) == 50 * 10**9 and len(message["steps"]) == 7


def test_a_diff_of_a_plan_with_itself_ends_with_0(env, plan):
    done = run(env, "plan", "diff", plan, plan)
    assert done.returncode == 0 and "What changed in the bill" not in done.stdout


def test_every_question_has_its_table(env, plan):
    done = run(env, "plan", "explain", plan, "--why", "all", "--why-not", "alibaba", "--require",
               "aws=600", "--rule", "alibaba-instances", "--price", ALIBABA, "--worth", "--quotas",
               "0", "--repairs")
    assert done.returncode == 0, done.stderr
    for text in ("Why these", "What limits you", "not possible", "+10.00 USD", "-50.00 USD",
                 "Above 0.5 USD (x 1.25) another plan is cheaper.", "-0.10 USD",
                 "No fewer do; that is proved.", "there is nothing to repair"):
        assert text in done.stdout, text


def test_where_nothing_need_be_raised_nothing_is_shown_to_be(env, plan):
    done = run(env, "plan", "explain", plan, "--quotas", "7")  # 850 <= 1.07 x 800
    assert "Nothing need be raised." in done.stdout and "What the raises do" not in done.stdout


def test_figures_are_given_one_a_row(env, plan):
    said = figures(run(env, "plan", "explain", plan, "--require", "aws=600", "--rule",
                       "alibaba-instances", "--price", ALIBABA, "--quotas", "5%", "-o", "csv"))
    assert said["require", "aws", "cost_difference"] == "10"
    assert said["rule", "alibaba-instances", "cost"] == "800"
    assert float(said["price", ALIBABA, "changes_above"]) == pytest.approx(1.25, abs=1e-4)
    assert said["raise", "alibaba-instances", "current"] == "1500"  # 850 > 1.05 x 800
    answers = json.loads(run(env, "plan", "explain", plan, "--rule", "aws-instances", "--worth",
                             "-o", "json").stdout)
    assert ["ruleCost" in answers[0], "limitWorth" in answers[1]] == [True, True]


def test_without_questions_a_plan_is_explained_and_an_infeasible_one_repaired(env, tmp_path, plan):
    done = run(env, "plan", "explain", plan)
    assert "Why these" in done.stdout and "What more room" in done.stdout
    done = run(env, "plan", "explain", keep(env, tmp_path, 3000))
    assert "These rules cannot hold together" in done.stdout
    assert "raise limit aws-instances from 1000 to 1500" in done.stdout
    assert "repair" in {r["question"] for r in table(run(
        env, "plan", "explain", keep(env, tmp_path, 3000), "-o", "csv"))}


def test_mistakes_name_the_nearest(env, plan):
    done = run(env, "plan", "explain", plan, "--rule", "alibaba-instance")
    assert done.returncode == 3 and "nearest are alibaba-instances" in done.stderr
    assert run(env, "plan", "explain", plan, "--quotas", "many").returncode == 2
    assert run(env, "plan", "diff", plan).returncode == 2
    done = run(env, "plan", "diff", plan, "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert done.returncode == 1 and done.stdout == ""
