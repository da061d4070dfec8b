"""The official SDK, unchanged, and ours do the same with the sandbox, in every documented method."""

import asyncio
import datetime as dt
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest
from parity.plain import plain
from parity.tour import MONDAY, Tour

from viam_sync.app import app_client
from viam_sync.app.viam_client import ViamClient
from viam_sync.proto import app, provisioning
from viam_sync.proto.app import data, mltraining, packages
from viam_sync.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
FACTS = json.loads((ROOT / "tests" / "reference" / "signatures.json").read_text(encoding="utf-8"))
PINNED = (ROOT / "protos" / "API_VERSION").read_text(encoding="utf-8").strip()
INSTALLED = [each.version for each in importlib.metadata.distributions() if each.metadata["Name"] == "viam-sdk"]

pytestmark = pytest.mark.skipif(
    PINNED not in INSTALLED, reason=f"viam-sdk {PINNED} is not installed; there is nothing to compare with"
)

MODULES = {
    "app": app,
    "data": data,
    "mltraining": mltraining,
    "packages": packages,
    "provisioning": provisioning,
    "records": app_client,
    "datetime": dt.datetime,
}


UPLOADS = (
    "binary_data_capture_upload",
    "streaming_data_capture_upload",
    "file_upload",
    "file_upload_from_path",
)


class Guide:
    """A sandbox whose IDs and clock are the same for all who take the tour."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.now = MONDAY
        self.sandbox = Sandbox(seed=7, clock=lambda: self.now)

    def __enter__(self):
        self.sandbox.start()
        sandbox = self.sandbox
        self.ids = {
            "organization": sandbox.organization_id,
            "location": sandbox.location_id,
            "robot": sandbox.robot_id,
            "part": sandbox.robot_part_id,
            "dataset": sandbox.dataset_id,
            "bob": sandbox.sign_in("bob@example.com"),
        }
        return self

    def __exit__(self, *_):
        self.sandbox.stop()

    def hook(self, name, *args):
        if name == "log":
            part, message, level = args
            return self.sandbox.log(part, message, level=level)
        if name == "sign_in":
            return self.sandbox.sign_in(*args)
        assert name == "advance"
        self.now += args[0]
        return None


def theirs(folder):
    """Return what each call of the official SDK returned, which has a process of its own."""
    with Guide(folder) as guide:
        sandbox = guide.sandbox
        given = {"address": sandbox.address, "key": sandbox.api_key, "key_id": sandbox.api_key_id, "ids": guide.ids}
        command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("official_tour.py"))]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tour:
            print(json.dumps({**given, "folder": guide.folder}), file=tour.stdin, flush=True)
            for line in tour.stdout:
                asked = json.loads(line)
                if isinstance(asked, list):
                    return asked
                print(json.dumps(guide.hook(asked["hook"], *asked["args"])), file=tour.stdin, flush=True)
        raise AssertionError("the official SDK did not get to the end of the tour")


def ours(folder):
    """Return what each of our calls returned."""
    with Guide(folder) as guide:
        options, made = guide.sandbox.dial_options(), []
        with ViamClient.create_from_dial_options(options, guide.sandbox.url) as client:

            async def do(of, method, *args, **kwargs):
                try:
                    result = getattr(getattr(client, of), method)(*args, **kwargs)
                    if method == "tail_robot_part_logs":
                        with result:
                            guide.sandbox.wait_for_tail(args[0])
                            guide.hook("log", args[0], "A tail is wagged.", "error")
                            result = result.next()
                except NotImplementedError as error:
                    made.append([method, type(error).__name__])
                    raise
                made.append([method, json.loads(json.dumps(plain(result)))])
                return result

            asyncio.run(Tour(do, guide.hook, MODULES, guide.ids, guide.folder).run())
        return made


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return theirs(tmp_path_factory.mktemp("theirs")), ours(tmp_path_factory.mktemp("ours"))


def test_the_tour_calls_every_documented_method(both):
    called = {method for method, _ in both[0]}
    documented = {name.partition(".")[2] for name, fact in FACTS.items() if fact["kind"] == "method"}
    missing = {name for name in documented if "." not in name and name not in called} - {"close"}
    assert missing == set()


def comparable(method, theirs, ours):
    """Return what two results have in common when all is as it should be."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if theirs.get("message") == ours.get("message") == "viam.app.data.v1.BinaryData":
            return [without_uri(each) for each in (theirs, ours)]
        # Our records tell more than theirs.
        names = theirs.keys() if "record" in theirs else theirs.keys() | ours.keys()
        pairs = {name: comparable(method, theirs.get(name), ours.get(name)) for name in names}
        return [{name: pair[which] for name, pair in pairs.items()} for which in (0, 1)]
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        pairs = [comparable(method, *pair) for pair in zip(theirs, ours)]
        return [[pair[which] for pair in pairs] for which in (0, 1)]
    if method in UPLOADS:  # theirs returns the new form of the ID, ours that of the reference
        return [theirs.rpartition("/")[2], ours]
    return [theirs, ours]


def without_uri(result):
    """Return a file without its address, which is another in each sandbox."""
    file = data.BinaryData.FromString(bytes.fromhex(result["bytes"]))
    assert file.metadata.uri.startswith("http://127.0.0.1:")
    file.metadata.uri = ""
    return file.SerializeToString(deterministic=True)


def test_each_call_returns_the_same_with_both(both):
    their, our = both
    assert [method for method, _ in their] == [method for method, _ in our]
    for (method, was), (_, is_) in zip(their, our):
        left, right = comparable(method, was, is_)
        assert left == right, method
