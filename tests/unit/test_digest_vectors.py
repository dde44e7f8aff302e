"""The golden digests, computed a second time from docs/reference/digests.md alone."""

import pathlib

import pytest

import isocost_protos
from canonical_digest import canonical_message, digest
from google.protobuf import json_format

VECTORS = pathlib.Path(__file__).parent / "digest_vectors"
MODULES = [isocost_protos.model_pb2, isocost_protos.offering_pb2, isocost_protos.plan_service_pb2]


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
