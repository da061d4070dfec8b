"""The secrets of locations and parts: at most two each, so that one can be rotated without a gap."""

from __future__ import annotations

from typing import List

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.call_errors import failed_precondition, not_found
from viam_sync.sandbox.core.request_checks import checked_id
from viam_sync.sandbox.core.world import World

_MOST = 2


def secrets_of(world: World, owner: str, owner_id: str) -> List[pb.SharedSecret]:
    """Return the secrets of a location or a part (``owner`` is "location" or "part"), oldest first."""
    rows = world.store.rows(f"SELECT body FROM secrets WHERE {owner}_id = ? ORDER BY rowid", owner_id)
    return [pb.SharedSecret.FromString(row["body"]) for row in rows]


def add_secret(world: World, owner: str, owner_id: str) -> None:
    """Create a secret of a location or a part.

    Raises:
        CallError: FAILED_PRECONDITION if it has two.
    """
    if len(secrets_of(world, owner, owner_id)) >= _MOST:
        raise failed_precondition(
            f"The {owner} {owner_id!r} has {_MOST} active secrets, which is as many as there may be; delete one first."
        )
    enabled = pb.SharedSecret.STATE_ENABLED
    secret = pb.SharedSecret(id=world.ids.uuid(), secret=world.ids.secret(), created_on=world.now(), state=enabled)
    world.store.insert("secrets", id=secret.id, body=secret.SerializeToString(), **{f"{owner}_id": owner_id})


def require_secret(world: World, owner: str, owner_id: str, secret_id: str) -> str:
    """Return the ID of a secret of a location or a part.

    Raises:
        CallError: INVALID_ARGUMENT if the ID is malformed, NOT_FOUND if the location or part has no such secret.
    """
    secret_id = checked_id("secret", secret_id)
    if all(secret.id != secret_id for secret in secrets_of(world, owner, owner_id)):
        raise not_found(f"The {owner} {owner_id!r} has no secret with the ID {secret_id!r}; it may be deleted already.")
    return secret_id


def delete_secret(world: World, secret_id: str) -> None:
    """Delete a secret."""
    world.store.run("DELETE FROM secrets WHERE id = ?", secret_id)
