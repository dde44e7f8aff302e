"""The plugin focus through the real host: bills as exporters write them.

Sums are computed here a second time, with Python's decimals, from the files themselves."""
import collections
import csv
import datetime
import gzip
import io
import os
import pathlib
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from isocost_protos import BUILD, usage_pb2
from plugin_host import SANITIZED, PluginFailure, PluginHost
from process_facts import peak_mib

PLUGIN = BUILD / "plugins" / "focus.so"
NOTHING = ("", "NULL", "null")
BEGIN, END = datetime.datetime(2000, 1, 1), datetime.datetime(2100, 1, 1)
FOCUS = ("BilledCost,BillingCurrency,ChargeCategory,ChargePeriodEnd,ChargePeriodStart,CommitmentDiscountId,"
         "CommitmentDiscountStatus,ConsumedQuantity,ConsumedUnit,EffectiveCost,PricingCategory,ProviderName,"
         "ResourceId,SubAccountId,Tags")
ROW = {"BilledCost": "1.5", "BillingCurrency": "USD", "ChargeCategory": "Usage", "ChargePeriodEnd": "2026-01-01T01:00:00Z",
       "ChargePeriodStart": "2026-01-01T00:00:00Z", "ConsumedQuantity": "1", "ConsumedUnit": "Hours", "EffectiveCost": "1.5",
       "PricingCategory": "Standard", "ProviderName": "AWS", "ResourceId": "i-1", "SubAccountId": "42"}

Bill = collections.namedtuple("Bill", "costs usage codes left_out diagnostics")


def fetch(host, begin, end, wanted):
    span = tuple(int(time.replace(tzinfo=datetime.timezone.utc).timestamp()) for time in (begin, end))
    return host.fetch(products=False, quotas=False, offerings=False, **{word: span for word in wanted})


def read(path, begin=BEGIN, end=END, wanted=("usage", "costs"), **config):
    with PluginHost() as host:
        host.load(PLUGIN, config={"path": path, **config}, readable=[path])
        pages, _ = fetch(host, begin, end, wanted)
    diagnostics = [d for page in pages for d in page.diagnostics]
    codes, left_out = collections.Counter(), collections.Counter()
    for d in diagnostics:
        (left_out if d.quarantined else codes)[d.code] += d.count or 1
    return Bill([r for page in pages for r in page.costs], [r for page in pages for r in page.usage], codes, left_out,
                diagnostics)


def amount(money):
    return Decimal(money.units) + Decimal(money.nanos).scaleb(-9)


