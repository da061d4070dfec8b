"""Functions of users name what methods take and return by the public modules that hand it on."""

from datetime import datetime
from typing import Iterator, List, Optional

import grpc
from typing_extensions import assert_type

from viam_sync import Pages, Retry, StreamItems
from viam_sync.app.app_client import APIKeyAuthorization, AppClient, LogEntry, LogsStream, ResourceType, Role
from viam_sync.app.data_client import (
    AnyRow,
    BinaryIDLike,
    DataClient,
    DatasetCheck,
    DatasetExportResult,
    DatasetImportResult,
    ExportedFile,
    ExportResult,
    FileID,
    FileLike,
    MirrorResult,
    ProgressLike,
    Rows,
    RowSource,
    Stages,
    StrPath,
    Uploadable,
    UploadResult,
)
from viam_sync.errors import CallMetadata, GRPCError, LabelProblem, LabelsError, Metadatum
from viam_sync.profiles import Profile, find_profile
from viam_sync.proto.app.mltraining import ModelType
from viam_sync.rpc.dial import Address, Channel, DialOptions, Time, dial, parse_address, service_channel
from viam_sync.sandbox import Fault, Faults, Sandbox
from viam_sync.utils import create_filter


def export(data: DataClient, folder: StrPath, progress: ProgressLike) -> List[ExportedFile]:
    result: ExportResult = data.export_binary_data(create_filter(), folder, progress=progress)
    dataset: DatasetExportResult = data.export_dataset("ds-1", folder)
    return [*result.failed, *dataset.images.files]


def upload(data: DataClient, contents: Uploadable, paths: List[StrPath], rows: Rows) -> Optional[FileID]:
    assert_type(data.file_upload("p", contents), FileID)
    assert_type(data.tabular_data_capture_upload(rows, "p", "sensor", "gps", "Readings"), FileID)
    results: List[UploadResult] = data.upload_files(paths, "p")
    imported: DatasetImportResult = data.import_dataset("cats", format="coco", name="cats", part_id="p")
    return results[0].id or imported.images[0].id


def query(data: DataClient, stages: Stages, source: RowSource, file: FileLike, ids: List[BinaryIDLike]) -> List[AnyRow]:
    data.export_tabular_data_to(source, file)
    data.binary_data_by_ids(ids)
    mirrored: MirrorResult = data.mirror_tabular_data(None, "readings.duckdb")
    check: DatasetCheck = data.check_dataset("ds-1", ModelType.MODEL_TYPE_OBJECT_DETECTION)
    return [*data.tabular_data_by_mql("o", stages), {"mirrored": mirrored, "suffices": check.suffices}]


def iterate(app: AppClient, data: DataClient) -> Iterator[LogEntry]:
    entries: Pages[LogEntry] = app.iter_robot_part_logs("p")
    points: StreamItems[DataClient.TabularDataPoint] = data.iter_export_tabular_data("p", "air", "sensor", "Readings")
    stream: LogsStream = app.tail_robot_part_logs("p")
    for point in points:
        assert_type(point.time_captured, datetime)
    yield from entries
    for each in stream:
        yield from each


def key(role: Role, kind: ResourceType) -> APIKeyAuthorization:
    return APIKeyAuthorization(role, kind, "r")


def connect(channel: grpc.Channel, clock: Time, profile: Profile) -> AppClient:
    assert_type(parse_address("https://app.viam.com"), Address)
    assert_type(find_profile().dial_options(), DialOptions)
    opened, metadata = dial("https://app.viam.com", profile.dial_options())
    assert_type(opened, Channel)
    return AppClient(service_channel(channel, clock), metadata).options(retry=Retry(attempts=2))


def fail(sandbox: Sandbox) -> Fault:
    faults: Faults = sandbox.faults
    return faults.fail("GetRobot", "UNAVAILABLE")


def tell(error: GRPCError, labels: LabelsError) -> List[LabelProblem]:
    metadata = CallMetadata(initial=(Metadatum("a", "b"),))
    assert_type(metadata.initial[0].key, str)
    assert_type(error.attempts, int)
    return labels.problems
