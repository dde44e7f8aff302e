"""The rows that must come of the real clouds (real_clouds.py), worked out from the files and from nothing of the product.

    rows = list(offered_rows())            # what the clouds sell, one for each zone; a price may be missing
    good, left_out = judge(rows)           # {id: row}, {code: count}
"""
import collections

import gcp_parts
import huawei_made_up
import real_catalog
from price_findings import find_spread, offering_id

AWS_REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1")  # that have a table of zones


def _row(provider, region, zone, name, purchase, price, currency, resources):
    return {"provider": provider, "region": region, "zone": zone, "type": name, "purchase": purchase, "price": price,
            "currency": currency, "vcpu": float(resources.get("vcpu") or 0),
            "memory_gib": float(resources.get("memory_gib") or 0)}


def aws_rows():
    types = real_catalog.read_json("aws/instance_types.json.xz")
    prices = {row["instance_type"]: row["price_per_hour"]
              for row in real_catalog.read_csv("aws/ondemand_prices.csv.gz") if row["region"] == "us-east-1"}
    for row in real_catalog.read_csv("aws/az_offerings.csv.xz"):
        record = types.get(row["instance_type"])
        if record and "on-demand" in record["SupportedUsageClasses"]:
            yield _row("aws", row["region"], row["zone"] + "-id", row["instance_type"], "on-demand",
                       prices.get(row["instance_type"]), "USD", real_catalog.aws_resources(record))


def azure_rows():
    reference = real_catalog.reference_resources()
    for row in real_catalog.read_csv("azure/ondemand_prices.csv.xz"):
        name = row["arm_sku_name"].lower()
        yield _row("azure", row["region"], "*", name, "on-demand", row["price_per_hour"], "USD",
                   reference.get(("azure", name.strip()), {}))


def gcp_rows():
    """Spot is sold where its price is known; on demand every type of a zone is told."""
    for row in gcp_parts.offered():
        region, name = gcp_parts.region_of(row["ZONE"]), row["NAME"]
        resources = {"vcpu": row["CPUS"], "memory_gib": row["MEMORY_GB"]}
        for usage, purchase in (("on_demand", "on-demand"), ("spot", "spot")):
            price = gcp_parts.price_of(region, name, usage)
            if price is not None or purchase == "on-demand":
                yield _row("gcp", region, row["ZONE"], name, purchase,
                           None if price is None else real_catalog.plain(price), "USD", resources)


def alibaba_rows():
    for region, answer in real_catalog.read_json("alibaba/prices_2024-06-12.json.xz").items():
        for name, record in answer["instanceTypePrices"].items():
            resources = {"vcpu": record["vcpu"], "memory_gib": record["memory"]}
            for zone in record["zones"]:
                yield _row("alibaba", region, zone, name, "on-demand",
                           real_catalog.plain(record["onDemandPricePerHour"]), "CNY", resources)
            for zone, price in (record.get("spotPricePerHour") or {}).items():
                yield _row("alibaba", region, zone, name, "spot", real_catalog.mended(price), "CNY", resources)


def huawei_rows():
    for region in huawei_made_up.REGIONS:
        for name, family, vcpus, gib in huawei_made_up.types():
            price = real_catalog.plain(huawei_made_up.price(region, family, vcpus, gib))
            for zone in huawei_made_up.ZONES:
                yield _row("huawei", region, region + zone, name, "on-demand", price, "CNY",
                           {"vcpu": vcpus, "memory_gib": gib})


ROWS = {"aws": aws_rows, "azure": azure_rows, "gcp": gcp_rows, "alibaba": alibaba_rows, "huawei": huawei_rows}


def offered_rows(names=tuple(ROWS)):
    for name in names:
        yield from ROWS[name]()


def _priced_unknown():
    """Types that AWS prices in a region and EC2 does not know: the plugin leaves a row of each out."""
    types = real_catalog.read_json("aws/instance_types.json.xz")
    return len(AWS_REGIONS) * sum(row["region"] == "us-east-1" and row["instance_type"] not in types
                                  for row in real_catalog.read_csv("aws/ondemand_prices.csv.gz"))


def judge(rows):
    """The good ones of all rows by id, and how many are left out by code."""
    left_out, priced = collections.Counter(), {}
    for row in rows:
        if row["type"] != row["type"].strip():
            left_out["invalid_name"] += 1
        elif row["price"] is None:
            left_out["missing_price"] += 1
        elif float(row["price"]) == 0:
            left_out["zero_price"] += 1
        else:
            priced[offering_id(row)] = row
    outliers = find_spread(priced)["price_outlier"]
    left_out["price_outlier"] = len(outliers)
    left_out["priced_unknown"] = _priced_unknown()
    return {name: row for name, row in priced.items() if name not in outliers}, left_out
