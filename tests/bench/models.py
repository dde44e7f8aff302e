"""What the families share: money, hours and options as proto3 JSON."""
from google.protobuf import json_format

from isocost_protos import model_pb2


def usd(value):
    nanos = round(value * 1e9)
    return {"currencyCode": "USD", "units": str(nanos // 10**9), "nanos": nanos % 10**9}


def hourly(model, n_levels):
    """A year: as hours when there are 8,760 levels, as load levels of equal length otherwise."""
    if n_levels == 8760:
        model["loadLevels"] = {"hours": 8760, "lossless": True}
    else:
        model["periods"] = [{"id": f"p{t}", "hours": round(8760 / n_levels, 6)} for t in range(n_levels)]


def message(model, gap, seconds):
    model = dict(model, options={"gap": gap, "timeLimitSeconds": seconds})
    return json_format.ParseDict(model, model_pb2.Model())
