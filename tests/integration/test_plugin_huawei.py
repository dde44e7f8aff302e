"""The plugin huawei against a cloud of its own: types, zones, pages, and what it does when told off.

All answers are synthetic, built from the shapes in the API reference; see replay_huawei.py.
"""
import json

import pytest
from fault_cloud import Answer, FaultCloud
from huawei_fetch import CATALOG, NOW, PLUGIN, R, SMALL, refused, rows, small, summary
from isocost_protos import offering_pb2
from plugin_host import PluginFailure, PluginHost, codes
from replay_huawei import ReplayHuawei, flavor

AVAILABLE, RESTRICTED = offering_pb2.OFFERING_STATUS_AVAILABLE, offering_pb2.OFFERING_STATUS_RESTRICTED
SOLD_OUT, UNKNOWN = offering_pb2.OFFERING_STATUS_SOLD_OUT, offering_pb2.OFFERING_STATUS_UNKNOWN


@pytest.fixture
def cloud():
    with ReplayHuawei(NOW) as server:
        yield server


# ---- Types and zones ----

def test_types_zones_and_prices_are_joined(cloud):
    small(cloud)
    found = rows(cloud, wanted=CATALOG)
    assert summary(found["offerings"]) == SMALL and codes(found) == []
    row = next(o for o in found["offerings"] if o.zone == "cn-north-4b" and o.type == "s6.large.2")
    assert (row.provider, row.region, row.os, row.family, row.arch, row.native_id, row.labels["state"]) == (
        "huawei", R, "linux", "s6", "x86_64", "s6.large.2", "sellout")
    assert (row.resources.vcpu, row.resources.memory_gib, row.resources.gpu) == (2, 4, 0)


