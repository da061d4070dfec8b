"""The example ``django_fleet`` as users run it: over HTTP, in a browser, and its own tests."""

import http.client
import json
import re
import shlex
import shutil
import subprocess
import urllib.parse
from contextlib import closing, contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

import pytest
from browsers import show_on_screen, skip_without_browser
from django_projects import ROOT, Project
from waiting import LONG, until

from viam_sync import ViamClient
from viam_sync.sandbox import Sandbox

pytest.importorskip("django.core", reason="tox -e django-newest has it")

LEFT_OUT = shutil.ignore_patterns("__pycache__", "db.sqlite3")


class FleetProject(Project):
    """A copy of the example, with a database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "django_fleet"
        self.variables = {}
        shutil.copytree(ROOT / "examples" / "django_fleet", self.folder, ignore=LEFT_OUT)
        migrated = self.manage("migrate")
        assert (migrated.status, migrated.errors) == (0, "")

    @contextmanager
    def serve(self, *options: str) -> Iterator["Server"]:
        """Run the server on a free port; it must end without a traceback."""
        errors = self.folder / "errors.txt"
        with errors.open("w") as file, subprocess.Popen(
            self.command("runserver", "127.0.0.1:0", *options),
            cwd=self.folder,
            env={**self.environment(), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=file,
            encoding="utf-8",
        ) as process:
            try:
                server = Server(process)
                server.read_address()
                yield server
            finally:
                process.terminate()
                process.communicate(timeout=LONG)
        assert "Traceback" not in errors.read_text("utf-8")


class Answer(NamedTuple):
    status: int
    text: str
    content: bytes


class Server:
    """A running server, and a browser of few words, which keeps cookies."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._out: Any = process.stdout
        self._cookies = SimpleCookie()
        self.lines: List[str] = []

    def read_address(self) -> None:
        """Wait until the server says where it listens."""
        for line in iter(self._out.readline, ""):
            self.lines.append(line.strip())
            found = re.search(r"server at http://(\S+:\d+)/", line)
            if found:
                self.host = found[1]
                return
        raise AssertionError(f"the server has ended: {self.lines}")

    @property
    def exported(self) -> Dict[str, str]:
        """The variables by which other processes reach the sandbox."""
        words = (line[len("export ") :].partition("=") for line in self.lines if line.startswith("export "))
        return {name: value for name, _, value in words}

    @contextmanager
    def open(self, path: str, form: Optional[Dict[str, str]] = None) -> Iterator[http.client.HTTPResponse]:
        """Send a request; the connection ends with the block."""
        headers = {"Cookie": "; ".join(f"{each.key}={each.value}" for each in self._cookies.values())}
        body = None if form is None else urllib.parse.urlencode(form)
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(http.client.HTTPConnection(self.host, timeout=LONG)) as connection:
            connection.request("GET" if form is None else "POST", path, body, headers)
            with connection.getresponse() as response:
                for value in response.headers.get_all("Set-Cookie", []):
                    self._cookies.load(value)
                yield response

    def ask(self, path: str, form: Optional[Dict[str, str]] = None) -> Answer:
        with self.open(path, form) as response:
            content = response.read()
        return Answer(response.status, content.decode(errors="replace"), content)

    def submit(self, page: str, action: str, **fields: str) -> Answer:
        """Send the form of a page."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.ask(page).text)
        assert token is not None
        return self.ask(action, {"csrfmiddlewaretoken": token[1], **fields})

    def machines(self) -> Dict[str, str]:
        """Return the addresses of machines by their names."""
        rows = re.findall(r'<a href="(/machines/[\w-]+/)">(.*?)</a>', self.ask("/").text)
        return {name: path for path, name in rows}


@pytest.fixture
def project(tmp_path: Path) -> FleetProject:
    return FleetProject(tmp_path)


@pytest.fixture
def connected(project: FleetProject, sandbox: Sandbox) -> FleetProject:
    project.connect(sandbox)
    return project


def test_its_own_tests_pass_in_parallel(project: FleetProject) -> None:
    assert project.manage("makemigrations", "--check").status == 0
    done = project.manage("test", "--parallel", "2")
    assert (done.status, "OK" in done.errors) == (0, True), done.errors


def test_the_command_of_the_readme_fills_the_model(connected: FleetProject) -> None:
    readme = (connected.folder / "README.md").read_text("utf-8").replace("\\\n", "")
    (command,) = re.findall(r"^python manage\.py (viam_sync_machines .*)$", readme, re.MULTILINE)
    assert connected.manage(*shlex.split(command)).out == "3 created.\n"


def test_without_an_account_it_shows_a_sandbox(project: FleetProject) -> None:
    with project.serve("--noreload") as server:
        assert "VIAM_API_KEY is not set, so this is the sandbox." in server.lines[0]
        machines = server.machines()
        assert sorted(machines) == ["arm", "plant-watcher", "rover"]
        page = server.ask(machines["plant-watcher"]).text
        assert len(re.findall(r'<polyline points="[\d., ]+"', page)) == 3
        (picture, *_) = re.findall(r'<img src="(\S+)"', page)
        assert server.ask(picture).content.startswith(b"\x89PNG")
        # The sandbox is there for other processes, too.
        project.variables = server.exported
        assert "rover\t" in project.manage("viam_machines").out
        with server.open(f"{machines['rover']}log/") as events:
            event = next(line for line in iter(events.readline, b"") if line.startswith(b"data: "))
        assert json.loads(event[len(b"data: ") :])["text"].endswith("The battery is at 87 %")


def test_the_reloader_starts_one_sandbox_for_each_server(project: FleetProject) -> None:
    with project.serve() as server:
        before = server.machines()
        (project.folder / "fleet" / "urls.py").touch()
        server.read_address()
        assert server.machines() == before
    told = [line for line in server.lines if "so this is the sandbox" in line]
    assert len(told) == 2


def test_a_machine_of_an_account_is_renamed(connected: FleetProject, sandbox: Sandbox, client: ViamClient) -> None:
    with connected.serve("--noreload") as server:
        assert "sandbox" not in "".join(server.lines)
        page = server.machines()["rover"]
        assert server.ask(page, {"name": "stolen"}).status == 403
        assert server.submit(page, page, name="wanderer").status == 302
        assert client.app_client.get_robot(sandbox.robot_id).name == "wanderer"
        refused = server.submit(page, page, name="arm")
        assert refused.status == 200
        assert "choose another name" in refused.text
        client.app_client.update_robot(sandbox.robot_id, "rambler")
        assert server.submit("/", "/synchronise/").status == 302
        assert sorted(server.machines()) == ["arm", "plant-watcher", "rambler"]
        sandbox.faults.fail("TabularDataByFilter", "PERMISSION_DENIED")
        failed = server.ask(page)
        assert (failed.status, "The cloud says no" in failed.text) == (502, True)


def test_a_tail_ends_when_its_browser_is_gone(connected: FleetProject, sandbox: Sandbox) -> None:
    with connected.serve("--noreload") as server:
        with server.open(f"{server.machines()['rover']}log/"):
            sandbox.wait_for_tail(sandbox.robot_part_id)

        def is_followed() -> bool:
            # The server learns it from what it cannot send.
            sandbox.log(sandbox.robot_part_id, "Hello?")
            try:
                sandbox.wait_for_tail(sandbox.robot_part_id, timeout=0)
            except TimeoutError:
                return False
            return True

        until(lambda: not is_followed())


def test_a_cloud_that_is_down_is_told_when_the_server_starts(connected: FleetProject, sandbox: Sandbox) -> None:
    sandbox.stop()
    with connected.serve("--noreload") as server:
        page = server.ask("/")
        assert (page.status, "None is known yet." in page.text) == (200, True)
        assert server.submit("/", "/synchronise/").status == 502
    assert "UNAVAILABLE" in (connected.folder / "errors.txt").read_text("utf-8")


def test_a_deployment_check_names_what_a_demonstration_lacks_alone(connected: FleetProject) -> None:
    done = connected.manage("check", "--deploy")
    assert done.status == 0
    assert set(re.findall(r"\((\w+)\.\w\d+\)", done.errors)) == {"security"}


@pytest.fixture
def browser_pages(request: pytest.FixtureRequest, connected: FleetProject) -> Iterator[Any]:
    """A browser at the page of the fleet; an error or a warning of it fails the test."""
    skip_without_browser()
    browser = request.getfixturevalue("browser")
    with connected.serve("--noreload") as server:
        browser.get(f"http://{server.host}/")
        yield browser
        errors = browser.get_log("browser")
        browser.get("about:blank")
    assert errors == []


def test_a_browser_shows_the_fleet_and_its_machines(browser_pages: Any, sandbox: Sandbox, client: ViamClient) -> None:
    from selenium.webdriver.common.by import By

    browser = browser_pages

    def find(selector: str) -> Any:
        return browser.find_element(By.CSS_SELECTOR, selector)

    def texts(selector: str) -> List[str]:
        # One script, as an element that is found may be gone with its page before its text is asked for.
        script = "return Array.from(document.querySelectorAll(arguments[0]), (node) => (node.innerText || '').trim())"
        found: List[str] = browser.execute_script(script, selector)
        return found

    assert texts("tbody td:first-child") == ["plant-watcher", "arm", "rover"]
    show_on_screen(browser, 360)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360
    find("tbody a").click()
    until(lambda: texts("h1") == ["plant-watcher"])
    assert len(texts("polyline")) == 3
    until(lambda: browser.execute_script("return document.querySelector('.picture img').naturalWidth") > 0)
    for width in (1200, 360):
        show_on_screen(browser, width)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        chart, frame = find("polyline").rect, find("svg").rect
        assert frame["width"] - 20 < chart["width"] <= frame["width"]
        picture, box = find(".picture img").rect, find(".picture .box").rect
        for side, size in (("x", "width"), ("y", "height")):
            assert picture[side] <= box[side]
            assert box[side] + box[size] <= picture[side] + picture[size]
            assert box[size] > 10

    browser.back()
    browser.find_element(By.LINK_TEXT, "rover").click()
    sandbox.wait_for_tail(sandbox.robot_part_id)
    sandbox.log(sandbox.robot_part_id, "<b>The motor stalled</b>", level="error")
    until(lambda: texts("#log li")[:1] and texts("#log li")[0].endswith("error rdk: <b>The motor stalled</b>"))

    find("#id_name").clear()
    find("#id_name").send_keys("wanderer")
    browser.find_element(By.XPATH, "//button[text()='Rename']").click()
    until(lambda: texts("h1") == ["wanderer"])
    assert client.app_client.get_robot(sandbox.robot_id).name == "wanderer"
