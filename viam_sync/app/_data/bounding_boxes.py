"""The methods of DataClient for the bounding boxes of images."""

from __future__ import annotations

from typing import List, Optional

from viam_sync.app._data.arguments import BinaryIDLike, box_fields, id_field
from viam_sync.checks import text
from viam_sync.checks.numbers import share
from viam_sync.proto.app import data as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods


class BoundingBoxesMixin(Service):
    """Methods for the labelled boxes that mark things in images."""

    def add_bounding_box_to_image_by_id(
        self,
        binary_id: BinaryIDLike,
        label: str,
        x_min_normalized: float,
        y_min_normalized: float,
        x_max_normalized: float,
        y_max_normalized: float,
        confidence_score: Optional[float] = None,
        *,
        timeout: Optional[float] = None,
    ) -> str:
        """Mark something in an image with a box.

        Args:
            binary_id: ID of the image: ``"organization/location/file"``, what its upload returned, or a BinaryID
                message.
            label: Label of the thing in the box.
            x_min_normalized: Left edge, as a share of the width from 0 to 1.
            y_min_normalized: Upper edge, as a share of the height from 0 to 1.
            x_max_normalized: Right edge, as a share of the width from 0 to 1.
            y_max_normalized: Lower edge, as a share of the height from 0 to 1.
            confidence_score: How sure it is, from 0 to 1; None where nobody says.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            ID of the box.

        Raises:
            FailedPreconditionError: If the file is no image.
            NotFoundError: If there is no such file.
            TypeError: If an argument is of the wrong type.
            ValueError: If the label is empty, an edge is outside [0, 1], or the box has no area.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> (image,), _, _ = client.data_client.binary_data_by_filter(limit=1)
            >>> id = image.metadata.binary_data_id
            >>> box_id = client.data_client.add_bounding_box_to_image_by_id(id, "leaf", 0.1, 0.7, 0.4, 0.8)
            >>> client.data_client.binary_data_by_ids([id])[0].metadata.annotations.bboxes[-1].id == box_id
            True
        """
        request = pb.AddBoundingBoxToImageByIDRequest(
            label=text("label", label),
            confidence=None if confidence_score is None else share("confidence_score", confidence_score),
            **id_field("binary_id", binary_id),
            **box_fields(x_min_normalized, y_min_normalized, x_max_normalized, y_max_normalized),
        )
        response: pb.AddBoundingBoxToImageByIDResponse = self._unary_unary(
            methods.ADD_BOUNDING_BOX_TO_IMAGE_BY_ID, request, timeout
        )
        return response.bbox_id

    def update_bounding_box(
        self,
        binary_id: BinaryIDLike,
        bbox_id: str,
        label: str,
        x_min_normalized: float,
        y_min_normalized: float,
        x_max_normalized: float,
        y_max_normalized: float,
        confidence_score: Optional[float] = None,
        *,
        timeout: Optional[float] = None,
    ) -> None:
        """Change a box, and the label that it has.

        Args:
            binary_id: ID of the image: ``"organization/location/file"``, what its upload returned, or a BinaryID
                message.
            bbox_id: ID of the box.
            label: Label of the thing in the box.
            x_min_normalized: Left edge, as a share of the width from 0 to 1.
            y_min_normalized: Upper edge, as a share of the height from 0 to 1.
            x_max_normalized: Right edge, as a share of the width from 0 to 1.
            y_max_normalized: Lower edge, as a share of the height from 0 to 1.
            confidence_score: How sure it is, from 0 to 1; None to leave it.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Raises:
            NotFoundError: If there is no such file or box.
            TypeError: If an argument is of the wrong type.
            ValueError: If an ID or the label is empty, an edge is outside [0, 1], or the box has no area.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> (image,), _, _ = client.data_client.binary_data_by_filter(limit=1)
            >>> id, (box,) = image.metadata.binary_data_id, image.metadata.annotations.bboxes
            >>> client.data_client.update_bounding_box(id, box.id, "rotten", 0.1, 0.1, 0.9, 0.9, confidence_score=0.5)
            >>> client.data_client.bounding_box_labels_by_filter()
            ['ripe', 'rotten', 'unripe']
        """
        request = pb.UpdateBoundingBoxRequest(
            bbox_id=text("bbox_id", bbox_id),
            label=text("label", label),
            confidence=None if confidence_score is None else share("confidence_score", confidence_score),
            **id_field("binary_id", binary_id),
            **box_fields(x_min_normalized, y_min_normalized, x_max_normalized, y_max_normalized),
        )
        self._unary_unary(methods.UPDATE_BOUNDING_BOX, request, timeout)

    def remove_bounding_box_from_image_by_id(
        self, bbox_id: str, binary_id: BinaryIDLike, *, timeout: Optional[float] = None
    ) -> None:
        """Take a box from an image.

        Args:
            bbox_id: ID of the box.
            binary_id: ID of the image: ``"organization/location/file"``, what its upload returned, or a BinaryID
                message.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Raises:
            NotFoundError: If there is no such file or box.
            TypeError: If an argument is of the wrong type.
            ValueError: If an ID is empty.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> (image,), _, _ = client.data_client.binary_data_by_filter(limit=1)
            >>> id, (box,) = image.metadata.binary_data_id, image.metadata.annotations.bboxes
            >>> client.data_client.remove_bounding_box_from_image_by_id(box.id, id)
            >>> len(client.data_client.binary_data_by_ids([id])[0].metadata.annotations.bboxes)
            0
        """
        request = pb.RemoveBoundingBoxFromImageByIDRequest(
            bbox_id=text("bbox_id", bbox_id), **id_field("binary_id", binary_id)
        )
        self._unary_unary(methods.REMOVE_BOUNDING_BOX_FROM_IMAGE_BY_ID, request, timeout)

    def bounding_box_labels_by_filter(
        self, filter: Optional[pb.Filter] = None, *, timeout: Optional[float] = None
    ) -> List[str]:
        """List the labels of the boxes in the images that match a filter.

        The service has deprecated this method, though it still answers.

        Args:
            filter: Filter that the images must match; None for all images that the caller may read.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The labels, each once.

        Raises:
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.utils import create_filter
            >>> client.data_client.bounding_box_labels_by_filter(create_filter(dataset_id=sandbox.dataset_id))
            ['ripe', 'unripe']
        """
        request = pb.BoundingBoxLabelsByFilterRequest(filter=pb.Filter() if filter is None else filter)
        response: pb.BoundingBoxLabelsByFilterResponse = self._unary_unary(
            methods.BOUNDING_BOX_LABELS_BY_FILTER, request, timeout
        )
        return list(response.labels)
