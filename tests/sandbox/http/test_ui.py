import contextlib
import http.client
import json
import logging
import re
import socket
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path
from types import SimpleNamespace

import pytest

import viam_sync
from sandbox.calls import APP, Caller, call, refused
from sandbox.data_calls import NO_FILE, NO_UUID, PNG, blob_names
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.http.endpoint import HttpEndpoint
from viam_sync.sandbox.http.page_token import PageToken
from viam_sync.sandbox.http.ui import PageRoute

from .page_requests import address_of, get, get_without_token, view

ROOT = Path(viam_sync.__file__).parents[1]
VIEWS = ("world.json", "calls.json", "logs.json", "chart.json")


@pytest.fixture
def sandbox(start):
    return start(seed=1, ui=True)


def machines(sandbox):
    return [
        machine
        for organization in view(sandbox, "world.json")["machines"]["items"]
        for location in organization["locations"]
        for machine in location["machines"]
    ]


def log_of(sandbox, part_id):
    return view(sandbox, f"logs.json?part={part_id}")["items"]


def last_call(sandbox):
    return view(sandbox, "calls.json")["items"][0]


class Events:
    """The stream of events that a page receives; ``next()`` returns the next one."""

    def __init__(self, sandbox):
        self._connection = http.client.HTTPConnection(address_of(sandbox), timeout=10)
        self._connection.request("GET", f"/ui/events?{urllib.parse.urlsplit(sandbox.ui_url).query}")
        self._response = self._connection.getresponse()
        assert self._response.headers["Content-Type"] == "text/event-stream"

    def rest(self):
        return self._response.read().strip()

    def next(self):
        while True:
            line = self._response.readline()
            assert line, "the stream has ended"
            if line.startswith(b"data: "):
                return json.loads(line[len("data: ") :])

    def until(self, **counts):
        """Read events until the counts are these."""
        while any(count != counts[name] for name, count in self.next().items() if name in counts):
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._response.close()
        self._connection.close()


def test_the_page_and_what_it_is_made_of_are_served(sandbox):
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[0-9a-f]{48}", sandbox.ui_url)
    for path, kind in (
        ("/", "text/html; charset=utf-8"),
        ("/ui/page.css", "text/css; charset=utf-8"),
        ("/ui/chart.js", "text/javascript; charset=utf-8"),
        ("/ui/page.js", "text/javascript; charset=utf-8"),
        ("/ui/icon.svg", "image/svg+xml"),
    ):
        response, body = get(sandbox, path)
        assert (response.status, response.headers["Content-Type"]) == (200, kind)
        assert int(response.headers["Content-Length"]) == len(body) > 100


def test_the_page_loads_nothing_from_elsewhere_and_has_no_code_of_its_own(sandbox):
    _, html = get(sandbox, "/")
    assert set(re.findall(rb'(?:src|href)="([^"#]+)"', html)) == {
        *(b"/ui/icon.svg", b"/ui/page.css", b"/ui/chart.js", b"/ui/page.js")
    }
    assert not re.search(rb"<style|<script>|\bstyle=|\bon[a-z]+=", html)
    for path in ("/ui/page.css", "/ui/chart.js", "/ui/page.js"):
        _, text = get(sandbox, path)
        assert not re.search(rb"//[a-z]|url\(|@import|innerHTML|insertAdjacentHTML", text)


