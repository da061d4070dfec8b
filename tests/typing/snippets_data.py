"""The documented type of what each method of DataClient returns is inferred."""

import io
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from typing_extensions import assert_type

from viam_sync.app.data_client import DataClient
from viam_sync.proto.app import data as pb
from viam_sync.proto.app import datapipelines, dataset
from viam_sync.proto.app.mltraining import ModelType
from viam_sync.tabular import to_arrow, to_arrow_batches, to_pandas, to_polars
from viam_sync.utils import create_filter


def tabular(data: DataClient, stages: List[bytes]) -> None:
    mine = create_filter(robot_id="r", start_time=datetime.now())
    assert_type(DataClient.create_filter(robot_id="r"), pb.Filter)
    newest = pb.Order.ORDER_DESCENDING
    assert_type(data.tabular_data_by_filter(mine, 5, newest), Tuple[List[DataClient.TabularData], int, str])
    assert_type(data.mirror_tabular_data(mine, "readings.duckdb", look_back=None), DataClient.MirrorResult)
    assert_type(data.tabular_data_by_sql("o", "SELECT * FROM readings"), List[Dict[str, Any]])
    assert_type(data.tabular_data_by_mql("o", stages), List[Dict[str, Any]])
    assert_type(data.tabular_data_by_mql("o", [{"$limit": 5}], True), List[Dict[str, Any]])
    assert_type(data.tabular_data_by_mql("o", query=[{"$limit": 5}], pipeline_id="p"), List[Dict[str, Any]])
    data.tabular_data_by_mql("o")  # type: ignore[call-overload]  # pyright: ignore
    data.tabular_data_by_mql("o", stages, query=stages)  # type: ignore[call-overload]  # pyright: ignore
    assert_type(
        data.get_latest_tabular_data("p", "gps", "rdk:component:sensor", "Readings"),
        Optional[Tuple[datetime, datetime, Dict[str, Any]]],
    )
    assert_type(
        data.export_tabular_data("p", "gps", "rdk:component:sensor", "Readings"), List[DataClient.TabularDataPoint]
    )
    api = "rdk:component:sensor"
    data.get_latest_tabular_data("p", "gps", resource_subtype=api, method_name="Readings")
    data.export_tabular_data("p", "gps", resource_subtype=api, method_name="Readings", start_time=datetime.now())
    data.get_latest_tabular_data("p", "gps", api)  # type: ignore[call-overload]  # pyright: ignore
    data.export_tabular_data("p", "gps", method_name="Readings")  # type: ignore[call-overload]  # pyright: ignore
    points = data.iter_export_tabular_data("p", "gps", "rdk:component:sensor", "Readings")
    assert_type(data.export_tabular_data_to(points, "gps.csv"), int)
    assert_type(data.export_tabular_data_to(data.iter_tabular_data(mine), "gps.csv"), int)
    assert_type(data.export_tabular_data_to(iter([{"speed": 1}]), "gps.csv"), int)
    assert_type(data.delete_tabular_data("o", 7), int)
    assert_type(data.delete_tabular_data_by_filter(mine), int)


class Response:
    """A response as web frameworks have it, which takes bytes and text."""

    def write(self, content: Union[bytes, str]) -> None:
        print(content)


