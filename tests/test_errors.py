import copy
import pickle
from typing import Tuple

import grpc
import pytest

from viam_sync import errors
from viam_sync.errors import AmbiguousResultError, CallMetadata, GRPCError, Metadatum, ViamError, grpc_error

FAILURES = [status for status in grpc.StatusCode if status is not grpc.StatusCode.OK]


@pytest.mark.parametrize("status", FAILURES)
def test_each_status_has_an_exception_of_its_own(status: grpc.StatusCode) -> None:
    error = grpc_error(status, "because")
    name = "".join(word.title() for word in status.name.split("_")) + "Error"
    assert type(error) is getattr(errors, name)
    assert isinstance(error, (ViamError, grpc.RpcError))
    assert (error.status, error.code(), error.message, error.details) == (status, status, "because", ())


@pytest.mark.parametrize("status", FAILURES)
def test_exceptions_pickle_and_copy(status: grpc.StatusCode) -> None:
    metadata = CallMetadata(trailing=(Metadatum("grpc-status-details-bin", b"\0"),))
    error = grpc_error(status, "because", ("detail",), "demo/Get", text="why", metadata=metadata)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert vars(twin) == vars(error)
        assert (twin.details, twin.details()) == (("detail",), "why")
        assert twin.trailing_metadata() == metadata.trailing
        assert str(twin) == f"demo/Get: {status.name}: because"


@pytest.mark.parametrize("status", FAILURES)
@pytest.mark.parametrize("details", [(), (object(),)])
def test_an_exception_survives_the_way_that_celery_keeps_it(
    status: grpc.StatusCode, details: Tuple[object, ...]
) -> None:
    error = grpc_error(status, "because", details, "demo/Get")
    # Arguments that JSON does not know become their repr.
    twin = type(error)(*[each if isinstance(each, str) or each == () else repr(each) for each in error.args])
    assert (twin.status, twin.message, twin.details, str(twin)) == (status, "because", (), str(error))
    assert type(error)(status.name, "because").status is status


def test_no_two_statuses_share_an_exception() -> None:
    assert len({type(grpc_error(status)) for status in FAILURES}) == len(FAILURES)


def test_what_has_no_exception_of_its_own_is_a_grpc_error() -> None:
    assert type(grpc_error(grpc.StatusCode.OK)) is GRPCError


OF_MACHINES = [
    errors.NotSupportedError("machines"),
    errors.ValidationError("no board"),
    errors.DuplicateResourceError("arm"),
    errors.ResourceNotFoundError("component", "arm"),
    errors.MethodNotImplementedError("stop"),
    errors.NoCaptureToStoreError(),
]


@pytest.mark.parametrize("error", OF_MACHINES, ids=lambda error: type(error).__name__)
def test_the_errors_of_machines_are_there_for_except_clauses(error: ViamError) -> None:
    assert isinstance(error, ViamError)
    assert not isinstance(error, GRPCError)
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(twin), str(twin)) == (type(error), str(error))
    assert all(word in str(error) for word in error.args)


def test_names_of_the_official_sdk_for_what_is_here_are_the_same_things() -> None:
    assert errors.ViamGRPCError is GRPCError
    assert errors.Status is grpc.StatusCode
    with pytest.raises(errors.ViamGRPCError):
        raise grpc_error(grpc.StatusCode.NOT_FOUND)


def test_an_error_has_the_attributes_of_grpclib_and_the_methods_of_grpc() -> None:
    # What grpc raises is an RpcError that is a Call, by which a script tells that it has a code.
    error = grpc_error(grpc.StatusCode.NOT_FOUND, "with advice", ("detail",), "demo/Get", text="gone")
    assert isinstance(error, grpc.Call)
    assert (error.status, error.message, list(error.details)) == (grpc.StatusCode.NOT_FOUND, "with advice", ["detail"])
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "gone")
    assert (error.initial_metadata(), error.trailing_metadata()) == ((), ())
    assert error.debug_error_string() == "demo/Get: NOT_FOUND: gone"
    assert (error.is_active(), error.time_remaining(), error.cancel(), error.add_callback(print)) == (
        *(False, None),
        *(False, False),
    )


def test_a_restated_error_differs_in_its_message_alone() -> None:
    metadata = CallMetadata(initial=(Metadatum("served-by", "a"),))
    error = grpc_error(grpc.StatusCode.UNAVAILABLE, "away", ("detail",), "demo/Get", 3, 2.5, "gone", metadata)
    other = error.restated("perhaps", AmbiguousResultError)
    assert type(other) is AmbiguousResultError
    assert str(other) == "demo/Get: UNAVAILABLE: perhaps"
    assert {**vars(other), "message": "away"} == vars(error)