def written(folder, rows, name="bill.csv", header=FOCUS, end="\n"):
    out = io.StringIO()
    table = csv.DictWriter(out, header.split(","), lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({**ROW, **row})
    text = out.getvalue() if end else out.getvalue().rstrip("\n")
    path = pathlib.Path(folder) / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def one(folder, **cells):
    """The one cost of a row, or None, and what was told of it."""
    bill = read(written(folder, [cells]))
    return (bill.costs[0] if bill.costs else None), bill


EFFECTIVE = {  # name: (cells, effective or None where unknown, taken from the billed cost)
    "a charge that is whole": ({}, "1.5", False),
    "an exporter that leaves it 0": ({"EffectiveCost": "0.000"}, "1.5", True),
    "a 0 that is written with an exponent": ({"EffectiveCost": "0E-11"}, "1.5", True),
    "an exporter that does not write it": ({"EffectiveCost": "NULL"}, "1.5", True),
    "nothing billed": ({"BilledCost": "0", "EffectiveCost": "0"}, "0", False),
    "use that a commitment pays for": (
        {"BilledCost": "0", "EffectiveCost": "0.9", "PricingCategory": "Committed", "CommitmentDiscountId": "sp-1",
         "CommitmentDiscountStatus": "Used"}, "0.9", False),
    "a commitment that nobody used": (
        {"BilledCost": "0", "EffectiveCost": "0.6", "PricingCategory": "Committed", "CommitmentDiscountId": "sp-1",
         "CommitmentDiscountStatus": "Unused"}, "0.6", False),
    "committed use without a word on its cost": (
        {"BilledCost": "0", "EffectiveCost": "", "PricingCategory": "Committed", "CommitmentDiscountId": "sp-1"}, None, False),
    "the purchase of a commitment": (
        {"BilledCost": "100", "EffectiveCost": "0", "ChargeCategory": "Purchase", "CommitmentDiscountId": "sp-1"}, "0", False),
    "spot, where 0 is no sign of a fault": ({"EffectiveCost": "0", "PricingCategory": "Dynamic"}, "0", False),
    "a credit": ({"BilledCost": "-3", "EffectiveCost": "-2.5", "ChargeCategory": "Credit"}, "-2.5", False),
}


@pytest.mark.parametrize("name", EFFECTIVE)
def test_what_time_costs(tmp_path, name):
    cells, effective, taken = EFFECTIVE[name]
    cost, _ = one(tmp_path, **cells)
    assert (amount(cost.effective) if cost.HasField("effective") else None) == (effective and Decimal(effective))
    assert cost.effective_from_billed == taken


TIMES = {
    "2026-03-01T00:00:00Z": 1772323200, "2026-03-01 00:00:00": 1772323200, "2026-03-01": 1772323200,
    "2026-03-01T01:00:00+01:00": 1772323200, "3/1/2026": 1772323200, "03/01/2026": 1772323200,
    "20260301": 1772323200, "2026-03-01T00:00:00.000Z": 1772323200,
}


@pytest.mark.parametrize("text", TIMES)
def test_times_are_read_as_they_are_written(tmp_path, text):
    cost, _ = one(tmp_path, ChargePeriodStart=text, ChargePeriodEnd="2026-03-05T00:00:00Z")
    assert cost.start.seconds == TIMES[text]


@pytest.mark.parametrize("cells, code", [
    ({"ChargePeriodStart": "13/1/2026"}, "invalid_time"), ({"ChargePeriodStart": "yesterday"}, "invalid_time"),
    ({"ChargePeriodStart": "2026-02-30"}, "invalid_time"), ({"ChargePeriodStart": ""}, "missing_period"),
    ({"ChargePeriodEnd": "2026-01-01T00:00:00Z"}, "invalid_period"), ({"BilledCost": "1,5"}, "invalid_value"),
    ({"BilledCost": "NaN"}, "non_finite_cost"), ({"BilledCost": "null", "EffectiveCost": "NA"}, "missing_cost"),
    ({"BilledCost": "10000000000"}, "invalid_value"), ({"ChargeCategory": "Gift"}, "invalid_value"),
    ({"ChargeCategory": "NULL"}, "missing_category"), ({"BillingCurrency": ""}, "missing_currency"),
    ({"ProviderName": "null"}, "missing_provider"),
])
def test_a_row_that_cannot_be_read_is_left_out_and_told(tmp_path, cells, code):
    bill = read(written(tmp_path, [{}, cells, {}]))
    assert len(bill.costs) == 2 and bill.left_out == {code: 1}
    assert [d.place for d in bill.diagnostics if d.quarantined] == ["bill.csv:3"]


def test_amounts_are_exact_and_more_places_are_rounded_half_to_even(tmp_path):
    cases = {"5.2E-9": "0.000000005", "1.00000000050": "1", "1.0000000015": "1.000000002", "2.5e-10": "0", "-5e-10": "0",
             "-0.00000000150000001": "-0.000000002", "12345678.123456789": "12345678.123456789", "1E-400": "0"}
    bill = read(written(tmp_path, [{"BilledCost": text, "EffectiveCost": text} for text in cases]))
    assert [amount(c.billed) for c in bill.costs] == [Decimal(value) for value in cases.values()]
    assert bill.codes["rounded_amount"] == 7


def test_units_have_one_spelling_in_samples_and_their_own_in_costs(tmp_path):
    units = {"GB-Months": "gb-month", "GB/Month": "gb-month", "GB Months": "gb-month", "GB-Mo": "gb-month", "Hrs": "hour",
             "1 Hour": "hour", "Gigabyte Per Hour": "gb-hour", "GiB/Second-Months": "gib-second-month",
             "Queries": "query", "IOPS-Months": "iops-month"}
    bill = read(written(tmp_path, [{"ConsumedUnit": unit} for unit in units]))
    assert [s.metric for s in bill.usage] == [f"consumed:{unit}" for unit in units.values()]
    assert [c.unit for c in bill.costs] == list(units)
    assert all(s.statistic == usage_pb2.USAGE_STATISTIC_SUM and s.duration_seconds == 3600 for s in bill.usage)


def test_only_the_time_that_is_asked_for_is_given(tmp_path):
    path = written(tmp_path, [{"ChargePeriodStart": f"2026-01-{day:02}", "ChargePeriodEnd": f"2026-01-{day + 1:02}"}
                              for day in range(1, 29)])
    bill = read(path, datetime.datetime(2026, 1, 10), datetime.datetime(2026, 1, 20))
    assert sorted({c.start.ToDatetime().day for c in bill.costs}) == list(range(10, 20))
    assert read(path, wanted=["costs"]).usage == [] and read(path, wanted=["usage"]).costs == []


def test_gzip_no_final_newline_and_a_byte_order_mark_change_nothing(tmp_path):
    rows = [{"BilledCost": str(i)} for i in range(300)]
    plain = read(written(tmp_path, rows)).costs
    packed = read(written(tmp_path, rows, "packed.csv.gz")).costs
    assert [amount(c.billed) for c in packed] == [amount(c.billed) for c in plain]
    cut = written(tmp_path, rows, "cut.csv", end="")
    cut.write_bytes(b"\xef\xbb\xbf" + cut.read_bytes())
    assert len(read(cut).costs) == 300
    whole = (tmp_path / "packed.csv.gz").read_bytes()
    (tmp_path / "twice.csv.gz").write_bytes(whole + gzip.compress(plain_rows(tmp_path)))
    assert len(read(tmp_path / "twice.csv.gz").costs) == 600


def plain_rows(folder):
    return (folder / "bill.csv").read_bytes().split(b"\n", 1)[1]


@pytest.mark.parametrize("damage", ["truncated", "not gzip", "empty", "another table"])
def test_a_file_that_cannot_be_read_fails_the_whole_fetch(tmp_path, damage):
    path = written(tmp_path, [{}] * 5000, "bill.csv.gz")
    packed = path.read_bytes()
    path.write_bytes({"truncated": packed[:-20], "not gzip": b"BilledCost\n1\n", "empty": b"",
                      "another table": gzip.compress(b"a,b\n1,2\n")}[damage])
    with pytest.raises(PluginFailure, match="bill.csv.gz"):
        read(tmp_path)


def test_each_unknown_column_is_told_once_and_those_of_the_specification_never(tmp_path):
    # The columns of 1.2 that 1.0 does not have, and two of nobody.
    more = ("CapacityReservationId,CapacityReservationStatus,CommitmentDiscountQuantity,CommitmentDiscountUnit,"
            "ServiceSubcategory,SkuMeter,SkuPriceDetails,InvoiceId,BillingAccountType,SubAccountType,PricingCurrency,"
            "PricingCurrencyContractedUnitPrice,PricingCurrencyEffectiveCost,PricingCurrencyListUnitPrice,x_Team,Id")
    bill = read(written(tmp_path, [{}] * 4, header=f"{FOCUS},{more}"))
    texts = [d.text for d in bill.diagnostics if d.code == "unknown_column"]
    assert len(bill.costs) == 4 and len(texts) == 2
    assert '"x_Team"' in texts[0] and '"Id"' in texts[1]


def test_tags_are_json_with_or_without_braces(tmp_path):
    bill = read(written(tmp_path, [{"Tags": '{"team": "web", "size": 3, "old": null}'}, {"Tags": '"team": "db"'},
                                   {"Tags": "team=web"}, {"Tags": "NULL"}]))
    assert [dict(c.tags) for c in bill.costs] == [{"team": "web", "size": "3"}, {"team": "db"}, {}, {}]
    assert bill.codes["malformed_tags"] == 1


def test_many_rows_with_one_fault_are_few_diagnostics_that_count_them_all(tmp_path):
    bill = read(written(tmp_path, [{"EffectiveCost": "0"}] * 5000))
    assert bill.codes["effective_from_billed"] == 5000
    assert len(bill.diagnostics) == 11 and bill.diagnostics[0].place == "bill.csv:2"


# --- AWS and Azure: made after the documented shapes ---

CUR = ("lineItem/UsageAccountId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageEndDate,lineItem/ProductCode,"
       "lineItem/UsageType,lineItem/ResourceId,lineItem/UsageAmount,lineItem/CurrencyCode,lineItem/UnblendedCost,product/region,"
       "reservation/EffectiveCost,reservation/UnusedAmortizedUpfrontFeeForBillingPeriod,reservation/UnusedRecurringFee,"
       "reservation/ReservationARN,savingsPlan/SavingsPlanEffectiveCost,savingsPlan/TotalCommitmentToDate,"
       "savingsPlan/UsedCommitment,savingsPlan/SavingsPlanARN,resourceTags/user:team")
CUR_ROW = {"lineItem/UsageAccountId": "42", "lineItem/UsageStartDate": "2026-01-01T00:00:00Z",
           "lineItem/UsageEndDate": "2026-01-01T01:00:00Z", "lineItem/ProductCode": "AmazonEC2", "lineItem/CurrencyCode": "USD",
           "lineItem/UsageAmount": "1", "product/region": "us-east-1"}
# Each line: its type, what it says, billed, effective, use of the commitment. Amortized costs as AWS defines them.
CUR_LINES = [
    ("Usage", {"lineItem/UnblendedCost": "0.1", "resourceTags/user:team": "web"}, "0.1", "0.1", 0),
    ("Tax", {"lineItem/UnblendedCost": "0.02"}, "0.02", "0.02", 0),
    ("DiscountedUsage", {"lineItem/UnblendedCost": "0", "reservation/EffectiveCost": "0.06",
                         "reservation/ReservationARN": "ri-1"}, "0", "0.06", 1),
    ("RIFee", {"lineItem/UnblendedCost": "10", "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod": "1.5",
               "reservation/UnusedRecurringFee": "2", "reservation/ReservationARN": "ri-1"}, "10", "3.5", 2),
    ("Fee", {"lineItem/UnblendedCost": "500", "reservation/ReservationARN": "ri-1"}, "500", "0", 0),
    ("SavingsPlanCoveredUsage", {"lineItem/UnblendedCost": "0.1", "savingsPlan/SavingsPlanEffectiveCost": "0.07",
                                 "savingsPlan/SavingsPlanARN": "sp-1"}, "0.1", "0.07", 1),
    ("SavingsPlanNegation", {"lineItem/UnblendedCost": "-0.1", "savingsPlan/SavingsPlanARN": "sp-1"}, "-0.1", "0", 0),
    ("SavingsPlanRecurringFee", {"lineItem/UnblendedCost": "1", "savingsPlan/TotalCommitmentToDate": "1",
                                 "savingsPlan/UsedCommitment": "0.75", "savingsPlan/SavingsPlanARN": "sp-1"}, "1", "0.25", 2),
    ("SavingsPlanUpfrontFee", {"lineItem/UnblendedCost": "900", "savingsPlan/SavingsPlanARN": "sp-1"}, "900", "0", 0),
    ("Refund", {"lineItem/UnblendedCost": "-4"}, "-4", "-4", 0),
    ("EdpDiscount", {"lineItem/UnblendedCost": "-0.5"}, "-0.5", "-0.5", 0),
]


@pytest.mark.parametrize("names", ["legacy", "2.0"])
def test_lines_of_aws_cost_what_aws_calls_amortized(tmp_path, names):
    rows = [{**CUR_ROW, "lineItem/LineItemType": line, **cells} for line, cells, *_ in CUR_LINES]
    out = io.StringIO()
    table = csv.DictWriter(out, CUR.split(","))
    table.writeheader()
    table.writerows(rows)
    text = out.getvalue()
    if names == "2.0":  # lineItem/UnblendedCost -> line_item_unblended_cost
        head, rest = text.split("\n", 1)
        text = "".join("_" + c.lower() if c.isupper() and c not in "ARNI" else c for c in head).replace("/", "_") + "\n" + rest
    (tmp_path / "cur.csv").write_text(text)
    bill = read(tmp_path)
    for (line, _, billed, effective, use), cost in zip(CUR_LINES, bill.costs, strict=True):
        assert (amount(cost.billed), amount(cost.effective), cost.commitment_use) == (
            Decimal(billed), Decimal(effective), use), line
    assert not bill.left_out and bill.costs[0].provider == "aws" and bill.costs[0].region == "us-east-1"
    if names == "legacy":
        assert dict(bill.costs[0].tags) == {"user:team": "web"}
    assert bill.costs[9].correction


AZURE = "SubscriptionId,Date,MeterCategory,Quantity,UnitOfMeasure,CostInBillingCurrency,BillingCurrencyCode,ChargeType,PricingModel,benefitId"
AZURE_ROWS = """s,1/2/2026,Virtual Machines,1,1 Hour,0.5,EUR,Usage,OnDemand,
s,1/2/2026,Virtual Machines,1,1 Hour,{committed},EUR,Usage,Reservation,r-1
s,1/2/2026,Virtual Machines,1,1 Hour,{bought},EUR,{kind},Reservation,r-1
"""


def test_actual_and_amortized_exports_of_azure_say_one_half_each(tmp_path):
    for name, values in {"actual.csv": {"committed": 0, "bought": 300, "kind": "Purchase"},
                         "month_amortized.csv": {"committed": 0.3, "bought": 0.1, "kind": "UnusedReservation"}}.items():
        (tmp_path / name).write_text(AZURE + "\n" + AZURE_ROWS.format(**values))

    def costs(name, **config):
        return [(amount(c.billed) if c.HasField("billed") else None, amount(c.effective) if c.HasField("effective") else None)
                for c in read(tmp_path / name, **config).costs]

    half = Decimal("0.5")
    assert costs("actual.csv") == [(half, half), (0, None), (300, 0)]
    assert costs("month_amortized.csv") == [(half, half), (0, Decimal("0.3")), (0, Decimal("0.1"))]
    assert costs("month_amortized.csv", azure_costs="actual")[0] == (half, half)
    assert read(tmp_path / "month_amortized.csv").costs[2].commitment_use == usage_pb2.COMMITMENT_USE_UNUSED


@pytest.mark.skipif(SANITIZED, reason="the sanitizer keeps freed memory")
def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak(n_rows):
        path = written(tmp_path, [{"Tags": '{"team": "' + "x" * 600 + '"}'}] * n_rows, "large.csv.gz")
        with PluginHost() as host:
            host.load(PLUGIN, config={"path": path}, readable=[path])
            _, end = fetch(host, BEGIN, END, ["costs"])
            assert end.rows == n_rows
            return peak_mib(host.process.pid)

    assert peak(60000) < peak(15000) + 8


# --- the recorded files, where they are ---

DATA = pathlib.Path(os.environ.get("ISO_SHARED_DATA", "/nonexistent"))
recorded = pytest.mark.skipif(not DATA.exists(), reason="ISO_SHARED_DATA is not there")


def table_of(path):
    opened = gzip.open(path, "rt", encoding="utf-8-sig") if path.suffix == ".gz" else open(path, encoding="utf-8-sig")
    with opened as file:
        return list(csv.DictReader(file))


def number(text):
    return None if text in NOTHING else Decimal(text)


def is_faulty(row):
    """As FOCUS has it: an effective cost of 0, a billed one that is not, and no commitment about it."""
    return (not number(row["EffectiveCost"]) and number(row["BilledCost"]) and row["ChargeCategory"] != "Purchase"
            and row["PricingCategory"] in ("Standard", *NOTHING))


@recorded
def test_the_focus_sample_adds_up_to_the_cent_by_provider_and_service():
    path = DATA / "focus" / "focus_1.0_sample_1000.csv.gz"
    expected, found = {}, {}
    for row in table_of(path):
        billed, effective = number(row["BilledCost"]), number(row["EffectiveCost"])
        sums = expected.setdefault((row["ProviderName"], row["ServiceName"]), [Decimal(0), Decimal(0)])
        sums[0] += billed
        sums[1] += billed if is_faulty(row) else effective
    for cost in read(path).costs:
        sums = found.setdefault((cost.provider, cost.service), [Decimal(0), Decimal(0)])
        sums[0] += amount(cost.billed)
        sums[1] += amount(cost.effective)
    cents = Decimal("0.01")
    rounded = {key: [value.quantize(cents, ROUND_HALF_EVEN) for value in sums] for key, sums in found.items()}
    assert rounded == {key: [value.quantize(cents, ROUND_HALF_EVEN) for value in sums] for key, sums in expected.items()}
    # Rounding each charge to 1e-9 moves a sum of 1000 by less than 1000 half units.
    for at in (0, 1):
        assert abs(sum(s[at] for s in found.values()) - sum(s[at] for s in expected.values())) < Decimal("5e-7")


@recorded
def test_the_focus_sample_has_the_published_faults():
    """The counts of the table "real data problems" of the data's description. What has no code is counted here: 33
    spellings of pricing units, which are kept in costs and folded in samples."""
    path = DATA / "focus" / "focus_1.0_sample_1000.csv.gz"
    bill, rows = read(path), table_of(path)
    assert len(bill.costs) == 1000 and not bill.left_out
    assert bill.codes["effective_from_billed"] == 610 == sum(map(bool, map(is_faulty, rows)))
    marked = collections.Counter(c.provider for c in bill.costs if c.effective_from_billed)
    assert marked == {"AWS": 604, "Oracle": 6}
    assert bill.codes["negative_cost"] == 13
    negative = [c for c in bill.costs if c.billed.units < 0 or c.billed.nanos < 0]
    assert collections.Counter((c.provider, c.category) for c in negative) == {
        ("Microsoft", usage_pb2.COST_CATEGORY_USAGE): 12, ("AWS", usage_pb2.COST_CATEGORY_CREDIT): 1}
    assert bill.codes["mixed_nulls"] == 7
    assert bill.codes["external_region"] == 212
    assert bill.codes["region_from_name"] == 7
    assert bill.codes["spelled_otherwise"] == 7
    assert bill.codes["list_cost_differs"] == 25
    assert bill.codes["mixed_periods"] == 51
    assert bill.codes["time_without_zone"] == 1000
    assert bill.codes["unknown_column"] == 1
    assert len({row["PricingUnit"] for row in rows}) == 33
    assert len({c.unit for c in bill.costs}) > len({s.metric for s in bill.usage}) > 20
    assert sum(c.commitment_use == usage_pb2.COMMITMENT_USE_USED for c in bill.costs) == 4


@recorded
def test_the_examples_of_the_specification_are_read():
    """Null as the word null, "SkuPriceid", no final newline. Its monthly period that ends 10 h after the month is not among
    the files here. Providers and currencies are not in them either."""
    for path in sorted((DATA / "focus" / "spec_examples").glob("*.csv")):
        bill = read(path, provider="aws", currency="USD")
        rows = table_of(path)
        assert len(bill.costs) == len(rows) and not bill.left_out and not bill.codes["effective_from_billed"], path.name
        for row, cost in zip(rows, bill.costs, strict=True):
            assert amount(cost.effective) == Decimal(row["EffectiveCost"])
            assert cost.commitment_use == {"Used": 1, "Unused": 2}.get(row["CommitmentDiscountStatus"], 0)
        assert "SkuPriceid" not in str(bill.diagnostics)


@recorded
def test_the_aws_report_adds_up_exponents_or_not():
    """681 of its 1281 costs are written with an exponent; that has no code, for it is exact."""
    path = DATA / "billing_exports" / "aws_cur_legacy_sample.csv.gz"
    rows, bill = table_of(path), read(path)
    assert sum("E" in row["lineItem/UnblendedCost"] for row in rows) == 681
    assert len(bill.costs) == 1281 and not bill.left_out and not bill.codes["unknown_column"]
    by_service, found = collections.Counter(), collections.Counter()
    for row in rows:
        by_service[row["product/ProductName"]] += Decimal(row["lineItem/UnblendedCost"])
    for cost in bill.costs:
        found[cost.service] += amount(cost.billed)
    assert by_service.keys() == found.keys()
    assert all(abs(by_service[key] - found[key]) < Decimal("5e-7") for key in found)
    assert sum(c.category == usage_pb2.COST_CATEGORY_TAX for c in bill.costs) == 12


@recorded
def test_the_azure_enterprise_export_is_in_canadian_dollars_with_the_month_first():
    path = DATA / "billing_exports" / "azure_ea_sample.csv"
    bill = read(path)
    assert bill.codes["month_first_date"] == 27 and not bill.left_out and not bill.codes["unknown_column"]
    assert {c.billed.currency_code for c in bill.costs} == {"CAD"}
    assert {c.start.ToDatetime() for c in bill.costs} == {datetime.datetime(2023, 9, 2)}
    # Mixed in case, as the bill has them: names are folded by the server, for all plugins alike.
    assert {c.region for c in bill.costs} == {"CentralUS", "westus2", "WestUS", "EastUS2"}
    assert sum(c.pricing == usage_pb2.COST_PRICING_DYNAMIC for c in bill.costs) == 3
    total = sum(Decimal(row["CostInBillingCurrency"]) for row in table_of(path))
    assert abs(sum(amount(c.billed) for c in bill.costs) - total) < Decimal("2e-8")


DIALECTS = {  # name: (costs, billed, left out)
    "headersets_BOM": (0, 0, {"missing_cost": 1}),  # its one row is a date alone
    "headersets_Enterprise": (1, 0, {}),
    "headersets_EnterpriseCamel": (1, "0.012", {}),
    "headersets_German": (1, "0.075", {}),
    "headersets_PayAsYouGo": (1, "0.075", {}),
    "headersets_YA": (1, "0.075", {}),
    "values_MissingBrackets": (1, 4, {}),
    "values_VirtualMachine": (1, 4, {}),
}


@recorded
@pytest.mark.parametrize("name", DIALECTS)
def test_headers_of_azure_in_every_dialect(name):
    n, billed, left_out = DIALECTS[name]
    bill = read(DATA / "billing_exports" / "opencost_azure" / f"{name}.csv", currency="USD")
    assert len(bill.costs) == n and dict(bill.left_out) == left_out and not bill.codes["unknown_column"]
    assert sum(amount(c.billed) for c in bill.costs) == Decimal(billed)
    assert bill.codes["translated_header"] == (name in ("headersets_German", "headersets_YA"))
    assert all(c.tags for c in bill.costs if name.startswith("values"))


@recorded
def test_azure_rows_that_leave_out_their_last_fields_are_kept():
    path = DATA / "billing_exports" / "opencost_azure" / "values_Template.csv"
    bill = read(path, currency="USD")
    total = sum(Decimal(row["costinbillingcurrency"]) for row in table_of(path))
    assert len(bill.costs) == len(table_of(path)) and bill.codes["short_row"] > 0
    assert abs(sum(amount(c.billed) for c in bill.costs) - total) < Decimal("1e-7")
