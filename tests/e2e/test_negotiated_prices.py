"""Contracts with dates and price lists of egress, from files into plans, over the wire and on the terminal."""

import csv
import datetime
import json

import grpc
import pytest

import isocost_cli as cli
from isocost_protos import (catalog_service_pb2 as c, catalog_service_pb2_grpc, explanation_pb2, json_format, model_pb2,
                            plan_service_pb2, plan_service_pb2_grpc)
from isocost_server import IsocostServer
from small_models import amount

EXAMPLE = cli.EXAMPLES / "negotiated"
RATES = cli.SOURCE / "plugins" / "static" / "data" / "egress_rates.csv"
OFFERINGS = ("provider,region,type,purchase,price,currency,vcpu,memory_gib\n"
             "aws,us-east-1,m,on-demand,1,USD,4,16\n")
# 18 % off in the fiscal year from July 2026 on.
CONTRACT = "offerings,price_factor,valid_from,valid_until,note\nprovider:aws,0.82,2026-07-01,2027-06-30,contract 4711\n"


class Server:
    def __init__(self, running):
        self.env = cli.environment(ISOCOST_ADDRESS=running.target)
        self.catalog = catalog_service_pb2_grpc.CatalogServiceStub(running.channel())
        self.plans = plan_service_pb2_grpc.PlanServiceStub(running.channel())

    def load(self, **files):
        kinds = {"offerings": c.CATALOG_FILE_KIND_OFFERINGS_CSV, "overlays": c.CATALOG_FILE_KIND_OVERLAYS_CSV,
                 "egress_rates": c.CATALOG_FILE_KIND_EGRESS_RATES_CSV}
        return self.catalog.ImportCatalog(iter([
            c.ImportCatalogRequest(name=f"{name}.csv", kind=kinds[name], chunk=text.encode(), replace_all=True)
            for name, text in files.items()])).snapshot

    def solve(self, model, **more):
        ref = plan_service_pb2.ModelRef(model=json_format.ParseDict(model, model_pb2.Model()))
        return self.plans.SolvePlan(plan_service_pb2.SolvePlanRequest(model=ref, **more)).plan


@pytest.fixture(scope="module")
def server():
    with IsocostServer() as running:
        yield Server(running)


def model(periods, **catalog):
    """One instance serves all that is asked, so a plan costs hours times price."""
    return {"catalog": {"selectors": [{}], **catalog}, "periods": periods, "options": {"gap": 0},
            "workloads": [{"id": "web", "mustServe": True, "throughput": {
                "rate": [10], "performance": [{"perInstance": 10}]}}]}


def starting(*days):
    return [{"id": day, "hours": 24, "start": f"{day}T00:00:00Z"} for day in days]


def test_a_plan_costs_the_factor_from_the_first_day_on_and_not_the_day_before(server):
    snapshot = server.load(offerings=OFFERINGS, overlays=CONTRACT)
    assert (snapshot.offering_count, snapshot.overlay_count) == (1, 1)
    hundred = [{"id": "now", "hours": 100}]
    for day, cost in (("2026-06-30", 100), ("2026-07-01", 82), ("2027-06-30", 82), ("2027-07-01", 100)):
        plan = server.solve(model(hundred, priceDate=day))
        assert amount(plan.cost) == cost and plan.certificate.passed, day
        assert plan.price_date == day
        assert [line.price_note for line in plan.lines] == ["contract 4711" if cost == 82 else ""]
    # Days of one plan: 24 at 1, then 2 * 24 * 0.82.
    plan = server.solve(model(starting("2026-06-30", "2026-07-01", "2026-07-02")))
    assert amount(plan.cost) == pytest.approx(24 + 48 * 0.82, abs=1e-9)
    assert [(line.period, line.periods, line.price_note) for line in plan.lines] == [
        ("2026-06-30", 1, ""), ("2026-07-01", 2, "contract 4711")]
    assert amount(plan.lines[1].unit_price) == pytest.approx(0.82, abs=1e-9)
    assert plan.price_date == "" and plan.certificate.passed