def tables(data: DataClient, rows: List[DataClient.TabularData]) -> None:
    schema = {"data.speed": float, "data.labels": [str], "data.at": datetime}
    assert_type(to_arrow(rows, schema=schema, misfits="null"), Any)
    assert_type(to_arrow_batches(data.iter_tabular_data(workers=8), schema=schema, batch_rows=10), Iterator[Any])
    assert_type(to_pandas([{"speed": 1}], schema={"speed": int}, misfits="rescue"), Any)
    assert_type(to_polars(data.tabular_data_by_sql("o", "SELECT * FROM readings"), schema=schema), Any)
    to_arrow(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(data.export_tabular_data_to(None, "days", partition_by="day", schema=schema, misfits="rescue"), int)
    assert_type(data.export_tabular_data_to(None, Path("rows"), format="csv", workers=8), int)
    assert_type(data.export_tabular_data_to(None, "s3://bucket/rows.csv", storage_options={"key": "k"}), int)


def open_files(data: DataClient) -> None:
    assert_type(data.export_tabular_data_to(None, io.StringIO(), format="csv"), int)
    assert_type(data.export_tabular_data_to(None, sys.stdout.buffer, format="jsonl"), int)
    assert_type(data.export_tabular_data_to(None, Response(), format="csv"), int)
    with zipfile.ZipFile("rows.zip", "w") as archive, archive.open("rows.csv", "w") as member:
        assert_type(data.export_tabular_data_to(None, member), int)
    data.export_tabular_data_to(None, 5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def folders(data: DataClient) -> None:
    result = data.export_binary_data(None, "s3://bucket/images", remove_gone=True, storage_options={"key": "k"})
    assert_type(result.complete, bool)
    assert_type(result.folder, Union[Path, str])
    assert_type(result.updated[0].metadata_updated, bool)
    assert_type(result.updated[0].path, Union[Path, str, None])
    assert_type(result.gone[0].removed, bool)


def row(found: DataClient.TabularData) -> str:
    assert_type(found.data, Mapping[str, Any])
    assert_type(found.metadata, pb.CaptureMetadata)
    assert_type(found.time_requested, datetime)
    assert_type(found.time_received, datetime)
    assert_type(found == found, bool)
    return str(found)


def binary(data: DataClient, files: List[pb.BinaryID]) -> None:
    everything = create_filter()
    assert_type(data.binary_data_by_filter(everything, 5, dest="files"), Tuple[List[pb.BinaryData], int, str])
    assert_type(data.binary_data_by_ids(files), List[pb.BinaryData])
    assert_type(data.binary_data_by_ids(["o/l/f"]), List[pb.BinaryData])
    assert_type(data.delete_binary_data_by_filter(None), int)
    assert_type(data.delete_binary_data_by_ids(files), int)
    assert_type(data.create_binary_data_signed_url("o/l/f", 60), Tuple[str, datetime])
    data.binary_data_by_ids([5])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]


def tags_and_boxes(data: DataClient, files: List[pb.BinaryID]) -> None:
    assert_type(data.add_tags_to_binary_data_by_ids(["tag"], files), None)
    assert_type(data.add_tags_to_binary_data_by_filter(["tag"]), None)
    assert_type(data.remove_tags_from_binary_data_by_ids(["tag"], files), int)
    assert_type(data.remove_tags_from_binary_data_by_filter(["tag"]), int)
    assert_type(data.tags_by_filter(), List[str])
    assert_type(data.add_bounding_box_to_image_by_id(files[0], "cat", 0, 0, 0.5, 1), str)
    assert_type(data.update_bounding_box("o/l/f", "b", "cat", 0, 0, 0.5, 1), None)
    assert_type(data.remove_bounding_box_from_image_by_id("b", files[0]), None)
    assert_type(data.bounding_box_labels_by_filter(), List[str])


def database(data: DataClient) -> None:
    collection = pb.IndexableCollection.INDEXABLE_COLLECTION_HOT_STORE
    assert_type(data.get_database_connection("o"), str)
    assert_type(data.configure_database_user("o", "password"), None)
    assert_type(data.create_index("o", collection, {"keys": {"part_id": 1}}), None)
    assert_type(data.list_indexes("o", collection), List[pb.Index])
    assert_type(data.delete_index("o", collection, "newest"), None)


def datasets(data: DataClient, files: List[pb.BinaryID]) -> Sequence[dataset.Dataset]:
    assert_type(data.create_dataset("cats", "o"), str)
    assert_type(data.list_dataset_by_ids(["d"]), List[dataset.Dataset])
    assert_type(data.merge_datasets("all", "o", ["d", "e"]), str)
    assert_type(data.rename_dataset("d", "dogs"), None)
    assert_type(data.delete_dataset("d"), None)
    assert_type(data.add_binary_data_to_dataset_by_ids(files, "d"), None)
    assert_type(data.remove_binary_data_from_dataset_by_ids(files, "d"), None)
    kind = dataset.DatasetType.DATASET_TYPE_SEQUENCE_DATA
    return data.list_datasets_by_organization_id("o", dataset_type=kind)


def sequences(data: DataClient, start: datetime, end: datetime) -> None:
    cameras = [pb.SequenceResourceFilter(resource_name="cam")]
    assert_type(data.create_sequence("p", cameras, start, end), str)
    assert_type(data.get_sequence("s"), pb.Sequence)
    assert_type(data.update_sequence("s", cameras, ["tag"], start, end), None)
    assert_type(data.delete_sequence("s"), None)
    assert_type(data.list_sequences("o"), Tuple[List[pb.Sequence], str])
    assert_type(data.sequences_by_dataset_id("d"), Tuple[List[pb.Sequence], str, int])
    assert_type(data.get_sequence_binary_data("s"), Tuple[List[pb.BinaryData], str])
    assert_type(data.add_sequences_to_dataset("d", ["s"]), None)
    assert_type(data.remove_sequences_from_dataset("d", ["s"]), None)
    assert_type(data.start_sequence_dataset_export("d"), str)
    assert_type(data.get_sequence_dataset_export("j"), dataset.GetSequenceDatasetExportResponse)


def pipelines(data: DataClient) -> None:
    assert_type(data.create_data_pipeline("o", "hourly", [{"$limit": 5}], "0 * * * *", False), str)
    assert_type(data.get_data_pipeline("p"), DataClient.DataPipeline)
    assert_type(data.get_data_pipeline("p").mql_binary, List[Dict[str, Any]])
    assert_type(data.list_data_pipelines("o"), List[DataClient.DataPipeline])
    assert_type(data.rename_data_pipeline("p", "daily"), None)
    assert_type(data.delete_data_pipeline("p"), None)
    page = data.list_data_pipeline_runs("p", 5)
    assert_type(page, DataClient.DataPipelineRunsPage)
    assert_type(page.next_page(timeout=5), DataClient.DataPipelineRunsPage)
    assert_type(page.runs, List[DataClient.DataPipelineRun])
    assert_type(page.runs[0].status, datapipelines.DataPipelineRunStatus.ValueType)
    assert_type(page.runs[0].end_time, datetime)


def uploads(data: DataClient, moment: datetime) -> None:
    times = (moment, moment)
    assert_type(data.binary_data_capture_upload(b"png", "p", "camera", "cam", "GetImages", ".png"), DataClient.FileID)
    assert_type(
        data.tabular_data_capture_upload(
            [{"speed": 1.5}], "p", "sensor", "gps", "Readings", data_request_times=[times]
        ),
        DataClient.FileID,
    )
    assert_type(data.streaming_data_capture_upload(b"png", "p", ".png", data_request_times=times), DataClient.FileID)
    assert_type(data.file_upload("p", b"text", file_extension=".txt", tags=["tag"]), DataClient.FileID)
    assert_type(data.file_upload("p", b"text").binary_data_id, Optional[str])
    data.add_tags_to_binary_data_by_ids(["new"], [data.file_upload("p", b"text")])
    assert_type(data.file_upload_from_path("notes.txt", "p", method_parameters={"a": 1}), DataClient.FileID)
    rows = ({"speed": speed} for speed in range(5))
    assert_type(data.tabular_data_capture_upload(rows, "p", "sensor", "gps", "Readings"), DataClient.FileID)
    data.tabular_data_capture_upload(["speed"], "p", "sensor", "gps", "Readings")  # type: ignore[list-item] # pyright: ignore
    path = Path("film.mp4")
    with path.open("rb") as file:
        assert_type(data.file_upload("p", file, file_modify_time=moment, progress=True), DataClient.FileID)
    assert_type(
        data.file_upload("p", path, progress=lambda done, total, unit: print(done, total, unit)), DataClient.FileID
    )
    data.file_upload("p", "film.mp4")  # type: ignore[arg-type] # pyright: ignore
    with path.open() as text:
        data.file_upload("p", text)  # type: ignore[arg-type] # pyright: ignore
    imported = data.import_dataset(path, format="coco", name="pets", part_id="p", workers=2, progress=True)
    assert_type(imported, DataClient.DatasetImportResult)
    assert_type(imported.images[0].id, Optional[DataClient.FileID])
    assert_type(data.check_dataset(imported.dataset_id, ModelType.MODEL_TYPE_OBJECT_DETECTION).problems, List[str])
    assert_type(data.upload_files(path, "p", pattern="*.jpg", journal=False), List[DataClient.UploadResult])
    assert_type(
        data.upload_files([path, "b.txt"], "p", workers=8, journal="journal")[0].id, Optional[DataClient.FileID]
    )
