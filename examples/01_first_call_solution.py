"""The solution of lesson 1."""

from viam_sync.lessons import exercise, lesson_client

with lesson_client() as client:
    app = client.app_client
    with exercise(1, client):
        machines = 0
        for organization in app.list_organizations():
            for location in app.list_locations(organization.id):
                machines += len(app.list_robots(location.id))
        print(f"machines: {machines}")
