"""The plugin gcp against a cloud of its own: how prices are composed of parts, what is left out, and how it is refused."""
import collections
import decimal
import fractions
import gzip
import json
import lzma
import os
import pathlib

import pytest
from fault_cloud import Answer
from isocost_protos import BUILD, offering_pb2
from plugin_host import codes, fetching
from replay_gcp import API_KEY, PROJECT, ReplayGcp, machine_type, part, sku

PLUGIN = BUILD / "plugins" / "gcp.so"
NOW = 1772539200  # 2026-03-03T12:00:00Z
HOUR = 3600
ON_DEMAND, SPOT = offering_pb2.PURCHASE_ON_DEMAND, offering_pb2.PURCHASE_SPOT
DATA = pathlib.Path(os.environ.get("ISO_SHARED_DATA", "/nonexistent")) / "gcp"
recorded = pytest.mark.skipif(not DATA.exists(), reason="ISO_SHARED_DATA has no data of Google Cloud")
CATALOG = {"products": False, "quotas": False}
NOTHING = {"products": False, "quotas": False, "offerings": False}
ZONE = "us-central1-a"


@pytest.fixture
def cloud():
    with ReplayGcp(NOW) as server:
        yield server


def small(cloud):
    cloud.types = {ZONE: [machine_type("n2-standard-2", 2, 8192)], "us-central1-b": [],
                   "europe-west1-b": [machine_type("n2-standard-2", 2, 8192)]}
    cloud.skus = part("N2 Instance", "0.031611", "0.004237") + [
        sku("Spot Preemptible N2 Instance Core running in Americas", "0.007650", usage="Preemptible"),
        sku("Spot Preemptible N2 Instance Ram running in Americas", "0.001020", "RAM", "Preemptible")]


# 2 * 0.031611 + 8 * 0.004237, and 2 * 0.00765 + 8 * 0.00102
SMALL = [("n2-standard-2", ZONE, ON_DEMAND, "0.097118"), ("n2-standard-2", ZONE, SPOT, "0.02346")]


rows, refused = fetching(PLUGIN, NOW, lambda _: {"project": PROJECT, "regions": "us-central1"})


def money(amount):
    value = decimal.Decimal(amount.units) + decimal.Decimal(amount.nanos).scaleb(-9)
    return f"{value.normalize():f}"


def summary(offerings):
    return sorted((o.type, o.zone, o.purchase, money(o.price) if o.HasField("price") else "none") for o in offerings)


def prices(cloud, purchase=ON_DEMAND, **config):
    return {o.type: money(o.price) if o.HasField("price") else "none"
            for o in rows(cloud, wanted=CATALOG, **config)["offerings"] if o.purchase == purchase}


# ---- The catalog ----

def test_the_price_of_a_type_is_that_of_its_parts(cloud):
    small(cloud)
    found = rows(cloud, wanted=CATALOG)
    assert summary(found["offerings"]) == SMALL and codes(found) == []
    row = found["offerings"][0]
    assert (row.provider, row.region, row.os, row.family, row.arch, row.price.currency_code) == (
        "gcp", "us-central1", "linux", "n2", "x86_64", "USD")
    assert (row.resources.vcpu, row.resources.memory_gib) == (2, 8)


def test_shared_cores_are_charged_as_parts_of_a_core_and_rounded_once(cloud):
    """e2-micro: 0.25 * 0.021811591 + 1 * 0.00292353 = 0.00837642775."""
    cloud.types = {ZONE: [machine_type("e2-micro", 2, 1024), machine_type("e2-small", 2, 2048),
                          machine_type("e2-medium", 2, 4096), machine_type("e2-standard-2", 2, 8192)]}
    cloud.skus = part("E2 Instance", "0.021811591", "0.00292353")
    assert prices(cloud) == {"e2-micro": "0.008376428", "e2-small": "0.016752856", "e2-medium": "0.033505711",
                             "e2-standard-2": "0.067011422"}


def test_small_old_types_are_one_part_without_memory_and_their_free_tier_is_none(cloud):
    cloud.types = {ZONE: [machine_type("f1-micro", 1, 614), machine_type("g1-small", 1, 1740)]}
    cloud.skus = [sku("Micro Instance with burstable CPU running in Americas", "", "F1Micro",
                      tiers=[(0, "0"), (744, "0.0076")]),
                  sku("Small Instance with 1 VCPU running in Americas", "0.0257", "G1Small")]
    assert prices(cloud) == {"f1-micro": "0.0076", "g1-small": "0.0257"}


