"""Usage and costs from outside: refreshes, sums, samples, and the page about bills."""
import csv
import datetime
import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
from decimal import ROUND_HALF_EVEN, Decimal

import grpc
import pytest

import isocost_cli as cli
from isocost_protos import usage_pb2, usage_service_pb2 as u, usage_service_pb2_grpc
from isocost_server import IsocostServer

PAGE = cli.SOURCE / "docs" / "howto" / "read-a-bill.md"
BILLS = cli.EXAMPLES / "bills"
DATA = pathlib.Path(os.environ.get("ISO_SHARED_DATA", "/nonexistent"))
SECONDS = 60


class Bills:
    """A server that reads a folder of bills."""

    def __init__(self, folder):
        self.folder = folder / "bills"
        self.folder.mkdir()
        config = folder / "providers.yaml"
        page = re.search(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.M | re.S).group(1)
        config.write_text(page.replace("/srv/bills", str(self.folder)) + f"""
  - name: prices
    plugin: static
    parameters: {{path: {cli.EXAMPLES / 'catalog'}}}
    readable_paths: [{cli.EXAMPLES / 'catalog'}]
""")
        self.server = IsocostServer("--config", str(config))

    def __enter__(self):
        self.server.__enter__()
        self.stub = usage_service_pb2_grpc.UsageServiceStub(self.server.channel())
        return self

    def __exit__(self, *failure):
        self.server.__exit__(*failure)

    def refresh(self, begin, end, provider="bills", kinds=()):
        """Gives the refresh and the progress before it."""
        request = u.RefreshUsageRequest(provider=provider, kinds=kinds)
        getattr(request, "from").FromDatetime(begin)
        request.to.FromDatetime(end)
        *progress, last = self.stub.RefreshUsage(request, timeout=SECONDS)
        return last.refresh, [event.progress for event in progress]

    def costs(self, *by, **asked):
        """{(words of the group ..., currency): CostSum}"""
        request = u.QueryCostsRequest(group_by=[f"COST_DIMENSION_{word.upper()}" for word in by], **asked)
        return {(*(getattr(s, word) for word in by), s.billed.currency_code): s
                for s in self.stub.QueryCosts(request, timeout=SECONDS).sums}


@pytest.fixture
def bills(tmp_path):
    with Bills(tmp_path) as running:
        yield running


JANUARY, FEBRUARY = datetime.datetime(2026, 1, 1), datetime.datetime(2026, 2, 1)
FOCUS = ("BilledCost,BillingCurrency,ChargeCategory,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,"
         "EffectiveCost,PricingCategory,ProviderName,RegionId,ResourceId,ServiceName,SubAccountId\n")


def day(number, billed="1", provider="AWS", region="us-east-1", service="S3"):
    start = JANUARY + datetime.timedelta(days=number)
    return (f"{billed},USD,Usage,{start + datetime.timedelta(days=1):%Y-%m-%d},{start:%Y-%m-%d},1,Hours,{billed},Standard,"
            f"{provider},{region},r-{number},{service},42\n")


def amount(money):
    return Decimal(money.units) + Decimal(money.nanos).scaleb(-9)


def total(bills):
    (found,) = bills.costs().values() or [None]
    return amount(found.billed) if found else 0


