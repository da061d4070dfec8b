"""A TLS certificate for loopback, and the certificate authority that issued it."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path
from typing import Optional, Tuple

import grpc

from viam_sync.sandbox.core.private_files import TemporaryFolder, open_private

_NAMES = ("localhost", "127.0.0.1")


class Certificate:
    """A certificate for localhost and 127.0.0.1; the private key of its authority is not stored.

    Args:
        folder: A folder to store it in, so that clients trust it after a restart too. None takes a temporary folder,
            which `close` deletes.

    Attributes:
        authority: The file of the certificate authority, in the PEM format, for clients to trust.

    Raises:
        ImportError: If the package that makes certificates is not installed.
        OSError: If the folder cannot be used.
    """

    def __init__(self, folder: Optional[Path] = None) -> None:
        self._temporary = None if folder else TemporaryFolder()
        self._folder = self._temporary.path / "tls" if self._temporary else Path(folder or "")
        self.authority = self._folder / "ca.pem"
        try:
            if not self._folder.is_dir():
                _make_files(self._folder)
            # The certificate is loaded once here, as grpc reports a broken one only as a failure to listen.
            self.context()
        except OSError as error:
            self.close()
            raise OSError(
                f"The certificate in {str(self._folder)!r} cannot be used ({error}). "
                "Delete that folder, and a new one is made, or give another folder."
            ) from error
        except BaseException:
            self.close()
            raise

    def credentials(self) -> grpc.ServerCredentials:
        """Return the certificate as server credentials of grpc."""
        chain, key = (file.read_bytes() for file in self._files())
        return grpc.ssl_server_credentials([(key, chain)])

    def context(self) -> ssl.SSLContext:
        """Return the certificate as an SSL context, for servers of the standard library."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self._files())
        return context

    def close(self) -> None:
        """Delete the folder if it is temporary."""
        if self._temporary:
            self._temporary.close()

    def _files(self) -> Tuple[Path, Path]:
        return self._folder / "certificate.pem", self._folder / "key.pem"


def _make_files(folder: Path) -> None:
    try:
        import trustme
    except ImportError as error:
        raise ImportError(
            f"TLS takes a package that is not there ({error}); install it with: pip install trustme"
        ) from error
    authority = trustme.CA()
    issued = authority.issue_cert(*_NAMES)
    # The folder is renamed when it is complete, so that a crash leaves no incomplete one.
    with contextlib.closing(TemporaryFolder(folder.parent)) as temporary:
        draft = temporary.path / folder.name
        draft.mkdir(0o700)
        _write(draft / "ca.pem", authority.cert_pem.bytes())
        _write(draft / "certificate.pem", b"".join(each.bytes() for each in issued.cert_chain_pems))
        _write(draft / "key.pem", issued.private_key_pem.bytes())
        draft.replace(folder)


def _write(path: Path, contents: bytes) -> None:
    with open_private(path) as file:
        file.write(contents)
