"""What became cheaper, dearer, new or gone between two catalogs, over the wire and on the terminal."""
import json
import subprocess

import grpc
import pytest

from isocost_protos import BUILD, catalog_service_pb2 as c, catalog_service_pb2_grpc, json_format
from isocost_server import IsocostServer
from small_models import amount

HEADER = "provider,region,type,purchase,price,currency,vcpu,memory_gib,status\n"
# From the first to the second: m1 the same, m2 cheaper by 10 %, m3 dearer by a half, m4 gone, m5 new,
# m6 sold out at its price, m7 in another currency.
FIRST = HEADER + "".join(f"aws,r1,{row}\n" for row in (
    "m1,on-demand,1,USD,2,4,", "m2,on-demand,1,USD,2,4,", "m3,on-demand,1,USD,2,4,",
    "m4,on-demand,1,USD,2,4,", "m6,on-demand,1,USD,2,4,", "m7,on-demand,1,USD,2,4,"))
SECOND = HEADER + "".join(f"aws,r1,{row}\n" for row in (
    "m1,on-demand,1,USD,2,4,", "m2,on-demand,0.9,USD,2,4,", "m3,on-demand,1.5,USD,2,4,",
    "m5,on-demand,1,USD,2,4,", "m6,on-demand,1,USD,2,4,sold_out", "m7,on-demand,1,EUR,2,4,"))
EXPECTED = {"m2": ("CHEAPER", ["price"]), "m3": ("DEARER", ["price"]), "m4": ("GONE", []),
            "m5": ("NEW", []), "m6": ("OTHER", ["status"]), "m7": ("OTHER", ["price"])}


class Catalogs:
    def __init__(self, server):
        self.server = server
        self.stub = catalog_service_pb2_grpc.CatalogServiceStub(server.channel())
        self.first, self.second = self.load(FIRST), self.load(SECOND)

    def load(self, text):
        request = c.ImportCatalogRequest(name="o.csv", kind=c.CATALOG_FILE_KIND_OFFERINGS_CSV,
                                         chunk=text.encode(), replace_all=True)
        return self.stub.ImportCatalog(iter([request])).snapshot.digest

    def diff(self, **request):
        return self.stub.DiffSnapshots(c.DiffSnapshotsRequest(**request))


@pytest.fixture(scope="module")
def catalogs():
    with IsocostServer() as server:
        yield Catalogs(server)


def told(changes):
    return {change.offering.split("/")[3]: (
        c.OfferingDifference.Name(change.difference).removeprefix("OFFERING_DIFFERENCE_"),
        list(change.fields)) for change in changes}


def test_the_newest_is_compared_with_the_one_before(catalogs):
    answer = catalogs.diff()
    assert (answer.from_digest, answer.to_digest) == (catalogs.first, catalogs.second)
    assert told(answer.changes) == EXPECTED
    assert answer.same_count == 1 and answer.next_page_token == ""
    assert [count.count for count in answer.counts] == [1, 1, 1, 1, 2]


def test_prices_are_told_with_their_share(catalogs):
    by_type = {change.offering.split("/")[3]: change for change in catalogs.diff().changes}
    assert amount(by_type["m2"].price_before) == 1 and amount(by_type["m2"].price_after) == 0.9
    assert by_type["m2"].ratio == pytest.approx(-0.1, abs=1e-12)
    assert by_type["m3"].ratio == pytest.approx(0.5, abs=1e-12)
    assert by_type["m7"].ratio == 0  # two currencies have no share
    assert not by_type["m5"].HasField("price_before") and not by_type["m4"].HasField("price_after")


def test_one_kind_of_change_can_be_asked_for_and_counts_stay_those_of_all(catalogs):
    answer = catalogs.diff(difference=c.OFFERING_DIFFERENCE_OTHER)
    assert list(told(answer.changes)) == ["m6", "m7"]
    assert [count.count for count in answer.counts] == [1, 1, 1, 1, 2]


def test_backwards_new_is_gone(catalogs):
    answer = catalogs.diff(from_digest=catalogs.second, to_digest=catalogs.first)
    assert told(answer.changes)["m5"][0] == "GONE" and told(answer.changes)["m4"][0] == "NEW"


def test_pages_follow_each_other_without_gaps(catalogs):
    found, token, pages = [], "", 0
    while True:
        answer = catalogs.diff(page_size=2, page_token=token)
        found += answer.changes
        token, pages = answer.next_page_token, pages + 1
        if not token:
            break
    assert pages == 3 and told(found) == EXPECTED


@pytest.mark.parametrize("request_, code, says", [
    ({"to_digest": "sha256:" + "0" * 64}, grpc.StatusCode.NOT_FOUND, "0000"),
    ({"page_token": "x"}, grpc.StatusCode.INVALID_ARGUMENT, "page_token"),
    ({"page_size": 5001}, grpc.StatusCode.INVALID_ARGUMENT, "page_size"),
])
def test_what_cannot_be_compared_is_said(catalogs, request_, code, says):
    with pytest.raises(grpc.RpcError) as caught:
        catalogs.diff(**request_)
    assert caught.value.code() == code and says in caught.value.details()


def test_the_first_snapshot_has_nothing_before_it(catalogs):
    with pytest.raises(grpc.RpcError) as caught:
        catalogs.diff(to_digest=catalogs.first)
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    assert "no snapshot before" in caught.value.details()


def isocost(catalogs, *arguments):
    return subprocess.run([BUILD / "bin" / "isocost", "catalog", "diff", "--address",
                           catalogs.server.address, *arguments],
                          capture_output=True, text=True, timeout=60)


def test_the_command_prints_a_table_and_its_exit_code_says_that_there_are_changes(catalogs):
    done = isocost(catalogs)
    assert done.returncode == 10, done.stderr
    lines = {line.split()[0].split("/")[3]: line for line in done.stdout.splitlines()[1:]}
    assert "cheaper" in lines["m2"] and "-10.00 %" in lines["m2"]
    assert "1 new, 1 gone, 1 cheaper, 1 dearer, 2 other, 1 the same" in done.stderr
    same = isocost(catalogs, catalogs.first, catalogs.first)
    assert same.returncode == 0 and same.stdout == ""
    assert isocost(catalogs, "--only", "sideways").returncode == 2


def test_the_command_prints_json(catalogs):
    done = isocost(catalogs, "--output", "json", "--only", "gone")
    answer = json_format.Parse(done.stdout, c.DiffSnapshotsResponse())
    assert told(answer.changes) == {"m4": ("GONE", [])}
    assert json.loads(done.stdout)
