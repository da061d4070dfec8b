"""The types of the items of each method that begins with iter are inferred."""

from typing import Iterator, List

from typing_extensions import assert_type

from viam_sync import Pages
from viam_sync.app.app_client import AppClient, FragmentHistoryEntry, LogEntry, RobotPartHistoryEntry
from viam_sync.app.data_client import DataClient
from viam_sync.app.ml_training_client import MLTrainingClient
from viam_sync.proto import app as app_pb
from viam_sync.proto.app import data as pb
from viam_sync.proto.app import mltraining
from viam_sync.utils import create_filter


def data(data: DataClient) -> None:
    rows = data.iter_tabular_data(create_filter(), limit=5, sort_order=pb.Order.ORDER_ASCENDING)
    assert_type(rows, Pages[DataClient.TabularData])
    assert_type(next(rows), DataClient.TabularData)
    assert_type(list(data.iter_binary_data(include_binary_data=False)), List[pb.BinaryData])
    assert_type(data.iter_tabular_data(workers=4), Pages[DataClient.TabularData])
    assert_type(data.iter_binary_data(workers=4), Pages[pb.BinaryData])
    with data.iter_export_tabular_data("p", "gps", "rdk:component:sensor", "Readings") as points:
        assert_type(next(points), DataClient.TabularDataPoint)
    for sequence in data.iter_sequences("o"):
        assert_type(sequence, pb.Sequence)
    assert_type(next(data.iter_sequences_by_dataset_id("d")), pb.Sequence)
    assert_type(next(data.iter_sequence_binary_data("s")), pb.BinaryData)
    assert_type(next(data.iter_data_pipeline_runs("p")), DataClient.DataPipelineRun)
    data.iter_tabular_data(page_size="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def fleet(app: AppClient) -> None:
    with app.iter_robot_part_logs("p", log_levels=["error"]) as entries:
        assert_type(entries, Pages[LogEntry])
        assert_type(next(entries).message, str)
    assert_type(next(app.iter_robot_part_history("p")), RobotPartHistoryEntry)
    assert_type(next(app.iter_fragment_history("f")), FragmentHistoryEntry)
    assert_type(next(app.iter_registry_items()), app_pb.RegistryItem)


def training(client: MLTrainingClient) -> Iterator[mltraining.TrainingJobLogEntry]:
    return client.iter_training_job_logs("j")
