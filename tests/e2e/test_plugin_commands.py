"""What plugins are, and why one is refused, on the terminal."""
import hashlib
import json
import os
import shutil
import subprocess

import pytest

from isocost_protos import BUILD
from isocost_server import IsocostServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugins")
    for name in ("plugins/static.so", "plugins/template.so", "tests/plugins/other_major.so",
                 "tests/plugins/no_symbol.so", "tests/plugins/unavailable.so", "tests/plugins/refused_key.so"):
        shutil.copy(BUILD / name, folder)
    shutil.copy(BUILD / "plugins/template.so", folder / "loose.so")
    os.chmod(folder / "loose.so", 0o666)
    (folder / "providers.yaml").write_text(
        "providers: [{name: away, plugin: unavailable}, {name: strict, plugin: refused_key}]")
    with IsocostServer("--plugin-dir", str(folder), "--config", str(folder / "providers.yaml")) as server:
        server.plugins = folder
        yield server


def isocost(server, *arguments):
    return subprocess.run([BUILD / "bin" / "isocost", *arguments, "--address", server.target],
                          capture_output=True, text=True, timeout=60)


def test_the_list_has_every_file_and_why_some_are_refused(server):
    done = isocost(server, "plugin", "list")
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line for line in done.stdout.splitlines()[1:]}
    assert sorted(rows) == ["loose", "no_symbol", "other_major", "refused_key", "static", "template",
                            "unavailable"]
    assert "CATALOG" in rows["static"]
    assert "built for ABI 2." in rows["other_major"]
    assert "has no symbol iso_plugin_v1" in rows["no_symbol"]
    assert "mode 0666" in rows["loose"]


def test_info_prints_the_parameters_and_the_digest_to_pin(server):
    done = isocost(server, "plugin", "info", "static")
    assert done.returncode == 0, done.stderr
    digest = hashlib.sha256((server.plugins / "static.so").read_bytes()).hexdigest()
    assert f"file: sha256:{digest}" in done.stdout
    row = next(line for line in done.stdout.splitlines() if line.startswith("path"))
    assert "(required)" in row
    told = json.loads(isocost(server, "plugin", "info", "static", "-o", "json").stdout)
    path = next(one for one in told["parameters"] if one["name"] == "path")
    assert path["required"] is True and path["type"] == "text"


def test_check_says_yes_or_why_not(server):
    good = isocost(server, "plugin", "check", "static", "template")
    assert (good.returncode, good.stdout.count("can be loaded")) == (0, 2)
    bad = isocost(server, "plugin", "check", "loose")
    assert bad.returncode == 3 and "chmod go-w" in bad.stderr
    every = isocost(server, "plugin", "check")
    assert every.returncode == 3 and every.stderr.count("is refused") == 3


def test_a_plugin_that_is_not_there_is_said(server):
    done = isocost(server, "plugin", "info", "nothing")
    assert done.returncode != 0 and "nothing.so" in done.stderr


def test_hints_are_about_the_provider_that_failed_and_not_about_the_server(server):
    away = isocost(server, "catalog", "refresh", "away")
    assert "the provider does not answer" in away.stderr and "isocost serve" not in away.stderr
    strict = isocost(server, "catalog", "refresh", "strict")
    assert "the provider refuses the key" in strict.stderr and "secret_files" in strict.stderr
    nobody = subprocess.run([BUILD / "bin" / "isocost", "catalog", "providers", "--address", "127.0.0.1:1"],
                            capture_output=True, text=True, timeout=60)
    assert "isocost serve" in nobody.stderr