def test_a_model_without_times_has_the_prices_of_today(server):
    today = datetime.datetime.now(datetime.timezone.utc).date()  # a midnight in between changes nothing

    def days_on(n):
        return (today + datetime.timedelta(days=n)).isoformat()

    server.load(offerings=OFFERINGS, overlays=(
        "offerings,price_factor,valid_from,valid_until,note\n"
        f"*,0.1,,{days_on(-2)},ended\n*,0.5,{days_on(-1)},{days_on(2)},now\n*,0.1,{days_on(3)},,later\n"))
    plan = server.solve(model([{"id": "now", "hours": 100}]), keep=True)
    assert amount(plan.cost) == 50 and plan.lines[0].price_note == "now"
    assert plan.price_date in (days_on(0), days_on(1))
    table = server.plans.ListPlanLines(plan_service_pb2.ListPlanLinesRequest(id=plan.id)).lines
    assert [table.strings[i] for i in table.price_note_index] == ["now"]


def test_what_a_contract_saves_is_an_effect_of_prices(server):
    server.load(offerings=OFFERINGS, overlays=CONTRACT)
    plans = [server.solve(model([{"id": "now", "hours": 100}], priceDate=day), keep=True)
             for day in ("2026-06-30", "2026-07-01")]
    events = list(server.plans.ComparePlans(plan_service_pb2.ComparePlansRequest(
        plan_id=plans[0].id, other_plan_id=plans[1].id)))
    effects = {explanation_pb2.InputGroup.Name(step.group): amount(step.effect)
               for step in events[-1].comparison.steps if amount(step.effect) != 0}
    assert effects == {"INPUT_GROUP_LIST_PRICES": -18}


def test_egress_of_the_price_list_costs_what_the_hand_says(server):
    # 10 units that take 2 GB an hour each, for 10 hours: 200 GB at 0.09, the dearest step.
    server.load(offerings=OFFERINGS, egress_rates=(
        "provider,to,from_gb,price_per_gb,currency,source,observed_at\n"
        "aws,internet,0,0,USD,list,2026-06-01T00:00:00Z\naws,internet,100,0.09,USD,list,2026-06-01T00:00:00Z\n"
        "aws,internet,10240,0.085,USD,list,2026-06-01T00:00:00Z\n"))
    asked = model([{"id": "p", "hours": 10}])
    asked["workloads"][0]["traffic"] = {"id": "users", "gbBackPerUnitHour": 2,
                                        "sources": [{"region": "internet/europe", "share": 1}]}
    plan = server.solve(asked)
    assert amount(plan.cost) == pytest.approx(10 + 200 * 0.09, abs=1e-9) and plan.certificate.passed
    egress = plan.lines[1]
    assert egress.quantity == 200 and amount(egress.unit_price) == pytest.approx(0.09, abs=1e-9)
    assert egress.price_note == "list; the dearest of 3 steps"
    assert any("steps by volume" in warning for warning in plan.warnings)
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)
    assert plan.oldest_price_hours == pytest.approx(age.total_seconds() / 3600, abs=1)
    asked["egressPrices"] = [{"from": "aws/*", "to": "internet/*",
                              "pricePerGb": {"currencyCode": "USD", "nanos": 50000000}}]
    plan = server.solve(asked)  # the model's own wins
    assert amount(plan.cost) == pytest.approx(10 + 200 * 0.05, abs=1e-9)
    assert plan.lines[1].price_note == "" and not plan.HasField("oldest_price_hours")


