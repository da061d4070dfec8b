"""A coroutine that stands where only its result makes sense lacks its ``await``, and becomes the call."""

import pytest

from viam_sync.migrate.script import migrate_source

HEAD = "import viam\n\ncloud = client.app_client\nawait cloud.list_organizations()\n"
PLAIN = "import viam_sync\n\ncloud = client.app_client\ncloud.list_organizations()\n"


@pytest.mark.parametrize(
    "line",
    [
        'key, id = cloud.create_key("o", [], "k")',
        "[key, id] = cloud.rotate_key(id)",
        'for robot in cloud.list_robots("l"): print(robot)',
        'names = [robot.name for robot in cloud.list_robots("l")]',
        "first = cloud.list_organizations()[0]",
    ],
)
def test_what_uses_a_result_is_left_as_it_is(line):
    assert migrate_source(f"{HEAD}{line}\n") == (f"{PLAIN}{line}\n", [])


def test_a_client_that_nothing_awaits_is_one():
    name = "app.viam_client.ViamClient.create_from_env_vars()"
    code, findings = migrate_source(f"{HEAD}async with viam.{name} as client: await client.app_client.list_keys()\n")
    assert code == f"{PLAIN}with viam_sync.{name} as client: client.app_client.list_keys()\n"
    assert findings == []


def test_a_call_that_nothing_awaits_is_made_and_named():
    code, findings = migrate_source(f'{HEAD}cloud.delete_robot("r")\n')
    assert code == f'{PLAIN}cloud.delete_robot("r")\n'
    assert findings == [(5, "`cloud.delete_robot` was never awaited; now it is made")]