def test_gpus_of_a_type_are_parts_and_local_disks_leave_it_without_a_price(cloud):
    """a2-highgpu-1g: 12 * 0.031611 + 85 * 0.004237 + 2.933908."""
    def gpu(name, n):
        return {"accelerators": [{"guestAcceleratorType": name, "guestAcceleratorCount": n}]}
    cloud.types = {ZONE: [machine_type("a2-highgpu-1g", 12, 87040, **gpu("nvidia-tesla-a100", 1)),
                          machine_type("a2-ultragpu-1g", 12, 174080, bundledLocalSsds={"partitionCount": 1},
                                       **gpu("nvidia-tesla-a100", 1)),
                          machine_type("a2-other-1g", 12, 87040, **gpu("nvidia-unknown", 1))]}
    cloud.skus = part("A2 Instance", "0.031611", "0.004237") + [
        sku("Nvidia Tesla A100 GPU running in Americas", "2.933908", "GPU"),
        sku("Nvidia Tesla A100 GPU attached to Spot Preemptible VMs running in Americas", "0.88", "GPU", "Preemptible"),
        sku("Nvidia Tesla A100 80GB GPU running in Americas", "3.9", "GPU")]
    found = rows(cloud, wanted=CATALOG)
    assert summary(found["offerings"]) == [("a2-highgpu-1g", ZONE, ON_DEMAND, "3.673385"),
                                           ("a2-other-1g", ZONE, ON_DEMAND, "none"),
                                           ("a2-ultragpu-1g", ZONE, ON_DEMAND, "none")]
    assert found["offerings"][0].resources.gpu_model == "nvidia-tesla-a100" and found["offerings"][0].resources.gpu == 1


FAMILIES = {"N1 Predefined Instance": "n1", "N2D AMD Instance": "n2d", "Compute optimized": "c2", "C3 Instance": "c3",
            "C4 Instance": "c4", "C4A Arm Instance": "c4a", "C4N Instance": "c4n",
            "T2D AMD Instance": "t2d", "T2A Arm Instance": "t2a",
            "Memory-optimized Instance": "m1", "M3 Memory-optimized Instance": "m3", "C2D AMD Instance": "c2d"}


def test_families_are_told_apart_by_the_whole_name(cloud):
    """A core of family k costs k and a GiB nothing but a nanodollar, so a wrong family shows."""
    cloud.types = {ZONE: [machine_type(f"{f}-standard-1", 1, 1024) for f in [*FAMILIES.values(), "m2", "n2"]]}
    for i, name in enumerate(FAMILIES):
        cloud.skus += part(name, f"{i + 1}", "0.000000001")
    want = {f"{f}-standard-1": f"{i + 1}.000000001" for i, f in enumerate(FAMILIES.values())}
    assert prices(cloud) == {**want, "m2-standard-1": "none", "n2-standard-1": "none"}


@pytest.mark.parametrize("name", [
    "N2 Custom Instance", "N2 Sole Tenancy Instance", "Sole Tenancy Premium for N2 Instance", "Reserved N2 Instance",
    "N2 Custom Extended Instance", "DWS Defined Duration N2 Instance"])
@pytest.mark.parametrize("first", [True, False])
def test_twins_of_a_part_are_left_out(cloud, name, first):
    small(cloud)
    twins = part(name, "9.9", "9.9")
    cloud.skus = twins + cloud.skus if first else cloud.skus + twins
    found = rows(cloud, wanted=CATALOG)
    assert summary(found["offerings"]) == SMALL and codes(found) == []


def test_what_is_not_known_for_certain_is_told_and_not_guessed(cloud):
    small(cloud)
    cloud.skus += [sku("N2 Instance Core running in Americas", "0.04", skuId="twin"),
                   sku("Q9 Instance Core running in Americas", "0.04"),
                   sku("C3 Instance Ram running in Americas", "0.04", "RAM", unit="GiBy.mo"),
                   *part("T2D AMD Instance", "0.02", "0.003")]
    found = rows(cloud, wanted=CATALOG, spot="false")
    assert summary(found["offerings"]) == [(*SMALL[0][:3], "none")]
    assert codes(found) == ["ambiguous_price", "priced_unknown", "unknown_family", "unknown_unit"]


# ---- Commitments ----

