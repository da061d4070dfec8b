"""Many writers, a sudden end, and a restart: what was answered is there."""

import os
import signal
import subprocess
import sys
import threading
import time

import grpc
import pytest

from viam_sync.proto.app import datasync

from .calls import authenticate, call

THREADS = 32
#: For how many seconds the writers write; the environment `endurance` of tox lets them go on for a minute.
SECONDS = float(os.environ.get("VIAM_SYNC_ENDURANCE", "2"))

DATA = "viam.app.data.v1.DataService"
DATASETS = "viam.app.dataset.v1.DatasetService"
SYNC = "viam.app.datasync.v1.DataSyncService"


class Process:
    """A sandbox in a process of its own, on a folder."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "viam_sync.sandbox", "--data", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        settings = dict(self.process.stdout.readline().split()[1].split("=", 1) for _ in range(3))
        self.address = settings["VIAM_APP_URL"].partition("://")[2]
        self.key, self.key_id = settings["VIAM_API_KEY"], settings["VIAM_API_KEY_ID"]

    def end(self, number):
        """Send a signal, and return what the process wrote as errors."""
        self.process.send_signal(number)
        return self.process.communicate(timeout=30)[1]


class Writer(threading.Thread):
    """Writes one thing after the other, and keeps what was answered."""

    def __init__(self, number, sandbox, world):
        super().__init__()
        self.number = number
        self.sandbox = sandbox
        self.world = world
        self.answered = []
        self.failure = None

    def run(self):
        with grpc.insecure_channel(self.sandbox.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
            token = authenticate(channel, self.sandbox.key_id, self.sandbox.key)
            metadata = [("authorization", f"Bearer {token}")]
            try:
                for count in range(10**9):
                    self.write(channel, metadata, f"{self.number}-{count}")
            except grpc.RpcError as error:
                self.failure = error

    def write(self, channel, metadata, name):
        world = self.world
        kind = len(self.answered) % 4
        if kind == 0:
            made = call(channel, "NewRobot", metadata=metadata, name=name, location=world["location"]).id
        elif kind == 1:
            made = call(
                channel, "CreateDataset", DATASETS, metadata, name=name, organization_id=world["organization"]
            ).id
        elif kind == 2:
            made = self.upload(channel, metadata, name, 1, {"binary": name.encode() * 100}).binary_data_id
        else:
            made = self.upload(channel, metadata, name, 2, {"struct": {"readings": {"name": name}}}).file_id
        self.answered.append((kind, name, made))

    def upload(self, channel, metadata, name, type, content):
        described = {"part_id": self.world["part"], "type": type, "component_name": name, "method_name": "Readings"}
        request = datasync.DataCaptureUploadRequest(metadata=described, sensor_contents=[content])
        response = datasync.DataCaptureUploadResponse
        send = channel.unary_unary(
            f"/{SYNC}/DataCaptureUpload", datasync.DataCaptureUploadRequest.SerializeToString, response.FromString
        )
        return send(request, metadata=metadata, timeout=10)


def world_of(sandbox):
    with grpc.insecure_channel(sandbox.address) as channel:
        metadata = [("authorization", "Bearer " + authenticate(channel, sandbox.key_id, sandbox.key))]
        organization = call(channel, "ListOrganizations", metadata=metadata).organizations[0].id
        location = call(channel, "ListLocations", metadata=metadata, organization_id=organization).locations[0].id
        robot = call(channel, "ListRobots", metadata=metadata, location_id=location).robots[0].id
        part = call(channel, "GetRobotParts", metadata=metadata, robot_id=robot).parts[0].id
        return {"organization": organization, "location": location, "part": part}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_acknowledged_writes_survive_a_kill(tmp_path):
    sandbox = Process(tmp_path / "world")
    world = world_of(sandbox)
    writers = [Writer(number, sandbox, world) for number in range(THREADS)]
    for writer in writers:
        writer.start()
    time.sleep(SECONDS)  # what is tested is an end at any moment, so no event could be waited for
    errors = sandbox.end(signal.SIGKILL)
    for writer in writers:
        writer.join()
    assert errors == ""
    assert {writer.failure.code() for writer in writers} == {grpc.StatusCode.UNAVAILABLE}
    answered = [each for writer in writers for each in writer.answered]
    assert len(answered) >= THREADS

    again = Process(tmp_path / "world")
    try:
        with grpc.insecure_channel(again.address, [("grpc.max_receive_message_length", -1)]) as channel:
            metadata = [("authorization", "Bearer " + authenticate(channel, again.key_id, again.key))]
            missing = set(answered) - set(found(channel, metadata, world, answered))
        assert missing == set()
    finally:
        errors = again.end(signal.SIGTERM)
    assert errors == ""


def found(channel, metadata, world, answered):
    """Yield those of the things that were answered that are there, whole."""
    robots = call(channel, "ListRobots", metadata=metadata, location_id=world["location"]).robots
    datasets = call(
        channel, "ListDatasetsByOrganizationID", DATASETS, metadata, organization_id=world["organization"]
    ).datasets
    there = {(0, each.name, each.id) for each in robots} | {(1, each.name, each.id) for each in datasets}
    for kind, name, made in answered:
        if kind < 2:
            if (kind, name, made) in there:
                yield kind, name, made
        elif kind == 2:
            files = call(channel, "BinaryDataByIDs", DATA, metadata, binary_data_ids=[made], include_binary=True).data
            if [each.binary for each in files] == [name.encode() * 100]:
                yield kind, name, made
        else:
            request = {"filter": {"component_name": name}}
            rows = call(channel, "TabularDataByFilter", DATA, metadata, data_request=request).data
            if len(rows) == 1:
                yield kind, name, made