@pytest.mark.parametrize("path", ["/", "/ui/page.js", "/ui/world.json", "/nothing", f"/ui/files/{NO_FILE}"])
def test_every_answer_keeps_the_browser_from_more_than_this_page(sandbox, path):
    response, _ = get(sandbox, path, Origin="http://example.com")
    policy = response.headers["Content-Security-Policy"]
    assert policy.split("; ") == [
        "default-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in response.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("path", ["/", "/ui/world.json", "/ui/events", "/ui/files/x"])
def test_a_page_of_somebody_else_cannot_read_it_under_another_name(sandbox, path):
    port = address_of(sandbox).split(":")[1]
    for host in ("example.com", f"example.com:{port}", f"127.0.0.1.example.com:{port}", "127.0.0.1", "localhost", ""):
        response, body = get(sandbox, path, Host=host)
        assert (response.status, body.count(b"\n")) == (403, 1)
        assert f"http://{address_of(sandbox)}/ ".encode() in body
    response, _ = get(sandbox, "/", Host=f"localhost:{port}")
    assert response.status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(sandbox, method):
    for path in ("/", "/ui/world.json", f"/ui/files/{NO_FILE}"):
        response, body = get(sandbox, path, method)
        assert response.status == 501
        assert b"Unsupported method" in body


def test_a_head_request_gets_the_headers_alone(sandbox):
    file = view(sandbox, "world.json")["files"]["items"][0]
    for path in ("/", "/ui/world.json", "/ui/events", f"/ui/files/{file['id']}"):
        response, body = get(sandbox, path, "HEAD")
        assert (response.status, body) == (200, b"")


@pytest.mark.parametrize("path", ["/ui", "/ui/", "/index.html", "/ui/page/page.js", "/ui/../../secret", "/ui/%2e%2e/x"])
def test_an_unknown_path_is_not_found(sandbox, path):
    response, body = get(sandbox, path)
    assert response.status == 404
    assert b"the page is at '/'" in body


def test_it_shows_organizations_with_their_locations_machines_and_parts(sandbox):
    (organization,) = view(sandbox, "world.json")["machines"]["items"]
    assert (organization["id"], organization["name"]) == (sandbox.organization_id, "Lesson Robotics")
    assert [
        (each["name"], [machine["name"] for machine in each["machines"]]) for each in organization["locations"]
    ] == [
        ("Workshop", ["rover", "arm"]),
        ("Workshop / Greenhouse", ["plant-watcher"]),
    ]
    rover, arm, _ = machines(sandbox)
    (part,) = rover["parts"]
    assert (part["id"], part["name"], part["main"]) == (sandbox.robot_part_id, "rover-main", True)
    assert part["components"] == ["left", "right", "base"]
    assert part["seen"] == rover["seen"]
    assert [(each["name"], each["main"]) for each in arm["parts"]] == [("arm-main", True), ("arm-camera", False)]
    assert arm["parts"][1]["seen"] is None


@pytest.mark.parametrize(
    ("config", "components"),
    [
        ('{"components": "none"}', []),
        ('{"components": [1, {"name": "a"}, {}, {"name": {"b": null}}]}', ["a", "", "{'b': None}"]),
        ('{"components": {"name": "a"}}', []),
        (json.dumps({"components": [{"name": "x" * 1000}] * 1000}), []),
        (json.dumps({"components": [{"name": "x" * 200}] * 30}), ["x" * 99 + "…"] * 20),
    ],
    ids=range(5),
)
def test_a_configuration_may_be_anything(sandbox, owner, config, components):
    owner.UpdateRobotPart(id=sandbox.robot_part_id, name="rover-main", robot_config_json=config)
    assert machines(sandbox)[0]["parts"][0]["components"] == components


def test_a_large_world_has_pages_of_machines_and_each_part_is_on_one(sandbox, owner):
    for number in range(100):
        owner.NewRobot(name=f"robot {number}", location=sandbox.location_id)
    empty = owner.CreateLocation(organization_id=sandbox.organization_id, name="Attic").location.id
    pages = [view(sandbox, f"world.json?machines={number}")["machines"] for number in (1, 2, 3)]
    assert [(each["page"], each["pages"], each["total"]) for each in pages] == [(1, 3, 105), (2, 3, 105), (3, 3, 105)]
    assert pages[0]["counts"] == [1, 3, 103, 104]
    locations = [
        [location for organization in page["items"] for location in organization["locations"]] for page in pages
    ]
    names = [machine["name"] for page in locations for location in page for machine in location["machines"]]
    assert names == ["rover", "arm", *(f"robot {number}" for number in range(100)), "plant-watcher"]
    assert [each["name"] for each in locations[1]] == ["Workshop"]
    assert locations[2][-1] == {"id": empty, "name": "Attic", "machines": []}


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ("2", 2),
        ("3", 3),
        ("4", 3),
        ("999999999", 3),
        *((text, 1) for text in ("0", "-1", "", "x", "%D9%A2", "9" * 5000)),
    ],
)
def test_any_number_in_the_address_is_one_of_a_page_that_is_there(sandbox, data, asked, page):
    sandbox._world.store.run("DELETE FROM readings")
    data.put_readings(*({"n": number} for number in range(132)))
    shown = view(sandbox, f"world.json?readings={asked}")["readings"]
    assert (shown["page"], shown["pages"], len(shown["items"])) == (page, 3, 50 if page < 3 else 32)


