"""Digests of messages and plans, from docs/reference/digests.md alone."""

import hashlib
import math
import struct

from google.protobuf.descriptor import FieldDescriptor as Field


def canonical_double(value):
    if math.isnan(value):
        return b"nan"
    if math.isinf(value):
        return b"inf" if value > 0 else b"-inf"
    if value == 0:
        return b"0"
    for places in range(17):
        text = f"{value:.{places}e}"
        if float(text) == value:
            break
    mantissa, exponent = text.split("e")
    whole, _, fraction = mantissa.partition(".")
    digits, power = whole + fraction, int(exponent) - len(fraction)
    stripped = digits.rstrip("0")
    return f"{stripped}e{power + len(digits) - len(stripped)}".encode()


def canonical_bytes(value):
    return str(len(value)).encode() + b":" + value


def canonical_value(field, value, omit):
    if field.type == Field.TYPE_MESSAGE:
        return canonical_message(value, omit)
    if field.type == Field.TYPE_STRING:
        return canonical_bytes(value.encode())
    if field.type == Field.TYPE_BYTES:
        return canonical_bytes(value)
    if field.type in (Field.TYPE_DOUBLE, Field.TYPE_FLOAT):
        return canonical_double(value)
    return str(int(value)).encode()


def canonical_field(field, value, omit):
    if field.label != Field.LABEL_REPEATED:
        return canonical_value(field, value, omit)
    if field.message_type and field.message_type.GetOptions().map_entry:
        value_field = field.message_type.fields_by_name["value"]
        pairs = sorted((key.encode(), value[key]) for key in value)
        return b"<" + b"".join(
            canonical_bytes(key) + b"=" + canonical_value(value_field, item, omit) + b","
            for key, item in pairs) + b">"
    return b"[" + b"".join(canonical_value(field, item, omit) + b"," for item in value) + b"]"


def is_set(message, field, value):
    """HasField for what has presence; ListFields is not used because it lists a set -0.0."""
    if field.label == Field.LABEL_REPEATED:
        return len(value) > 0
    if field.has_presence:
        return message.HasField(field.name)
    return bool(value)


def canonical_message(message, omit):
    parts = []
    for field in sorted(message.DESCRIPTOR.fields, key=lambda f: f.number):
        value = getattr(message, field.name)
        if field.full_name not in omit and is_set(message, field, value):
            parts.append(b"%d=" % field.number + canonical_field(field, value, omit) + b",")
    return b"{" + b"".join(parts) + b"}"


def digest(message, omit=()):
    text = message.DESCRIPTOR.full_name.encode() + b"\n1\n" + canonical_message(message, omit)
    return "sha256:" + hashlib.sha256(text).hexdigest()


def decimal(value):
    """A double of the wire in units of 1e-9."""
    return round(value * 1e9)


def nanos(money):
    return money.units * 10 ** 9 + money.nanos


def numbers(*values):
    return struct.pack(f"<{len(values)}q", *values)


def texts(*values):
    return b"".join(value.encode() + b"\0" for value in values)


def line_bytes(line):
    parts = [numbers(line.kind, line.place, line.periods, decimal(line.quantity),
                     nanos(line.unit_price), decimal(line.hours), decimal(line.rate), nanos(line.cost),
                     decimal(line.served)),
             texts(line.unit_price.currency_code, line.workload, line.team, line.offering,
                   line.product, getattr(line, "from"), line.to),
             numbers(len(line.coverage))]
    parts += [texts(c.product) + numbers(decimal(c.instances)) for c in line.coverage]
    parts.append(numbers(len(line.patterns)))
    for pattern in line.patterns:
        parts.append(numbers(pattern.instances, len(pattern.entries)))
        parts += [texts(e.workload) + numbers(e.count) for e in pattern.entries]
    return b"".join(parts)


def plan_digest(plan):
    """Of a plan with all of its lines."""
    core = type(plan)(termination=plan.termination, tiers=plan.tiers, commitments=plan.commitments)
    text = digest(core).encode() + b"\n" + numbers(len(plan.lines))
    return "sha256:" + hashlib.sha256(text + b"".join(map(line_bytes, plan.lines))).hexdigest()
