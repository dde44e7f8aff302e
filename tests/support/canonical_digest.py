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


def small(*values):
    return struct.pack(f"<{len(values)}i", *values)


class Names:
    """Numbers things of each kind from 1 on; the name stands where a thing is first."""

    def __init__(self):
        self.known = {}

    def number(self, kind, name):
        if not name:
            return small(0)
        own = self.known.setdefault(kind, {})
        if name in own:
            return small(own[name])
        own[name] = len(own) + 1
        return small(own[name]) + name.encode() + b"\0"


def line_bytes(line, names):
    parts = [small(line.kind, line.place, line.periods),
             numbers(decimal(line.quantity), nanos(line.unit_price), decimal(line.hours),
                     decimal(line.rate), nanos(line.cost), decimal(line.served))]
    parts += [names.number(kind, name) for kind, name in (
        ("currency", line.unit_price.currency_code), ("workload", line.workload), ("team", line.team),
        ("offering", line.offering), ("product", line.product), ("place", getattr(line, "from")),
        ("place", line.to))]
    parts.append(small(len(line.coverage)))
    parts += [names.number("product", c.product) + numbers(decimal(c.instances)) for c in line.coverage]
    parts.append(small(len(line.patterns)))
    for pattern in line.patterns:
        parts += [numbers(pattern.instances), small(len(pattern.entries))]
        parts += [names.number("workload", e.workload) + small(e.count) for e in pattern.entries]
    return b"".join(parts)


def plan_digest(plan):
    """Of a plan with all of its lines."""
    core = type(plan)(termination=plan.termination, tiers=plan.tiers, commitments=plan.commitments)
    names = Names()
    text = digest(core).encode() + b"\n" + small(len(plan.lines))
    for line in plan.lines:
        text += line_bytes(line, names)
    return "sha256:" + hashlib.sha256(text).hexdigest()