def test_texts_without_end_are_cut(sandbox, owner, data):
    owner.NewRobot(name="n" * 5000, location=sandbox.location_id)
    assert machines(sandbox)[2]["name"] == "n" * 99 + "…"
    sandbox.log(sandbox.robot_part_id, "m" * 5000)
    sandbox.log(sandbox.robot_part_id, "m" * 500_000)
    large, long = log_of(sandbox, sandbox.robot_part_id)[:2]
    assert long["message"] == "m" * 1999 + "…"
    assert re.fullmatch(r"\(50\d{4} bytes, too much to show here\)", large["message"])
    data.put_readings({"text": "v" * 5000}, {"text": "v" * 500_000})
    large, long = view(sandbox, "world.json")["readings"]["items"][:2]
    assert (len(long["values"]), long["values"][:12]) == (2000, '{"text": "vv')
    assert re.fullmatch(r"\(5\d{5} bytes, too much to show here\)", large["values"])


def test_no_secret_is_shown_anywhere(sandbox, owner):
    config = json.dumps({"components": [{"name": "camera", "attributes": {"password": "in a component"}}]})
    owner.UpdateRobotPart(id=sandbox.robot_part_id, name="rover-main", robot_config_json=config)
    owner.CreateRobotPartSecret(part_id=sandbox.robot_part_id)
    with refused("UNAUTHENTICATED"):
        call(owner.channel, "ListOrganizations", metadata=[("authorization", "Bearer some.wrong.token")])
    store = sandbox._world.store
    secrets = [row["key"] for row in store.rows("SELECT key FROM keys")]
    for location in owner.ListLocations(organization_id=sandbox.organization_id).locations:
        secrets += [each.secret for each in owner.LocationAuth(location_id=location.id).auth.secrets]
    for row in store.rows("SELECT id FROM parts"):
        secrets += [each.secret for each in owner.GetRobotPart(id=row["id"]).part.secrets]
    secrets += [store.setting("signing_secret"), "in a component", "some.wrong.token"]
    secrets.append(owner.metadata[0][1].split()[1])
    assert len(secrets) > 12
    shown = b"".join(get(sandbox, f"/ui/{name}?part={sandbox.robot_part_id}")[1] for name in VIEWS)
    assert [secret for secret in secrets if secret.encode() in shown] == []


def test_the_log_of_a_part_is_shown_latest_first(sandbox):
    sandbox.log(
        sandbox.robot_part_id, "It burns", level="error", stack="at the back", fields=[{"n": 1, "a": [None, "é"]}]
    )
    entry, *others = log_of(sandbox, sandbox.robot_part_id)
    assert (entry["message"], entry["level"], entry["logger"]) == ("It burns", "error", "rdk")
    assert (entry["stack"], entry["fields"]) == ("at the back", '{"a": [null, "é"], "n": 1}')
    times = [each["time"] for each in others]
    assert times == sorted(times, reverse=True)
    for number in range(60):
        sandbox.log(sandbox.robot_part_id, f"message {number}")
    assert [each["message"] for each in log_of(sandbox, sandbox.robot_part_id)] == [
        f"message {number}" for number in range(59, 9, -1)
    ]
    second = view(sandbox, f"logs.json?part={sandbox.robot_part_id}&page=2")
    assert (second["total"], second["items"][0]["message"]) == (len(second["items"]) + 50, "message 9")


@pytest.mark.parametrize("part", ["", NO_UUID, "';DROP%20TABLE%20parts", "%00", "%ff"])
def test_the_log_of_a_part_that_is_not_there_is_empty(sandbox, part):
    assert log_of(sandbox, part) == []


def test_readings_are_shown_as_they_arrive(sandbox, data):
    data.put_readings({"t": 20.5, "n": 3, "deep": {"er": [True, None]}}, component_name="thermometer", tags=["hot"])
    reading = view(sandbox, "world.json")["readings"]["items"][0]
    assert reading["values"] == '{"deep": {"er": [true, null]}, "n": 3, "t": 20.5}'
    assert (reading["robot_name"], reading["part_name"]) == ("rover", "rover-main")
    assert (reading["component_name"], reading["method"], reading["tags"]) == ("thermometer", "GetImages", ["hot"])
    data.put_readings(*({"n": number} for number in range(100)))
    shown = [each["values"] for each in view(sandbox, "world.json")["readings"]["items"]]
    assert shown == [f'{{"n": {number}}}' for number in range(99, 49, -1)]


