"""What a lesson works with: its client, a machine, a picture and names of its own."""

from __future__ import annotations

import base64
import os
import uuid
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Iterator

if TYPE_CHECKING:
    from viam_sync import ViamClient
    from viam_sync.app.app_client import RobotPart

#: 8 by 8 pixels: the left half is red, the right half white.
_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFElEQVR42mM4IScHR/+RAMPQkgAAqpiAIeLdqrsAAAAASUVORK5CYII="


@contextmanager
def lesson_client() -> Iterator[ViamClient]:
    """Connect to the cloud that the environment names; without a key there, start a sandbox and connect to it.

    The variables are VIAM_API_KEY and VIAM_API_KEY_ID, and VIAM_APP_URL if it is not app.viam.com.

    Yields:
        The client, which is closed at the end of the block; the sandbox is stopped then, and forgets everything.

    Raises:
        ValueError: If only one of the two variables of the key is set.
        GRPCError: If the service refuses the key, or cannot be reached.

    Example:
        >>> from viam_sync.lessons import lesson_client
        >>> with lesson_client() as client:
        ...     print(client.app_client.list_organizations()[0].name)
        VIAM_API_KEY is not set, so this is the sandbox:
        Lesson Robotics
    """
    # Imported late: these load grpc, which listing the lessons does not need.
    from viam_sync import ViamClient
    from viam_sync.sandbox import Sandbox

    if any(os.environ.get(name, "").strip() for name in ("VIAM_API_KEY", "VIAM_API_KEY_ID")):
        with ViamClient.create_from_env_vars() as client:
            yield client
    else:
        print("VIAM_API_KEY is not set, so this is the sandbox:")
        with Sandbox() as sandbox, ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
            yield client


@contextmanager
def practice_part(client: ViamClient) -> Iterator[RobotPart]:
    """Make a machine in a location of its own, both with a new name, and remove them and their files at the end.

    Args:
        client: A client whose key owns the first of its organizations.

    Yields:
        The main part of the machine.

    Raises:
        PermissionDeniedError: If the key may not make locations.
        GRPCError: If the service refuses a call or cannot be reached; a subclass says which.

    Example:
        >>> from viam_sync.lessons import practice_part
        >>> with practice_part(client) as part:
        ...     print(part.name[:7])
        lesson-
    """
    app = client.app_client
    name = own_name()
    with ExitStack() as stack:
        location = app.create_location(app.list_organizations()[0].id, name)
        stack.callback(app.delete_location, location.id)
        robot_id = app.new_robot(name, location.id)
        stack.callback(app.delete_robot, robot_id)
        stack.callback(_delete_keys, client, robot_id)
        stack.callback(_delete_files, client, robot_id)
        yield app.get_robot_parts(robot_id)[0]


def own_name() -> str:
    """Return a name that begins with "lesson-" and that nothing else has.

    Example:
        >>> from viam_sync.lessons import own_name
        >>> own_name() == own_name()
        False
    """
    return f"lesson-{uuid.uuid4().hex[:8]}"


def practice_picture() -> bytes:
    """Return a small picture, as the contents of a PNG file: its left half is red, its right half white.

    Example:
        >>> from viam_sync.lessons import practice_picture
        >>> practice_picture()[1:4]
        b'PNG'
    """
    return base64.b64decode(_PICTURE)


def _delete_files(client: ViamClient, robot_id: str) -> None:
    """Delete the files of a machine, each by its ID, so that no other can be meant."""
    from viam_sync.utils import create_filter

    data = client.data_client
    files = data.iter_binary_data(create_filter(robot_id=robot_id), include_binary_data=False)
    ids = [file.metadata.binary_data_id for file in files if file.metadata.capture_metadata.robot_id == robot_id]
    if ids:
        data.delete_binary_data_by_ids(ids)


def _delete_keys(client: ViamClient, robot_id: str) -> None:
    """Delete the keys that are for one machine alone: each new machine gets one."""
    for key in client.app_client.get_robot_api_keys(robot_id):
        if {role.resource_id for role in key.authorizations} == {robot_id}:
            client.app_client.delete_key(key.api_key.id)
