"""The sample catalog and the example models, solved by the real thing and checked from the data."""

import collections
import csv
import re
import signal
from fractions import Fraction

import pytest
import yaml

import isocost_cli as cli
from isocost_server import IsocostServer

CATALOG = cli.EXAMPLES / "catalog"
CLOUDS = ["alibaba", "aws", "azure", "gcp", "huawei"]


@pytest.fixture(scope="module")
def here():
    with IsocostServer() as running:
        env = cli.environment(ISOCOST_ADDRESS=running.target)
        done = cli.run("catalog", "import", "--sample", env=env)
        assert done.returncode == 0, done.stderr
        yield env


@pytest.fixture(scope="module")
def offerings():
    rows = []
    for cloud in CLOUDS:
        with open(CATALOG / f"{cloud}.offerings.csv", newline="") as file:
            rows += list(csv.DictReader(file))
    return {"/".join(row[c] for c in ("provider", "region", "zone", "type", "os", "purchase")): row
            for row in rows}


@pytest.fixture(scope="module")
def web_shop(here):
    plan, done = cli.plan("solve", "-f", cli.EXAMPLES / "web-shop.yaml", env=here)
    assert done.returncode == 0, done.stderr
    return plan


def model(name):
    return yaml.safe_load((cli.EXAMPLES / name).read_text())


def test_the_sample_is_dated_labelled_and_wide_enough(offerings):
    assert len(offerings) >= 400
    regions = collections.defaultdict(set)
    for key, row in offerings.items():
        assert row["source"] == "isocost sample 2026-08 (illustrative)", key
        assert row["observed_at"].startswith("2026-08-"), key
        assert Fraction(row["price"]) > 0, key
        assert row["currency"] == ("CNY" if row["region"].startswith("cn-") else "USD"), key
        regions[row["provider"]].add(row["region"])
    assert sorted(regions) == CLOUDS and all(len(r) >= 2 for r in regions.values())
    for cloud in CLOUDS:
        mine = [row for row in offerings.values() if row["provider"] == cloud]
        assert {row["purchase"] for row in mine} == {"on-demand", "spot"}
        labels = {row["labels"].split(";")[0] for row in mine}
        assert labels == {"class=general", "class=compute", "class=memory", "class=gpu"}


def test_nothing_of_the_sample_is_left_out(here, offerings):
    listed = cli.run("catalog", "snapshots", env=here).stdout
    assert re.search(rf" {len(offerings)} +15 +38 ", listed), listed
    assert "Nothing was wrong" in cli.run("catalog", "diagnostics", env=here).stderr


def test_offerings_can_be_listed_by_what_they_are(here, offerings):
    done = cli.run("catalog", "list", "--provider", "alibaba", "--region", "cn-hangzhou",
                   "--purchase", "spot", "--limit", "1000", env=here)
    expected = [k for k, row in offerings.items() if row["provider"] == "alibaba"
                and row["region"] == "cn-hangzhou" and row["purchase"] == "spot"]
    assert done.returncode == 0
    assert sorted(line.split()[0] for line in done.stdout.splitlines()[1:]) == sorted(expected)


def test_importing_one_file_leaves_other_providers(tmp_path):
    with IsocostServer() as running:
        env = cli.environment(ISOCOST_ADDRESS=running.target)
        for name in ("aws.offerings.csv", "gcp.offerings.csv"):
            assert cli.run("catalog", "import", CATALOG / name, env=env).returncode == 0
        for cloud in ("aws", "gcp"):
            assert cloud in cli.run("catalog", "list", "--provider", cloud, env=env).stdout
        missing = cli.run("catalog", "import", tmp_path / "x.offerings.csv", env=env)
        assert missing.returncode == 3 and "No such file" in missing.stderr


def instances(plan, workload=None):
    for line in plan["lines"]:
        if line["kind"] == "LINE_KIND_INSTANCE" and workload in (None, line.get("workload")):
            yield line


def test_the_lines_add_up_to_the_cost(web_shop):
    total = sum(cli.money(line["cost"]) for line in web_shop["lines"] if "cost" in line)
    assert total == cli.money(web_shop["cost"])
    for grouped in ("costByProvider", "costByPeriod"):
        assert sum(cli.money(row["cost"]) for row in web_shop[grouped]) == total


def test_the_table_shows_what_the_message_says(here):
    done = cli.run("solve", "-f", cli.EXAMPLES / "web-shop.yaml", "--why", env=here)
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.split("\n\n")[1].splitlines()
    assert head.startswith("WORKLOAD")
    costs = [Fraction(row.split()[-1].replace(",", "")) for row in rows]
    assert rows[-1].startswith("total") and sum(costs[:-1]) == costs[-1]
    for title in ("Commitments to buy", "What other ways would cost", "What limits you",
                  "Why these, and why the runner-up lost", "What was checked"):
        assert title in done.stdout