def code_of(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


# --- refreshes ---

def test_a_refresh_replaces_exactly_its_range(bills):
    file = bills.folder / "bill.csv"
    file.write_text(FOCUS + "".join(day(i) for i in range(31)))
    refresh, progress = bills.refresh(JANUARY, FEBRUARY)
    assert (refresh.cost_count, refresh.usage_count, refresh.quarantined) == (31, 31, 0)
    assert progress[-1].rows == 62 and not progress[-1].HasField("seconds_left")
    assert total(bills) == 31
    _, progress = bills.refresh(JANUARY, FEBRUARY)
    assert total(bills) == 31, "the same range twice is counted once"
    assert progress[-1].seconds_left == 0, "as many rows as before have come"
    file.write_text(FOCUS + "".join(day(i, billed="10") for i in range(31)))
    bills.refresh(JANUARY + datetime.timedelta(days=10), JANUARY + datetime.timedelta(days=20))
    assert total(bills) == 21 * 1 + 10 * 10
    file.write_text(FOCUS)
    bills.refresh(JANUARY, FEBRUARY)
    assert bills.costs() == {}, "nothing is charged any more"


def test_a_refresh_that_fails_changes_nothing(bills):
    (bills.folder / "a.csv").write_text(FOCUS + "".join(day(i) for i in range(31)))
    bills.refresh(JANUARY, FEBRUARY)
    whole = gzip.compress((FOCUS + "".join(day(i, billed="7") for i in range(31)) * 2000).encode())
    (bills.folder / "b.csv.gz").write_bytes(whole[:-100])
    code, text = code_of(lambda: bills.refresh(JANUARY, FEBRUARY))
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert "b.csv.gz" in text and text.endswith("nothing was changed")
    assert total(bills) == 31
    (bills.folder / "b.csv.gz").write_bytes(whole)
    bills.refresh(JANUARY, FEBRUARY)
    assert total(bills) == 31 + 31 * 2000 * 7


def test_a_bill_of_which_no_row_can_be_used_changes_nothing(bills):
    file = bills.folder / "bill.csv"
    file.write_text(FOCUS + day(1))
    bills.refresh(JANUARY, FEBRUARY)
    file.write_text(FOCUS + day(1, billed="a lot"))
    code, text = code_of(lambda: bills.refresh(JANUARY, FEBRUARY))
    assert code == grpc.StatusCode.UNAVAILABLE and "bill.csv:2" in text
    assert total(bills) == 1


def test_findings_have_a_code_a_severity_a_count_and_examples(bills):
    (bills.folder / "bill.csv").write_text(FOCUS + day(1) + day(2, billed="lots") * 30 + day(3, provider="Nimbus?"))
    refresh, _ = bills.refresh(JANUARY, FEBRUARY, kinds=["RECORD_KIND_COST"])
    found = {d.code: (d.quarantined, d.count) for d in refresh.diagnostics}
    assert found == {"invalid_value": (True, 30), "unknown_provider": (True, 1)}
    assert refresh.quarantined == 31 and (refresh.cost_count, refresh.usage_count) == (1, 0)
    examples = [e for e in refresh.examples if e.code == "invalid_value"]
    assert 0 < len(examples) <= 10 and examples[0].place == "bill.csv:3" and examples[0].severity
    (kept,) = bills.stub.ListUsageRefreshes(u.ListUsageRefreshesRequest(), timeout=SECONDS).refreshes
    assert kept == refresh


@pytest.mark.parametrize("asked, code, field", [
    ({"provider": "nobody"}, grpc.StatusCode.NOT_FOUND, "nobody"),
    ({"provider": ""}, grpc.StatusCode.INVALID_ARGUMENT, "provider"),
    ({"provider": "prices"}, grpc.StatusCode.FAILED_PRECONDITION, "catalog only"),
    ({"kinds": ["RECORD_KIND_RUNNING"]}, grpc.StatusCode.FAILED_PRECONDITION, "what runs"),
    ({"kinds": ["RECORD_KIND_UNSPECIFIED"]}, grpc.StatusCode.INVALID_ARGUMENT, "kind"),
    ({"end": JANUARY}, grpc.StatusCode.INVALID_ARGUMENT, "to"),
])
def test_what_cannot_be_refreshed_is_told(bills, asked, code, field):
    found, text = code_of(lambda: bills.refresh(JANUARY, **{"end": FEBRUARY, **asked}))
    assert found == code and field in text


def test_a_provider_without_a_catalog_is_left_out_of_refreshes_of_catalogs(bills):
    done = cli.run("catalog", "refresh", "--address", bills.server.target)
    assert done.returncode == 0 and "offerings" in done.stdout
    done = cli.run("catalog", "refresh", "bills", "--address", bills.server.target)
    assert done.returncode == 9 and "has no catalog" in done.stderr


def test_a_refresh_under_way_is_not_seen_and_one_that_is_killed_never_was(tmp_path):
    with Bills(tmp_path) as bills:
        (bills.folder / "bill.csv").write_text(FOCUS + "".join(day(i) for i in range(31)))
        bills.refresh(JANUARY, FEBRUARY)
        (bills.folder / "bill.csv").write_text(FOCUS + "".join(day(i, billed="7") for i in range(31)) * 600)
        request = u.RefreshUsageRequest(provider="bills")
        getattr(request, "from").FromDatetime(JANUARY)
        request.to.FromDatetime(FEBRUARY)
        events = bills.stub.RefreshUsage(request, timeout=SECONDS)
        assert next(events).progress.rows > 0
        assert total(bills) == 31, "what is written is not seen"
        bills.server.kill()
        bills.server.start()
        bills.stub = usage_service_pb2_grpc.UsageServiceStub(bills.server.channel())
        assert total(bills) == 31
        bills.refresh(JANUARY, FEBRUARY)
        assert total(bills) == 31 * 600 * 7


# --- queries ---

def test_providers_and_regions_go_by_one_name(bills):
    spellings = {"alibaba": ["阿里云", "Alibaba Cloud", "aliyun", "AlibabaCloud", "ＡＬＩＹＵＮ"],
                 "huawei": ["华为云", "Huawei Cloud", "huaweicloud", "HUAWEI CLOUD", "ＨＵＡＷＥＩ　ＣＬＯＵＤ"],
                 "aws": ["AWS", "Amazon Web Services"], "azure": ["Microsoft", "Azure"], "gcp": ["Google Cloud"]}
    (bills.folder / "bill.csv").write_text(FOCUS + "".join(
        day(1, provider=f'"{name}"', region="X-1") for names in spellings.values() for name in names))
    bills.refresh(JANUARY, FEBRUARY)
    found = {provider: s.record_count for (provider, _), s in bills.costs("provider").items()}
    assert found == {provider: len(names) for provider, names in spellings.items()}
    (chinese,) = bills.costs(filter=u.CostFilter(provider="华为云")).values()
    assert chinese.record_count == 5
    assert {region for (region, _) in bills.costs("region")} == {"x-1"}


def test_sums_come_in_pages_and_a_token_is_good_for_its_question_only(bills):
    (bills.folder / "bill.csv").write_text(FOCUS + "".join(day(i, service=f"s{i:02}") for i in range(31)))
    bills.refresh(JANUARY, FEBRUARY)
    request = u.QueryCostsRequest(group_by=["COST_DIMENSION_SERVICE"], page_size=7)
    services = []
    while True:
        page = bills.stub.QueryCosts(request, timeout=SECONDS)
        services += [s.service for s in page.sums]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert services == [f"s{i:02}" for i in range(31)]
    request.filter.provider = "aws"
    assert code_of(lambda: bills.stub.QueryCosts(request, timeout=SECONDS))[0] == grpc.StatusCode.INVALID_ARGUMENT
    twice = u.QueryCostsRequest(group_by=["COST_DIMENSION_MONTH", "COST_DIMENSION_MONTH"])
    assert code_of(lambda: bills.stub.QueryCosts(twice, timeout=SECONDS))[0] == grpc.StatusCode.INVALID_ARGUMENT


def test_samples_come_in_pages_by_begin(bills):
    (bills.folder / "bill.csv").write_text(FOCUS + "".join(day(i) for i in reversed(range(31))))
    bills.refresh(JANUARY, FEBRUARY)
    request, days = u.QueryUsageRequest(page_size=10, metric="consumed:hour"), []
    while True:
        page = bills.stub.QueryUsage(request, timeout=SECONDS)
        days += [s.start.ToDatetime().day for s in page.samples]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert days == list(range(1, 32))
    one = u.QueryUsageRequest(filter=u.ResourceFilter(resource="r-4", provider="Amazon Web Services"))
    (sample,) = bills.stub.QueryUsage(one, timeout=SECONDS).samples
    assert sample.value == 1 and sample.statistic == usage_pb2.USAGE_STATISTIC_SUM


def test_nothing_is_told_of_what_was_never_asked(bills):
    assert bills.costs() == {}
    assert not bills.stub.QueryUsage(u.QueryUsageRequest(), timeout=SECONDS).samples
    running = bills.stub.ListRunning(u.ListRunningRequest(), timeout=SECONDS)
    assert not running.resources and not running.HasField("observed_at")


def test_projects_see_their_own_records(bills):
    shutil.copy(BILLS / "2026-01.csv", bills.folder)
    address = bills.server.target
    assert cli.run("usage", "refresh", "bills", "--from", "2026-01", "--to", "2026-02", "--project", "web",
                   "--address", address).returncode == 0
    assert "There are no costs" in cli.run("usage", "costs", "--address", address).stderr
    assert "96.00 USD" in cli.run("usage", "costs", "--by", "provider", "--project", "web", "--address", address).stdout


def test_records_outlive_a_restart(tmp_path):
    with Bills(tmp_path) as bills:
        shutil.copy(BILLS / "2026-01.csv", bills.folder)
        bills.refresh(JANUARY, FEBRUARY)
        before = bills.costs("provider")
        bills.server.kill()
        bills.server.start()
        bills.stub = usage_service_pb2_grpc.UsageServiceStub(bills.server.channel())
        assert bills.costs("provider") == before and len(before) == 4


@pytest.mark.skipif(not DATA.exists(), reason="ISO_SHARED_DATA is not there")
def test_the_focus_sample_adds_up_to_the_cent_through_the_whole_server(bills):
    shutil.copy(DATA / "focus" / "focus_1.0_sample_1000.csv.gz", bills.folder)
    bills.refresh(datetime.datetime(2024, 9, 1), datetime.datetime(2024, 10, 1))
    expected, names = {}, {"AWS": "aws", "Microsoft": "azure", "Oracle": "oci"}
    with gzip.open(DATA / "focus" / "focus_1.0_sample_1000.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            billed, effective = Decimal(row["BilledCost"]), Decimal(row["EffectiveCost"])
            # An effective cost of 0 where billed is not, at a standard price or none: the exporter's fault.
            faulty = effective == 0 and billed != 0 and row["PricingCategory"] in ("Standard", "", "NULL")
            sums = expected.setdefault((names[row["ProviderName"]], row["ServiceName"], "USD"), [0, 0, 0, 0])
            for i, value in enumerate((billed, billed if faulty else effective, 1, faulty)):
                sums[i] += value
    found = bills.costs("provider", "service")
    cent = Decimal("0.01")
    assert found.keys() == expected.keys()
    for key, (billed, effective, n, n_faulty) in expected.items():
        got = found[key]
        assert amount(got.billed).quantize(cent, ROUND_HALF_EVEN) == billed.quantize(cent, ROUND_HALF_EVEN), key
        assert amount(got.effective).quantize(cent, ROUND_HALF_EVEN) == effective.quantize(cent, ROUND_HALF_EVEN), key
        assert (got.record_count, got.effective_from_billed_count) == (n, n_faulty), key
    assert sum(s.effective_from_billed_count for s in found.values()) == 610


# --- the command line, and the page that shows it ---

def test_the_page_about_bills_shows_what_the_program_says(bills):
    shutil.copy(BILLS / "2026-01.csv", bills.folder)
    path = f"{cli.BUILD / 'bin'}{os.pathsep}{os.environ['PATH']}"
    env = cli.environment(PATH=path, ISOCOST_ADDRESS=bills.server.target)
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(), re.M | re.S):
        command, *shown = block.splitlines()
        done = subprocess.run(["bash", "-c", command.removeprefix("$ ")], env=env, capture_output=True, text=True,
                              timeout=SECONDS)
        assert done.returncode == 0, done.stderr
        assert [line.rstrip() for line in done.stdout.splitlines()] == shown
    for link in re.findall(r"\]\(([^)#]+)", PAGE.read_text()):
        assert (PAGE.parent / link).exists(), link


def test_commands_give_json_that_is_the_message(bills):
    shutil.copy(BILLS / "2026-01.csv", bills.folder)
    address = ("--address", bills.server.target, "-o", "json")
    refresh = json.loads(cli.run("usage", "refresh", "bills", "--from", "2026-01-01", "--to", "2026-02-01T00:00:00Z",
                                 *address).stdout)
    assert refresh["costCount"] == "10" and refresh["from"] == "2026-01-01T00:00:00Z"
    sums = json.loads(cli.run("usage", "costs", "--by", "provider", "--category", "purchase", *address).stdout)["sums"]
    assert [(s["provider"], s["billed"]["units"]) for s in sums] == [("aws", "72")]
    samples = json.loads(cli.run("usage", "query", "--limit", "1", *address).stdout)
    assert len(samples["samples"]) == 1 and samples["nextPageToken"]
    assert json.loads(cli.run("usage", "running", *address).stdout) == {}
    assert len(json.loads(cli.run("usage", "refreshes", *address).stdout)["refreshes"]) == 1


@pytest.mark.parametrize("arguments, said", [
    (["costs", "--by", "colour"], "colour"), (["costs", "--from", "2026-02-31"], "2026-02-31"),
    (["refresh", "bills", "--kind", "all"], "all"), (["refresh"], "PROVIDER"), (["costs", "--category", "gift"], "gift"),
])
def test_wrong_command_lines_are_told(arguments, said):
    done = cli.run("usage", *arguments, "--address", "unix:/nonexistent")
    assert done.returncode == 2 and said in done.stderr