def test_numbers_and_times_that_json_or_a_calendar_does_not_have_do_no_harm(sandbox, data):
    far = {"metadata": {"time_requested": {"seconds": 253402300799}}, "struct": {"n": float("nan"), "i": float("inf")}}
    data.DataCaptureUpload(metadata=data.metadata(2), sensor_contents=[far])
    reading = view(sandbox, "world.json")["readings"]["items"][0]
    assert reading["time"] == 253402300799_000_000
    assert "NaN" in reading["values"]


def test_images_are_shown_with_their_boxes_tags_and_datasets(sandbox, data):
    box = {"label": "cat", "x_min_normalized": 0.25, "x_max_normalized": 0.5, "y_max_normalized": 1}
    id = data.put(annotations={"bboxes": [box]}, tags=["b", "a"], file_name="f", dataset_ids=[sandbox.dataset_id])
    file = view(sandbox, "world.json")["files"]["items"][0]
    assert id.endswith(file["id"])
    assert (file["name"], file["component_name"], file["robot_name"]) == ("f", "cam", "rover")
    assert (file["type"], file["size"], file["is_image"]) == ("image/png", len(PNG), True)
    assert (file["tags"], file["datasets"]) == (["b", "a"], ["tomatoes"])
    assert file["boxes"] == [{"label": "cat", "left": 0.25, "top": 0, "width": 0.25, "height": 1}]
    response, body = get(sandbox, f"/ui/files/{file['id']}")
    assert (response.status, body) == (200, PNG)
    assert (response.headers["Content-Type"], response.headers["Content-Length"]) == ("image/png", str(len(PNG)))
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_files_have_pages(sandbox, data):
    ids = [data.put().split("/")[2] for _ in range(61)]
    first, second = (view(sandbox, f"world.json?files={number}")["files"] for number in (1, 2))
    assert (first["total"], first["pages"], second["page"]) == (85, 2, 2)
    assert [each["id"] for each in first["items"]] == ids[:0:-1]
    assert (second["items"][0]["id"], len(second["items"])) == (ids[0], 25)


@pytest.mark.parametrize(
    "kind", ["text/html", "image/svg+xml", "image/vnd.viam.dep", "image/png; x=y", "image/png\r\nA: b"]
)
def test_a_file_that_is_no_plain_image_is_listed_but_not_served(sandbox, data, kind):
    id = data.put(b"<script>alert(1)</script>", mime_type=kind).split("/")[2]
    file = view(sandbox, "world.json")["files"]["items"][0]
    assert (file["id"], file["type"], file["is_image"]) == (id, kind, False)
    response, body = get(sandbox, f"/ui/files/{id}")
    assert (response.status, b"script" in body) == (404, False)


@pytest.mark.parametrize("id", [NO_FILE, "", "x", "../sandbox.db", "%2e%2e%2fsandbox.db", "%00", "%ff"])
def test_an_image_that_is_not_there_is_not_found(sandbox, id):
    response, _ = get(sandbox, f"/ui/files/{id}")
    assert response.status == 404


def test_an_image_whose_contents_were_taken_away_is_not_found(sandbox, data):
    id = data.put().split("/")[2]
    sandbox._world.store.blobs.delete(blob_names(sandbox))
    response, body = get(sandbox, f"/ui/files/{id}")
    assert response.status == 404
    assert b"are gone" in body


def test_datasets_are_shown_with_the_number_of_their_files(sandbox, data):
    (tomatoes,) = view(sandbox, "world.json")["datasets"]["items"]
    assert (tomatoes["name"], tomatoes["organization"], tomatoes["files"]) == ("tomatoes", "Lesson Robotics", "24")
    new = data.CreateDataset(name="empty", organization_id=sandbox.organization_id).id
    first = view(sandbox, "world.json")["datasets"]["items"][0]
    assert (first["id"], first["name"], first["files"]) == (new, "empty", "0")


def test_a_file_names_its_dataset_on_whatever_page_that_is(sandbox, data):
    for number in range(120):
        data.CreateDataset(name=f"dataset {number}", organization_id=sandbox.organization_id)
    assert view(sandbox, "world.json?datasets=3")["datasets"]["items"][-1]["name"] == "tomatoes"
    assert view(sandbox, "world.json")["files"]["items"][0]["datasets"] == ["tomatoes"]


