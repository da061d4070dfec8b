"""What a program loads and builds at its start: counts, as each module that is not needed costs every script."""

import json
import os
import subprocess
import sys
from typing import Any, Dict, Set

import pytest

from viam_sync.sandbox import Sandbox

#: What grpc and protobuf load by themselves, on this Python and in these versions.
BARE = "import grpc, grpc._channel, queue, dataclasses; from google.protobuf import descriptor_pool, message_factory"
CONNECT = """
from viam_sync.app.viam_client import ViamClient
from viam_sync.messages import pool
client = ViamClient.create_from_env_vars()
"""
#: The .proto file of the fleet, and those that it imports.
FLEET = {"app/v1/app.proto"} | {
    "app/mltraining/v1/ml_training.proto",
    "app/packages/v1/packages.proto",
    "common/v1/common.proto",
}
#: The parts of the client that a plain call does not need, and of Python those that are slow to load.
LATE = {"csv", "difflib", "http.client", "json", "pathlib", "tempfile", "urllib.request", "uuid"} | {
    "viam_sync.profiles",
    "viam_sync.rpc.diagnose",
    "viam_sync.rpc.trust",
    "viam_sync.transfer.concurrency.prefetch",
    "viam_sync.transfer.output.outputs",
    "viam_sync.transfer.output.writers",
    "viam_sync.transfer.paging.parallel_pages",
    "viam_sync.transfer.upload.source",
}


def start(sandbox: Sandbox, statements: str) -> Dict[str, Any]:
    """Run statements in an interpreter of its own; return its modules, and the .proto files in our pool."""
    script = f"""{statements}
import sys
modules, pool = list(sys.modules), sys.modules.get("viam_sync.messages.pool")
import json
print(json.dumps({{"modules": modules, "files": list(pool._files) if pool else []}}))
"""
    env = {**os.environ, **sandbox.env_vars()}
    done = subprocess.run([sys.executable, "-c", script], env=env, stdout=subprocess.PIPE, timeout=60, check=True)
    found: Dict[str, Any] = json.loads(done.stdout)
    return found


def modules(sandbox: Sandbox, statements: str) -> Set[str]:
    return {*start(sandbox, statements)["modules"]} - {*start(sandbox, BARE)["modules"]}


def test_importing_the_client_module_loads_no_protobuf(sandbox: Sandbox) -> None:
    loaded = modules(sandbox, "import viam_sync.app.viam_client")
    assert {"viam_sync.messages", "viam_sync.rpc.service"} & loaded == set()
    everything = start(sandbox, "import viam_sync.app.viam_client")["modules"]
    assert "google.protobuf" not in everything
    assert len([name for name in loaded if name.startswith("viam_sync")]) <= 43


def test_a_call_loads_nothing_that_only_others_need(sandbox: Sandbox) -> None:
    loaded = modules(sandbox, f"{CONNECT}client.app_client.list_organizations()\nclient.close()")
    assert loaded & LATE == set()
    assert len([name for name in loaded if name.startswith("viam_sync")]) <= 92


@pytest.mark.parametrize(
    ("call", "files"),
    [
        ("app_client.list_organizations()", FLEET),
        ("billing_client.get_invoices_summary(organization)", {"app/v1/billing.proto"}),
        ("ml_training_client.list_training_jobs(organization)", {"app/mltraining/v1/ml_training.proto"}),
    ],
)
def test_a_call_builds_the_files_of_the_schema_that_it_needs(sandbox: Sandbox, call: str, files: Set[str]) -> None:
    found = start(sandbox, f"{CONNECT}organization = {sandbox.organization_id!r}\nclient.{call}\nclient.close()")
    built = {name for name in found["files"] if not name.startswith("google/")}
    assert built == {*files, "proto/rpc/v1/auth.proto"}


def test_the_compiled_schema_is_found_file_by_file() -> None:
    import pkgutil

    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    from viam_sync.messages.compiled_schema import schema_index

    whole = FileDescriptorSet.FromString(pkgutil.get_data("viam_sync.proto", "schema.bin") or b"")
    parsed = [(file.name, (file.SerializeToString(), file.package, tuple(file.dependency))) for file in whole.file]
    assert [(name, tuple(file)) for name, file in schema_index().items()] == parsed
