"""Prices and subscriptions that the plugin huawei takes: batches, what is not known in them, currencies and amounts."""
import json

import pytest
from fault_cloud import Answer
from huawei_fetch import CATALOG, NOW, R, SMALL, refused, rows, small, summary
from plugin_host import codes, money
from replay_huawei import ReplayHuawei, flavor

PRODUCTS = {"quotas": False, "offerings": False}


@pytest.fixture
def cloud():
    with ReplayHuawei(NOW) as server:
        yield server


def prices(found):
    """Of each type, told once by each of its zones."""
    return {(o.type, *(money(o.price) if o.HasField("price") else ("none",))) for o in found["offerings"]}


def asked(cloud, call="on_demand"):
    """The products of each call."""
    return [[i["resource_spec"].removesuffix(".linux") for i in a["product_infos"]] for c, a in cloud.calls if c == call]


# ---- Amounts and currencies ----

@pytest.mark.parametrize("write", [float, str, lambda amount: f"{amount:.10f}"])
def test_amounts_are_numbers_or_text(cloud, write):
    small(cloud)
    cloud.number = write
    assert summary(rows(cloud, wanted=CATALOG)["offerings"]) == SMALL


@pytest.mark.parametrize("price, paid", [("discounted", {"0.4", "1."}), ("official", {"0.5", "1.25"})])
def test_what_the_account_pays_or_the_public_price_is_taken(cloud, price, paid):
    small(cloud)
    assert {p[1] for p in prices(rows(cloud, wanted=CATALOG, price=price))} == paid


@pytest.mark.parametrize("site, said, told", [("china", "CNY", "CNY"), ("china", "", "CNY"), ("china", None, "CNY"),
                                              ("international", "", "USD"), ("international", "usd", "USD"),
                                              ("china", "USD", "USD")])
def test_the_currency_is_that_of_the_answer_or_of_the_site(cloud, site, said, told):
    small(cloud)
    cloud.currency = said
    assert {p[2] for p in prices(rows(cloud, wanted=CATALOG, site=site))} == {told}
    assert {p.upfront.currency_code for p in rows(cloud, wanted=PRODUCTS, site=site)["products"]} == {told}


def test_a_currency_that_is_no_code_leaves_no_price(cloud):
    small(cloud)
    cloud.currency = "yuan"
    found = rows(cloud, wanted=CATALOG)
    assert codes(found) == ["unknown_currency"] and {p[1] for p in prices(found)} == {"none"}


AMOUNTS = {
    "none": (None, "none", "missing_price"), "text that is none": ("free", "none", "invalid_price"),
    "not a number": ("NaN", "none", "non_finite_price"), "zero": (0, "0.", None), "ten places": ("0.1234567885", "0.123456788", None),
}


@pytest.mark.parametrize("name", AMOUNTS)
def test_an_amount_that_cannot_be_read_is_told_and_zero_is_sent(cloud, name):
    amount, told, code = AMOUNTS[name]
    small(cloud)
    cloud.first["on_demand"] = [Answer(body=json.dumps({"currency": "CNY", "product_rating_results": [
        {"id": "0", "amount": amount, "measure_id": 1}, {"id": "1", "amount": 2, "measure_id": 1}]}).encode())]
    found = rows(cloud, wanted=CATALOG)
    assert prices(found) == {("s6.large.2", *((told, "CNY") if told != "none" else (told,))), ("c7.xlarge.4", "2.", "CNY")}
    assert set(codes(found)) - {"missing_price"} == ({code} if code else set()) - {"missing_price"}
    assert ("missing_price" in codes(found)) == (told == "none")


def test_prices_in_another_measure_are_not_taken(cloud):
    """measure_id 3 is a hundredth of the currency's unit."""
    small(cloud)
    cloud.measure = 3
    found = rows(cloud, wanted=CATALOG)
    assert {p[1] for p in prices(found)} == {"none"} and codes(found) == ["invalid_price"] * 2 + ["missing_price"] * 2


# ---- Batches ----

def many(cloud, n, unknown):
    region = small(cloud)
    region.zones = ["cn-north-4a"]
    region.types = [flavor(f"s6.{i}.2") for i in range(n)]
    region.prices = {(f"s6.{i}.2", "hour"): 0.5 for i in range(n) if i not in unknown}