def test_keys_are_shown_by_their_names_and_roles(sandbox, owner):
    role = owner.role("operator", "robot", sandbox.robot_id)
    id = owner.CreateKey(authorizations=[role], name="for the rover").id
    key = view(sandbox, "world.json")["keys"]["items"][0]
    assert (key["id"], key["name"], key["organization"]) == (id, "for the rover", "Lesson Robotics")
    assert key["roles"] == [f"operator of robot {sandbox.robot_id}"]


def test_fragments_are_shown(sandbox):
    (fragment,) = view(sandbox, "world.json")["fragments"]["items"]
    assert (fragment["id"], fragment["visibility"]) == (sandbox.fragment_id, "private")


def test_a_training_job_is_shown_as_it_goes_on_without_a_call(start, owner_of):
    now = [1_700_000_000.0]
    sandbox = start(seed=1, ui=True, clock=lambda: now[0])
    owner = owner_of(sandbox)
    fields = {"model_name": "ripeness", "model_version": "1", "model_type": 3, "dataset_id": sandbox.dataset_id}
    fields["organization_id"] = sandbox.organization_id
    job = call(owner.channel, "SubmitTrainingJob", "viam.app.mltraining.v1.MLTrainingService", owner.metadata, **fields)
    shown = []
    for seconds in (0, 10, 60):
        now[0] += seconds
        world = view(sandbox, "world.json")
        shown.append((world["jobs"]["items"][0]["status"], world["changes_in"]))
    assert shown == [("pending", 10), ("in progress", 60), ("completed", None)]
    newest = world["jobs"]["items"][0]
    assert (newest["id"], newest["name"], newest["dataset"]) == (job.id, "ripeness 1", sandbox.dataset_id)


def test_downloads_are_still_there(sandbox, data, owner):
    uri = data.about(data.put()).uri
    path = urllib.parse.urlsplit(uri).path
    assert get_without_token(sandbox, path)[0].status == 401
    response, body = get_without_token(sandbox, path, Authorization=owner.metadata[0][1])
    assert (response.status, body) == (200, PNG)


def test_calls_are_shown_with_who_made_them_and_how_they_ended(sandbox, owner, caller_with):
    owner.ListOrganizations()
    shown = last_call(sandbox)
    assert (shown["rpc"], shown["who"], shown["status"]) == (f"{APP}/ListOrganizations", "API key sandbox", "OK")
    assert shown["seconds"] > 0
    with refused("NOT_FOUND"):
        owner.GetRobot(id=NO_UUID)
    assert last_call(sandbox)["status"] == "NOT_FOUND"
    with refused("PERMISSION_DENIED"):
        caller_with("operator", "robot", sandbox.robot_id).DeleteRobot(id=sandbox.robot_id)
    assert (last_call(sandbox)["who"], last_call(sandbox)["status"]) == ("API key a key", "PERMISSION_DENIED")
    with refused("UNAUTHENTICATED"):
        call(owner.channel, "ListOrganizations")
    assert (last_call(sandbox)["who"], last_call(sandbox)["status"]) == (None, "UNAUTHENTICATED")
    with refused("UNIMPLEMENTED"):
        owner.SearchOrganizations()
    assert last_call(sandbox)["status"] == "UNIMPLEMENTED"


def test_machines_and_locations_are_named_as_callers(sandbox, owner, callers):
    part = owner.GetRobotPart(id=sandbox.robot_part_id).part
    callers(sandbox.robot_part_id, part.secret, "robot-secret").GetRobot(id=sandbox.robot_id)
    assert last_call(sandbox)["who"] == "part rover-main"
    auth = owner.LocationAuth(location_id=sandbox.location_id).auth
    callers(sandbox.location_id, auth.secret, "robot-location-secret").GetRobot(id=sandbox.robot_id)
    assert last_call(sandbox)["who"] == "location Workshop"


def test_a_caller_whose_key_is_gone_keeps_its_id(sandbox, caller_with, owner):
    caller = caller_with("owner", "robot", sandbox.robot_id)
    caller.GetRobot(id=sandbox.robot_id)
    owner.DeleteKey(id=caller.id)
    assert view(sandbox, "calls.json")["items"][1]["who"] == f"API key {caller.id}"


