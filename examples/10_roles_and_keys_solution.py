"""The solution of lesson 10."""

from viam_sync.app.app_client import APIKeyAuthorization
from viam_sync.lessons import exercise, lesson_client, own_name, practice_part

with lesson_client() as client, practice_part(client) as part:
    app = client.app_client
    organization = app.list_organizations()[0]
    role = APIKeyAuthorization(role="owner", resource_type="robot", resource_id=part.robot)
    _, key_id = app.create_key(organization.id, [role], own_name())
    try:
        with exercise(10, client, key_id):
            app.change_role(
                organization.id, key_id, "owner", "robot", part.robot, key_id, "operator", "robot", part.robot
            )
    finally:
        app.delete_key(key_id)
