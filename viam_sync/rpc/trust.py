"""Trust: the authorities that a server's certificate may be from, the same for calls, downloads and diagnosis."""

import base64
import binascii
import contextlib
import os
import pkgutil
import re
import ssl
import sys
from pathlib import Path
from typing import Iterator, List, Mapping, Optional

from viam_sync.checks import wrong_word
from viam_sync.rpc.address import FilePath

#: The file that takes the place of the list that grpc brings along.
_GRPC_ROOTS = "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"
_CERTIFICATE = rb"(?s)-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----"
#: The names that OpenSSL looks for in a folder of authorities: a hash and a number.
_HASHED = r"[0-9a-f]{8}\.[0-9]+"
#: ``ssl.VERIFY_X509_PARTIAL_CHAIN``, which has that name from Python 3.10 on.
_PARTIAL_CHAIN = 0x80000


def read_authorities(ca_certificate: Optional[FilePath] = None) -> bytes:
    """Return the certificates of the authorities to trust, in the PEM format.

    They are those of the first of these that is there: the file that the caller names; the file that
    ``GRPC_DEFAULT_SSL_ROOTS_FILE_PATH`` names; what ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name, as Python reads them;
    the store of the system, together with the list that grpc brings along.

    Args:
        ca_certificate: The file that the caller names; None for none.

    Raises:
        OSError: If a file that the caller, or the variable of grpc, names cannot be read.
        ValueError: If there is no certificate in it.
    """
    roots = os.environ.get(_GRPC_ROOTS)
    if ca_certificate is not None:
        found = _named("ca_certificate", ca_certificate)
    elif roots:
        found = _named(_GRPC_ROOTS, roots)
    else:
        found = _by_default()
    return "".join(map(ssl.DER_cert_to_PEM_cert, dict.fromkeys(found))).encode()


def names_of_authorities() -> Mapping[str, str]:
    """Return the variables of the environment that name authorities, and what they name; the first one counts most."""
    paths = ssl.get_default_verify_paths()
    variables = (_GRPC_ROOTS, paths.openssl_cafile_env, paths.openssl_capath_env)
    return {name: os.environ[name] for name in variables if os.environ.get(name)}


def tls_context(authorities: Optional[bytes] = None) -> ssl.SSLContext:
    """Return a context for connections, which trusts a certificate where grpc does.

    Args:
        authorities: What :func:`read_authorities` has returned; None to read them now.
    """
    # Not create_default_context(): from Python 3.13 on, that refuses authorities of companies that grpc, and nearly
    # everybody else, trusts.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= _PARTIAL_CHAIN
    for certificate in _certificates(read_authorities() if authorities is None else authorities):
        with contextlib.suppress(ssl.SSLError):  # one that cannot be read does not keep the others out
            context.load_verify_locations(cadata=certificate)
    return context


def _named(name: str, path: FilePath) -> List[bytes]:
    found = list(_certificates(Path(os.fsdecode(path)).read_bytes()))
    if not found:
        raise wrong_word(name, "a file of certificates in the PEM format", os.fsdecode(path))
    return found


def _by_default() -> List[bytes]:
    paths = ssl.get_default_verify_paths()
    file, folders = os.environ.get(paths.openssl_cafile_env), os.environ.get(paths.openssl_capath_env)
    # OpenSSL reads a file at once and a folder when it needs it, so that Python cannot be asked for all of them.
    found = list(_in_file(Path(file or paths.openssl_cafile)))
    for folder in (folders or paths.openssl_capath).split(os.pathsep):
        found += _in_folder(Path(folder))
    if found and (file or folders):
        return found
    # grpc reads a list up to the first certificate that it does not understand: its own come first.
    return [*_of_grpc(), *found, *_of_windows()]


def _in_file(path: Path) -> Iterator[bytes]:
    """Yield the certificates in a file; as for OpenSSL, one that cannot be read has none."""
    with contextlib.suppress(OSError):
        yield from _certificates(path.read_bytes())


def _in_folder(folder: Path) -> Iterator[bytes]:
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if re.fullmatch(_HASHED, path.name):
                yield from _in_file(path)


def _of_grpc() -> Iterator[bytes]:
    with contextlib.suppress(OSError):  # the packages of some distributions come without the list
        yield from _certificates(pkgutil.get_data("grpc", "_cython/_credentials/roots.pem") or b"")


def _of_windows() -> List[bytes]:
    return ssl.create_default_context().get_ca_certs(binary_form=True) if sys.platform == "win32" else []


def _certificates(text: bytes) -> Iterator[bytes]:
    """Yield the certificates in a text of the PEM format, in the DER format."""
    for match in re.finditer(_CERTIFICATE, text):
        with contextlib.suppress(binascii.Error):
            yield base64.b64decode(match[1])
