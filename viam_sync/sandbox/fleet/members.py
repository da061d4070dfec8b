"""The model of users, and of the invites that they accept."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import add_grant, grants_of
from viam_sync.sandbox.core.request_checks import checked_email
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.authorizations import grant_from_authorization


def sign_in(world: World, email: str) -> str:
    """Sign in the user with an e-mail address, and return the ID.

    A new user is created, and all invites to the address are accepted.
    """
    email = checked_email(email)
    row = world.store.row("SELECT id FROM users WHERE email = ?", email)
    user_id = world.ids.uuid() if row is None else str(row["id"])
    if row is None:
        world.store.insert("users", id=user_id, email=email)
    world.store.update("users", user_id, last_login=world.microseconds())
    held = set(grants_of(world, user_id))
    for invite in world.store.rows("SELECT body FROM invites WHERE email = ?", email):
        for authorization in pb.OrganizationInvite.FromString(invite["body"]).authorizations:
            given = grant_from_authorization(authorization)
            known = world.store.row(f"SELECT 1 FROM {given.resource_type}s WHERE id = ?", given.resource_id)
            if known and given not in held:
                add_grant(world, "user", user_id, given)
    world.store.run("DELETE FROM invites WHERE email = ?", email)
    return user_id
