"""DataClient: captured data, uploads and datasets."""

from typing import TYPE_CHECKING, Any

from viam_sync.app._clients import NamedMethods
from viam_sync.app._data.arguments import BinaryIDLike
from viam_sync.app._data.binary_data import BinaryDataMixin
from viam_sync.app._data.binary_tags import TagsMixin
from viam_sync.app._data.bounding_boxes import BoundingBoxesMixin
from viam_sync.app._data.bulk_uploads import BulkUploadsMixin
from viam_sync.app._data.capture_uploads import CaptureUploadsMixin
from viam_sync.app._data.data_pipelines import DataPipelinesMixin
from viam_sync.app._data.dataset_checks import DatasetCheck, DatasetChecksMixin
from viam_sync.app._data.dataset_exports import DatasetExportsMixin
from viam_sync.app._data.dataset_imports import DatasetImportsMixin
from viam_sync.app._data.datasets import DatasetsMixin
from viam_sync.app._data.deprecated import DeprecatedMixin
from viam_sync.app._data.exports import ExportsMixin
from viam_sync.app._data.filters import create_filter as create_filter
from viam_sync.app._data.mirrors import MirrorsMixin
from viam_sync.app._data.queries import QueriesMixin, Stages
from viam_sync.app._data.reading_messages import Frame, Rows
from viam_sync.app._data.resource_readings import ResourceReadingsMixin
from viam_sync.app._data.sequences import SequencesMixin
from viam_sync.app._data.tabular_data import TabularDataMixin
from viam_sync.app._data.tabular_exports import RowSource
from viam_sync.app._data.tabular_records import AnyRow
from viam_sync.messages.conversion import ValueTypes as ValueTypes
from viam_sync.messages.conversion import datetime_to_timestamp as datetime_to_timestamp
from viam_sync.messages.conversion import dict_to_struct as dict_to_struct
from viam_sync.messages.conversion import struct_to_dict as struct_to_dict
from viam_sync.messages.file_id import FileID
from viam_sync.services.data_pipelines_service import DataPipelinesService
from viam_sync.services.data_service import DataService
from viam_sync.services.dataset_service import DatasetService
from viam_sync.transfer.export.folder import Place
from viam_sync.transfer.export.results import ExportedFile, ExportResult, GoneFile
from viam_sync.transfer.labels.dataset_results import DatasetExportResult, LeftOutFile
from viam_sync.transfer.labels.import_results import DatasetImportResult, ImportedImage
from viam_sync.transfer.mirror.mirror_result import MirrorResult
from viam_sync.transfer.output.atomic import StrPath
from viam_sync.transfer.output.open_files import FileLike, Writable
from viam_sync.transfer.output.progress import ProgressLike
from viam_sync.transfer.upload.batch import UploadResult
from viam_sync.transfer.upload.uploadable import BytesLike, Uploadable

if TYPE_CHECKING:
    from viam_sync.gen.reexports.data_client import *  # noqa: F403
else:

    def __getattr__(name: str) -> Any:
        from viam_sync.gen.reexports import data_client  # few scripts ask for these names

        return data_client.__getattr__(name)


__all__ = [
    "AnyRow",
    "BinaryIDLike",
    "BytesLike",
    "DataClient",
    "DatasetCheck",
    "DatasetExportResult",
    "DatasetImportResult",
    "ExportResult",
    "ExportedFile",
    "FileID",
    "FileLike",
    "Frame",
    "GoneFile",
    "ImportedImage",
    "LeftOutFile",
    "MirrorResult",
    "Place",
    "ProgressLike",
    "RowSource",
    "Rows",
    "Stages",
    "StrPath",
    "UploadResult",
    "Uploadable",
    "Writable",
]


class DataClient(
    NamedMethods,
    DatasetExportsMixin,
    MirrorsMixin,
    ExportsMixin,
    TabularDataMixin,
    ResourceReadingsMixin,
    QueriesMixin,
    DatasetImportsMixin,
    DatasetChecksMixin,
    BulkUploadsMixin,
    BinaryDataMixin,
    TagsMixin,
    BoundingBoxesMixin,
    DatasetsMixin,
    CaptureUploadsMixin,
    SequencesMixin,
    DataPipelinesMixin,
    DeprecatedMixin,
    DataPipelinesService,
    DataService,
    DatasetService,
):
    """Reads, uploads, tags and deletes data, and groups it in datasets.

    Usually taken from a connected client, as ``client.data_client``.

    Methods by subject:
        - readings: iter_tabular_data, tabular_data_by_filter, get_latest_tabular_data, iter_export_tabular_data,
          export_tabular_data, export_tabular_data_to, mirror_tabular_data, delete_tabular_data,
          delete_tabular_data_by_filter, create_filter
        - queries: tabular_data_by_sql, tabular_data_by_mql, list_saved_queries, get_saved_query, create_saved_query,
          update_saved_query, delete_saved_query, list_indexes, create_index, delete_index
        - pictures and files: iter_binary_data, binary_data_by_filter, binary_data_by_ids, export_binary_data,
          create_binary_data_signed_url, delete_binary_data_by_filter, delete_binary_data_by_ids
        - uploads: upload_files, file_upload, file_upload_from_path, binary_data_capture_upload,
          streaming_data_capture_upload, tabular_data_capture_upload
        - tags: tags_by_filter, add_tags_to_binary_data_by_ids, add_tags_to_binary_data_by_filter,
          remove_tags_from_binary_data_by_ids, remove_tags_from_binary_data_by_filter
        - bounding boxes: bounding_box_labels_by_filter, add_bounding_box_to_image_by_id, update_bounding_box,
          remove_bounding_box_from_image_by_id
        - datasets: list_datasets_by_organization_id, list_dataset_by_ids, create_dataset, rename_dataset,
          merge_datasets, delete_dataset, add_binary_data_to_dataset_by_ids, remove_binary_data_from_dataset_by_ids,
          check_dataset, export_dataset, import_dataset
        - sequences: list_sequences, iter_sequences, sequences_by_dataset_id, iter_sequences_by_dataset_id,
          get_sequence, create_sequence, update_sequence, delete_sequence, get_sequence_binary_data,
          iter_sequence_binary_data, add_sequences_to_dataset, remove_sequences_from_dataset,
          start_sequence_dataset_export, get_sequence_dataset_export
        - pipelines: list_data_pipelines, get_data_pipeline, create_data_pipeline, rename_data_pipeline,
          enable_data_pipeline, disable_data_pipeline, delete_data_pipeline, list_data_pipeline_runs,
          iter_data_pipeline_runs
        - the database: get_database_connection, configure_database_user
        - the client itself: options, service_descriptors

    Args:
        channel: An open channel to the cloud.
        metadata: Sent with each call; holds the ``authorization`` of the caller.
        tz: The time zone of all datetimes in results; None for UTC without a time zone.

    Example:
        >>> rows, count, _ = client.data_client.tabular_data_by_filter(count_only=True)
        >>> count
        1008
    """

    _subjects = "readings, pictures, files, tags, boxes, queries, exports, uploads, datasets, pipelines"
