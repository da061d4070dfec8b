"""The tests of a project: each has a fresh sandbox, in any order, in parallel, and whatever its settings name."""

import sys
from pathlib import Path

import pytest
from django_projects import Project

pytest.importorskip("django.core", reason="tox -e django-newest has it")

TESTS = """
import os

from django.conf import settings
from django.test import SimpleTestCase, TransactionTestCase
from shop.models import Machine

from viam_sync import ViamClient
from viam_sync.django import SandboxMixin, SandboxTestCase, client, clients


class FreshTest(SandboxTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.before = organizations()
        client.app_client.create_organization("of the class")

    def setUp(self):
        assert organizations() == ["Lesson Robotics"]

    def change(self):
        client.app_client.create_organization("New")
        client.app_client.delete_robot(self.sandbox.robot_id)
        Machine.objects.create(viam_id="1", name="left")

    test_one = test_two = test_three = change

    def test_parts_that_fail(self):
        self.change()
        for part in range(2):
            with self.subTest(part=part):
                self.fail(f"part {part} fails")

    def test_every_account_and_the_environment_name_the_sandbox(self):
        self.assertEqual(settings.VIAM["TIMEOUT"], 20)
        self.assertEqual(settings.VIAM["ALIASES"]["other"]["TZ"], "Asia/Tokyo")
        for each in (clients["other"], ViamClient.create_from_env_vars(), self.viam_client):
            self.assertEqual(each.app_client.get_robot(self.sandbox.robot_id).name, "rover")
        self.assertEqual(self.before, ["Lesson Robotics"])
        self.assertEqual(self.client.get("/nothing/").status_code, 404)


class OwnServerTest(SandboxMixin, TransactionTestCase):
    sandbox_options = {"seed": 4, "token_lifetime": 60}

    def test_a_server_of_its_own(self):
        self.assertEqual(organizations(), ["Lesson Robotics"])


class OutsideTest(SimpleTestCase):
    def test_the_settings_are_those_of_the_project_again(self):
        self.assertEqual(settings.VIAM["APP_URL"], "http://127.0.0.1:1")
        self.assertNotIn("VIAM_API_KEY", os.environ)


def organizations():
    return [each.name for each in client.app_client.list_organizations()]
"""

SETTINGS = """
VIAM = {
    "TIMEOUT": 20,
    "APP_URL": "http://127.0.0.1:1",
    "ALIASES": {"other": {"API_KEY_ID": "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d", "API_KEY": "k", "TZ": "Asia/Tokyo"}},
}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    with (made.folder / "farm" / "settings.py").open("a", encoding="utf-8") as file:
        file.write(SETTINGS)
    (made.folder / "shop" / "tests.py").write_text(TESTS, encoding="utf-8")
    assert made.manage("makemigrations", "shop").status == 0
    return made


@pytest.mark.parametrize("words", [[], ["--shuffle", "7"], ["--reverse"], ["--parallel", "2"]], ids=str)
def test_the_tests_of_a_project_are_fresh_in_any_order_and_process(project: Project, words: "list[str]") -> None:
    done = project.manage("test", *words)
    assert done.status == 1, done.errors
    assert "Ran 7 tests in " in done.errors
    assert "FAILED (failures=2)" in done.errors, done.errors
    assert [line for line in done.errors.splitlines() if line.startswith("AssertionError")] == [
        "AssertionError: part 0 fails",
        "AssertionError: part 1 fails",
    ]


@pytest.mark.skipif(sys.version_info < (3, 10), reason="Django runs tests in parallel by fork alone")
def test_the_processes_may_be_spawned(project: Project) -> None:
    manage = project.folder / "manage.py"
    text = manage.read_text(encoding="utf-8")
    spawning = 'import multiprocessing\n    multiprocessing.set_start_method("spawn")\n    main()'
    manage.write_text(text.replace("    main()\n", f"    {spawning}\n"), encoding="utf-8")
    done = project.manage("test", "--parallel", "2", "shop.tests.FreshTest", "shop.tests.OutsideTest")
    assert "FAILED (failures=2)" in done.errors, done.errors