def test_a_call_is_shown_while_it_runs_and_when_its_client_went_away(sandbox, owner):
    stream = owner.channel.unary_stream(f"/{APP}/TailRobotPartLogs")
    tail = stream(b"\n\x24" + sandbox.robot_part_id.encode(), metadata=owner.metadata, timeout=30)
    sandbox.wait_for_tail(sandbox.robot_part_id)
    shown = last_call(sandbox)
    assert (shown["rpc"], shown["who"]) == (f"{APP}/TailRobotPartLogs", "API key sandbox")
    assert (shown["status"], shown["seconds"]) == ("", None)
    tail.cancel()
    assert sandbox._dispatcher.calls.latest()[0].ended.wait(10)
    assert last_call(sandbox)["status"] == "CANCELLED"


def test_only_the_last_calls_are_kept(sandbox, owner):
    for _ in range(210):
        owner.ListOrganizations()
    pages = [view(sandbox, f"calls.json?calls={number}") for number in range(1, 5)]
    assert {(each["pages"], each["total"]) for each in pages} == {(4, 200)}
    assert [each["id"] for page in pages for each in page["items"]] == list(range(211, 11, -1))


@contextlib.contextmanager
def hurried(sandbox):
    """Serve the page of a sandbox at another address, with short intervals."""
    world = sandbox._world
    token = PageToken()
    route = PageRoute(world, sandbox._dispatcher.calls, token, min_interval=0.01, keepalive=0.01)
    with contextlib.closing(HttpEndpoint({PageRoute.PREFIX: route})) as endpoint:
        world.web_url = endpoint.url
        yield SimpleNamespace(ui_url=f"{endpoint.url}/{token.query}")


def test_a_page_hears_of_calls_and_of_changes_when_they_happen(sandbox, owner):
    with hurried(sandbox) as page, Events(page) as events:
        first = events.next()
        owner.ListOrganizations()
        events.until(calls=first["calls"] + 2, world=first["world"])
        sandbox.log(sandbox.robot_part_id, "Something")
        events.until(calls=first["calls"] + 2, world=first["world"] + 1)
        owner.NewRobot(name="new", location=sandbox.location_id)
        events.until(calls=first["calls"] + 4, world=first["world"] + 2)
        with refused("ALREADY_EXISTS"):
            owner.NewRobot(name="new", location=sandbox.location_id)
        events.until(calls=first["calls"] + 6, world=first["world"] + 2)
        sandbox.reset()
        while events.next()["world"] <= first["world"] + 2:
            pass  # an event of before
        assert [each["name"] for each in machines(page)] == ["rover", "arm", "plant-watcher"]


def web_threads():
    return [thread for thread in threading.enumerate() if thread.name == "viam-sandbox-web"]


def test_a_page_that_is_open_does_not_hold_up_the_end():
    before = web_threads()
    with Sandbox(ui=True) as sandbox, Events(sandbox) as events:
        events.next()
        sandbox.stop()
        assert events.rest() == b""
    assert set(web_threads()) <= set(before)


def test_a_page_that_was_closed_is_missed_soon(sandbox):
    with hurried(sandbox) as page:
        before = web_threads()
        with Events(page) as events:
            events.next()
            (serving,) = set(web_threads()).difference(before)
        serving.join(10)
        assert not serving.is_alive()


def test_a_world_can_be_looked_at_again_after_a_restart(tmp_path):
    for _ in range(2):
        with Sandbox(tmp_path, ui=True) as sandbox:
            caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
            caller.channel.close()
            assert last_call(sandbox)["rpc"] == "proto.rpc.v1.AuthService/Authenticate"
            assert len(machines(sandbox)) == 3


