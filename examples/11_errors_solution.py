"""The solution of lesson 11."""

from viam_sync import NotFoundError
from viam_sync.lessons import exercise, lesson_client

with lesson_client() as client:
    app = client.app_client
    machines = app.list_robots_for_org(app.list_organizations()[0].id)
    ids = [*(machine.id for machine in machines[:2]), "00000000-0000-4000-8000-000000000000"]
    with exercise(11, client, ids):
        for id in ids:
            try:
                print(f"{id}: {app.get_robot(id).name}")
            except NotFoundError:
                print(f"{id}: not there")
