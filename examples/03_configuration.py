"""Lesson 3: the configuration of a machine.

A configuration says which components a machine has: its sensors, cameras, motors. It is a plain dict, and belongs
to a part. To change it: get the part, change the dict, send all of it back.

Somebody else may change it at the same moment. Send `last_known_update`, the time of the configuration that you
started from, and the cloud refuses yours if there is a newer one, so that nobody's work is lost.

`practice_part` makes a machine to try this on, and removes it at the end of the block.
"""

from viam_sync.errors import FailedPreconditionError
from viam_sync.lessons import exercise, lesson_client, practice_part

with lesson_client() as client, practice_part(client) as part:
    app = client.app_client
    sensor = {"name": "air", "api": "rdk:component:sensor", "model": "rdk:builtin:fake"}
    config = {"components": [sensor]}
    app.update_robot_part(part.id, part.name, config, last_known_update=part.last_updated)
    print(app.get_robot_part(part.id).robot_config)

    # The same once more: by now, the time of `part` is not that of the newest configuration.
    try:
        app.update_robot_part(part.id, part.name, config, last_known_update=part.last_updated)
    except FailedPreconditionError as error:
        print(f"refused: {error.message}")

    # What the configuration was before each change is in its history.
    for change in app.get_robot_part_history(part.id):
        print(f"before {change.when:%H:%M:%S} UTC it was {change.old.robot_config if change.old else None}")

    # Exercise: add a camera called "door" to the configuration; the sensor stays. Its "api" is "rdk:component:camera",
    # its "model" "rdk:builtin:fake". Then: python 03_configuration.py --check
    with exercise(3, client, part):
        pass  # your lines go here
