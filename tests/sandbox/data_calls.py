"""Calls of the services for data: a test names the RPC, wherever it belongs, and the fields of the request."""

from viam_sync.messages.pool import message, pool

DATA = "viam.app.data.v1.DataService"
SYNC = "viam.app.datasync.v1.DataSyncService"
SETS = "viam.app.dataset.v1.DatasetService"

BINARY, TABULAR, FILE = 1, 2, 3
PNG = b"\x89PNG\r\n\x1a\n and so on"
JPEG = b"\xff\xd8\xff\xe0 and so on"
NO_FILE = "0" * 64
NO_OBJECT = "0" * 24
NO_UUID = "00000000-0000-4000-8000-000000000000"


class Data:
    """The services for data as a caller sees them; ``data.BinaryDataByFilter(...)`` makes the call of that name."""

    def __init__(self, caller):
        self.caller = caller
        self.sandbox = caller.sandbox

    def __getattr__(self, rpc):
        service = next(each for each in (DATA, SYNC, SETS) if rpc in pool().FindServiceByName(each).methods_by_name)
        method = pool().FindMethodByName(f"{service}.{rpc}")
        send = self.caller.channel.unary_unary(
            f"/{service}/{rpc}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=message(method.output_type).FromString,
        )
        made = message(method.input_type)
        return lambda **fields: send(made(**fields), metadata=self.caller.metadata, timeout=10)

    def send(self, rpc, requests, timeout=30):
        """Make a call whose request is a stream; each request is a dictionary, or bytes as they go on the wire."""
        return self.begin(rpc, requests, timeout).result()

    def begin(self, rpc, requests, timeout=30):
        """Begin such a call, and return its future."""
        method = pool().FindMethodByName(f"{SYNC}.{rpc}")
        made = message(method.input_type)
        call = self.caller.channel.stream_unary(
            f"/{SYNC}/{rpc}",
            request_serializer=lambda each: each if isinstance(each, bytes) else made(**each).SerializeToString(),
            response_deserializer=message(method.output_type).FromString,
        )
        return call.future(requests, metadata=self.caller.metadata, timeout=timeout)

    def metadata(self, type=BINARY, **fields):
        """Return the metadata of an upload, as a dictionary."""
        given = {"part_id": self.sandbox.robot_part_id, "type": type, "component_type": "camera"}
        return {**given, "component_name": "cam", "method_name": "GetImages", **fields}

    def put(self, contents=PNG, at=None, annotations=None, **fields):
        """Upload a captured file, ``at`` seconds since 1970, and return its ID."""
        sensor = {} if at is None else {"time_requested": {"seconds": at}, "time_received": {"seconds": at}}
        reading = {"metadata": {**sensor, **({"annotations": annotations} if annotations else {})}, "binary": contents}
        upload = self.DataCaptureUpload(metadata=self.metadata(**fields), sensor_contents=[reading])
        return upload.binary_data_id

    def put_readings(self, *structs, **fields):
        """Upload readings."""
        contents = [{"struct": each} for each in structs]
        return self.DataCaptureUpload(metadata=self.metadata(TABULAR, **fields), sensor_contents=contents)

    def find(self, include_binary=False, **filter):
        """Return the page of files that match a filter."""
        return list(self.BinaryDataByFilter(data_request={"filter": filter}, include_binary=include_binary).data)

    def ids(self, **filter):
        """Return the IDs of the files on that page."""
        return [each.metadata.binary_data_id for each in self.find(**filter)]

    def count(self, **filter):
        """Return how many files match a filter."""
        return self.BinaryDataByFilter(data_request={"filter": filter}, count_only=True).count

    def get(self, *ids, include_binary=False):
        """Return files by their IDs."""
        return list(self.BinaryDataByIDs(binary_data_ids=ids, include_binary=include_binary).data)

    def about(self, id):
        """Return all that is known of a file."""
        (file,) = self.get(id)
        return file.metadata

    def message_of(self, id):
        """Return the older form of an ID."""
        organization_id, location_id, file_id = id.split("/")
        return {"organization_id": organization_id, "location_id": location_id, "file_id": file_id}


def blob_names(sandbox):
    """Return the names of the blobs of a sandbox, complete or not."""
    return {path.name for path in sandbox._world.store.blobs.path("").iterdir()}
