"""A large catalog of Huawei Cloud that is made up: no file of its prices has a licence. Names, sizes and shapes are like
the service's; prices are not, so that no plan takes them for cheap.

A type has a family, a size and GiB for each vCPU; each region has three zones, which offer all types.
"""
import decimal

REGIONS = ("cn-north-4", "cn-north-9", "cn-east-2", "cn-east-3", "cn-south-1", "cn-southwest-2", "ap-southeast-1",
           "ap-southeast-2", "ap-southeast-3", "af-south-1", "la-south-2", "tr-west-1")
FAMILIES = ("s6", "s7", "c6", "c6s", "c7", "c7n", "m6", "m7", "ac7", "t6", "kc1", "km1")
SIZES = {"medium": 1, "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32, "12xlarge": 48, "16xlarge": 64}
GIB_PER_VCPU = (1, 2, 4, 8)
ZONES = "abc"


def is_arm(family):
    return family.startswith("k")


def types():
    """(name, family, vCPUs, GiB)"""
    for family in FAMILIES:
        for size, vcpus in SIZES.items():
            for gib in GIB_PER_VCPU:
                yield f"{family}.{size}.{gib}", family, vcpus, vcpus * gib


def price(region, family, vcpus, gib):
    """CNY by the hour: some more in each region than in the one before, so that none is an outlier."""
    core = decimal.Decimal("0.21") + decimal.Decimal("0.003") * FAMILIES.index(family)
    whole = core * vcpus + decimal.Decimal("0.031") * gib
    return whole * (100 + 3 * REGIONS.index(region)) / 100
