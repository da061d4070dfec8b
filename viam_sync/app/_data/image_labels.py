"""The labels of images that have been uploaded: those that are missing are added, and no box is added twice."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, TypeVar

from google.protobuf.message import Message

from viam_sync.app._data.arguments import box_fields, id_field, id_fields
from viam_sync.errors import AmbiguousResultError, ViamError
from viam_sync.messages.file_id import FileID
from viam_sync.proto.app import data as pb
from viam_sync.rpc.method import Method
from viam_sync.services import methods
from viam_sync.transfer.labels.box_matching import missing_boxes
from viam_sync.transfer.labels.import_results import ImportedImage
from viam_sync.transfer.labels.labeled_image import Box, LabeledImage
from viam_sync.transfer.upload.batch import UploadResult

#: The images that are looked up by one call.
_BATCH = 20
#: The calls for an image whose outcome nobody knows, after which no other is made for it.
_MOST_DOUBTS = 3

#: Makes a call: takes the method and the request, and returns the response.
Call = Callable[[Method, Message], Any]
#: An image, and the result of its upload.
Uploaded = Tuple[LabeledImage, UploadResult]
Item = TypeVar("Item")


def label_batch(call: Call, batch: Sequence[Uploaded], dataset_id: str) -> Iterator[ImportedImage]:
    """Add what is missing to images that have been uploaded: the dataset, tags and boxes; yield a result for each.

    Args:
        call: Makes the calls.
        batch: The images, as many as one call looks up.
        dataset_id: ID of the dataset that they belong into.
    """
    there: Dict[FileID, pb.BinaryMetadata] = {}
    failure: Optional[ViamError] = None
    try:
        there = metadata_by_id(call, [upload.id for _, upload in batch if upload.id is not None])
        _add_to_dataset(call, there, dataset_id)
    except ViamError as error:
        failure = error
    for image, upload in batch:
        if upload.id is None or failure is not None:
            yield ImportedImage(upload.path, upload.id, 0, upload.error or failure, upload.already_sent)
        else:
            # The service may not show an upload of this very moment yet; it has no boxes.
            yield _label_image(call, image, upload, upload.id, there.get(upload.id, pb.BinaryMetadata()))


def _add_to_dataset(call: Call, there: Dict[FileID, pb.BinaryMetadata], dataset_id: str) -> None:
    outside = [id for id, metadata in there.items() if dataset_id not in metadata.dataset_ids]
    if outside:
        ids = id_fields("binary_ids", outside)
        request = pb.AddBinaryDataToDatasetByIDsRequest(dataset_id=dataset_id, **ids)
        call(methods.ADD_BINARY_DATA_TO_DATASET_BY_IDS, request)


def _label_image(
    call: Call, image: LabeledImage, upload: UploadResult, id: FileID, metadata: pb.BinaryMetadata
) -> ImportedImage:
    boxes = boxes_of(metadata)
    missing = missing_boxes(image.boxes, boxes)
    others = len(boxes) - (len(image.boxes) - len(missing))
    count, doubts = len(missing), 0
    failure: Optional[ViamError] = None
    try:
        _add_tags(call, id, [tag for tag in image.tags if tag not in metadata.capture_metadata.tags])
        while missing:
            try:
                _add_box(call, id, missing[0])
                del missing[0]
            except AmbiguousResultError:
                there = metadata_by_id(call, [id])
                doubts += 1
                if doubts == _MOST_DOUBTS or id not in there:
                    raise
                missing = missing_boxes(image.boxes, boxes_of(there[id]))
    except ViamError as error:
        failure = error
    return ImportedImage(upload.path, id, count - len(missing), failure, upload.already_sent, others)


def _add_tags(call: Call, id: FileID, tags: Sequence[str]) -> None:
    if tags:
        request = pb.AddTagsToBinaryDataByIDsRequest(tags=tags, **id_fields("binary_ids", [id]))
        call(methods.ADD_TAGS_TO_BINARY_DATA_BY_IDS, request)


def _add_box(call: Call, id: FileID, box: Box) -> None:
    request = pb.AddBoundingBoxToImageByIDRequest(
        label=box.label, confidence=box.confidence, **id_field("binary_id", id), **box_fields(*box[1:5])
    )
    call(methods.ADD_BOUNDING_BOX_TO_IMAGE_BY_ID, request)


def metadata_by_id(call: Call, ids: Sequence[FileID]) -> Dict[FileID, pb.BinaryMetadata]:
    """Return the metadata of those files that the service has.

    Args:
        call: Makes the call; none if there are no IDs.
        ids: Their IDs, as many as one call looks up.
    """
    if not ids:
        return {}
    request = pb.BinaryDataByIDsRequest(include_binary=False, **id_fields("binary_ids", ids))
    response: pb.BinaryDataByIDsResponse = call(methods.BINARY_DATA_BY_IDS, request)
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
