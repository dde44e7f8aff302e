"""What looks wrong with prices when they are seen together, found without the code of the server.

A row has provider, region, type, purchase ("on-demand" or "spot"), price (as text) and currency, and may have a zone.
"""
import collections
import decimal
import statistics


def offering_id(row):
    return "/".join((row["provider"], row["region"], row.get("zone", "*"), row["type"].strip(),
                     "linux", row["purchase"])).lower()


def find_spot(priced):
    """Spot prices that are not below the on-demand price of their region."""
    found = {"spot_above_on_demand": set(), "spot_equals_on_demand": set()}
    for name, row in priced.items():
        if row["purchase"] != "spot":
            continue
        other = priced.get(offering_id({**row, "zone": "*", "purchase": "on-demand"}))
        if other and decimal.Decimal(row["price"]) > decimal.Decimal(other["price"]):
            found["spot_above_on_demand"].add(name)
        elif other and decimal.Decimal(row["price"]) == decimal.Decimal(other["price"]):
            found["spot_equals_on_demand"].add(name)
    return found


def find_spread(priced):
    """Prices 4 times, and 20 times, away from the median of their regions' lowest."""
    groups = collections.defaultdict(list)
    for name, row in priced.items():
        groups[row["provider"], row["type"].strip().lower(), row["currency"], row["purchase"]].append(
            (row["region"].lower(), float(row["price"]), name))
    found = {"price_spread": set(), "price_outlier": set()}
    for rows in groups.values():
        lowest = {}
        for region, price, _ in rows:
            lowest[region] = min(price, lowest.get(region, price))
        if len(lowest) < 3:
            continue
        median = statistics.median(lowest.values())
        for _, price, name in rows:
            factor = max(price / median, median / price)
            if factor >= 20:
                found["price_outlier"].add(name)
            elif factor >= 4:
                found["price_spread"].add(name)
    return found
