"""Which files hold secrets, and who can read them."""

import inspect
import os
import stat

import pytest
from parity.calls import CALLS
from parity.recording import NAMES, recording, rpcs

from viam_sync.app import viam_client

#: The names of fields that a caller must keep secret.
SECRET = {"secret", "secrets", "key", "password", "client_secret", "access_token", "payload", "psk"}
#: The methods that write a file, what they write, and whether that may hold a secret.
WRITERS = [
    ("AppClient", 'get_robot_part("p-1", dest)', "GetRobotPart", True),
    ("AppClient", 'get_robot_part_logs("p-1", None, dest)', "GetRobotPartLogs", False),
    ("BillingClient", 'get_invoice_pdf("i-1", "o-1", dest)', "GetInvoicePdf", False),
    ("DataClient", "binary_data_by_filter(dest=dest)", "BinaryDataByFilter", False),
    ("DataClient", 'binary_data_by_ids(["o-1/l-1/f-1"], dest=dest)', "BinaryDataByIDs", False),
    ("DataClient", "tabular_data_by_filter(dest=dest)", "TabularDataByFilter", False),
]


def secret_fields(message, seen):
    """Return the fields of a message, and of those in it, whose names say that they are secret."""
    if message.full_name in seen or message.full_name.startswith("google.protobuf"):
        return set()
    seen.add(message.full_name)
    found = {f"{message.name}.{field.name}" for field in message.fields if field.name in SECRET}
    return found.union(*(secret_fields(each.message_type, seen) for each in message.fields if each.message_type))


def test_every_method_that_writes_a_file_is_known():
    found = {
        (client, name)
        for client in CALLS
        for name, method in inspect.getmembers(getattr(viam_client, client), inspect.isfunction)
        # A mirror is a database or a folder of readings, as an export is.
        if "dest" in inspect.signature(method).parameters and name != "mirror_tabular_data"
    }
    assert found == {(client, text.partition("(")[0]) for client, text, _, _ in WRITERS}


@pytest.mark.parametrize(("client", "text", "rpc", "secret"), WRITERS, ids=[rpc for _, _, rpc, _ in WRITERS])
def test_records_with_secrets_are_known_by_their_fields(client, text, rpc, secret):
    fields = secret_fields(rpcs()[rpc].output_type, set())
    # The keys of maps are none.
    fields = {name for name in fields if not name.endswith("Entry.key")}
    # The configuration of a part is free text; those of its fields that are named so hold the secrets of its machine.
    assert bool(fields) == secret, fields


@pytest.mark.skipif(os.name != "posix", reason="modes of files are a matter of POSIX")
@pytest.mark.parametrize("before", [None, 0o644, 0o600, 0o666])
@pytest.mark.parametrize(("client", "text", "rpc", "secret"), WRITERS, ids=[rpc for _, _, rpc, _ in WRITERS])
def test_a_file_with_secrets_is_its_owners_alone(tmp_path, client, text, rpc, secret, before):
    dest = tmp_path / "result.json"
    if before is not None:
        dest.write_text("older")
        dest.chmod(before)
    umask = os.umask(0o022)
    try:
        with recording() as (_, channel):
            eval(f"client.{text}", {**NAMES, "dest": str(dest), "client": getattr(viam_client, client)(channel, {})})
    finally:
        os.umask(umask)
    assert dest.read_text(errors="replace") != "older"
    assert stat.S_IMODE(dest.stat().st_mode) == (0o600 if secret or before == 0o600 else 0o644)
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]
