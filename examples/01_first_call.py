"""The first call: what organizations, locations and machines are there?

Without an account it talks to a sandbox on this computer. With VIAM_API_KEY and VIAM_API_KEY_ID set
(and VIAM_APP_URL, if it is not app.viam.com), it talks to the real cloud.
"""

import os

from viam_sync import ViamClient
from viam_sync.sandbox import Sandbox


def show_fleet(client: ViamClient) -> None:
    app = client.app_client
    for organization in app.list_organizations():
        print(f"{organization.name} ({organization.id})")
        for location in app.list_locations(organization.id):
            print(f"  {location.name} ({location.id})")
            for machine in app.list_robots(location.id):
                print(f"    {machine.name} ({machine.id})")


def main() -> None:
    if "VIAM_API_KEY" in os.environ:
        with ViamClient.create_from_env_vars() as client:
            show_fleet(client)
    else:
        print("VIAM_API_KEY is not set, so this is the sandbox:")
        with Sandbox() as sandbox, ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
            show_fleet(client)


if __name__ == "__main__":
    main()
