"""Lesson 10: roles and keys.

A script proves who it is with an API key. A key has roles: each is a word, "owner" or "operator", and what it is
for, an organization, a location or a machine. An owner may change things, an operator may use and look at them.
Give a key as little as its script needs: if it is stolen, that is what the thief has.

The value of a key is shown once, when it is made. Keep it in a file that only you can read, and never in a script.
"""

from viam_sync.app.app_client import APIKeyAuthorization
from viam_sync.lessons import exercise, lesson_client, own_name, practice_part

with lesson_client() as client, practice_part(client) as part:
    app = client.app_client
    organization = app.list_organizations()[0]
    role = APIKeyAuthorization(role="owner", resource_type="robot", resource_id=part.robot)
    value, key_id = app.create_key(organization.id, [role], own_name())
    try:
        print(f"a new key: {len(value)} characters that this lesson does not print")
        for key in app.list_keys(organization.id):
            roles = [f"{role.authorization_id} of {role.resource_id}" for role in key.authorizations]
            print(f"  {key.api_key.name}: {', '.join(roles)}")

        # A key that may have been seen by others gets a new value; the old one is good for nothing then.
        new_value, key_id = app.rotate_key(key_id)
        print("it was rotated:", new_value != value)

        # Exercise: let the key be an operator of the machine in place of an owner. `app.change_role` does it; for a
        # key, the identity is `key_id`. Then: python 10_roles_and_keys.py --check
        with exercise(10, client, key_id):
            pass  # your lines go here
    finally:
        app.delete_key(key_id)
