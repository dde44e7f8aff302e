"""What the tests of the plugin huawei share: a small region, and its rows."""
from isocost_protos import BUILD, offering_pb2
from plugin_host import fetching, money
from replay_huawei import flavor

PLUGIN = BUILD / "plugins" / "huawei.so"
NOW = 1772539200  # 2026-03-03T12:00:00Z
R = "cn-north-4"
CATALOG = {"products": False, "quotas": False}
NOTHING = {"products": False, "quotas": False, "offerings": False}
_AVAILABLE, _SOLD_OUT = offering_pb2.OFFERING_STATUS_AVAILABLE, offering_pb2.OFFERING_STATUS_SOLD_OUT

# Type, zone, status, price: 80 % of the official 0.5 and 1.25 are paid.
SMALL = [("c7.xlarge.4", "a", _AVAILABLE, "1.", "CNY"), ("c7.xlarge.4", "b", _AVAILABLE, "1.", "CNY"),
         ("s6.large.2", "a", _AVAILABLE, "0.4", "CNY"), ("s6.large.2", "b", _SOLD_OUT, "0.4", "CNY")]


def small(cloud, name=R):
    """Two types in two zones, one of them sold out in one."""
    region = cloud.region(name)
    region.zones = [f"{name}a", f"{name}b"]
    region.types = [flavor("s6.large.2", **{"cond:operation:az": f"{name}b(sellout)"}), flavor("c7.xlarge.4", 4, 16384)]
    region.prices = {("s6.large.2", "hour"): 0.5, ("c7.xlarge.4", "hour"): 1.25, ("s6.large.2", "month"): 150,
                     ("s6.large.2", "year"): 1500, ("c7.xlarge.4", "month"): 375, ("c7.xlarge.4", "year"): 3750}
    return region


rows, refused = fetching(PLUGIN, NOW, lambda cloud: {"projects": cloud.projects(R)})


def summary(offerings):
    return sorted((o.type, o.zone[-1:], o.status, *(money(o.price) if o.HasField("price") else ("none",)))
                  for o in offerings)

