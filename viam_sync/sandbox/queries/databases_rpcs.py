"""The RPCs about the database in which other tools can query an organization's tabular data."""

from __future__ import annotations

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import invalid_argument, not_found
from viam_sync.sandbox.core.world import World

_SHORTEST_PASSWORD = 8


class DatabasesServicer:
    """The RPCs of DataService about the connection to a database.

    The sandbox has no such database: the host name leads nowhere, and passwords are not stored.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def ConfigureDatabaseUser(
        self, request: pb.ConfigureDatabaseUserRequest, caller: Caller
    ) -> pb.ConfigureDatabaseUserResponse:
        """Create the database of an organization and its user, or set a new password."""
        if len(request.password) < _SHORTEST_PASSWORD:
            raise invalid_argument(
                f"The password of the database user is shorter than {_SHORTEST_PASSWORD} characters; give a longer one."
            )
        organization = self._world.organization(request.organization_id)
        caller.require("configure_database_user", "organization", organization.id)
        self._world.store.run(
            "INSERT INTO databases VALUES (?, ?) ON CONFLICT DO NOTHING",
            organization.id,
            self._world.ids.location()[:5],
        )
        return pb.ConfigureDatabaseUserResponse()

    def GetDatabaseConnection(
        self, request: pb.GetDatabaseConnectionRequest, caller: Caller
    ) -> pb.GetDatabaseConnectionResponse:
        """Return the host name and the URI of the database of an organization."""
        organization = self._world.organization(request.organization_id)
        caller.require("get_database_connection", "organization", organization.id)
        row = self._world.store.row("SELECT name FROM databases WHERE organization_id = ?", organization.id)
        if row is None:
            raise not_found(
                f"The organization {organization.name!r} has no database yet; make one (configure_database_user)."
            )
        host = f"data-federation-{organization.id}-{row['name']}.a.query.mongodb.net"
        user = f"db-user-{organization.id}"
        return pb.GetDatabaseConnectionResponse(
            hostname=host,
            mongodb_uri=f"mongodb://{user}:PASSWORD@{host}/?ssl=true&authSource=admin",
            has_database_user=True,
        )