# Types, those that are not known, and how many calls it takes when each refusal names one.
BATCHES = {
    "one": (3, {1}, 2), "the first and the last": (3, {0, 2}, 3), "all": (3, {0, 1, 2}, 3), "a single one": (1, {0}, 1),
    "one of the second batch": (150, {120}, 3), "some of both": (150, {5, 99, 100}, 5),
}


@pytest.mark.parametrize("code, prose", [("CBC.99006006", "Can not find product {0}"), ("CBC.6006", "Can not find product {0}."),
                                         ("CBC.99006006", '{{"error_code":"CBC.6006","error_msg":"Can not find product {0}"}}')])
@pytest.mark.parametrize("name", BATCHES)
def test_products_that_are_not_known_are_taken_out_and_told(cloud, name, code, prose):
    n, unknown, n_calls = BATCHES[name]
    many(cloud, n, unknown)
    cloud.unknown_code, cloud.unknown_prose = code, prose
    found = rows(cloud, wanted=CATALOG)
    assert prices(found) == {(f"s6.{i}.2", *(("none",) if i in unknown else ("0.4", "CNY"))) for i in range(n)}
    assert sorted((d.code, d.place, d.quarantined) for d in found["diagnostics"]) == sorted(
        ("known_unpriced", f"{R}/s6.{i}.2", False) for i in unknown)
    assert all(code in d.text for d in found["diagnostics"]) and len(asked(cloud)) == n_calls


def test_a_refusal_may_name_several_products(cloud):
    many(cloud, 10, {2, 3, 7})
    cloud.unknown_named = 3
    found = rows(cloud, wanted=CATALOG)
    assert [len(batch) for batch in asked(cloud)] == [10, 7] and codes(found) == ["known_unpriced"] * 3


@pytest.mark.parametrize("prose", ["找不到产品", "Can not find product s6.large.2.linux", "Can not find product", ""])
def test_prose_that_names_none_of_the_batch_ends_with_the_unknown_ones_alone(cloud, prose):
    """7 of 64: halves of 64, 32, 16, 8, 4 and 2 that have it are refused, and the single one."""
    many(cloud, 64, {7})
    cloud.unknown_prose = prose
    found = rows(cloud, wanted=CATALOG)
    assert prices(found) == {(f"s6.{i}.2", *(("none",) if i == 7 else ("0.4", "CNY"))) for i in range(64)}
    assert [(d.code, d.place) for d in found["diagnostics"]] == [("known_unpriced", f"{R}/s6.7.2")]
    refusals = [batch for batch in asked(cloud) if "s6.7.2" in batch]
    assert refusals[-1] == ["s6.7.2"] and len(asked(cloud)) <= 2 * 7 + 7
    assert all(set(batch) <= {f"s6.{i}.2" for i in range(64)} for batch in asked(cloud))


def test_when_nothing_is_known_and_nothing_is_named_the_calls_still_end(cloud):
    """Of n products the last ones are asked for in ever smaller batches: fewer than 3n calls."""
    many(cloud, 40, set(range(40)))
    cloud.unknown_prose = "no"
    found = rows(cloud, wanted=CATALOG)
    told = [d for d in found["diagnostics"] if d.code == "known_unpriced"]
    assert sum(d.count or 1 for d in told) == 40 and {p[1] for p in prices(found)} == {"none"}
    assert len(asked(cloud)) < 3 * 40


@pytest.mark.parametrize("suffix", [".linux", ""])
@pytest.mark.parametrize("unknown", ["s6.large.21", "s6.large.2.metal"])
def test_a_name_that_begins_another_is_not_taken_for_it(cloud, unknown, suffix):
    """Whether the prose names the product or the type."""
    many(cloud, 0, set())
    region = cloud.region(R)
    region.types = [flavor("s6.large.2"), flavor(unknown), flavor("xs6.large.2")]
    region.prices = {("s6.large.2", "hour"): 1, ("xs6.large.2", "hour"): 1}
    cloud.unknown_prose = f"Can not find product {unknown}{suffix}, region {R}"
    found = rows(cloud, wanted=CATALOG)
    assert [d.place for d in found["diagnostics"]] == [f"{R}/{unknown}"] and len(asked(cloud)) == 2


@pytest.mark.parametrize("status, code, kind", [(400, "CBC.0100", "permanent"), (403, "CBC.0151", "auth"),
                                                (400, "CBC.99006055", "permanent"), (500, "CBC.0999", "retryable")])
