import importlib.metadata
import os
import socket
import ssl
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import grpc
import pytest

from sandbox.calls import authenticate
from viam_sync import DialOptions, InsecureConnectionError, ViamClient
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.wire.certificates import Certificate

INSTALLED = [each.metadata["Name"] for each in importlib.metadata.distributions()]

OFFICIAL = """
import asyncio
import sys
from viam.app.viam_client import ViamClient
from viam.rpc.dial import DialOptions


async def names(url, key, key_id):
    client = await ViamClient.create_from_dial_options(DialOptions.with_api_key(key, key_id), url)
    try:
        return [organization.name for organization in await client.app_client.list_organizations()]
    finally:
        client.close()


print(asyncio.run(names(*sys.argv[1:])))
"""


@pytest.fixture(scope="module")
def secure():
    with Sandbox(tls=True) as sandbox:
        yield sandbox


def connected(sandbox):
    """Return a plain connection."""
    return socket.create_connection(("127.0.0.1", int(sandbox.address.split(":")[1])), 10)


def names(url, options):
    """Return the names of the organizations, from a client that is connected for that."""
    with ViamClient.create_from_dial_options(options, url) as client:
        return [organization.name for organization in client.app_client.list_organizations()]


def test_its_url_and_its_options_are_all_that_a_client_needs(secure):
    assert secure.url == f"https://{secure.address}"
    assert names(secure.url, secure.dial_options()) == ["Lesson Robotics"]


def test_its_name_is_localhost_too(secure):
    url = secure.url.replace("127.0.0.1", "localhost")
    assert names(url, secure.dial_options()) == ["Lesson Robotics"]


def test_two_of_them_in_one_process_are_each_trusted_for_themselves(secure):
    with Sandbox(tls=True) as other:
        assert names(other.url, other.dial_options()) == names(secure.url, secure.dial_options())
        mixed = secure.dial_options()
        mixed.ca_certificate = other.ca_certificate
        mixed.initial_connection_attempts = 1
        with pytest.raises(InsecureConnectionError, match=r"The certificate of 127\.0\.0\.1 cannot be trusted"):
            names(secure.url, mixed)


def test_a_client_that_is_not_told_whom_to_trust_is_refused_with_the_reason(secure):
    options = DialOptions.with_api_key(secure.api_key, secure.api_key_id)
    options.initial_connection_attempts = 1
    with pytest.raises(InsecureConnectionError, match=r"The certificate of 127\.0\.0\.1 cannot be trusted"):
        names(secure.url, options)


def test_a_file_of_authorities_that_is_not_there_is_an_os_error(secure, tmp_path):
    options = secure.dial_options()
    options.ca_certificate = tmp_path / "none.pem"
    with pytest.raises(OSError, match=r"none\.pem"):
        names(secure.url, options)


def test_any_grpc_client_can_trust_it(secure):
    credentials = grpc.ssl_channel_credentials(secure.ca_certificate.read_bytes())
    with grpc.secure_channel(secure.address, credentials) as channel:
        assert authenticate(channel, secure.api_key_id, secure.api_key)


def test_python_trusts_its_certificate_for_its_names_only(secure):
    context = ssl.create_default_context(cafile=str(secure.ca_certificate))
    context.set_alpn_protocols(["h2"])
    for name in ("localhost", "127.0.0.1"):
        with connected(secure) as connection, context.wrap_socket(connection, server_hostname=name) as wrapped:
            assert wrapped.selected_alpn_protocol() == "h2"
    with connected(secure) as connection, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(connection, server_hostname="app.viam.com")


def test_a_dropped_connection_is_one_with_tls_too(secure):
    fault = secure.faults.drop("GetRobot")
    with ViamClient.create_from_dial_options(secure.dial_options(), secure.url) as client:
        assert client.app_client.get_robot(secure.robot_id).name == "rover"
    assert fault.met == 1


@pytest.mark.skipif("viam-sdk" not in INSTALLED, reason="viam-sdk is not installed")
def test_the_official_sdk_connects_to_it(secure):
    command = [sys.executable, "-W", "ignore", "-c", OFFICIAL, secure.url, secure.api_key, secure.api_key_id]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout.strip() == "['Lesson Robotics']", run.stderr


def test_without_tls_there_is_nothing_to_trust():
    with Sandbox() as sandbox:
        assert sandbox.ca_certificate is None
        assert sandbox.dial_options().ca_certificate is None


def test_in_a_folder_its_certificate_is_kept(tmp_path):
    with Sandbox(tmp_path, tls=True) as sandbox:
        trusted = sandbox.ca_certificate.read_bytes()
        options = sandbox.dial_options()
    with Sandbox(tmp_path, tls=True) as sandbox:
        assert sandbox.ca_certificate == tmp_path / "tls" / "ca.pem"
        assert sandbox.ca_certificate.read_bytes() == trusted
        assert names(sandbox.url, options) == ["Lesson Robotics"]


@pytest.mark.skipif(os.name == "nt", reason="files have no such modes on Windows")
def test_nobody_else_can_read_its_key_and_no_key_of_the_authority_is_left(tmp_path):
    Certificate(tmp_path / "tls")
    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700
    assert sorted(path.name for path in (tmp_path / "tls").iterdir()) == ["ca.pem", "certificate.pem", "key.pem"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tls").iterdir()} == {0o600}
    assert [path.name for path in tmp_path.iterdir()] == ["tls"]


def test_without_a_folder_its_certificate_is_gone_at_the_end():
    with Sandbox(tls=True) as sandbox:
        assert sandbox.ca_certificate.exists()
    assert not sandbox.ca_certificate.exists()


@pytest.mark.parametrize("break_it", [lambda file: file.write_text("malformed"), lambda file: file.unlink()])
def test_a_certificate_that_is_broken_is_one_clear_error(tmp_path, break_it):
    with Sandbox(tmp_path, tls=True):
        pass
    break_it(tmp_path / "tls" / "key.pem")
    with pytest.raises(OSError, match=r"cannot be used.*Delete that folder, and a new one is made"):
        Sandbox(tmp_path, tls=True).start()
    with Sandbox(tmp_path) as sandbox:
        assert sandbox.running


def test_without_the_package_for_certificates_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trustme", None)
    sandbox = Sandbox(tmp_path, tls=True)
    with pytest.raises(ImportError, match="pip install trustme"):
        sandbox.start()
    assert not sandbox.running
    assert not Path(tmp_path, "tls").exists()


def test_downloads_and_the_page_speak_tls_too():
    with Sandbox(tls=True, ui=True) as sandbox:
        trusting = ssl.create_default_context(cafile=str(sandbox.ca_certificate))
        with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
            [file], _, _ = client.data_client.binary_data_by_filter(limit=1)
        assert file.metadata.uri.startswith("https://127.0.0.1:")
        headers = {"key_id": sandbox.api_key_id, "key": sandbox.api_key}
        request = urllib.request.Request(file.metadata.uri, headers=headers)
        with urllib.request.urlopen(request, timeout=10, context=trusting) as response:
            assert response.read() == file.binary
        with urllib.request.urlopen(sandbox.ui_url, timeout=10, context=trusting) as response:
            assert b"<html" in response.read()
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(sandbox.ui_url, timeout=10)