def test_commitments_are_a_core_with_the_memory_of_a_shape(cloud):
    """0.019915 + 4 * 0.002669 = 0.030591 for a vCPU of n2-standard."""
    small(cloud)
    cloud.types[ZONE] += [machine_type("n2-standard-8", 8, 32768), machine_type("n2-highmem-2", 2, 16384)]
    cloud.types["us-central1-b"] = cloud.types[ZONE][:1]
    cloud.skus += [sku("Commitment v1: N2 Cpu in Americas for 1 Year", "0.019915", usage="Commit1Yr"),
                   sku("Commitment v1: N2 Ram in Americas for 1 Year", "0.002669", "RAM", "Commit1Yr"),
                   sku("Commitment v1: N2 Cpu in Americas for 3 Year", "0.014225", usage="Commit3Yr")]
    found = rows(cloud, wanted={"offerings": False, "quotas": False})
    told = {p.id: p for p in found["products"]}
    assert sorted(told) == ["gcp-cud/us-central1/n2/4096mib/1y", "gcp-cud/us-central1/n2/8192mib/1y"]
    product = told["gcp-cud/us-central1/n2/4096mib/1y"]
    assert money(product.hourly_fee) == "0.030591" and product.term_hours == 8760
    assert [r.units for r in product.rates] == [2, 8]
    assert money(told["gcp-cud/us-central1/n2/8192mib/1y"].hourly_fee) == "0.041267"


# ---- Quotas, inventory, usage ----

def quota(metric, limit, usage=0.0):
    return {"metric": metric, "limit": limit, "usage": usage}


@pytest.mark.parametrize("spot", [0.0, 100.0])
def test_a_metric_of_a_family_takes_it_out_of_cpus(cloud, spot):
    cloud.quotas["us-central1"] = [quota("CPUS", 72.0, 4.0), quota("N2_CPUS", 24.0), quota("PREEMPTIBLE_CPUS", spot),
                                   quota("NVIDIA_A100_GPUS", 8.0), quota("DISKS_TOTAL_GB", 4096.0),
                                   quota("INSTANCES", 6000.0)]
    found = {q.code: q for q in rows(cloud, wanted={"offerings": False, "products": False})["quotas"]}
    assert set(found) == {"CPUS", "N2_CPUS", "NVIDIA_A100_GPUS", "INSTANCES"} | ({"PREEMPTIBLE_CPUS"} if spot else set())
    assert (found["CPUS"].limit, found["CPUS"].used, found["CPUS"].region) == (72, 4, "us-central1")
    assert [list(t.family) for t in found["CPUS"].scope.exclude] == [["n2"]]
    assert [list(t.family) for t in found["N2_CPUS"].scope.include] == [["n2"]]
    assert list(found["N2_CPUS"].scope.include[0].purchase) == ([ON_DEMAND] if spot else [])
    assert list(found["NVIDIA_A100_GPUS"].scope.include[0].type) == ["a2-highgpu*", "a2-megagpu*"]


def test_quotas_of_the_project_hold_over_all_regions(cloud):
    cloud.quotas = {"us-central1": [], "": [quota("CPUS_ALL_REGIONS", 12.0, 3.0), quota("GPUS_ALL_REGIONS", 0.0),
                                            quota("NETWORKS", 15.0)]}
    found = rows(cloud, wanted={"offerings": False, "products": False})["quotas"]
    assert [(q.code, q.region, q.limit, q.used) for q in found] == [("CPUS_ALL_REGIONS", "", 12, 3),
                                                                   ("GPUS_ALL_REGIONS", "", 0, 0)]


def test_instances_of_all_zones_are_inventory(cloud):
    base = "https://www.googleapis.com/compute/v1/projects/project-1/zones/us-central1-a/machineTypes/"
    web = {"id": "4520031799277581759", "name": "web", "machineType": base + "n2-standard-2", "status": "RUNNING",
           "creationTimestamp": "2026-03-01T04:00:00.000-08:00", "labels": {"team": "web"},
           "scheduling": {"preemptible": False, "provisioningModel": "STANDARD"}}
    job = {**web, "id": "7", "name": "job", "status": "TERMINATED", "scheduling": {"preemptible": True}, "labels": {},
           "disks": [{"licenses": ["https://www.googleapis.com/compute/v1/projects/windows-cloud/global/licenses/x"]}]}
    cloud.instances = {ZONE: [web, job], "us-central1-b": [], "europe-west1-b": [{**web, "id": "8"}]}
    cloud.page_size = 1
    found = rows(cloud, wanted={**NOTHING, "inventory": True})
    assert [(r.resource, r.type, r.zone, r.os, r.purchase, r.state, dict(r.tags)) for r in found["inventory"]] == [
        ("4520031799277581759", "n2-standard-2", ZONE, "linux", ON_DEMAND, "RUNNING", {"team": "web"}),
        ("7", "n2-standard-2", ZONE, "windows", SPOT, "TERMINATED", {})]
    assert found["inventory"][0].started_at.seconds == NOW - 48 * HOUR and codes(found) == []


