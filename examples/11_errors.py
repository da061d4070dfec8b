"""Lesson 11: errors, retries, and what nobody knows.

A call can fail. A wrong argument is a ValueError or a TypeError, and nothing is sent. When the cloud says no, the
error is a GRPCError, with one class for each reason, such as NotFoundError. When the connection is lost, the client
tries again by itself, but only where that does no harm.

Sometimes nobody knows: "make a location" was sent, and the connection was lost before the answer came. Made or not?
That is an AmbiguousResultError: look before you send it again. Such trouble can be ordered only in a sandbox, so we
take one.
"""

from viam_sync import AmbiguousResultError, GRPCError, ViamClient
from viam_sync.lessons import exercise, lesson_client
from viam_sync.sandbox import Sandbox

with Sandbox() as sandbox, ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
    app = client.app_client
    fault = sandbox.faults.fail("GetRobot", "UNAVAILABLE", times=2)
    print(f"{app.get_robot(sandbox.robot_id).name}, after {fault.met} attempts that failed")

    sandbox.faults.drop("CreateLocation", after=True)
    try:
        app.create_location(sandbox.organization_id, "Garden")
    except AmbiguousResultError:
        names = [location.name for location in app.list_locations(sandbox.organization_id)]
        print("nobody knows, so we look:", "it was made" if "Garden" in names else "it was not made")

    # `options` makes a client that tries once, or for 5 seconds in all.
    sandbox.faults.fail("GetRobot", "UNAVAILABLE")
    try:
        app.options(retry=False, timeout=5).get_robot(sandbox.robot_id)
    except GRPCError as error:
        print(f"{type(error).__name__}: {error.message}")

with lesson_client() as client:
    app = client.app_client
    try:
        app.get_robot("")
    except ValueError as wrong:
        print(f"nothing was sent: {wrong}")

    machines = app.list_robots_for_org(app.list_organizations()[0].id)
    ids = [*(machine.id for machine in machines[:2]), "00000000-0000-4000-8000-000000000000"]
    # Exercise: ask with `app.get_robot` for each ID in the list `ids`, and print the ID, a colon, and the name of the
    # machine, or "not there" if there is none. Then: python 11_errors.py --check
    with exercise(11, client, ids):
        pass  # your lines go here