def test_without_being_asked_for_nothing_of_it_is_there_or_loaded():
    code = """
import sys, urllib.error, urllib.request
from viam_sync.sandbox import Sandbox
with Sandbox() as sandbox:
    assert sandbox.ui_url == ""
    for path in ("/", "/ui/world.json", "/ui/page.js"):
        try:
            urllib.request.urlopen(sandbox._web.url + path)
        except urllib.error.HTTPError as error:
            print(error.code)
            error.close()
print([name for name in sys.modules if name.startswith("viam_sync.sandbox.http.ui")])
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split("\n") == ["404", "404", "404", "[]", ""]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_page_has_a_fixed_port_where_asked_and_again_after_a_restart():
    port = free_port()
    for _ in range(2):
        with Sandbox(ui_port=port) as sandbox:
            assert sandbox.ui_url.startswith(f"http://127.0.0.1:{port}/?token=")
            assert get(sandbox, "/")[0].status == 200


def test_a_port_of_the_page_that_is_taken_is_one_clear_error(sandbox, tmp_path):
    port = int(address_of(sandbox).split(":")[1])
    again = Sandbox(tmp_path, ui_port=port)
    with pytest.raises(OSError, match=f"The page of the sandbox cannot listen on port {port} .*choose another port"):
        again.start()
    # The folder and the other port are free again.
    with Sandbox(tmp_path, ui=True):
        assert not again.running


@pytest.mark.parametrize(
    ("ports", "text"),
    [
        ({"ui_port": 70000}, "ui_port takes an int from 0 to 65535, got 70000"),
        ({"ui_port": "8080"}, "ui_port takes an int from 0 to 65535, got '8080'"),
        ({"port": 8080, "ui_port": 8080}, "ui_port is 8080, as port is; clients and the page take one each"),
    ],
)
def test_a_port_that_the_page_cannot_have_is_refused_by_name(ports, text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        Sandbox(**ports)


PATHS = ("/", "/ui/page.js", "/ui/icon.svg", "/ui/world.json", "/ui/events", f"/ui/files/{NO_FILE}", "/nothing")


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nobody_sees_anything_but_what_to_do(sandbox, path):
    token = urllib.parse.urlsplit(sandbox.ui_url).query.partition("=")[2]
    name = get(sandbox, "/")[0].headers["Set-Cookie"].partition("=")[0]
    wrong = ["", token[:-1], token + "0", token.upper(), "%ff", "\u00e9"]
    asked = [(path, {})]
    asked += [(f"{path}?token={urllib.parse.quote(each)}", {}) for each in wrong]
    asked += [(path, {"Cookie": f"{name}={each}"}) for each in wrong]
    asked += [(path, {"Cookie": f"other={token}; {name}"}), (path, {"Authorization": token})]
    for target, headers in asked:
        response, body = get_without_token(sandbox, target, **headers)
        assert (response.status, body.count(b"\n"), response.headers["Set-Cookie"]) == (403, 1, None)
        assert b"Open the whole address that it printed" in body
        assert token.encode() not in body


def test_the_token_of_the_address_is_kept_as_a_cookie(sandbox):
    cookie = get(sandbox, "/")[0].headers["Set-Cookie"]
    pair, *attributes = cookie.split("; ")
    assert attributes == ["Path=/", "HttpOnly", "SameSite=Lax"]
    response, body = get_without_token(sandbox, "/ui/world.json", Cookie=f"a=b; {pair} ;c")
    assert (response.status, response.headers["Set-Cookie"]) == (200, None)
    assert json.loads(body)["machines"]["items"]


def test_each_sandbox_has_a_token_of_its_own_whatever_its_seed(sandbox, start):
    again = start(seed=1, ui=True)
    one, two = (get(each, "/")[0].headers["Set-Cookie"].split(";")[0].split("=") for each in (sandbox, again))
    assert {*one}.isdisjoint(two)


def test_no_token_is_in_the_log(sandbox, caplog):
    with caplog.at_level(logging.DEBUG, "viam_sync.sandbox"):
        get(sandbox, "/ui/world.json")
        get(sandbox, "/", "POST")
    assert "GET /ui/world.json: 200" in caplog.text
    assert urllib.parse.urlsplit(sandbox.ui_url).query not in caplog.text


def test_the_command_says_where_to_look_in_a_line_that_a_shell_passes_over():
    port = free_port()
    command = [sys.executable, "-m", "viam_sync.sandbox", "--ui-port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        try:
            lines = [run.stdout.readline() for _ in range(4)]
            assert [line.split("=")[0] for line in lines[:3]] == [
                *("export VIAM_APP_URL", "export VIAM_API_KEY", "export VIAM_API_KEY_ID")
            ]
            match = re.fullmatch(rf"# look inside: (http://127\.0\.0\.1:{port}/\?token=[0-9a-f]+)\n", lines[3])
            printed = type("Printed", (), {"ui_url": match.group(1)})
            assert get(printed, "/")[0].status == 200
            assert get_without_token(printed, "/")[0].status == 403
        finally:
            run.kill()
