"""Catalogs of real prices for tests: AWS, Azure, Google Cloud and Alibaba Cloud.

The files are those of a folder of dated price lists (ISO_SHARED_DATA). They are turned into catalog
files as docs/reference/catalog-files.md describes them, row by row and with their faults: rows
without a price, or with a price of 0, stay, and types that no type file knows have no resources.
Prices that a source keeps in 32 bits are written as they are, to 9 places (`file_price`): what they
mean (`price`) is for the server to find.
"""

import csv
import decimal
import gzip
import json
import lzma
import os
import pathlib
import re
import struct

SHARED = pathlib.Path(os.environ.get(
    "ISO_SHARED_DATA",
    pathlib.Path(os.environ.get("ISO_SOURCE", pathlib.Path(__file__).parents[2])) / ".." / "shared" / "data",
)).resolve()

COLUMNS = ("provider", "region", "zone", "type", "purchase", "kind", "family", "arch", "price",
           "currency", "vcpu", "memory_gib", "gpu", "gpu_memory_gib", "local_disk_gib", "status",
           "observed_at")
NANO = decimal.Decimal("1e-9")
AZURE_HOST = re.compile(r"[-_ ]Type *\d+$")  # dedicated hosts: "DCsv2 Type 1", "Ebdsv5-Type1"


def available():
    return (SHARED / "azure" / "ondemand_prices.csv.xz").exists()


# --- the files as they are ---


def _open(name):
    path = SHARED / name
    opener = {".xz": lzma.open, ".gz": gzip.open}.get(path.suffix, open)
    return opener(path, "rt", encoding="utf-8")


def read_json(name):
    with _open(name) as file:
        return json.load(file)


def read_csv(name, delimiter=","):
    with _open(name) as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def gcp_offered():
    """Pairs (region, type) that some zone offers."""
    return {(row["ZONE"].rsplit("-", 1)[0], row["NAME"])
            for row in read_csv("gcp/machinetypezone.csv.gz", ";")}


def aws_offered(region):
    """Types that some zone of the region offers."""
    return {row["instance_type"] for row in read_csv("aws/az_offerings.csv.xz")
            if row["region"] == region}


# --- numbers ---


def plain(number):
    """At most 9 places, without an exponent."""
    text = f"{decimal.Decimal(str(number)).quantize(NANO):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def single(number):
    """The shortest decimal of a number that was stored in 32 bits: 0.1 for 0.10000000149011612."""
    for digits in range(1, 10):
        text = f"{number:.{digits}g}"
        if struct.pack("f", float(text)) == struct.pack("f", number):
            return plain(text)
    return plain(number)


def is_float32(number):
    """Whether a number, to 9 places, is what 32 bits make of a decimal that is 3 digits shorter."""
    raw, meant = (decimal.Decimal(text).normalize() for text in (plain(number), single(number)))
    return raw != meant and len(raw.as_tuple().digits) >= len(meant.as_tuple().digits) + 3


def mended(number):
    return single(number) if is_float32(number) else plain(number)


def gib(mib):
    return plain(decimal.Decimal(mib) / 1024) if mib not in (None, "") else ""


# --- resources by type ---


def reference_resources():
    """(vendor, type in lower case): columns of the servers that the reference table knows."""
    known = {}
    for row in read_csv("reference/sparecores_server.csv.xz"):
        known[row["vendor_id"], row["api_reference"].lower()] = {
            "family": row["family"],
            "arch": row["cpu_architecture"].lower(),
            "vcpu": plain(row["vcpus"]),
            "memory_gib": gib(row["memory_amount"]),
            "gpu": plain(row["gpu_count"] or 0),
            "gpu_memory_gib": gib(row["gpu_memory_total"]),
        }
    return known


def aws_resources(record):
    gpus = record.get("GpuInfo", {}).get("Gpus", [])
    arches = record["ProcessorInfo"]["SupportedArchitectures"]
    disks = record.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0)  # 10^9 bytes
    return {
        "family": record["InstanceType"].split(".")[0],
        "arch": "x86_64" if "x86_64" in arches else arches[0],
        "vcpu": plain(record["VCpuInfo"]["DefaultVCpus"]),
        "memory_gib": gib(record["MemoryInfo"]["SizeInMiB"]),
        # a part of an accelerator has a count of 0
        "gpu": plain(sum(gpu["Count"] or gpu["GpuPartitionSize"] * gpu["LogicalGpuCount"]
                         for gpu in gpus)),
        "gpu_memory_gib": gib(record.get("GpuInfo", {}).get("TotalGpuMemoryInMiB", 0)),
        "local_disk_gib": plain(decimal.Decimal(disks) * 10**9 / 2**30),
    }


