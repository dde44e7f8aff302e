"""The contract's messages and stubs for Python tests.

`from isocost_protos import model_pb2, plan_service_pb2_grpc` generates the modules once into
${ISO_BUILD}/python (again when a .proto is newer) and imports them.
"""

import fcntl
import hashlib
import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ.get("ISO_SOURCE", pathlib.Path(__file__).parents[2])).resolve()
BUILD = pathlib.Path(
    os.environ.get("ISO_BUILD", pathlib.Path(tempfile.gettempdir()) / f"isocost-tests-{os.getuid()}")
).resolve()

OWN_ROOT = SOURCE / "proto"
FOREIGN_ROOTS = [pathlib.Path("/usr/share/grpc-proto"), pathlib.Path("/usr/include")]
FOREIGN_PROTOS = [
    "grpc/health/v1/health.proto",
    "grpc/reflection/v1/reflection.proto",
    "grpc/reflection/v1alpha/reflection.proto",
]


def _foreign_root():
    for root in FOREIGN_ROOTS:
        if (root / FOREIGN_PROTOS[0]).exists():
            return root
    raise RuntimeError("grpc/health/v1/health.proto not found: install Debian's grpc-proto")


def _state(paths):
    text = "".join(f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}\n" for path in paths)
    return hashlib.sha256(text.encode()).hexdigest()


def _run_protoc(target, own, foreign_root):
    plugin = shutil.which("grpc_python_plugin")
    if not plugin:
        raise RuntimeError("grpc_python_plugin not found: install protobuf-compiler-grpc")
    subprocess.run(
        ["protoc", f"-I{OWN_ROOT}", f"-I{foreign_root}", "-I/usr/include",
         f"--python_out={target}", f"--plugin=protoc-gen-grpc_python={plugin}",
         f"--grpc_python_out={target}", *own, *FOREIGN_PROTOS],
        check=True)


def generate():
    """Generates the modules unless they are up to date; gives their folder."""
    target = BUILD / "python"
    target.mkdir(parents=True, exist_ok=True)
    foreign_root = _foreign_root()
    own = sorted(str(path.relative_to(OWN_ROOT)) for path in OWN_ROOT.rglob("*.proto"))
    paths = [OWN_ROOT / name for name in own] + [foreign_root / name for name in FOREIGN_PROTOS]

    with open(target / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = target / ".state"
        state = _state(paths)
        if not stamp.exists() or stamp.read_text() != state:
            _run_protoc(target, own, foreign_root)
            stamp.write_text(state)
    return target


def _add_to_path(target):
    if str(target) not in sys.path:
        sys.path.insert(0, str(target))
    importlib.invalidate_caches()
    for name in ("google", "grpc", "isocost"):
        package = importlib.import_module(name)
        folder = str(target / name)
        if folder not in list(package.__path__):
            package.__path__.append(folder)


_add_to_path(generate())

from google.protobuf import json_format  # noqa: E402,F401
from google.rpc import error_details_pb2, status_pb2  # noqa: E402,F401
from google.type import money_pb2  # noqa: E402,F401
from grpc.health.v1 import health_pb2, health_pb2_grpc  # noqa: E402,F401
from grpc.reflection.v1 import reflection_pb2, reflection_pb2_grpc  # noqa: E402,F401
from grpc.reflection.v1alpha import reflection_pb2 as reflection_alpha_pb2  # noqa: E402,F401
from grpc.reflection.v1alpha import (  # noqa: E402,F401
    reflection_pb2_grpc as reflection_alpha_pb2_grpc,
)
from isocost.internal.v1 import plugin_pb2, solver_pb2  # noqa: E402,F401
from isocost.v1 import (  # noqa: E402,F401
    catalog_service_pb2,
    catalog_service_pb2_grpc,
    change_pb2,
    explanation_pb2,
    model_pb2,
    offering_pb2,
    plan_pb2,
    plan_service_pb2,
    plan_service_pb2_grpc,
    server_service_pb2,
    server_service_pb2_grpc,
    session_service_pb2,
    session_service_pb2_grpc,
    usage_pb2,
    usage_service_pb2,
    usage_service_pb2_grpc,
)
