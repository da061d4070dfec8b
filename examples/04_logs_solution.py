"""The solution of lesson 4."""

from viam_sync.lessons import exercise, lesson_client

with lesson_client() as client:
    app = client.app_client
    machines = app.list_robots_for_org(app.list_organizations()[0].id)
    with exercise(4, client):
        for machine in machines:
            errors = 0
            for part in app.get_robot_parts(machine.id):
                errors += len(list(app.iter_robot_part_logs(part.id, log_levels=["error"])))
            print(f"{machine.name}: {errors}")