def gcp_resources(row, reference):
    known = reference.get(("gcp", row["NAME"].lower()), {})
    return {
        **known,
        "family": row["NAME"].split("-")[0],
        "vcpu": plain(row["CPUS"]),
        "memory_gib": plain(row["MEMORY_GB"]),
        "status": "deprecated" if row["DEPRECATED"] else "",
    }


# --- rows of the catalog ---


def aws_rows(reference):
    types = {name: aws_resources(record)
             for name, record in read_json("aws/instance_types.json.xz").items()}
    priced = set()
    for row in read_csv("aws/ondemand_prices.csv.gz"):
        priced.add((row["region"], row["instance_type"]))
        yield {"provider": "aws", "region": row["region"], "type": row["instance_type"],
               "purchase": "on-demand", "price": row["price_per_hour"], "currency": row["currency"],
               "observed_at": row["generated_at"], **types.get(row["instance_type"], {})}
    for name in sorted(aws_offered("us-east-1")):
        if ("us-east-1", name) not in priced:
            yield {"provider": "aws", "region": "us-east-1", "type": name, "purchase": "on-demand",
                   "currency": "USD", **types.get(name, {})}


def azure_rows(reference):
    for row in read_csv("azure/ondemand_prices.csv.xz"):
        name = row["arm_sku_name"]
        yield {"provider": "azure", "region": row["region"], "type": name, "purchase": "on-demand",
               "kind": "host" if AZURE_HOST.search(name.strip()) else "vm",
               "price": row["price_per_hour"], "currency": row["currency"],
               "observed_at": row["generated_at"],
               **reference.get(("azure", name.strip().lower()), {})}


def gcp_rows(reference):
    types = {row["NAME"]: gcp_resources(row, reference)
             for row in read_csv("gcp/machinetypes.csv.gz", ";")}
    prices = read_json("gcp/prices_2026-08-03.json.xz")["prices"]

    def row(region, name, purchase, price):
        return {"provider": "gcp", "region": region, "type": name, "purchase": purchase,
                "price": price, "currency": "USD", "observed_at": "2026-08-03T00:00:00Z",
                **types.get(name, {})}

    for region, kinds in prices.items():
        for kind, purchase in (("on_demand", "on-demand"), ("spot", "spot")):
            for name, price in kinds[kind].items():
                yield row(region, name, purchase, plain(price))
    for region, name in sorted(gcp_offered()):
        if name not in prices.get(region, {}).get("on_demand", {}):
            yield row(region, name, "on-demand", "")


def alibaba_rows(reference):
    for region, answer in read_json("alibaba/prices_2024-06-12.json.xz").items():
        for name, record in answer["instanceTypePrices"].items():
            known = reference.get(("alicloud", name.lower()), {})
            common = {"provider": "alibaba", "region": region, "type": name, "currency": "CNY",
                      "observed_at": "2024-06-12T00:00:00Z", **known,
                      # the file calls every type amd64: the reference table knows better
                      "arch": known.get("arch", ""), "family": name.rsplit(".", 1)[0],
                      "vcpu": plain(record["vcpu"]), "memory_gib": plain(record["memory"]),
                      "gpu": plain(record["gpu"])}
            yield {**common, "purchase": "on-demand", "price": plain(record["onDemandPricePerHour"])}
            for zone, price in (record.get("spotPricePerHour") or {}).items():
                yield {**common, "zone": zone, "purchase": "spot", "price": mended(price),
                       "file_price": plain(price)}


PROVIDERS = {"aws": aws_rows, "azure": azure_rows, "gcp": gcp_rows, "alibaba": alibaba_rows}


def write_catalog(folder):
    """Writes one table for each provider into `folder`; gives their paths."""
    reference = reference_resources()
    paths = []
    for provider, rows in PROVIDERS.items():
        path = pathlib.Path(folder) / f"offerings-{provider}.csv"
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
            writer.writeheader()
            for row in rows(reference):
                price = row.pop("file_price", row.get("price", ""))
                writer.writerow({**row, "price": price})
        paths.append(path)
    return paths