def point(end, **value):
    return {"interval": {"startTime": end, "endTime": end}, "value": value}


def test_usage_is_a_ratio_whose_newest_point_comes_first(cloud):
    series = {"metric": {"labels": {"instance_name": "web"}},
              "resource": {"type": "gce_instance", "labels": {"zone": ZONE, "instance_id": "7"}},
              "points": [point("2026-03-03T12:00:00Z", int64Value="1"), point("2026-03-03T11:00:00Z", doubleValue=0.125),
                         point("2026-03-03T10:00:00Z", doubleValue=0.5)]}
    cloud.series["ALIGN_MEAN"] = [series]
    found = rows(cloud, wanted={**NOTHING, "usage": (NOW - 2 * HOUR, NOW)})
    assert [(u.resource, u.metric, u.statistic, u.start.seconds - NOW, u.duration_seconds, u.value)
            for u in found["usage"]] == [("7", "cpu_ratio", 1, -2 * HOUR, HOUR, 0.125), ("7", "cpu_ratio", 1, -HOUR, HOUR, 1)]


# ---- How Google Cloud refuses, throttles and pages ----

def test_pages_end_at_the_empty_token(cloud):
    small(cloud)
    cloud.page_size = 1
    assert summary(rows(cloud, wanted=CATALOG)["offerings"]) == SMALL
    assert sum(p.endswith("/skus") for p in cloud.paths) == 4


def test_the_same_token_twice_ends_the_fetch(cloud):
    small(cloud)
    cloud.same_token = True
    assert refused(cloud, wanted=CATALOG).kind == "permanent"


def test_each_service_has_a_token_of_its_own_scope(cloud):
    small(cloud)
    rows(cloud, wanted=CATALOG)
    assert sorted(s.rpartition("/")[2] for s in cloud.tokens.values()) == ["cloud-billing.readonly", "compute.readonly"]


def test_the_price_list_may_be_asked_for_with_a_key(cloud):
    small(cloud)
    assert summary(rows(cloud, wanted=CATALOG, price_auth="api-key")["offerings"]) == SMALL
    asked = [dict(r.query) for r in cloud.requests if r.path.endswith("/skus")]
    assert [q["key"] for q in asked] == [API_KEY] and len(cloud.tokens) == 1


def test_a_key_that_is_wrong_is_told_and_not_shown(cloud):
    small(cloud)
    failure = refused(cloud, wanted=CATALOG, price_auth="api-key", secrets={**cloud.secrets, "api_key": "AIza-wrong"})
    assert failure.kind in ("auth", "permanent") and "AIza-wrong" not in str(failure)


def test_an_assertion_of_another_time_is_refused(cloud):
    small(cloud)
    cloud.now = NOW + 2 * HOUR
    assert refused(cloud, wanted=CATALOG).kind == "auth" and not cloud.tokens


def test_a_token_that_is_refused_once_is_renewed(cloud):
    small(cloud)
    cloud.revoked = 1
    assert summary(rows(cloud, wanted=CATALOG)["offerings"]) == SMALL


@pytest.mark.parametrize("path", ["/skus", "/machineTypes"])
def test_exhausted_resources_are_waited_out_and_given_up_in_the_end(cloud, path):
    small(cloud)
    answer = Answer(429, b'{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}')
    cloud.first[path] = [answer] * 2
    assert summary(rows(cloud, wanted=CATALOG)["offerings"]) == SMALL
    cloud.first[path] = [answer] * 3
    failure = refused(cloud, wanted=CATALOG)
    assert failure.kind in ("retryable", "quota") and failure.code == "RESOURCE_EXHAUSTED"


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"skus":[]}', b'{"skus":[],"skus":[]}', b"{", b"null"])
def test_an_answer_that_is_no_price_list_can_be_asked_for_later(cloud, body):
    small(cloud)
    cloud.first["/skus"] = [Answer(body=body)] * 3
    assert refused(cloud, wanted=CATALOG).kind == "retryable"


@pytest.mark.parametrize("config", [{"regions": "us central1/../.."}, {"regions": ","}, {"project": "a/b"},
                                    {"currency": "U'D"}])
def test_what_stands_in_a_url_is_checked(cloud, config):
    assert next(iter(config)) in str(refused(cloud, **config))


