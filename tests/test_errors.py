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
