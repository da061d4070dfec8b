"""An RPC as data: a row of the table in ``viam_sync/services/methods.py``."""

from typing import NamedTuple

from viam_sync.rpc.policies import Policy


class Method(NamedTuple):
    """An RPC: where it is called, and when it may be called again.

    Attributes:
        path: Its path as gRPC has it, ``/package.Service/Rpc``.
        kind: The method of ``grpc.Channel`` that makes its stub, such as ``unary_unary``.
        policy: Its retry class.
        verify_with: The method of the same client that shows whether a call was carried out; "" where there is none.

    Example:
        >>> from viam_sync.services import methods
        >>> methods.RENAME_DATASET.path, methods.RENAME_DATASET.policy.name
        ('/viam.app.dataset.v1.DatasetService/RenameDataset', 'IDEMPOTENT')
    """

    path: str
    kind: str
    policy: Policy
    verify_with: str = ""

    @property
    def name(self) -> str:
        """The full name of the RPC, ``package.Service/Rpc``."""
        return self.path[1:]
