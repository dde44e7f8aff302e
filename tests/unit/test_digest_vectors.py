"""The golden digests, computed a second time from docs/reference/digests.md alone."""

import hashlib
import math
import pathlib

import pytest

import isocost_protos
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor as Field

VECTORS = pathlib.Path(__file__).parent / "digest_vectors"
MODULES = [isocost_protos.model_pb2, isocost_protos.offering_pb2, isocost_protos.plan_service_pb2]


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


def message_class(full_name):
    name = full_name.rpartition(".")[2]
    return next(getattr(module, name) for module in MODULES if hasattr(module, name))


def vectors():
    for line in (VECTORS / "digests.txt").read_text().splitlines():
        file, type_name, expected, *omit = line.split()
        yield file, type_name, expected, tuple(omit)


@pytest.mark.parametrize("file,type_name,expected,omit", vectors())
def test_the_second_implementation_finds_the_golden_digest(file, type_name, expected, omit):
    message = json_format.Parse((VECTORS / file).read_text(), message_class(type_name)())
    assert digest(message, omit) == expected


def test_the_example_of_the_page_is_its_own_canonical_text():
    message = json_format.Parse((VECTORS / "doc-example.json").read_text(),
                                isocost_protos.model_pb2.Model())
    text = b"isocost.v1.Model\n1\n" + canonical_message(message, ())
    page = (isocost_protos.SOURCE / "docs/reference/digests.md").read_text()
    assert text.decode().replace("\n", "⏎") in page


def test_every_vector_file_has_a_digest():
    listed = {file for file, *_ in vectors()}
    assert listed == {path.name for path in VECTORS.glob("*.json")}