def test_bad_dates_are_refused_with_their_place(server):
    with pytest.raises(grpc.RpcError) as caught:
        server.solve(model([{"id": "now", "hours": 1}], priceDate="1 July"))
    assert "model.catalog.price_date" in caught.value.details() and "YYYY-MM-DD" in caught.value.details()
    snapshot = server.load(offerings=OFFERINGS, overlays=CONTRACT + "*,0.9,soon,,x\n*,0.9,2026-07-01,2026-06-01,y\n")
    assert snapshot.overlay_count == 1
    assert {(d.code, d.count) for d in snapshot.diagnostics if d.quarantined} == {
        ("invalid_value", 1), ("invalid_date", 1)}
    told = server.catalog.ListDiagnostics(c.ListDiagnosticsRequest(code="invalid_value")).diagnostics
    assert [(d.place, d.text) for d in told] == [
        ("overlays.csv:3", 'valid_from: "soon" is no day like 2026-01-31')]


def test_the_table_of_the_clouds_is_dated_and_taken_whole(server):
    with open(RATES, newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"aws", "azure", "gcp", "alibaba"} <= {row["provider"] for row in rows}
    for row in rows:
        assert row["source"].startswith("https://") and float(row["price_per_gb"]) >= 0
        assert datetime.datetime.fromisoformat(row["observed_at"].replace("Z", "+00:00")).year >= 2026
    snapshot = server.load(offerings=OFFERINGS, egress_rates=RATES.read_text())
    assert snapshot.egress_rate_count == len(rows) 
    assert not [d for d in snapshot.diagnostics if d.quarantined]


def test_the_example_moves_to_the_contract_when_it_begins(server):
    """June: 10 * 0.0717 * 720 + 1440 * 0.12 at gcp (aws: 612 + 129.60). July: 10 * 0.085 * 0.7 * 744 + 1488 * 0.09
    at aws (gcp: 533.448 + 178.56)."""
    for files in (["--sample"], [EXAMPLE / "overlays.csv", RATES]):
        done = cli.run("catalog", "import", *files, env=server.env)
        assert done.returncode == 0, done.stderr
    plan, done = cli.plan("solve", "-f", EXAMPLE / "model.yaml", env=server.env)
    assert cli.money(plan["cost"]) == round((689.04 + 576.60) * 10**9)
    assert [(line["period"], line["kind"].removeprefix("LINE_KIND_"), line["priceNote"].split(";")[0])
            for line in plan["lines"] if line.get("priceNote")] == [
        ("june", "EGRESS", "https://egresscost.com/gcp/regions"),
        ("july", "INSTANCE", "contract 4711 (made up)"),
        ("july", "EGRESS", "https://www.usage.ai/blogs/aws/networking-cost/data-transfer-costs/")]
    shown = cli.run("solve", "-f", EXAMPLE / "model.yaml", env=server.env)
    assert "1 line is priced by: contract 4711 (made up)" in shown.stdout
    assert "The oldest price used is" in shown.stdout


def test_overlays_and_rates_are_listed_on_the_terminal(server):
    server.load(offerings=OFFERINGS, overlays=CONTRACT + "*,0.9,,,second\n", egress_rates=RATES.read_text())
    shown = cli.run("catalog", "overlays", env=server.env)
    assert shown.returncode == 0 and "2 of 2 overlays" in shown.stderr
    lines = shown.stdout.splitlines()
    assert "contract 4711" in lines[1] and "x 0.82" in lines[1] and "2027-06-30" in lines[1]
    assert "second" in lines[2] and "x 0.9" in lines[2]
    listed = json.loads(cli.run("catalog", "egress", "--provider", "阿里云", "-o", "json", env=server.env).stdout)
    assert listed["totalCount"] == "10" and {rate["provider"] for rate in listed["rates"]} == {"alibaba"}
    shown = cli.run("catalog", "egress", "--provider", "gcp", env=server.env)
    assert "gcp/*" in shown.stdout and "internet/china" in shown.stdout and "3 of 3 rates" in shown.stderr
    server.load(offerings=OFFERINGS, overlays=CONTRACT, egress_rates=RATES.read_text())
    shown = cli.run("catalog", "diff", env=server.env)
    assert shown.returncode == 10 and "second" in shown.stdout and "gone" in shown.stdout
