"""Applies changes to a Model by other code than the server's, in exact fractions."""

import json
import math
import re
from fractions import Fraction

from isocost_protos import json_format, model_pb2, money_pb2, offering_pb2

NANO = 10**9
SWITCHES = ("outage", "forbid", "require", "rule")


def split(text):
    match = re.fullmatch(r"(\w+)\.((?:[^\"=]|\"[^\"]*\")*?)=(.*)", text, re.S)
    return match.group(1), match.group(2), match.group(3)


def factor(value):
    """None: the value is not a factor."""
    if value[0] == "*":
        return Fraction(value[1:])
    if value[-1] == "%":
        return 1 + Fraction(value[:-1]) / 100
    return None


def money(amount, currency):
    nanos = round(amount * NANO)  # half to even
    return money_pb2.Money(currency_code=currency, units=nanos // NANO, nanos=nanos % NANO)


def fraction(message):
    return message.units + Fraction(message.nanos, NANO)


def amount(value, currency):
    match = re.fullmatch(r"([0-9.]+) *([A-Z]*)", value)
    return money(Fraction(match.group(1)), match.group(2) or currency)


def exact(number):
    return Fraction(repr(number))


def up(value, whole):
    unit = 1 if whole else Fraction(1, NANO)
    return float(math.ceil(value / unit) * unit)


def term(target):
    result = offering_pb2.SelectorTerm()
    if target == "*":
        return result
    if ":" not in target:
        parts = target.split("/")
        if len(parts) == 6:
            result.offering.append(target)
        else:
            result.provider.append(parts[0])
            result.region.extend(parts[1:])
        return result
    for field in target.split("&"):
        name, values = field.split(":", 1)
        for value in values.split("|"):
            if name == "purchase":
                result.purchase.append({"spot": 2, "on-demand": 1}[value])
            else:
                getattr(result, name).append(value)
    return result


def cut(target):
    head, _, ids = target.partition("@")
    return head, ids.split("|") if ids else []


def named(messages, name):
    return next(m for m in messages if m.id == name)


def change_series(series, value, ids, model, whole):
    if ids and len(series) == 1:
        series.extend([series[0]] * (len(model.periods) - 1))
    for t in range(len(series)):
        if ids and model.periods[t].id not in ids:
            continue
        f = factor(value)
        series[t] = float(value) if f is None else up(exact(series[t]) * f, whole)


def demand(model, target, value):
    name, ids = cut(target)
    for w in model.workloads:
        if name in ("*", w.id):
            if w.HasField("throughput"):
                change_series(w.throughput.rate, value, ids, model, False)
            else:
                change_series(w.replicas.count, value, ids, model, True)


def price(model, target, value):
    overlay = model.catalog.overlays.add()
    overlay.offerings.include.append(term(target))
    f = factor(value)
    if f is None:
        overlay.price.CopyFrom(amount(value, model.currency.base_currency or "USD"))
    else:
        overlay.price_factor = float(f)


def limit(model, target, value):
    rule = named(model.limits, target)
    which = rule.WhichOneof("bound")
    f = factor(value)
    old = exact(getattr(rule, which))
    setattr(rule, which, float(value) if f is None else float(Fraction(round(old * f * NANO), NANO)))


def budget(model, target, value):
    name, window = cut(target)
    f = factor(value)
    for i, w in enumerate(named(model.budgets, name).windows):
        if window and int(window[0]) != i:
            continue
        code = w.amount.currency_code
        w.amount.CopyFrom(amount(value, code) if f is None else money(fraction(w.amount) * f, code))


def rate(model, target, value):
    f = factor(value)
    rates = model.currency.rates
    if f is None:
        kept = [r for r in rates if set(r.pair.split("/")) != set(target.split("/"))]
        del rates[:]
        rates.extend(kept)
        rates.add(pair=target, rate=float(value))
        return
    for r in rates:
        if r.pair == target:
            r.rate = float(Fraction(round(exact(r.rate) * f * NANO), NANO))
        elif set(r.pair.split("/")) == set(target.split("/")):
            r.rate = float(Fraction(round(exact(r.rate) / f * NANO), NANO))


def set_status(model, selector, status):
    overlay = model.catalog.overlays.add(status=status)
    overlay.offerings.include.append(selector)


def outage(model, target, value):
    assert value == "on"
    set_status(model, term(target), offering_pb2.OFFERING_STATUS_SOLD_OUT)


def offering(model, target, value):
    if value in ("on", "off"):
        set_status(model, term(target), offering_pb2.OFFERING_STATUS_AVAILABLE if value == "on"
                   else offering_pb2.OFFERING_STATUS_SOLD_OUT)
        return
    added = model.catalog.offerings.add()
    json_format.ParseDict(json.loads(value), added)
    (added.provider, added.region, added.zone, added.type, added.os, purchase) = target.split("/")
    added.purchase = {"spot": 2, "on-demand": 1}[purchase]


def forbid(model, target, value):
    assert value == "on"
    target, ids = cut(target)
    for w in model.workloads:
        if not ids or w.id in ids:
            w.allowed.exclude.append(term(target))


def require(model, target, value):
    target, ids = cut(target)
    k = 1
    while any(x.id == f"required-{k}" for x in model.limits):
        k += 1
    rule = model.limits.add(id=f"required-{k}", minimum=1 if value == "on" else float(value),
                            metric=model_pb2.LIMIT_METRIC_INSTANCES, periods=ids)
    rule.scope.include.append(term(target))


def keep(messages, wanted):
    kept = [type(m).FromString(m.SerializeToString()) for m in messages if wanted(m)]
    del messages[:]
    messages.extend(kept)


def workload(model, target, value):
    assert value == "off"
    keep(model.workloads, lambda w: w.id != target)
    for w in model.workloads:
        for rules in (w.together, w.apart, w.dependencies):
            keep(rules, lambda rule: rule.workload != target)
    if model.HasField("current"):
        keep(model.current.instances, lambda x: x.workload != target)


def commitment(model, target, value):
    product = named(model.catalog.products, target)
    del product.existing[:]
    if value == "off":
        product.purchasable_maximum = 0
        product.ClearField("scope")
    elif float(value) > 0:
        product.existing.add(quantity=float(value))


def rule(model, target, value):
    for rules in (model.limits, model.budgets, model.volume_prices):
        for r in rules:
            if r.id == target:
                r.disabled = value == "off"
    if value == "on":
        return
    for w in model.workloads:
        for rules in (w.shares, w.survive, w.spread, w.together, w.apart, w.dependencies):
            keep(rules, lambda r: r.id != target)
        for name in ("ramp", "traffic"):
            if w.HasField(name) and getattr(w, name).id == target:
                w.ClearField(name)


def settle(texts):
    """The changes that are left when later ones have taken back earlier ones. None: one takes back
    what no other has put, which is refused."""
    left = []
    for text in texts:
        kind, target, value = split(text)
        before = len(left)
        if kind in SWITCHES:
            left = [x for x in left if split(x)[:2] != (kind, target)]
            if kind == "rule" or value not in ("off", "0"):
                left.append(text)
            elif len(left) == before:
                return None
        elif kind == "offering" and value == "on":
            left = [x for x in left if x != f"offering.{target}=off"]
            if len(left) == before:
                left.append(text)
        else:
            left.append(text)
    return left


def changed(model, texts):
    """A copy of the model with the changes; None when they are refused."""
    result = model_pb2.Model()
    result.CopyFrom(model)
    left = settle(texts)
    if left is None:
        return None
    for text in left:
        kind, target, value = split(text)
        globals()[kind](result, target, value)
    return result
