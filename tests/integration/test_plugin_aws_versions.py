"""The plugin aws asks for price files once for each version of the price list."""
import hashlib

import pytest
from fault_cloud import Answer
from isocost_protos import BUILD, offering_pb2
from plugin_host import PluginFailure, PluginHost
from replay_aws import OFFER_COLUMNS, ReplayAws, csv_file, price_row, savings_row

PLUGIN = BUILD / "plugins" / "aws.so"
NOW = 1772539200  # 2026-03-03T12:00:00Z
INDEX = "/offers/v1.0/aws/AmazonEC2/current/region_index.json"
PRICES = "/offers/v1.0/aws/AmazonEC2/{}/us-east-1/index.csv"
SAVINGS = "/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/{}/us-east-1/index.csv"
FIRST, SECOND = "20260301000000", "20260302000000"


@pytest.fixture
def cloud():
    with ReplayAws(NOW) as cloud:
        region = cloud.region("us-east-1")
        region.prices = [price_row("m5.large", "0.096"), price_row("c5.large", "0.085", SKU='with "quotes", and comma'),
                         price_row("m5.large", "9.9", **{"Operating System": "Windows"}),
                         price_row("m5.large", "0.05", TermType="Reserved", LeaseContractLength="1yr",
                                   OfferingClass="standard", PurchaseOption="No Upfront")]
        region.savings = [savings_row("m5.large", "0.07")]
        yield cloud


def fetch(cloud, cache, **config):
    """Rows of a fetch by a new process, as text without when they were observed, what was told to be unchanged, and
    the files that were asked for."""
    cloud.operations.clear()
    with PluginHost() as host:
        host.load(PLUGIN, config={"regions": "us-east-1", "catalog": "public", **config}, http=cloud.http(), cache=cache,
                  secrets=cloud.secrets, clock_ns=cloud.clock_s * 10 ** 9)
        found = host.rows(quotas=False)
    for row in found["offerings"]:
        assert abs(row.observed_at.seconds - cloud.clock_s) <= 60
        row.ClearField("observed_at")
    told = [d for d in found["diagnostics"] if d.code == "source_unchanged"]
    return ([str(row) for kind in ("offerings", "products") for row in found[kind]], {d.text.split(" are those")[0] for d in told},
            [path for path in cloud.operations if path.endswith(".csv")])


def test_files_of_the_same_version_are_asked_for_once(cloud, tmp_path):
    first, told, files = fetch(cloud, tmp_path)
    assert len(first) == 4 and told == set()
    assert files == [PRICES.format(FIRST), SAVINGS.format(FIRST)]
    again, told, files = fetch(cloud, tmp_path)
    assert files == [] and again == first
    assert told == {"the prices", "the savings plans"}


def test_rows_of_kept_prices_are_observed_when_the_version_was_seen_again(cloud, tmp_path):
    for _ in range(2):
        fetch(cloud, tmp_path)  # looks at the times
        cloud.clock_s += 3600


def test_a_new_version_is_asked_for_and_takes_the_place_of_the_old_one(cloud, tmp_path):
    fetch(cloud, tmp_path)
    cloud.version = SECOND
    cloud.region("us-east-1").prices[0] = price_row("m5.large", "0.090")
    rows, told, files = fetch(cloud, tmp_path)
    assert files == [PRICES.format(SECOND)] and told == {"the savings plans"}
    assert any("nanos: 90000000" in row for row in rows)
    assert fetch(cloud, tmp_path)[2] == []
    cloud.version = FIRST
    assert fetch(cloud, tmp_path)[2] == [PRICES.format(FIRST)], "one version is kept of each file"


def test_what_the_operator_wants_is_decided_anew_over_kept_rows(cloud, tmp_path):
    assert any("aws-ri" in row or "reserved" in row for row in fetch(cloud, tmp_path, reserved="true")[0])
    rows, _, files = fetch(cloud, tmp_path, reserved="false", savings_plans="false")
    assert len(rows) == 2 and files == []
    rows, _, files = fetch(cloud, tmp_path, reserved="true", savings_plans="false")
    assert len(rows) == 3 and files == []


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "another plugin"])
def test_a_damaged_kept_file_is_none(cloud, tmp_path, damage):
    first, _, _ = fetch(cloud, tmp_path)
    (kept,) = tmp_path.glob("prices-*")
    whole = kept.read_bytes()
    form, _, body = whole.split(b"\n", 2)
    other = body.replace(b" by ", b" by another ")  # whole, and of another version of the plugin
    kept.write_bytes({"cut": whole[:-20], "changed": whole.replace(b"0.096", b"0.006"), "empty": b"", "another plugin":
                      b"\n".join([form, hashlib.sha256(other).hexdigest().encode(), other])}[damage])
    again, told, files = fetch(cloud, tmp_path)
    assert again == first and files == [PRICES.format(FIRST)] and told == {"the savings plans"}
    assert fetch(cloud, tmp_path)[2] == []


def test_a_file_that_breaks_off_keeps_what_was_kept(cloud, tmp_path):
    fetch(cloud, tmp_path)
    cloud.version = SECOND
    index = Answer(body=b'{"regions": {"us-east-1": {"currentVersionUrl": "'
                        + PRICES.format(SECOND).replace(".csv", ".json").encode() + b'"}}}')
    cloud.first["file"] = [index] + [Answer(body=b'"SKU","TermType"\r\n"x', content_type="text/csv")]
    with pytest.raises(PluginFailure):
        fetch(cloud, tmp_path)
    assert not list(tmp_path.glob("*.new"))
    cloud.version = FIRST
    assert fetch(cloud, tmp_path)[2] == [], "the first version is there still"


@pytest.mark.parametrize("status", [403, 404])
def test_without_an_index_the_current_file_is_asked_for_each_time(cloud, tmp_path, status):
    for _ in range(2):
        cloud.first["file"] = [Answer(status, b"<Error><Code>AccessDenied</Code></Error>", content_type="application/xml")]
        rows, _, files = fetch(cloud, tmp_path)
        assert len(rows) == 4 and files[0] == PRICES.format("current")


def test_without_a_cache_folder_the_index_is_not_asked_for(cloud):
    rows, _, files = fetch(cloud, "")
    assert len(rows) == 4 and files == [PRICES.format("current"), SAVINGS.format(FIRST)] and INDEX not in cloud.operations


def test_a_ragged_row_is_told_each_time(cloud, tmp_path):
    body = csv_file(OFFER_COLUMNS, cloud.region("us-east-1").prices) + b'"one","field"\r\n'
    index = (b'{"regions": {"us-east-1": {"currentVersionUrl": "'
             + PRICES.format(FIRST).replace(".csv", ".json").encode() + b'"}}}')
    for _ in range(2):
        cloud.first["file"] = [Answer(body=index), Answer(body=body, content_type="text/csv")]
        with PluginHost() as host:
            host.load(PLUGIN, config={"regions": "us-east-1", "catalog": "public"}, http=cloud.http(), cache=tmp_path,
                      clock_ns=NOW * 10 ** 9)
            assert "ragged_row" in {d.code for d in host.rows()["diagnostics"]}