def test_other_refusals_of_a_batch_end_the_fetch(cloud, status, code, kind):
    small(cloud)
    cloud.first["on_demand"] = [Answer(status, json.dumps({
        "error_code": code, "error_msg": "Can not find product s6.large.2.linux"}).encode())] * 3
    failure = refused(cloud, wanted=CATALOG)
    assert (failure.kind, failure.code) == (kind, code)


@pytest.mark.parametrize("code, kind", [("CBC.0100", "permanent"), ("CBC.0151", "auth"), ("APIGW.0301", "auth"),
                                        ("APIG.0308", "quota"), ("CBC.0999", "retryable")])
def test_an_answer_of_200_that_is_an_error_is_a_failure(cloud, code, kind):
    small(cloud)
    cloud.first["on_demand"] = [Answer(body=json.dumps({"error_code": code, "error_msg": "x"}).encode())]
    failure = refused(cloud, wanted=CATALOG)
    assert (failure.kind, failure.code) == (kind, code)


def test_an_unknown_product_in_an_answer_of_200_is_taken_out_too(cloud):
    many(cloud, 2, {1})
    cloud.first["on_demand"] = [Answer(body=json.dumps({
        "error_code": "CBC.6006", "error_msg": "Can not find product s6.1.2.linux"}).encode())]
    found = rows(cloud, wanted=CATALOG)
    assert asked(cloud) == [["s6.0.2", "s6.1.2"], ["s6.0.2"]] and codes(found) == ["known_unpriced"]


# ---- Subscriptions ----

def test_subscriptions_are_paid_when_they_begin(cloud):
    """80 % of 150 and 1500, the best discount; 95 % is another one."""
    small(cloud)
    found = rows(cloud, wanted=PRODUCTS, subscriptions="both", types="s6.")
    assert [(p.id, p.provider, p.term_hours, money(p.upfront), money(p.hourly_fee)[0]) for p in found["products"]] == [
        ("huawei-subscription/cn-north-4/s6.large.2/1m", "huawei", 730, ("120.", "CNY"), "0."),
        ("huawei-subscription/cn-north-4/s6.large.2/1y", "huawei", 8760, ("1200.", "CNY"), "0.")]
    (term,) = found["products"][0].eligible.include
    assert (list(term.provider), list(term.region), list(term.type), list(term.os)) == (
        ["huawei"], [R], ["s6.large.2"], ["linux"])
    assert [(i["period_type"], i["period_num"], i["subscription_num"]) for c, a in cloud.calls if c == "subscribe"
            for i in a["product_infos"]] == [(2, 1, 1), (3, 1, 1)]


@pytest.mark.parametrize("subscriptions, terms", [("none", []), ("month", [730]), ("year", [8760]), ("both", [730, 8760])])
def test_the_terms_that_are_wanted_are_asked_for(cloud, subscriptions, terms):
    small(cloud)
    found = rows(cloud, wanted=PRODUCTS, subscriptions=subscriptions, types="c7.")
    assert [p.term_hours for p in found["products"]] == terms and len(asked(cloud, "subscribe")) == len(terms)
    assert asked(cloud) == []


@pytest.mark.parametrize("config, discount", [({"price": "official"}, 0.8), ({}, 1)])
def test_the_official_price_of_a_subscription_is_taken_where_it_is_wanted_or_the_only_one(cloud, config, discount):
    small(cloud)
    cloud.discount = discount
    assert [money(p.upfront)[0] for p in rows(cloud, wanted=PRODUCTS, types="s6.", **config)["products"]] == ["1500."]


def test_a_type_without_a_subscription_has_no_product(cloud):
    region = small(cloud)
    del region.prices["s6.large.2", "year"]
    region.types.append(flavor("m7.large.8", **{"cond:operation:charge": "demand"}))
    found = rows(cloud, wanted=PRODUCTS)
    assert [p.id for p in found["products"]] == ["huawei-subscription/cn-north-4/c7.xlarge.4/1y"]
    assert [(d.code, d.place) for d in found["diagnostics"]] == [("known_unpriced", f"{R}/s6.large.2")]
    assert asked(cloud, "subscribe") == [["s6.large.2", "c7.xlarge.4"], ["c7.xlarge.4"]]
