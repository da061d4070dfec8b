import copy
import pickle

import grpc
import pytest

from viam_sync import errors
from viam_sync.errors import GRPCError, ViamError, grpc_error

FAILURES = [status for status in grpc.StatusCode if status is not grpc.StatusCode.OK]


@pytest.mark.parametrize("status", FAILURES)
def test_each_status_has_an_exception_of_its_own(status: grpc.StatusCode) -> None:
    error = grpc_error(status, "because")
    name = "".join(word.title() for word in status.name.split("_")) + "Error"
    assert type(error) is getattr(errors, name)
    assert isinstance(error, (ViamError, grpc.RpcError))
    assert (error.status, error.code(), error.message, error.details) == (status, status, "because", None)


@pytest.mark.parametrize("status", FAILURES)
def test_exceptions_pickle_and_copy(status: grpc.StatusCode) -> None:
    error = grpc_error(status, "because", (), "demo/Get")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert vars(twin) == vars(error)
        assert str(twin) == f"demo/Get: {status.name}: because"


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