SHAPES = {
    "vCPUs as a number and memory under a GiB": (dict(vcpus=1, mib=512), {}, lambda o: (
        o.resources.vcpu, o.resources.memory_gib) == (1, 0.5)),
    "Kunpeng by its architecture": ({}, {"ecs:instance_architecture": "arm64"}, lambda o: o.arch == "arm64"),
    "Kunpeng by its category": ({}, {"ecs:performancetype": "kunpeng_computing"}, lambda o: o.arch == "arm64"),
    "another architecture": ({}, {"ecs:instance_architecture": "riscv64"}, lambda o: o.arch == "other"),
    "a network of 1500 Mbit/s": ({}, {"quota:max_rate": "1500"}, lambda o: o.resources.network_gbps == 1.5),
    "24 disks of 1675 GiB": ({}, {"quota:local_disk": "hdd:24:1675:True"}, lambda o: o.resources.local_disk_gib == 40200),
    "a system disk that the type asks for": ({"disk": "40"}, {}, lambda o: o.resources.disk_gib == 40),
    "GPUs for people": ({}, {"info:gpu:name": "4 * NVIDIA V100 / 4 * 16G", "pci_passthrough:alias": "nvidia-v100:4"},
                        lambda o: (o.resources.gpu, o.resources.gpu_memory_gib, o.resources.gpu_model) == (4, 64, "NVIDIA V100")),
    "GPUs for machines": ({}, {"pci_passthrough:alias": "nvidia-p100:1"}, lambda o: (
        o.resources.gpu, o.resources.gpu_memory_gib, o.resources.gpu_model) == (1, 0, "nvidia-p100")),
    "GPUs by their way": ({}, {"pci_passthrough:gpu_specs": "m60:direct_graphics:2"}, lambda o: (
        o.resources.gpu, o.resources.gpu_model) == (2, "m60")),
    "Ascend processors": ({}, {"info:ascend:name": "2 * HUAWEI Ascend 310"}, lambda o: (
        o.resources.gpu, o.resources.gpu_model) == (2, "HUAWEI Ascend 310")),
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_a_type_is_made_of(cloud, name):
    fields, specs, holds = SHAPES[name]
    region = small(cloud)
    record = flavor("s6.large.2", **{k: v for k, v in fields.items() if k != "disk"}, **specs)
    record.update({k: v for k, v in fields.items() if k == "disk"})
    if "number" in name:
        record["vcpus"] = int(record["vcpus"])
    region.types = [record]
    (row,) = rows(cloud, wanted=CATALOG, types="s6.")["offerings"][:1]
    assert holds(row), row


@pytest.mark.parametrize("specs, memory", [
    ({"info:gpu:name": "1 * NVIDIA M60-2Q / 2G", "pci_passthrough:gpu_specs": "m60_2q:virt:1"}, 2),
    ({"ecs:performancetype": "gpu"}, 0), ({"ecs:performancetype": "ascend", "info:ascend:name": "some"}, 0)])
def test_a_part_of_a_gpu_or_an_unknown_number_stays_unknown(cloud, specs, memory):
    region = small(cloud)
    region.types = [flavor("s6.large.2", **specs)]
    found = rows(cloud, wanted=CATALOG)
    assert [(d.code, d.place) for d in found["diagnostics"]] == [("unknown_gpu_share", f"{R}/s6.large.2")]
    assert not found["offerings"][0].resources.HasField("gpu")
    assert found["offerings"][0].resources.gpu_memory_gib == memory


# cond:operation:status, cond:operation:az: status in zone a and in zone b (None: not offered there)
STATES = {
    "nothing is normal": ("", "", AVAILABLE, AVAILABLE),
    "the status of the region": ("sellout", "", SOLD_OUT, SOLD_OUT),
    "zones override it": ("abandon", "cn-north-4a(normal), cn-north-4b(sellout)", AVAILABLE, SOLD_OUT),
    "one zone overrides it": ("promotion", "cn-north-4b(obt)", AVAILABLE, RESTRICTED),
    "a beta that is sold out": ("obt", "cn-north-4a(obt_sellout)", SOLD_OUT, RESTRICTED),
    "a zone is given up": ("normal", "cn-north-4a(abandon)", None, AVAILABLE),
    "full-width marks": ("", "cn-north-4a（sellout），cn-north-4b（obt）", SOLD_OUT, RESTRICTED),
    "full-width and other marks": ("", "cn-north-4a （ sellout ） 、　cn-north-4b(OBT)", SOLD_OUT, RESTRICTED),
    "the last word holds": ("", "cn-north-4a(obt),cn-north-4a(sellout)", SOLD_OUT, AVAILABLE),
    "commas without anything": ("", ",, cn-north-4a(sellout) ,", SOLD_OUT, AVAILABLE),
    "given up everywhere": ("abandon", "", None, None),
}


@pytest.mark.parametrize("name", STATES)
def test_what_is_said_of_zones_overrides_what_is_said_of_the_region(cloud, name):
    status, az, *expected = STATES[name]
    region = small(cloud)
    region.types = [flavor("s6.large.2", **{"cond:operation:status": status, "cond:operation:az": az})]
    found = rows(cloud, wanted=CATALOG)
    told = {o.zone: o.status for o in found["offerings"]}
    assert [told.get("cn-north-4a"), told.get("cn-north-4b")] == expected and codes(found) == []
    assert cloud.names().count("on_demand") == (expected != [None, None])  # what no zone offers is not priced


@pytest.mark.parametrize("az, status, code", [
    ("cn-north-4a(private)", UNKNOWN, "unknown_status"), ("cn-north-4a()", AVAILABLE, "invalid_value"),
    ("cn-north-4a", AVAILABLE, "invalid_value"), ("(sellout)", AVAILABLE, "invalid_value"),
    ("cn-north-4x(sellout)", AVAILABLE, "unknown_zone"), ("cn-north-4a(sellout", SOLD_OUT, None)])
def test_what_cannot_be_read_of_a_zone_is_told(cloud, az, status, code):
    region = small(cloud)
    region.types = [flavor("s6.large.2", **{"cond:operation:az": az}), flavor("c7.xlarge.4")]
    region.types[1]["os_extra_specs"]["cond:operation:az"] = "cn-north-4x(normal)" if code == "unknown_zone" else ""
    found = rows(cloud, wanted=CATALOG)
    assert {(o.type[:2], o.zone): o.status for o in found["offerings"]} == {
        ("s6", "cn-north-4a"): status, ("s6", "cn-north-4b"): AVAILABLE, ("c7", "cn-north-4a"): AVAILABLE,
        ("c7", "cn-north-4b"): AVAILABLE}
    assert [dict(o.labels) for o in found["offerings"] if o.status == UNKNOWN] == [{}] * (status == UNKNOWN)
    assert codes(found) == ([code] if code else [])


def test_edge_zones_and_zones_without_an_id_are_left_out(cloud):
    region = small(cloud)
    region.zones += [{"availability_zone_id": "edge-1", "type": "Edge"}, {"type": "Center"}, "cn-north-4a"]
    found = rows(cloud, wanted=CATALOG)
    assert summary(found["offerings"]) == SMALL and codes(found) == ["missing_zone"]


@pytest.mark.parametrize("charge, sold", [("", True), ("demand", True), ("period,demand", True), ("period", False)])
def test_types_that_are_not_sold_on_demand_are_told_and_not_sent(cloud, charge, sold):
    region = small(cloud)
    region.types = [flavor("s6.large.2", **{"cond:operation:charge": charge})]
    found = rows(cloud, wanted=CATALOG)
    assert [(d.code, d.quarantined) for d in found["diagnostics"]] == ([] if sold else [("not_on_demand", True)])
    assert len(found["offerings"]) == (2 if sold else 0) and cloud.names().count("on_demand") == sold


def test_a_type_without_an_id_is_told_and_only_named_types_are_taken(cloud):
    region = small(cloud)
    region.types.append({"vcpus": "2"})
    found = rows(cloud, wanted=CATALOG, types="c7., m7.")
    assert summary(found["offerings"]) == SMALL[:2] and codes(found) == ["missing_type"]


# ---- Pages ----

def many(cloud, n):
    region = small(cloud)
    region.types = [flavor(f"s6.{i}.2") for i in range(n)]
    region.prices = {(f"s6.{i}.2", "hour"): 0.5 for i in range(n)}
    region.zones = ["cn-north-4a"]


@pytest.mark.parametrize("n, pages", [(999, 1), (1000, 2), (1001, 2)])
def test_a_full_page_has_a_next_one_be_it_empty(cloud, n, pages):
    many(cloud, n)
    found = rows(cloud, wanted=CATALOG)
    assert len({o.type for o in found["offerings"]}) == len(found["offerings"]) == n and codes(found) == []
    markers = [asked.get("marker") for name, asked in cloud.calls if name == "flavors"]
    assert markers == [None, "s6.999.2"][:pages]
    assert [len(a["product_infos"]) for c, a in cloud.calls if c == "on_demand"] == (
        [100] * (n // 100) + [n % 100] * (n % 100 > 0))


def test_the_same_page_twice_ends_the_fetch(cloud):
    many(cloud, 1001)
    cloud.ignores_cursor = True
    failure = refused(cloud, wanted=CATALOG)
    assert failure.kind == "permanent" and "second time" in str(failure) and cloud.names().count("flavors") == 2


def test_a_full_page_that_ends_without_an_id_can_be_asked_for_later(cloud):
    many(cloud, 1000)
    del cloud.region(R).types[-1]["id"]
    failure = refused(cloud, wanted=CATALOG)
    assert failure.kind == "retryable" and "without an id" in str(failure)


def test_a_page_that_is_cut_in_the_middle_is_asked_for_again(cloud):
    small(cloud)
    whole = json.dumps({"flavors": cloud.region(R).types}).encode()
    cloud.first["flavors"] = [Answer(body=whole, fault="stop")]
    assert summary(rows(cloud, wanted=CATALOG)["offerings"]) == SMALL
    cloud.first["flavors"] = [Answer(body=whole[:-20])] * 3  # whole to HTTP, and no JSON
    assert refused(cloud, wanted=CATALOG).kind == "retryable"


# ---- Regions ----

def test_each_region_is_asked_in_its_own_project(cloud):
    small(cloud)
    small(cloud, "cn-east-3").types.pop()
    found = rows(cloud, wanted=CATALOG, projects=cloud.projects(R, "cn-east-3"))
    assert sorted(o.region for o in found["offerings"]) == ["cn-east-3"] * 2 + [R] * 4
    assert {a["project_id"]: {i["region"] for i in a["product_infos"]} for c, a in cloud.calls if c == "on_demand"} == {
        f"project-{R}": {R}, "project-cn-east-3": {"cn-east-3"}}


def test_a_region_that_fails_loses_the_fetch_and_the_next_one_gives_all_once(cloud):
    small(cloud)
    small(cloud, "cn-east-3")
    cloud.first["flavors"] = [Answer(body=json.dumps({"flavors": cloud.region(R).types}).encode())] + [Answer(500)] * 3
    with PluginHost() as host:
        host.load(PLUGIN, config={"projects": cloud.projects(R, "cn-east-3")}, http=cloud.http(), secrets=cloud.secrets,
                  clock_ns=NOW * 10 ** 9)
        with pytest.raises(PluginFailure) as caught:  # a Failure in the place of an End: what came is lost
            host.fetch(**CATALOG)
        assert caught.value.kind == "retryable" and "on_demand" in cloud.names()
        found = host.rows(**CATALOG)
    assert len(found["offerings"]) == len({(o.region, o.zone, o.type) for o in found["offerings"]}) == 8


def test_a_large_catalog_is_read_in_little_memory(cloud):
    """Three regions of 1500 types in four zones: 18,000 offerings and 4500 subscriptions."""
    names = [R, "cn-east-3", "cn-south-1"]
    for name in names:
        region = cloud.region(name)
        region.zones = [f"{name}{letter}" for letter in "abcd"]
        region.types = [flavor(f"s6.{i}.2", pad="x" * 1000) for i in range(1500)]
        region.prices = {(f"s6.{i}.2", unit): 0.5 for i in range(1500) for unit in ("hour", "year")}
    with PluginHost() as host:
        host.load(PLUGIN, config={"projects": cloud.projects(*names)}, http=cloud.http(), secrets=cloud.secrets,
                  clock_ns=NOW * 10 ** 9, memory_bytes=256 << 20)
        found = host.rows(deadline_seconds=240, quotas=False)
        peak = host.peak_rss_bytes()
    assert (len(found["offerings"]), len(found["products"]), codes(found)) == (18000, 4500, [])
    assert peak <= 256 << 20, f"{peak >> 20} MiB"


# ---- How Huawei Cloud refuses ----

def test_a_wrong_secret_and_a_wrong_clock_are_told_as_such(cloud):
    small(cloud)
    cloud.secret = "another"
    failure = refused(cloud, wanted=CATALOG)
    assert (failure.kind, failure.code) == ("auth", "APIGW.0301") and "top secret" not in str(failure)
    assert cloud.calls == []
    cloud.secret, cloud.now = "top secret", NOW + 3600
    assert refused(cloud, wanted=CATALOG).code == "APIGW.0301"


@pytest.mark.parametrize("missing", ["access_key", "secret_key"])
def test_a_secret_that_is_not_configured_is_named(cloud, missing):
    small(cloud)
    secrets = {k: v for k, v in cloud.secrets.items() if k != missing}
    assert missing in str(refused(cloud, wanted=CATALOG, secrets=secrets)) and cloud.requests == []


def test_a_temporary_key_sends_its_token_signed(cloud):
    small(cloud)
    rows(cloud, wanted=CATALOG, secrets={**cloud.secrets, "security_token": "for a day"})
    assert all(r.headers["x-security-token"] == "for a day" and ";x-security-token" in r.headers["authorization"]
               for r in cloud.requests)


THROTTLED = json.dumps({"error_code": "APIG.0308", "error_msg": "The throttling threshold has been reached: policy user "
                        "over ratelimit,limit:10,time:1 second"}).encode()


@pytest.mark.parametrize("call", ["zones", "flavors", "on_demand", "subscribe"])
def test_throttling_is_waited_out_with_a_new_signature_and_given_up_in_the_end(cloud, call):
    small(cloud)
    everything = {"quotas": False}
    cloud.first[call] = [Answer(429, THROTTLED)] * 2
    assert summary(rows(cloud, wanted=everything)["offerings"]) == SMALL
    cloud.first[call] = [Answer(429, THROTTLED)] * 3
    failure = refused(cloud, wanted=everything)
    assert (failure.kind, failure.code) == ("quota", "APIG.0308")


@pytest.mark.parametrize("call", ["zones", "flavors", "on_demand", "subscribe"])
def test_another_host_never_gets_the_credentials(cloud, call):
    small(cloud)
    with FaultCloud() as other:
        cloud.first[call] = [Answer(302, b"", {"Location": other.url + "/x"})]
        failure = refused(cloud, wanted={"quotas": False})
        assert failure.kind == "permanent" and "redirect" in str(failure) and other.requests == []


@pytest.mark.parametrize("service, site, host", [
    ("ecs", "china", "ecs.cn-north-4.myhuaweicloud.com"), ("ces", "china", "ces.cn-north-4.myhuaweicloud.com"),
    ("bss", "china", "//bss.myhuaweicloud.com"), ("bss", "international", "//bss-intl.myhuaweicloud.com")])
def test_hosts_are_those_of_the_region_and_of_the_site(cloud, service, site, host):
    """The cloud is a proxy too, one that lets nobody out: the failure tells where the plugin wanted to go."""
    small(cloud).servers = [{"id": "1", "flavor": {"id": "s6.large.2"}}]
    http = {**cloud.http(), "proxy": cloud.url, "attempts": 1}
    del http["endpoints"][service]
    failure = refused(cloud, wanted={**CATALOG, "usage": (NOW - 7200, NOW)}, site=site, http=http)
    assert host in str(failure) and failure.kind == "retryable"


@pytest.mark.parametrize("config", [
    {"projects": "cn-north-4"}, {"projects": ","}, {"projects": "cn-north-4:"}, {"projects": ":0a1b"},
    {"projects": "cn-north-4.evil.example/:0a1b"}, {"projects": "cn-north-4:../0a1b"},
    {"projects": "cn-north-4:0a1b,cn-north-4:2c3d"}, {"projects": "x" * 48 + ":0a1b"}, {"projects": "a:b:c"},
    {"domain_id": "0a1b\r\nX-Evil: 1"}])
def test_what_stands_in_a_url_or_a_header_is_checked(cloud, config):
    assert next(iter(config)) in str(refused(cloud, **config))
