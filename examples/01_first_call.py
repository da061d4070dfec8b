"""Lesson 1: the first call.

An organization has locations, and a location has machines. A client asks the cloud for them: you call a method, it
sends a question, waits for the answer, and returns it.

You need no account: without one, `lesson_client` starts a sandbox, a small copy of the cloud on your own computer.
Set VIAM_API_KEY and VIAM_API_KEY_ID (and VIAM_APP_URL, if it is not app.viam.com), and the same lesson talks to the
real cloud. In a script of your own, the line for that is:

    with ViamClient.create_from_env_vars() as client:
"""

from viam_sync.lessons import exercise, lesson_client

with lesson_client() as client:
    app = client.app_client
    for organization in app.list_organizations():
        print(f"{organization.name} ({organization.id})")
        for location in app.list_locations(organization.id):
            print(f"  {location.name} ({location.id})")
            for machine in app.list_robots(location.id):
                print(f"    {machine.name} ({machine.id})")

    # Exercise: print how many machines there are in all locations together, in a line such as "machines: 7".
    # Then ask whether it is right: python 01_first_call.py --check
    with exercise(1, client):
        pass  # your lines go here
