"""Which certificates are trusted: the same by calls, by downloads and by the words of an error."""

import contextlib
import datetime as dt
import os
import socket
import ssl
import threading
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, Tuple

import grpc
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from servers import Answering, FakeService, options

from viam_sync import DialOptions, InsecureConnectionError, UnavailableError, ViamClient
from viam_sync.rpc.address import Address
from viam_sync.rpc.diagnose import CERTIFICATE, UNKNOWN, find_problem
from viam_sync.rpc.dial import dial
from viam_sync.rpc.trust import read_authorities, tls_context
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter

#: Above this size, files are downloaded over HTTP.
LARGE = 16 << 20
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
#: The list that grpc brings along.
ROOTS = Path(grpc.__file__).parent / "_cython" / "_credentials" / "roots.pem"
#: The certificate and the private key of a server, as PEM.
Pair = Tuple[bytes, bytes]


@pytest.fixture(autouse=True)
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names no authority, until a test does."""
    for variable in ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox with TLS and a large file."""
    with Sandbox(tls=True) as sandbox:
        file = tmp_path_factory.mktemp("large") / "film.mp4"
        file.write_bytes(b"frame " * (LARGE // 6 + 10))
        with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
            client.data_client.file_upload_from_path(file, sandbox.robot_part_id, tags=["film"])
        yield sandbox


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def of(authority: trustme.CA, name: str = "localhost") -> Pair:
    certificate = authority.issue_cert(name)
    return certificate.cert_chain_pems[0].bytes(), certificate.private_key_pem.bytes()


def serving(pair: Pair) -> FakeService:
    return FakeService(grpc.ssl_server_credentials([(pair[1], pair[0])]))


def written(path: Path, contents: bytes) -> str:
    path.write_bytes(contents)
    return str(path)


def certificates(pem: bytes) -> List[bytes]:
    """Return the certificates in a text, in the DER format and in an order."""
    blocks = [block.partition(BEGIN)[2] for block in pem.decode().split(END)[:-1]]
    return sorted(ssl.PEM_cert_to_DER_cert(BEGIN + block + END) for block in blocks)


def by_option(file: str, _: pytest.MonkeyPatch) -> Any:
    return {"ca_certificate": file}


def by_the_variable_of_grpc(file: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", file)
    return {}


def by_file(file: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SSL_CERT_FILE", file)
    return {}


def by_folder(file: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    # OpenSSL finds a certificate by the hash of its subject; ours are looked at whatever the hash.
    Path(file).rename(Path(file).with_name("0a1b2c3d.0"))
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join(["/nowhere", str(Path(file).parent)]))
    return {}


Names = Callable[[str, pytest.MonkeyPatch], Any]
every_way = pytest.mark.parametrize("name", [by_option, by_the_variable_of_grpc, by_file, by_folder])


@every_way
def test_an_authority_that_is_named_is_trusted_by_calls_and_by_downloads(
    name: Names, secure: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert secure.ca_certificate is not None
    (tmp_path / "trusted").mkdir()
    given = DialOptions.with_api_key(secure.api_key, secure.api_key_id)
    file = written(tmp_path / "trusted" / "ca.pem", secure.ca_certificate.read_bytes())
    for option, value in name(file, monkeypatch).items():
        setattr(given, option, value)
    with ViamClient.create_from_dial_options(given, secure.url) as client:
        film = create_filter(tags=["film"])
        result = client.data_client.export_binary_data(film, tmp_path / "exported")
    assert [file.error for file in result.files] == [None]
    assert result.exported[0].size > LARGE


@every_way
def test_an_authority_that_is_named_is_the_only_one(
    name: Names, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The other of OpenSSL's two places is the system's, if it is not named, too.
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(variable, "/nowhere")
    given = name(written(tmp_path / "ca.pem", authority.cert_pem.bytes()), monkeypatch)
    assert certificates(read_authorities(**given)) == certificates(authority.cert_pem.bytes())


def test_by_default_all_are_trusted_that_python_or_grpc_trusts() -> None:
    found = certificates(read_authorities())
    assert len(found) == len(set(found))
    assert set(ssl.create_default_context().get_ca_certs(binary_form=True)) <= set(found)
    assert set(certificates(ROOTS.read_bytes())) <= set(found)


def test_names_of_openssl_that_lead_nowhere_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")
    assert certificates(read_authorities()) == sorted(set(certificates(ROOTS.read_bytes())))


def test_what_stands_between_certificates_does_not_matter(authority: trustme.CA, tmp_path: Path) -> None:
    pem = authority.cert_pem.bytes()
    bundle = "# Ångström Root\n".encode() + pem.replace(b"\n", b"\r\n") + b"\xff\xfe junk" + pem + b"\n# the end"
    assert certificates(read_authorities(written(tmp_path / "ca.pem", bundle))) == certificates(pem)


BROKEN = b"-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"


def test_a_certificate_that_cannot_be_read_does_not_keep_the_others_out(authority: trustme.CA) -> None:
    context = tls_context(BROKEN + authority.cert_pem.bytes())
    assert context.get_ca_certs(binary_form=True) == certificates(authority.cert_pem.bytes())


def test_a_file_in_which_no_certificate_can_be_read_is_named_as_the_problem(
    authority: trustme.CA, tmp_path: Path
) -> None:
    with serving(of(authority)) as server, pytest.raises(UnavailableError, match="No certificate of an authority can"):
        dial(f"localhost:{server.port}", options(ca_certificate=written(tmp_path / "ca.pem", BROKEN), timeout=10))


@pytest.mark.parametrize("name", [by_option, by_the_variable_of_grpc])
def test_a_file_without_a_certificate_is_refused_by_the_name_of_its_option(
    name: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = name(written(tmp_path / "ca.pem", b"no certificate"), monkeypatch)
    with pytest.raises(
        ValueError,
        match=r"^(ca_certificate|GRPC_DEFAULT_SSL_ROOTS_FILE_PATH) takes a file of certificates in the PEM format, got",
    ):
        dial("localhost", options(**given))


@pytest.mark.parametrize("name", [by_option, by_the_variable_of_grpc])
def test_a_file_that_is_not_there_is_an_os_error_with_its_name(name: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError, match=r"/nowhere/ca\.pem"):
        dial("localhost", options(**name("/nowhere/ca.pem", monkeypatch)))


def test_without_tls_the_environment_is_not_asked_whom_to_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "/nowhere/ca.pem")
    with FakeService() as server:
        dial(server.url, options())[0].close()


def signed(issuer: Optional[Tuple[Any, Any]], is_authority: bool) -> Tuple[Any, Any]:
    """Return a certificate and its key, with as few extensions as an old authority of a company gives."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Zoo Root" if is_authority else "localhost")])
    now = dt.datetime(2024, 1, 1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=10_000))
    )
    extension: x509.ExtensionType = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    if is_authority:
        extension = x509.BasicConstraints(ca=True, path_length=None)
    certificate = builder.add_extension(extension, critical=False).sign(issuer[1] if issuer else key, hashes.SHA256())
    return certificate, key


def old_fashioned(_: trustme.CA) -> Tuple[bytes, Pair]:
    """An authority without the extensions that Python asks for from 3.13 on."""
    root = signed(None, is_authority=True)
    certificate, key = signed(root, is_authority=False)
    return root[0].public_bytes(serialization.Encoding.PEM), (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def intermediate(authority: trustme.CA) -> Tuple[bytes, Pair]:
    """An authority whose own is not trusted."""
    child = authority.create_child_ca()
    return child.cert_pem.bytes(), of(child)


def root(authority: trustme.CA) -> Tuple[bytes, Pair]:
    return authority.cert_pem.bytes(), of(authority)


@pytest.mark.parametrize("make", [root, old_fashioned, intermediate])
def test_downloads_and_the_diagnosis_trust_what_calls_trust(
    make: Callable[[trustme.CA], Tuple[bytes, Pair]], authority: trustme.CA, tmp_path: Path
) -> None:
    trusted, pair = make(authority)
    with serving(pair) as server:
        channel, _ = dial(f"localhost:{server.port}", options(ca_certificate=written(tmp_path / "ca.pem", trusted)))
        channel.close()
        assert find_problem(Address("localhost", server.port, tls=True, authorities=trusted), 10).kind == UNKNOWN
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            tls_context(trusted).wrap_socket(connection, server_hostname="localhost").close()


def test_the_diagnosis_says_what_is_not_trusted(authority: trustme.CA) -> None:
    with serving(of(trustme.CA())) as server:
        address = Address("localhost", server.port, tls=True, authorities=authority.cert_pem.bytes())
        problem = find_problem(address, timeout=10)
    assert problem.kind == CERTIFICATE
    assert problem.text.startswith("The certificate of localhost cannot be trusted: ")


@pytest.mark.parametrize("reset", [True, False])
def test_a_connection_that_ends_amid_the_handshake_is_not_one_without_tls(reset: bool) -> None:
    given = options(allow_insecure_with_creds_downgrade=True, initial_connection_attempts=1)
    with Answering(reset=reset) as server, pytest.raises(UnavailableError) as caught:
        dial(server.address, given)
    assert "ends the connection before TLS is set up. A firewall or a proxy may be in the way" in str(caught.value)
    # Every connection began with a handshake: nothing was sent in plaintext.
    assert {first[:1] for first in server.received} <= {b"\x16", b""}


def test_a_server_that_refuses_the_handshake_is_not_one_without_tls() -> None:
    handshake_failure = b"\x15\x03\x03\x00\x02\x02\x28"
    given = options(allow_insecure_with_creds_downgrade=True, initial_connection_attempts=1)
    with Answering(handshake_failure) as server:
        with pytest.raises(UnavailableError, match=r"refuses to set up TLS: .*HANDSHAKE_FAILURE"):
            dial(server.address, given)
        with pytest.raises(UnavailableError, match="refuses to set up TLS"):
            dial(server.address, DialOptions(allow_insecure_downgrade=True))


def test_an_answer_that_is_no_tls_is_one_of_a_server_without_it() -> None:
    answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with Answering(answer) as server, pytest.raises(InsecureConnectionError, match="speaks no TLS"):
        dial(server.address, options(initial_connection_attempts=1))


def test_a_server_with_tls_and_without_http2_is_named(authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def serve() -> None:
        # The client has learnt enough before the handshake is over.
        with contextlib.suppress(OSError), listening.accept()[0] as connection:
            context.wrap_socket(connection, server_side=True)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        problem = find_problem(Address("localhost", port, tls=True, authorities=authority.cert_pem.bytes()), timeout=10)
        thread.join()
    assert problem.text == (
        f"localhost, port {port} speaks TLS, but does not agree to HTTP/2, which gRPC needs. Check the address and its"
        " port; a proxy or the login page of a network may be in between."
    )
