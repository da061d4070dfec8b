"""Looking up the IDs in a filter that matches nothing: an ID that nobody knows is a mistake, and no empty result."""

from __future__ import annotations

from typing import Any, Iterator, NamedTuple, Optional, Sequence

import grpc
from google.protobuf.message import Message

from viam_sync.checks import text
from viam_sync.errors import GRPCError, InvalidArgumentError, NotFoundError, grpc_error
from viam_sync.proto import app as app_pb
from viam_sync.proto.app import data as pb
from viam_sync.proto.app import dataset as dataset_pb
from viam_sync.rpc.method import Method
from viam_sync.rpc.service import Service
from viam_sync.services import methods


class _LookUp(NamedTuple):
    """The call that finds the thing which an ID in a filter names."""

    field: str
    id: str
    method: Method
    request: Message


class UnknownIDsMixin(Service):
    """The look-up of the IDs in a filter."""

    def _require_known_ids(
        self, filter: Optional[pb.Filter], timeout: Optional[float], *, certain: bool = False
    ) -> None:
        """Find out whether there is what the IDs in a filter name.

        Args:
            filter: The filter.
            timeout: Seconds that a call may take.
            certain: Whether an ID that cannot be looked up is an error; otherwise it counts as known.

        Raises:
            NotFoundError: If one of them is unknown.
            GRPCError: If one of them cannot be looked up, and that is an error.
        """
        # The request takes a filter of any form, and so has ours.
        for each in _look_ups(pb.DataRequest(filter=filter).filter):
            if not self._is_known(each, timeout, certain):
                advice = (
                    f"filter has the {each.field} {each.id!r}, which the service does not know or does not show to you,"
                    " so it matches nothing. Check the ID."
                )
                raise grpc_error(grpc.StatusCode.NOT_FOUND, advice, method=each.method.name)

    def _get_dataset(self, dataset_id: str, timeout: Optional[float]) -> dataset_pb.Dataset:
        """Return a dataset of files.

        Args:
            dataset_id: Its ID.
            timeout: Seconds that the call may take.

        Raises:
            FailedPreconditionError: If it is one of sequences.
            NotFoundError: If it is unknown.
            GRPCError: If it cannot be looked up.
        """
        method = methods.LIST_DATASETS_BY_IDS
        request = dataset_pb.ListDatasetsByIDsRequest(ids=[text("dataset_id", dataset_id)])
        try:
            found: Sequence[dataset_pb.Dataset] = self._unary_unary(method, request, timeout).datasets
        except (NotFoundError, InvalidArgumentError):
            found = []
        if not found:
            advice = (
                f"dataset_id is {dataset_id!r}, which the service does not know or does not show to you. It is no name:"
                " list_datasets_by_organization_id tells the IDs of datasets, 24 hexadecimal digits each."
            )
            raise grpc_error(grpc.StatusCode.NOT_FOUND, advice, method=method.name)
        if found[0].type == dataset_pb.DatasetType.DATASET_TYPE_SEQUENCE_DATA:
            advice = f"dataset_id is that of {found[0].name!r}, a dataset of sequences; choose one of files."
            raise grpc_error(grpc.StatusCode.FAILED_PRECONDITION, advice, method=method.name)
        return found[0]

    def _is_known(self, each: _LookUp, timeout: Optional[float], certain: bool) -> bool:
        try:
            response: Any = self._unary_unary(each.method, each.request, timeout)
        except (NotFoundError, InvalidArgumentError):
            return False
        except GRPCError:
            if certain:
                raise
            # A caller may read data without being allowed to look at where it is from.
            return True
        return each.method is not methods.LIST_DATASETS_BY_IDS or bool(response.datasets)


def _look_ups(filter: pb.Filter) -> Iterator[_LookUp]:
    if filter.dataset_id:
        dataset = dataset_pb.ListDatasetsByIDsRequest(ids=[filter.dataset_id])
        yield _LookUp("dataset_id", filter.dataset_id, methods.LIST_DATASETS_BY_IDS, dataset)
    if filter.part_id:
        part = app_pb.GetRobotPartRequest(id=filter.part_id)
        yield _LookUp("part_id", filter.part_id, methods.GET_ROBOT_PART, part)
    if filter.robot_id:
        yield _LookUp("robot_id", filter.robot_id, methods.GET_ROBOT, app_pb.GetRobotRequest(id=filter.robot_id))
    for id in filter.location_ids:
        yield _LookUp("location_ids", id, methods.GET_LOCATION, app_pb.GetLocationRequest(location_id=id))
    for id in filter.organization_ids:
        organization = app_pb.GetOrganizationRequest(organization_id=id)
        yield _LookUp("organization_ids", id, methods.GET_ORGANIZATION, organization)
