"""The solution of lesson 2."""

from viam_sync.lessons import exercise, lesson_client

with lesson_client() as client:
    app = client.app_client
    machines = app.list_robots_for_org(app.list_organizations()[0].id)
    with exercise(2, client):
        first = min(machines, key=lambda machine: machine.name)
        for part in app.get_robot_parts(first.id):
            if part.main_part:
                print(f"{first.name}: {part.id}")
