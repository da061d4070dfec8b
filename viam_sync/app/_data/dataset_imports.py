"""The method of DataClient that makes a dataset of a folder of images with labels."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence
from urllib.parse import quote

import grpc
from google.protobuf.message import Message
from typing_extensions import TypeAlias

from viam_sync.app._data.bulk_uploads import BulkUploadsMixin
from viam_sync.app._data.datasets import DatasetsMixin
from viam_sync.app._data.image_labels import Uploaded, batches_of, label_batch, metadata_by_id
from viam_sync.app._data.upload_metadata import upload_metadata
from viam_sync.checks import as_list, one_of, path_from, require, text
from viam_sync.checks.numbers import require_seconds, worker_count
from viam_sync.errors import AlreadyExistsError, AmbiguousResultError, grpc_error
from viam_sync.messages.file_id import FileID
from viam_sync.proto import app as app_pb
from viam_sync.proto.app import dataset as dataset_pb
from viam_sync.proto.app import datasync as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.method import Method
from viam_sync.services import methods
from viam_sync.transfer.concurrency.workers import for_each
from viam_sync.transfer.labels.formats import FORMATS
from viam_sync.transfer.labels.image_files import image_type
from viam_sync.transfer.labels.import_results import DatasetImportResult, ImportedImage
from viam_sync.transfer.labels.label_files import STATE
from viam_sync.transfer.labels.labeled_folder import images_with_labels
from viam_sync.transfer.labels.labeled_image import LabeledImage
from viam_sync.transfer.output.atomic import StrPath
from viam_sync.transfer.output.progress import Progress, ProgressLike
from viam_sync.transfer.upload.batch import BatchUpload, Found, UploadResult
from viam_sync.transfer.upload.journal import Journal
from viam_sync.transfer.upload.source import ProgressChunks


class _Target(NamedTuple):
    """The place that a folder is imported to.

    Attributes:
        part_id: ID of the part that the images are uploaded to.
        dataset_id: ID of the dataset.
        workers: The number of calls at a time.
        timeout: Seconds that a call may take.
    """

    part_id: str
    dataset_id: str
    workers: int
    timeout: Optional[float]


class DatasetImportsMixin(BulkUploadsMixin, DatasetsMixin):
    """A method that imports a dataset."""

    # Without TypeAlias, mypy takes the name for a variable, which cannot be used as a type.
    DatasetImportResult: TypeAlias = DatasetImportResult

    def import_dataset(
        self,
        folder: StrPath,
        *,
        format: str,
        name: str,
        part_id: str,
        organization_id: Optional[str] = None,
        ignore: Sequence[str] = (),
        workers: int = 8,
        progress: Optional[ProgressLike] = None,
        timeout: Optional[float] = None,
    ) -> DatasetImportResult:
        """Make a dataset of a folder of images with labels; after a crash or Ctrl-C, the same call goes on.

        All labels are read before anything is sent; if some are wrong, all of them are named, and nothing is sent. Then
        the images are uploaded into the dataset of that name, which is made if there is none, with their tags; and
        their boxes are added, unless they are there.

        The service knows each image by its path in the innermost folder that all of them are in. So the parts of a
        split stay in the names, such as ``train/cat.jpg``, which `export_dataset` makes ``train_cat.jpg`` of; it splits
        anew, by ID. Two files stay two images, though their contents be the same.

        A journal in the folder, in ``.viam-labels``, records the uploads to each part, as that of `upload_files` does.
        So a second call uploads only images that are new, have changed or are not in the cloud any more; it adds the
        labels that are missing, and the images to the dataset, be it another one. It removes nothing: the image that
        was there before a change stays, and so does a box that is not in the labels any more, such as one that has been
        moved; ``other_boxes`` of the result counts such boxes.

        Args:
            folder: The folder.
            format: The format of its labels: ``"viam"``, ``"coco"``, ``"yolo"``, ``"voc"`` or ``"imagefolder"``.
            name: Name of the dataset.
            part_id: ID of the part that the images are uploaded to, a UUID.
            organization_id: ID of the organization of the dataset, a UUID; None for that of the part.
            ignore: What is left out of labels knowingly, as Viam holds boxes and tags alone: ``"segmentation"``,
                ``"iscrowd"``, ``"keypoints"`` or whatever the `LabelsError` names. The boxes stay; in YOLO, that around
                a polygon.
            workers: How many calls may be under way at a time, 1 to 64.
            progress: True for a bar on the terminal or in a notebook; or a function that is called with the number
                done, their total and the unit: ``"bytes"`` of uploads, and then ``"images"`` that have their labels.
            timeout: Seconds that a call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The ID of the dataset, and one result for each image: its ID, or the error. An image that fails does not
            stop the others; ``complete`` tells whether all is there.

        Raises:
            LabelsError: If something in the folder is wrong; a ValueError, too. Its ``problems`` are all that is wrong,
                by file and line.
            FileNotFoundError: If there is no such folder.
            OSError: If the folder cannot be read, or the journal not be written, or another import is at work in it.
            TypeError: If an argument is of the wrong type.
            ValueError: If there is no such format, ``workers`` is out of its range, or ``ignore`` has what no
                label has.
            ImportError: If ``progress`` is True, and tqdm is not installed, or a package that the format takes is not.
            FailedPreconditionError: If the dataset of that name is one of sequences.
            NotFoundError: If there is no such part or organization.
            PermissionDeniedError: If the caller may not make datasets, as with a key of a machine or of a location.
            GRPCError: If the dataset cannot be found or made; a subclass says why.

        Example:
            >>> _ = (folder / "cat.png").write_bytes(b"PNG")
            >>> _ = (folder / "dataset.jsonl").write_text(
            ...     '{"image_path": "cat.png", "classification_annotations": [{"annotation_label": "cat"}]}')
            >>> part = sandbox.robot_part_id
            >>> result = client.data_client.import_dataset(folder, format="viam", name="cats", part_id=part)
            >>> [image.path.name for image in result.images], result.complete
            (['cat.png'], True)
            >>> client.data_client.import_dataset(folder, format="viam", name="cats", part_id=part).uploaded
            []
        """
        workers = worker_count(workers)
        timeout = require_seconds("timeout", timeout)
        labels = FORMATS[one_of("format", format, FORMATS)]
        text("name", name)
        ignore = [text(f"ignore[{index}]", each) for index, each in enumerate(as_list("ignore", ignore, "strings"))]
        require(part_id=part_id)
        if organization_id is not None:
            require(organization_id=organization_id)
        place = path_from("folder", folder)
        if not place.is_dir():
            kind = NotADirectoryError if place.exists() else FileNotFoundError
            raise kind(f"folder is {str(place)!r}, which is no folder")
        with Progress(progress, label="uploading") as sending, Progress(progress, "images", "labelling") as labelling:
            images = images_with_labels(place, labels, ignore)
            organization_id = organization_id or self._organization_of(part_id, timeout)
            # No other import of the folder gets the journal until the labels are there: it would add each box, too.
            with _open_journal(place, part_id) as journal:
                dataset_id = self._dataset_named(name, organization_id, timeout)
                target = _Target(part_id, dataset_id, workers, timeout)
                uploads = self._upload_images(list(_files_of(place, images)), images, target, journal, sending)
                labeled = self._label_images(list(zip(images, uploads)), target, labelling)
        return DatasetImportResult(dataset_id, labeled)

    def _organization_of(self, part_id: str, timeout: Optional[float]) -> str:
        """Return the ID of the organization that a part belongs to."""
        part: app_pb.RobotPart = self._unary_unary(
            methods.GET_ROBOT_PART, app_pb.GetRobotPartRequest(id=part_id), timeout
        ).part
        location: app_pb.Location = self._unary_unary(
            methods.GET_LOCATION, app_pb.GetLocationRequest(location_id=part.location_id), timeout
        ).location
        owners = [each.organization_id for each in location.organizations if each.primary]
        owner = location.primary_org_identity.id or next(iter(owners), "")
        if not owner:
            advice = f"organization_id must be given, as the service does not tell that of the part {part_id!r}"
            raise grpc_error(grpc.StatusCode.NOT_FOUND, advice, method=methods.GET_LOCATION.name)
        return owner

    def _dataset_named(self, name: str, organization_id: str, timeout: Optional[float]) -> str:
        """Return the ID of the dataset of that name, which is made if there is none."""
        found = self._find_dataset(name, organization_id, timeout)
        if found is not None:
            return found
        request = dataset_pb.CreateDatasetRequest(name=name, organization_id=organization_id)
        try:
            response: dataset_pb.CreateDatasetResponse = self._unary_unary(methods.CREATE_DATASET, request, timeout)
        except (AmbiguousResultError, AlreadyExistsError):
            # It was made after all, or by another process.
            found = self._find_dataset(name, organization_id, timeout)
            if found is None:
                raise
            return found
        return response.id

    def _find_dataset(self, name: str, organization_id: str, timeout: Optional[float]) -> Optional[str]:
        # The method would refuse an odd ID as one of the caller, who may not have given it.
        request = dataset_pb.ListDatasetsByOrganizationIDRequest(organization_id=organization_id)
        response: dataset_pb.ListDatasetsByOrganizationIDResponse = self._unary_unary(
            methods.LIST_DATASETS_BY_ORGANIZATION_ID, request, timeout
        )
        for dataset in response.datasets:
            if dataset.name == name:
                if dataset.type == dataset_pb.DatasetType.DATASET_TYPE_SEQUENCE_DATA:
                    advice = f"name is {name!r}, the dataset of which is one of sequences; choose another name"
                    raise grpc_error(grpc.StatusCode.FAILED_PRECONDITION, advice, method=methods.CREATE_DATASET.name)
                return dataset.id
        return None

    def _upload_images(
        self,
        files: Sequence[Found],
        images: Sequence[LabeledImage],
        target: _Target,
        journal: Journal,
        progress: Progress,
    ) -> List[UploadResult]:
        """Upload the images that are not there yet; return a result for each."""
        by_path = {image.path: image for image in images}

        def send(file: Found, pieces: ProgressChunks, mark: Optional[str], cancellation: Cancellation) -> FileID:
            described = upload_metadata(
                pb.DataType.DATA_TYPE_FILE,
                target.part_id,
                tags=by_path[file.name].tags,
                dataset_ids=[target.dataset_id],
                mime_type=image_type(file.path),
            )
            return self._send_file(file, described, pieces, mark, target.timeout, cancellation)

        self._forget_deleted(journal, files, target.timeout)
        uploads = BatchUpload(files, journal, send, lambda intents: self._stored(target.part_id, intents), progress)
        return uploads.run(target.workers)

    def _forget_deleted(self, journal: Journal, files: Sequence[Found], timeout: Optional[float]) -> None:
        """Have the files sent again that were deleted from the cloud since."""

        def call(method: Method, request: Message) -> Any:
            return self._unary_unary(method, request, timeout)

        sent = [file.version for file in files if file.version is not None and file.version in journal.sent]
        for batch in batches_of(sent):
            there = metadata_by_id(call, [journal.sent[version] for version in batch])
            for version in batch:
                if journal.sent[version] not in there:
                    journal.forget(version)

    def _label_images(self, uploads: Sequence[Uploaded], target: _Target, progress: Progress) -> List[ImportedImage]:
        """Add what is missing to the images that are there; return a result for each."""
        results: Dict[str, ImportedImage] = {}

        def label(batch: Sequence[Uploaded], cancellation: Cancellation) -> None:
            def call(method: Method, request: Message) -> Any:
                return self._unary_unary(method, request, target.timeout, cancellation)

            for (image, _), result in zip(batch, label_batch(call, batch, target.dataset_id)):
                results[image.path] = result
                progress.advance(1)

        progress.begin(len(uploads))
        batches = list(batches_of(uploads))
        for_each(batches, label, min(target.workers, len(batches)))
        return [results[image.path] for image, _ in uploads]


def _open_journal(folder: Path, part_id: str) -> Journal:
    """Open the journal of the uploads of a folder to a part."""
    path = folder / STATE / f"uploads-{quote(part_id, safe='')}.jsonl"
    path.parent.mkdir(exist_ok=True)
    return Journal(path, part_id)


def _files_of(folder: Path, images: Sequence[LabeledImage]) -> Iterator[Found]:
    """Yield the files of images, which the service knows by their paths in the folder that all of them are in."""
    parents = {image.path.rpartition("/")[0] for image in images}
    common = len(posixpath.join(posixpath.commonpath(parents), ""))
    for image in images:
        path = folder / image.path
        stem = image.path[common : len(image.path) - len(path.suffix)]
        try:
            yield Found(path, image.path, stem, path.stat())
        except OSError as error:  # it was there a moment ago
            yield Found(path, image.path, stem, None, error)
