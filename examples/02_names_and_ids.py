"""Lesson 2: names and IDs.

People use names, the cloud uses IDs. A name can change, and two machines may have the same one; an ID never
changes, and no other thing has it. So methods take IDs, and a script that knows a name looks for the ID first.

A machine has one or more parts, each of which is a computer. One of them is the main part. The part, and not the
machine, has the configuration and the log, so many methods ask for the ID of a part.
"""

from viam_sync.errors import NotFoundError
from viam_sync.lessons import exercise, lesson_client

with lesson_client() as client:
    app = client.app_client
    organization = app.list_organizations()[0]
    machines = app.list_robots_for_org(organization.id)

    ids = {machine.name: machine.id for machine in machines}
    for name in sorted(ids):
        print(f"{name} has the ID {ids[name]}")
        for part in app.get_robot_parts(ids[name]):
            print(f"  {part.name} has the ID {part.id}{', and is the main part' if part.main_part else ''}")

    # An ID that nothing has is an error, which says what to do.
    try:
        app.get_robot("00000000-0000-4000-8000-000000000000")
    except NotFoundError as error:
        print(error.message)

    # Exercise: take the machine whose name is the first in the alphabet, and print the ID of its main part, in a line
    # with the name of the machine: "arm: 01234567-…". Then: python 02_names_and_ids.py --check
    with exercise(2, client):
        pass  # your lines go here