# ---- What Google Cloud really answered ----

@recorded
def test_recorded_skus_give_recorded_prices(cloud):
    """12 cores of 0.031611, 85 GiB of 0.004237 and an A100 of 2.933908; the rest is in rupiah of one decimal more."""
    cloud.skus = json.loads((DATA / "api_skus_sample.json").read_text())["skus"]
    cloud.types = {ZONE: [machine_type("a2-highgpu-1g", 12, 87040, accelerators=[
        {"guestAcceleratorType": "nvidia-tesla-a100", "guestAcceleratorCount": 1}]),
        machine_type("e2-standard-2", 2, 8192)], "asia-southeast1-b": [machine_type("t2d-standard-1", 1, 4096)]}
    found = rows(cloud, wanted=CATALOG, regions="us-central1,asia-southeast1")
    assert {o.type: (money(o.price), o.price.currency_code) for o in found["offerings"]} == {
        "a2-highgpu-1g": ("3.673385", "USD"), "e2-standard-2": ("1005.171294968", "IDR"),
        "t2d-standard-1": ("781.754996087", "IDR")}


@recorded
def test_a_recorded_refusal_of_a_key(cloud):
    small(cloud)
    cloud.first["/skus"] = [Answer(400, (DATA / "api_error_sample.json").read_bytes())]
    assert refused(cloud, wanted=CATALOG, price_auth="api-key").kind in ("auth", "permanent")


@recorded
@pytest.mark.parametrize("name, want", [("timeSeries_cpu", [("iap-test-webapp", 0.0034935695658400334)]),
                                        ("timeSeries_empty", [])])
def test_recorded_series(cloud, name, want):
    answer = json.loads((DATA / "recorded" / f"{name}.json").read_text())["body"]
    cloud.first["/timeSeries"] = [Answer(body=json.dumps(answer).encode())]
    at = 1617302167  # 2021-04-01T18:36:07Z
    found = rows(cloud, wanted={**NOTHING, "usage": (at - 86400, at)}, regions="us-east4", usage_seconds=3600)
    assert [(u.resource, u.value) for u in found["usage"]] == want


@recorded
def test_real_prices_of_a_region_are_sums_of_two_parts(cloud):
    """Of each family the parts follow from two of its types (price = vCPUs * core + GiB * memory); all its other types
    must then cost what the recorded prices say, but for the rounding of the parts and of a MiB."""
    told = json.loads(lzma.open(DATA / "prices_2026-08-03.json.xz").read())["prices"]["us-central1"]["on_demand"]
    types = {}
    for line in gzip.open(DATA / "machinetypes.csv.gz", "rt").read().splitlines()[1:]:
        name, vcpus, _, gib = line.split(";")[:4]
        if name in told and name.split("-")[0] in ("n1", "n2", "n2d", "e2", "c2", "c2d", "t2d", "t2a", "m3"):
            types[name] = (int(vcpus), fractions.Fraction(gib), fractions.Fraction(str(told[name])))
    types = {n: t for n, t in types.items() if not n.endswith("-lssd") and n not in ("e2-micro", "e2-small", "e2-medium")
             and "mem-" not in n.replace("highmem-", "")}
    families = collections.defaultdict(list)
    for name in types:
        families[name.split("-")[0]].append(name)
    names = {"n1": "N1 Predefined Instance", "c2": "Compute optimized", "m3": "M3 Memory-optimized Instance"}
    for family, members in families.items():
        pairs = [(a, b) for a in members for b in members
                 if types[a][0] * types[b][1] != types[b][0] * types[a][1]]
        (v1, g1, p1), (v2, g2, p2) = (types[n] for n in max(
            pairs, key=lambda p: types[p[0]][2] + types[p[1]][2])) if pairs else (types[members[0]], (0, 1, 0))
        memory = (p1 * v2 - p2 * v1) / (g1 * v2 - g2 * v1) if pairs else fractions.Fraction(0)
        core = (p1 - g1 * memory) / v1
        cloud.skus += part(names.get(family, family.upper() + " Instance"), f"{float(core):.9f}", f"{float(memory):.9f}")
    cloud.types = {ZONE: [machine_type(n, v, int(g * 1024)) for n, (v, g, _) in types.items()]}
    found = prices(cloud)
    assert set(found) == set(types) and len(found) > 100
    wrong = {n: (found[n], float(types[n][2])) for n in types
             if abs(fractions.Fraction(found[n]) - types[n][2]) > fractions.Fraction(1, 10 ** 5)}
    assert not wrong
