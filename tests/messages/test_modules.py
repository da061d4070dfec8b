"""The modules have the official names, build nothing before it is named, and keep to themselves."""

import importlib
import subprocess
import sys
import threading

import pytest
from google.protobuf import descriptor_pool

from .schema_walk import modules, schema

OFFICIAL = ["app", "app.billing", "app.data", "app.dataset", "app.datasync", "app.mltraining", "app.packages"]
OFFICIAL += ["common", "provisioning", "rpc.auth"]


def run(code):
    return subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, stdout=subprocess.PIPE).stdout


@pytest.mark.parametrize("name", OFFICIAL)
def test_there_is_a_module_of_each_official_name(name):
    assert f"viam_sync.proto.{name}" in modules()


@pytest.mark.parametrize("name", modules())
def test_what_a_module_lists_it_has_and_shows(name):
    module = importlib.import_module(name)
    assert module.__all__
    assert dir(module) == module.__all__
    for each in module.__all__:
        assert getattr(module, each) is getattr(module, each)
        assert getattr(module, each).__qualname__ == each


@pytest.mark.parametrize("name", modules())
def test_a_module_can_be_imported_with_a_star(name):
    names = {}
    exec(f"from {name} import *", names)
    assert set(importlib.import_module(name).__all__) <= names.keys()


def test_an_unknown_attribute_is_named_in_the_error():
    app = importlib.import_module("viam_sync.proto.app")
    with pytest.raises(AttributeError, match=r"module 'viam_sync\.proto\.app' has no attribute 'Organisation'"):
        _ = app.Organisation
    with pytest.raises(AttributeError, match="'__path_of_no_one__'"):
        _ = app.__path_of_no_one__
    with pytest.raises(ImportError, match="Organisation"):
        exec("from viam_sync.proto.app import Organisation", {})


def test_importing_a_module_builds_no_message():
    code = "from viam_sync.messages import pool; from viam_sync.proto import app, common"
    code += "; print(len(pool._files), len(pool._ours))"
    assert run(code).split() == [b"0", b"0"]


def test_threads_that_name_a_class_at_once_get_the_same_one():
    code = """
import sys, threading
from viam_sync.proto import app
sys.setswitchinterval(1e-6)
names = ["Robot", "Organization", "LogOrder", "ListRobotsResponse"]
together, found = threading.Barrier(16), []
def name_them():
    together.wait()
    found.append([getattr(app, name) for name in names])
threads = [threading.Thread(target=name_them) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(found), len({tuple(map(id, each)) for each in found}))
"""
    assert run(code).split() == [b"16", b"1"]


def test_our_files_are_not_in_the_pool_that_the_process_shares():
    ours = {"app/v1/app.proto", "common/v1/common.proto", "proto/rpc/v1/auth.proto"}
    code = f"""
from google.protobuf import descriptor_pool
from viam_sync.proto import app
app.Robot(id="one")
for name in {sorted(ours)}:
    try:
        descriptor_pool.Default().FindFileByName(name)
        print(name)
    except KeyError:
        print("no")
"""
    assert ours <= {file.name for file in schema().file}
    assert run(code).split() == [b"no"] * len(ours)


def test_a_message_class_of_the_shared_pool_is_left_as_it_is():
    from google.protobuf.timestamp_pb2 import Timestamp

    from viam_sync.messages import pool
    from viam_sync.proto import google

    assert google.Timestamp is not Timestamp
    assert pool.message(Timestamp.DESCRIPTOR) is Timestamp
    assert Timestamp.__module__ == "google.protobuf.timestamp_pb2"
    assert descriptor_pool.Default().FindMessageTypeByName("google.protobuf.Timestamp") is Timestamp.DESCRIPTOR


def test_a_thread_can_name_a_class_while_another_builds_it():
    from viam_sync.messages import pool
    from viam_sync.proto import common

    found = []
    thread = threading.Thread(target=lambda: found.append(common.ResourceName))
    with pool._lock:
        thread.start()
        assert common.ResourceName(name="arm").name == "arm"
    thread.join()
    assert found == [common.ResourceName]
