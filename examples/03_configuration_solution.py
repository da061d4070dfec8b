"""The solution of lesson 3."""

from viam_sync.lessons import exercise, lesson_client, practice_part

with lesson_client() as client, practice_part(client) as part:
    app = client.app_client
    sensor = {"name": "air", "api": "rdk:component:sensor", "model": "rdk:builtin:fake"}
    app.update_robot_part(part.id, part.name, {"components": [sensor]}, last_known_update=part.last_updated)
    with exercise(3, client, part):
        newest = app.get_robot_part(part.id)
        config = newest.robot_config or {}
        config["components"].append({"name": "door", "api": "rdk:component:camera", "model": "rdk:builtin:fake"})
        app.update_robot_part(part.id, part.name, config, last_known_update=newest.last_updated)