def test_the_web_shop_keeps_its_rules(web_shop, offerings):
    """Recomputed from the model's and the catalog's own numbers."""
    rules = model("web-shop.yaml")
    periods = [p["id"] for p in rules["periods"]]
    web = next(w for w in rules["workloads"] if w["id"] == "web")
    assert sum(p["hours"] for p in rules["periods"]) == 730

    def speed(offering):
        row = offerings[offering]
        per_vcpu = 115 if row["arch"] == "arm64" else 80 if row["family"] == "e2" else 100
        return per_vcpu * Fraction(row["vcpu"]) * Fraction(row["availability"] or 1)

    for period, demand in zip(periods, web["throughput"]["rate"]):
        served = collections.Counter()
        spot = total = 0
        for line in instances(web_shop, "web"):
            if line["period"] != period:
                continue
            amount = speed(line["offering"]) * Fraction(str(line["quantity"]))
            provider, purchase = line["offering"].split("/")[0], line["offering"].split("/")[-1]
            total += amount
            if purchase == "spot":
                spot += amount
            else:
                served[provider] += amount
        assert total >= demand * Fraction("1.15")
        assert spot <= Fraction("0.4") * total
        # Any one provider may fail: the others serve 60 % on demand, so two clouds at least.
        for lost in served:
            assert sum(served.values()) - served[lost] >= Fraction("0.6") * demand
        assert len(served) >= 2

    limit = Fraction(rules["limits"][0]["maximum"])
    for period in periods:
        assert sum(Fraction(str(line["quantity"])) for line in instances(web_shop)
                   if line["period"] == period and line["offering"].startswith("aws/")) <= limit
    assert cli.money(web_shop["cost"]) <= 25000 * 10**9


def test_commitments_of_the_web_shop_pay_off(web_shop):
    assert web_shop["commitments"]
    baseline = next(b for b in web_shop["baselines"] if b["name"] == "all on demand")
    assert cli.money(baseline["cost"]) > cli.money(web_shop["cost"])


def test_the_database_stays_in_the_eu_and_survives_any_provider(here):
    plan, done = cli.plan("solve", "-f", cli.EXAMPLES / "gpu-batch.yaml", env=here)
    assert done.returncode == 0, done.stderr
    for period in ("working-hours", "other-hours"):
        held = collections.Counter()
        for line in instances(plan):
            if line.get("team") != "data" or line["period"] != period:
                continue
            provider, region = line["offering"].split("/")[:2]
            assert region in ("eu-central-1", "westeurope", "europe-west1")
            held[provider] += sum(p["instances"] and int(p["instances"]) * e["count"]
                                  for p in line["patterns"] for e in p["entries"])
        assert sum(held.values()) >= 6
        for lost in held:
            assert sum(held.values()) - held[lost] >= 3  # half of six copies


def test_demo_explains_a_plan_and_ends_when_asked():
    done = cli.run("demo", "--exit")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Web shop, one month: ")
    assert "illustrative" in done.stderr and "Next:" in done.stderr


def test_demo_serves_until_it_is_interrupted():
    with cli.started("demo") as process:
        said = ""
        while "The server runs until" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        address = re.search(r"ISOCOST_ADDRESS=(\S+)", said).group(1)
        done = cli.run("catalog", "list", "--provider", "huawei", "--address", address)
        assert done.returncode == 0 and "huawei/" in done.stdout
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_twenty_commitments_are_bought_where_the_dear_future_counts(here, tmp_path):
    # By the comment of the example: 20 x 0.3 x 720 = 4320 in both. Without a weight of the tail ten are
    # bought: 10 x 0.3 x 720 = 2160, and 10 x 0.5 x 720 = 3600 more when demand doubles.
    example = cli.EXAMPLES / "uncertain-demand.yaml"
    plan, _ = cli.plan("solve", "-f", example, env=here)
    assert [cli.money(s["cost"]) for s in plan["scenarios"]] == [4320 * 10**9] * 2
    assert cli.money(plan["cost"]) == 4320 * 10**9
    assert "risk" not in plan

    model = yaml.safe_load(example.read_text())
    del model["uncertainty"]["tail_weight"]
    average = tmp_path / "average.yaml"
    average.write_text(yaml.safe_dump(model))
    plan, _ = cli.plan("solve", "-f", average, env=here)
    assert [cli.money(s["cost"]) for s in plan["scenarios"]] == [2160 * 10**9, 5760 * 10**9]
    assert cli.money(plan["cost"]) == 3960 * 10**9
    assert cli.money(plan["tailCost"]) == 5760 * 10**9

    shown = cli.run("solve", "-f", average, env=here).stdout
    assert "Expected over 2 scenarios; the dearest cost" in shown
    assert re.search(r"doubled +0.5 ", shown)
