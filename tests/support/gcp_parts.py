"""Prices of cores and of memory of Google Cloud, found from the prices of its machines.

The price file has what machines cost by the hour; the service sells cores and GiB apart. Two machines of a family that
have different memory for each core give both prices. They are right if every machine of the family, in that region and
bought in that way, costs what they give, to a millionth; families for which they do not are left out. So are machines
with GPUs or local disks, whose prices hold one part more.
"""
import functools

import real_catalog

NAMES = ("c2d", "c3", "c3d", "c4", "c4a", "c4d", "c4n", "e2", "m3", "n1", "n2", "n2d", "n4", "n4a", "n4d")
GROUPS = {"f1": "F1Micro", "g1": "G1Small"}  # a machine is the one part of these
SHARED_CORES = {"e2-micro": 0.25, "e2-small": 0.5, "e2-medium": 1.0}  # cores that are charged
NEAR = 1e-6


def region_of(zone):
    return zone.rpartition("-")[0]


def family_of(name):
    """The family that a machine is charged as: the first ones with much memory were named n1 and are m1."""
    return "m1" if name.startswith(("n1-megamem-", "n1-ultramem-")) else name.partition("-")[0]


def has_local_disks(name):
    return "lssd" in name


@functools.cache
def prices():
    """{region: {"on_demand" or "spot": {type: price}}}"""
    return real_catalog.read_json("gcp/prices_2026-08-03.json.xz")["prices"]


@functools.cache
def offered():
    """Types of zones, in the regions that have prices."""
    return [row for row in real_catalog.read_csv("gcp/machinetypezone.csv.gz", ";")
            if region_of(row["ZONE"]) in prices()]


@functools.cache
def shapes():
    """Type: (cores that are charged, GiB)."""
    return {row["NAME"]: (SHARED_CORES.get(row["NAME"], float(row["CPUS"])), float(row["MEMORY_GB"]))
            for row in real_catalog.read_csv("gcp/machinetypes.csv.gz", ";")}


@functools.cache
def _descriptions():
    """Family: words of its SKUs before the part."""
    words = {row["MAPPING"]: row["SKU_DESCRIPTION"]
             for row in real_catalog.read_csv("gcp/sku_description_mapping.csv")}
    return {family: words[f"gce.compute.cpu.{family}"].rstrip("%").removesuffix(" Core")
            for family in (*NAMES, *GROUPS)}


def description(family, usage, part):
    words = _descriptions()[family]
    if family not in GROUPS:
        words += {"core": " Core", "memory": " Ram"}[part]
    return {"on_demand": "", "spot": "Spot Preemptible "}[usage] + words


def _solve(a, b):
    """The price of a core and of a GiB from (cores, GiB, price) twice, or None."""
    determinant = a[0] * b[1] - a[1] * b[0]
    if abs(determinant) < 1e-9:
        return None
    found = [(a[2] * b[1] - a[1] * b[2]) / determinant, (a[0] * b[2] - a[2] * b[0]) / determinant]
    return None if min(found) < 0 else [round(x, 9) for x in found]


def _find(machines):
    """The parts that give the price of all machines, from large ones first: they tell more digits."""
    machines = sorted(machines, reverse=True)
    for i, a in enumerate(machines):
        for b in machines[i + 1:]:
            found = _solve(a, b)
            if found and all(abs(found[0] * x + found[1] * y - price) <= NEAR * price for x, y, price in machines):
                return found
    return None


@functools.cache
def parts():
    """{(region, family, usage): {"core": text, "memory": text}}"""
    found = {}
    for region, usages in prices().items():
        for usage, machines in usages.items():
            for family in NAMES:
                own = [(*shapes()[name], price) for name, price in machines.items()
                       if family_of(name) == family and name in shapes() and not has_local_disks(name)]
                pair = _find(own)
                if pair:
                    found[region, family, usage] = dict(zip(("core", "memory"), map(real_catalog.plain, pair)))
            for family in GROUPS:
                own = [price for name, price in machines.items() if family_of(name) == family]
                if own:
                    found[region, family, usage] = {"core": real_catalog.plain(own[0])}
    return found


def price_of(region, name, usage):
    """What a machine costs: the price of the file, or what its parts give; None: no part is known."""
    pair = parts().get((region, family_of(name), usage))
    if pair is None or has_local_disks(name):
        return None
    stated = prices()[region][usage].get(name)
    if stated is not None:
        return stated
    cores, gib = shapes()[name]
    return float(pair["core"]) * cores + float(pair["memory"]) * gib
