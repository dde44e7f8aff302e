"""The plugin focus does not read files again that are as before and have nothing of the time asked for."""
import datetime
import os

import pytest
from isocost_protos import BUILD
from plugin_host import PluginFailure, PluginHost

PLUGIN = BUILD / "plugins" / "focus.so"
HEAD = ("BilledCost,BillingCurrency,ChargeCategory,ChargePeriodEnd,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,"
        "EffectiveCost,PricingCategory,ProviderName,ResourceId,SubAccountId\n")
LONG_AGO = (10 ** 9, 10 ** 9)  # a file that was changed a moment ago is always read


def seconds(month):
    return int(datetime.datetime(2026, month, 1, tzinfo=datetime.timezone.utc).timestamp())


def write(folder, month, billed="1", times=LONG_AGO):
    """A file with one charge, on the first of a month."""
    path = folder / f"{month:02}.csv"
    path.write_text(HEAD + f"{billed},USD,Usage,2026-{month:02}-02,2026-{month:02}-01,1,Hours,{billed},Standard,AWS,r,42\n")
    os.utime(path, times)
    return path


class Bills:
    def __init__(self, tmp_path):
        self.folder, self.cache = tmp_path / "bills", tmp_path / "cache"
        self.folder.mkdir()
        self.cache.mkdir()
        for month in range(1, 7):
            write(self.folder, month)

    def read(self, first, last, cache=None):
        """Months that were charged in [first, last), and the other codes that were told."""
        with PluginHost() as host:
            host.load(PLUGIN, config={"path": self.folder}, readable=[self.folder], cache=self.cache if cache is None else cache)
            rows = host.rows(products=False, quotas=False, offerings=False, costs=(seconds(first), seconds(last)))
        self.told = [d.text for d in rows["diagnostics"] if d.code == "source_unchanged"]
        return [cost.start.ToDatetime().month for cost in rows["costs"]]

    def spoil(self, month):
        """Makes a file one that fails whoever reads it, and leaves its size and its time as they were."""
        path = self.folder / f"{month:02}.csv"
        facts = os.stat(path)
        path.write_bytes(b"a,b\n".ljust(facts.st_size, b"x"))
        os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


@pytest.fixture
def bills(tmp_path):
    return Bills(tmp_path)


def test_only_files_with_charges_of_the_time_are_read_again(bills):
    assert bills.read(1, 7) == [1, 2, 3, 4, 5, 6] and bills.told == []
    for month in (1, 2, 3, 6):
        bills.spoil(month)
    assert bills.read(4, 6) == [4, 5]
    assert bills.told == ["4 files are as before and have no charge of the time that is asked for"]
    with pytest.raises(PluginFailure, match="03.csv"):
        bills.read(3, 6)


def test_a_file_that_was_changed_is_read(bills):
    bills.read(1, 7)
    write(bills.folder, 2, billed="10")  # another size, the same time
    os.utime(bills.folder / "03.csv", (10 ** 9, 10 ** 9 + 1))  # another time, the same size
    assert bills.read(5, 7) == [5, 6] and bills.told[0].startswith("2 files")
    assert bills.read(5, 7) == [5, 6] and bills.told[0].startswith("4 files"), "they are known again"
    write(bills.folder, 7)
    assert bills.read(5, 8) == [5, 6, 7], "a new file"


def test_a_file_that_was_changed_a_moment_ago_is_not_trusted(bills):
    write(bills.folder, 1, times=None)
    for _ in range(2):
        assert bills.read(2, 7) == [2, 3, 4, 5, 6] and bills.told == []


def test_a_row_that_does_not_say_when_it_was_is_told_each_time(bills):
    path = bills.folder / "01.csv"
    path.write_text(path.read_text().replace("2026-01-01", "some day"))
    os.utime(path, LONG_AGO)
    for told in ([], ["4 files are as before and have no charge of the time that is asked for"]):
        with PluginHost() as host:
            host.load(PLUGIN, config={"path": bills.folder}, readable=[bills.folder], cache=bills.cache)
            rows = host.rows(products=False, quotas=False, offerings=False, costs=(seconds(6), seconds(7)))
        assert [d.code for d in rows["diagnostics"] if d.quarantined] == ["invalid_time"]
        assert [d.text for d in rows["diagnostics"] if d.code == "source_unchanged"] == told


def test_without_a_cache_folder_all_files_are_read(bills):
    for _ in range(2):
        assert bills.read(1, 2, cache="") == [1] and bills.told == []


def test_a_fetch_that_fails_keeps_nothing_of_it(bills):
    bills.spoil(6)
    with pytest.raises(PluginFailure):
        bills.read(1, 7)
    write(bills.folder, 6)
    assert bills.read(6, 7) == [6] and bills.told == []
