"""The RPCs of the schema, found by their names: how each is sent, and which messages it takes and gives."""

import functools
import re
from dataclasses import dataclass
from typing import Optional, Sequence

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodDescriptorProto

from viam_sync.checks import string
from viam_sync.checks.near_names import any_of, near_names
from viam_sync.messages.pool import schema_files
from viam_sync.rpc.method import Method
from viam_sync.rpc.policies import NON_IDEMPOTENT, STREAM, UPLOAD, Policy
from viam_sync.services import methods

_WORDS = re.compile(r"[A-Z][a-z]*")
#: The words in the names of RPCs that take something away, or charge somebody.
_FINAL_WORDS = {"Charge", "Delete", "Remove", "Rotate", "Unshare"}


@dataclass(frozen=True)
class Rpc:
    """An RPC.

    Attributes:
        method: Where it is called, and when it may be called again.
        descriptor: Describes it.
    """

    method: Method
    descriptor: MethodDescriptor

    @property
    def name(self) -> str:
        """Its full name, ``package.Service/Rpc``."""
        return self.method.name

    @property
    def short_name(self) -> str:
        """Its name without the package."""
        return f"{self.descriptor.containing_service.name}/{self.descriptor.name}"

    @property
    def takes_stream(self) -> bool:
        """Whether it takes any number of messages, and not just one."""
        return self.method.kind.startswith("stream")

    @property
    def gives_stream(self) -> bool:
        """Whether it answers with any number of messages, and not just one."""
        return self.method.kind.endswith("stream")

    @property
    def is_final(self) -> bool:
        """Whether it deletes something, or charges somebody, which cannot be taken back."""
        return not _FINAL_WORDS.isdisjoint(_WORDS.findall(self.descriptor.name))


@functools.lru_cache(maxsize=None)
def all_rpcs() -> Sequence[Rpc]:
    """Return the RPCs of the schema, by their services.

    Example:
        >>> from viam_sync.reflection.rpcs import all_rpcs
        >>> [rpc.short_name for rpc in all_rpcs() if rpc.descriptor.name.startswith("Charge")]
        ['BillingService/ChargeOrganization']
    """
    known = {each.name: each for each in vars(methods).values() if isinstance(each, Method)}
    described = [
        (f"{service.full_name}/{descriptor.name}", descriptor)
        for file in schema_files()
        for service in file.services_by_name.values()
        for descriptor in service.methods
    ]
    return tuple(Rpc(known.get(name) or _unlisted(name, each), each) for name, each in described)


def _unlisted(name: str, descriptor: MethodDescriptor) -> Method:
    """Return an RPC that no method of this package calls: nobody knows what it does, so that it is sent once."""
    # The property of this name came with protobuf 5.
    proto = MethodDescriptorProto()
    descriptor.CopyToProto(proto)
    policy: Policy = STREAM if proto.server_streaming else UPLOAD if proto.client_streaming else NON_IDEMPOTENT
    kind = "_".join("stream" if streams else "unary" for streams in (proto.client_streaming, proto.server_streaming))
    return Method(f"/{name}", kind, policy._replace(name="ONCE", attempts=1, idempotent=False))


def find_rpc(rpc: str) -> Rpc:
    """Return an RPC by its name: ``AppService/GetRobot``, with its package or without, or ``GetRobot`` alone.

    Raises:
        TypeError: If ``rpc`` is no str.
        ValueError: If there is no such RPC, or several services have one.

    Example:
        >>> from viam_sync.reflection.rpcs import find_rpc
        >>> find_rpc("GetRobot").name
        'viam.app.v1.AppService/GetRobot'
    """
    wanted = string("rpc", rpc).strip().lstrip("/")
    found = [each for each in all_rpcs() if is_end_of(wanted, each.name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"rpc fits several, got {wanted!r}; give one of {any_of([each.name for each in found])}")
    raise ValueError(f"rpc is no RPC of the cloud, got {wanted!r}; {_near(wanted)}")


def _near(wanted: str) -> str:
    """Return which RPCs may be meant by a name, with the service or without."""
    whole = "/" in wanted or "." in wanted
    names = {each.short_name if whole else each.descriptor.name: each.short_name for each in all_rpcs()}
    near = [names[each] for each in near_names(wanted, names)]
    return f"did you mean {any_of(near)}?" if near else "viam-sync call --list lists them"


def rpcs_of(service: Optional[str] = None) -> Sequence[Rpc]:
    """Return the RPCs of a service by its name, with its package or without; None for all there are.

    Raises:
        TypeError: If ``service`` is no str.
        ValueError: If there is no such service.

    Example:
        >>> from viam_sync.reflection.rpcs import rpcs_of
        >>> [rpc.short_name for rpc in rpcs_of("ExternalAuthService")]
        ['ExternalAuthService/AuthenticateTo']
    """
    if service is None:
        return all_rpcs()
    wanted = string("service", service).strip().strip("/")
    found = [each for each in all_rpcs() if is_end_of(wanted, each.descriptor.containing_service.full_name)]
    if not found:
        names = dict.fromkeys(each.descriptor.containing_service.name for each in all_rpcs())
        near = near_names(wanted, names)
        advice = f"did you mean {any_of(near)}?" if near else f"there are {', '.join(names)}"
        raise ValueError(f"service is none of the cloud, got {wanted!r}; {advice}")
    return found


def is_end_of(name: str, full_name: str) -> bool:
    """Tell whether a name is a full one, or the end of one, with dots or slashes between its words.

    Example:
        >>> from viam_sync.reflection.rpcs import is_end_of
        >>> is_end_of("AppService.GetRobot", "viam.app.v1.AppService/GetRobot"), is_end_of("Robot", "GetRobot")
        (True, False)
    """
    return f".{full_name}".replace("/", ".").endswith(f".{name}".replace("/", "."))
