"""The rule that every organization has an owner."""

from __future__ import annotations

from viam_sync.sandbox.core.call_errors import failed_precondition
from viam_sync.sandbox.core.world import World


def require_owner(world: World, organization_id: str) -> None:
    """Require that an organization has a user as its owner; call it after a role was removed.

    Raises:
        CallError: FAILED_PRECONDITION, which rolls back the transaction.
    """
    sql = "SELECT 1 FROM grants WHERE resource_id = ? AND role = 'owner' AND user_id IS NOT NULL"
    if world.store.row(sql, organization_id) is None:
        raise failed_precondition(
            "This would leave the organization without an owner; make somebody else its owner first (add_role)."
        )
