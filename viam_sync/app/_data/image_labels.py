"""The labels of many images: their tags, their boxes and their dataset, of which those that are missing are added."""

from __future__ import annotations

from typing import Dict, Iterator, List, Optional, Sequence, Tuple, TypeVar

from viam_sync.app._data.arguments import box_fields, id_field, id_fields
from viam_sync.errors import AmbiguousResultError, ViamError
from viam_sync.messages.file_id import FileID
from viam_sync.proto.app import data as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.transfer.concurrency.workers import for_each
from viam_sync.transfer.labels.box_matching import missing_boxes
from viam_sync.transfer.labels.import_results import ImportedImage
from viam_sync.transfer.labels.labeled_image import Box, LabeledImage
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.upload.batch import UploadResult

#: The images that are looked up by one call.
_BATCH = 20
#: The calls for an image whose outcome nobody knows, after which no other is made for it.
_MOST_DOUBTS = 3

#: An image, and the result of its upload.
_Upload = Tuple[LabeledImage, UploadResult]
_Metadata = Dict[FileID, pb.BinaryMetadata]
Item = TypeVar("Item")


class ImageLabelsMixin(Service):
    """The labelling of images that have been uploaded.

    Nothing is added without a look at what is there: a box that is sent twice would be there twice.
    """

    def _label_images(
        self,
        uploads: Sequence[_Upload],
        dataset_id: str,
        workers: int,
        progress: Progress,
        timeout: Optional[float],
    ) -> List[ImportedImage]:
        """Add what is missing to images that are there.

        Args:
            uploads: The images, and the results of their uploads.
            dataset_id: ID of the dataset that they belong into.
            workers: The number of calls at a time.
            progress: Counts the images.
            timeout: Seconds that a call may take.

        Returns:
            A result for each image.
        """
        results: Dict[str, ImportedImage] = {}

        def label(batch: Sequence[_Upload], cancellation: Cancellation) -> None:
            for (image, _), result in zip(batch, self._label_batch(batch, dataset_id, timeout, cancellation)):
                results[image.path] = result
                progress.advance(1)

        progress.begin(len(uploads))
        batches = list(batches_of(uploads))
        for_each(batches, label, min(workers, len(batches)))
        return [results[image.path] for image, _ in uploads]

    def _label_batch(
        self, batch: Sequence[_Upload], dataset_id: str, timeout: Optional[float], cancellation: Cancellation
    ) -> Iterator[ImportedImage]:
        """Add what is missing to some images, and yield a result for each."""
        failure: Optional[ViamError] = None
        there: _Metadata = {}
        try:
            there = self._metadata_by_id([upload.id for _, upload in batch if upload.id], timeout, cancellation)
            outside = [id for id, metadata in there.items() if dataset_id not in metadata.dataset_ids]
            if outside:
                request = pb.AddBinaryDataToDatasetByIDsRequest(
                    dataset_id=dataset_id, **id_fields("binary_ids", outside)
                )
                self._unary_unary(methods.ADD_BINARY_DATA_TO_DATASET_BY_IDS, request, timeout, cancellation)
        except ViamError as error:
            failure = error
        for image, upload in batch:
            error = upload.error or failure
            if upload.id is None or error is not None:
                yield ImportedImage(upload.path, upload.id, 0, error, upload.already_sent)
            else:
                # The service may not show an upload of this very moment yet; it has no labels but those it came with.
                metadata = there.get(upload.id, pb.BinaryMetadata())
                yield self._label_image(image, upload, upload.id, metadata, timeout, cancellation)

    def _label_image(
        self,
        image: LabeledImage,
        upload: UploadResult,
        id: FileID,
        metadata: pb.BinaryMetadata,
        timeout: Optional[float],
        cancellation: Cancellation,
    ) -> ImportedImage:
        """Add the tags and boxes that an image lacks."""
        failure: Optional[ViamError] = None
        missing = missing_boxes(image.boxes, boxes_of(metadata))
        count, doubts = len(missing), 0
        tags = [tag for tag in image.tags if tag not in metadata.capture_metadata.tags]
        try:
            if tags:
                request = pb.AddTagsToBinaryDataByIDsRequest(tags=tags, **id_fields("binary_ids", [id]))
                self._unary_unary(methods.ADD_TAGS_TO_BINARY_DATA_BY_IDS, request, timeout, cancellation)
            while missing:
                try:
                    self._add_box(id, missing[0], timeout, cancellation)
                    del missing[0]
                except AmbiguousResultError:
                    there = self._metadata_by_id([id], timeout, cancellation)
                    doubts += 1
                    if doubts == _MOST_DOUBTS or id not in there:
                        raise
                    missing = missing_boxes(image.boxes, boxes_of(there[id]))
        except ViamError as error:
            failure = error
        return ImportedImage(upload.path, id, count - len(missing), failure, upload.already_sent)

    def _add_box(self, id: FileID, box: Box, timeout: Optional[float], cancellation: Cancellation) -> None:
        request = pb.AddBoundingBoxToImageByIDRequest(
            label=box.label, confidence=box.confidence, **id_field("binary_id", id), **box_fields(*box[1:5])
        )
        self._unary_unary(methods.ADD_BOUNDING_BOX_TO_IMAGE_BY_ID, request, timeout, cancellation)

    def _metadata_by_id(
        self, ids: Sequence[FileID], timeout: Optional[float], cancellation: Optional[Cancellation] = None
    ) -> _Metadata:
        """Return the metadata of those files that the service has."""
        if not ids:
            return {}
        request = pb.BinaryDataByIDsRequest(include_binary=False, **id_fields("binary_ids", ids))
        response: pb.BinaryDataByIDsResponse = self._unary_unary(
            methods.BINARY_DATA_BY_IDS, request, timeout, cancellation
        )
        found = [file.metadata for file in response.data]
        return {FileID(metadata.id, metadata.binary_data_id): metadata for metadata in found}


def batches_of(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield the items by as many as one call looks up.

    Example:
        >>> from viam_sync.app._data.image_labels import batches_of
        >>> [len(batch) for batch in batches_of(range(50))]
        [20, 20, 10]
    """
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]


def boxes_of(metadata: pb.BinaryMetadata) -> List[Box]:
    """Return the boxes that an image has at the service.

    Example:
        >>> from viam_sync.app._data.image_labels import boxes_of
        >>> from viam_sync.proto.app.data import Annotations, BinaryMetadata, BoundingBox
        >>> box = BoundingBox(label="cat", x_max_normalized=1, y_max_normalized=0.5)
        >>> boxes_of(BinaryMetadata(annotations=Annotations(bboxes=[box])))
        [Box(label='cat', x_min=0.0, y_min=0.0, x_max=1.0, y_max=0.5, confidence=None)]
    """
    return [
        Box(
            box.label,
            box.x_min_normalized,
            box.y_min_normalized,
            box.x_max_normalized,
            box.y_max_normalized,
            box.confidence if box.HasField("confidence") else None,
        )
        for box in metadata.annotations.bboxes
    ]
