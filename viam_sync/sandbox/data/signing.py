"""URLs that download files: their path, and the signature that stands for credentials."""

from __future__ import annotations

import hashlib
import hmac
from typing import Mapping

from viam_sync.sandbox.core.call_errors import permission_denied
from viam_sync.sandbox.core.world import World

#: The prefix of the paths of downloads; the ID of binary data follows.
DOWNLOADS = "/data/"


def signed_url(world: World, binary_data_id: str, expires: int) -> str:
    """Return a URL that downloads a file without credentials.

    Args:
        world: The state of the sandbox.
        binary_data_id: The ID of the file.
        expires: When the URL expires, in microseconds since the epoch.
    """
    signature = _signature(world, binary_data_id, str(expires))
    return f"{world.web_url}{DOWNLOADS}{binary_data_id}?expires={expires}&signature={signature}"


def check_signature(world: World, binary_data_id: str, query: Mapping[str, str]) -> None:
    """Check the query of a signed URL.

    Raises:
        CallError: PERMISSION_DENIED if the signature is wrong or the URL has expired.
    """
    expires = query.get("expires", "")
    if not hmac.compare_digest(_signature(world, binary_data_id, expires).encode(), query["signature"].encode()):
        raise permission_denied("The signature does not go with this URL; ask for a new one.")
    if world.microseconds() >= int(expires):
        raise permission_denied("This URL is no longer good; ask for a new one (create_binary_data_signed_url).")


def _signature(world: World, binary_data_id: str, expires: str) -> str:
    secret = world.store.setting("signing_secret") or ""
    return hmac.new(secret.encode(), f"GET {binary_data_id} {expires}".encode(), hashlib.sha256).hexdigest()
