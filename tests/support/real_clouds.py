"""Replayed clouds that sell what real price files hold: AWS, Azure, Google Cloud and Alibaba Cloud; and Huawei Cloud,
of which there is no such file.

Prices, types, zones and offers are those of the files (real_catalog.py); what is put around them is the shape in which
the cloud's services tell them. What services tell and the files do not:

- AWS: the price file has one region; the other three that have a table of zones are made as dear.
- Azure: sizes of machines are those of the reference table; one that it does not know comes without vCPUs.
- Google Cloud: it sells cores and memory, and the file has prices of machines. The prices of the parts are found from
  those of machines; a family is sold if all its machines have the prices that its parts give (gcp_parts.py).
- Alibaba Cloud: a zone has what the file lists in it; a spot market has the one price that the file has.
- Huawei Cloud: everything is made up (huawei_made_up.py).

Another cloud is an entry of CLOUDS.
"""
import contextlib
import fractions
import time

import gcp_parts
import huawei_made_up
import real_catalog
from cloud_server import CloudServer
from process_watch import ProcessWatch
from replay_alibaba import ReplayAlibaba, instance_type, point
from replay_aws import ReplayAws, price_row
from replay_azure import SUBSCRIPTION, ReplayAzure, item, sku
from replay_gcp import PROJECT, ReplayGcp, machine_type
from replay_gcp import sku as gcp_sku
from replay_huawei import ReplayHuawei, flavor

NOW = 1772539200  # 2026-03-03T12:00:00Z
SPOT_TIME = "2026-03-03T11:00:00Z"


def fill_aws(cloud):
    types = real_catalog.read_json("aws/instance_types.json.xz")
    prices = [r for r in real_catalog.read_csv("aws/ondemand_prices.csv.gz") if r["region"] == "us-east-1"]
    for row in real_catalog.read_csv("aws/az_offerings.csv.xz"):
        region = cloud.region(row["region"])
        region.zones[row["zone"]] = row["zone"] + "-id"
        region.offered.append((row["instance_type"], row["zone"]))
    for region in cloud.regions.values():
        region.types = list(types.values())
        region.prices = [price_row(r["instance_type"], r["price_per_hour"]) for r in prices]
    return {"regions": ",".join(cloud.regions)}


def azure_capabilities(known):
    return {"vCPUs": known["vcpu"], "MemoryGB": known["memory_gib"], "GPUs": known["gpu"],
            "CpuArchitectureType": "Arm64" if known["arch"] == "arm64" else "x64"} if known else {
                "vCPUs": "", "MemoryGB": "", "GPUs": ""}


def fill_azure(cloud):
    reference = real_catalog.reference_resources()
    cloud.page_size = 1000
    for row in real_catalog.read_csv("azure/ondemand_prices.csv.xz"):
        region, name = cloud.region(row["region"]), row["arm_sku_name"]
        known = reference.get(("azure", name.strip().lower()))
        region.skus.append(sku(name, zones=(), location=row["region"], **azure_capabilities(known)))
        region.items.append(item(name, float(row["price_per_hour"]), armRegionName=row["region"]))
    return {"regions": ",".join(cloud.regions), "subscription": SUBSCRIPTION}


def fill_gcp(cloud):
    cloud.page_size = 1000
    for row in gcp_parts.offered():
        disks = {"bundledLocalSsds": {"partitionCount": 1}} if gcp_parts.has_local_disks(row["NAME"]) else {}
        status = {"deprecated": {"state": "DEPRECATED"}} if row["DEPRECATED"] else {}
        cloud.types.setdefault(row["ZONE"], []).append(machine_type(
            row["NAME"], int(row["CPUS"]), int(fractions.Fraction(row["MEMORY_GB"]) * 1024), **disks, **status))
    for (region, family, usage), parts in gcp_parts.parts().items():
        for part, price in parts.items():
            cloud.skus.append(gcp_sku(
                gcp_parts.description(family, usage, part) + f" running in {region}", price,
                gcp_parts.GROUPS.get(family, {"core": "CPU", "memory": "RAM"}[part]),
                {"on_demand": "OnDemand", "spot": "Preemptible"}[usage], [region],
                unit={"core": "h", "memory": "GiBy.h"}[part]))
    cloud.quotas.update({gcp_parts.region_of(zone): [] for zone in cloud.types})  # no file has quotas
    return {"project": PROJECT, "regions": ",".join(cloud.quotas)}


def fill_alibaba(cloud):
    reference = real_catalog.reference_resources()
    for name, answer in real_catalog.read_json("alibaba/prices_2024-06-12.json.xz").items():
        region = cloud.region(name)
        for kind, record in answer["instanceTypePrices"].items():
            arch = reference.get(("alicloud", kind.lower()), {}).get("arch")
            region.types.append(instance_type(kind, record["vcpu"], record["memory"], GPUAmount=record["gpu"],
                                              CpuArchitecture="ARM" if arch == "arm64" else "X86"))
            region.prices[kind, "Hour"] = (record["onDemandPricePerHour"], 0.0)
            for zone in record["zones"]:
                region.zones.setdefault(zone, {})[kind] = "WithStock"
            spot = record.get("spotPricePerHour") or {}
            for zone in spot:
                region.spot_zones.setdefault(zone, {})[kind] = "WithStock"
            if spot:
                region.markets[kind] = [point(zone, price, SPOT_TIME) for zone, price in spot.items()]
    return {"regions": ",".join(cloud.regions), "price": "original", "subscriptions": "none"}


def fill_huawei(cloud):
    for name in huawei_made_up.REGIONS:
        region = cloud.region(name)
        region.zones = [name + zone for zone in huawei_made_up.ZONES]
        for kind, family, vcpus, gib in huawei_made_up.types():
            specs = {"ecs__performancetype": "kunpeng_computing"} if huawei_made_up.is_arm(family) else {}
            region.types.append(flavor(kind, vcpus, gib * 1024, **specs))
            region.prices[kind, "hour"] = float(huawei_made_up.price(name, family, vcpus, gib))
    return {"projects": cloud.projects(*cloud.regions), "price": "official", "subscriptions": "none"}


# name of the plugin: (makes its replay, fills it with all that the files have and gives the parameters)
CLOUDS = {
    "aws": (lambda: ReplayAws(NOW), fill_aws),
    "azure": (ReplayAzure, fill_azure),
    "gcp": (lambda: ReplayGcp(NOW), fill_gcp),
    "alibaba": (lambda: ReplayAlibaba(NOW), fill_alibaba),
    "huawei": (lambda: ReplayHuawei(NOW), fill_huawei),
}


@contextlib.contextmanager
def real_clouds(folder, names=tuple(CLOUDS)):
    """A server whose providers are all of them."""
    with contextlib.ExitStack() as stack:
        clouds = {}
        for name in names:
            make, fill = CLOUDS[name]
            cloud = stack.enter_context(make())
            clouds[name] = (cloud, fill(cloud))
        yield stack.enter_context(CloudServer(folder, clouds, NOW))


class Refreshed:
    """All clouds of a server after one refresh, and what it took: seconds, and the usage by program; a plugin host is
    told with the provider that it served."""

    def __init__(self, clouds):
        self.clouds, self.progress = clouds, {}
        begin = time.monotonic()
        with ProcessWatch(clouds.server.process.pid) as watch:
            self.snapshot = clouds.refresh(progress=self._note)
        self.seconds, self.usage = time.monotonic() - begin, watch.peaks()

    def _note(self, progress):
        self.progress[progress.provider] = progress

    def left_out(self):
        """Rows left out by code."""
        return {d.code: d.count for d in self.snapshot.diagnostics if d.quarantined}
