"""Channels that are opened when the first call is made, and the attributes of a service that wait for them."""

from typing import Any, Callable, Mapping, Tuple

import grpc

NOT_PICKLED = "a connection cannot be pickled or copied; pickle its ViamClient, which dials where it lands"


class LateChannel:
    """A channel that is opened when it is first needed.

    Args:
        get: Returns the channel, which it opens if need be, and the metadata of the caller.
    """

    def __init__(self, get: Callable[[], Tuple[grpc.Channel, Mapping[str, str]]]) -> None:
        self.get = get

    def __reduce__(self) -> Any:
        raise TypeError(NOT_PICKLED)


class LateAttribute:
    """An attribute that a service has when it is connected; to ask for it before connects the service.

    There is no ``__set__``, so the value that connecting sets hides this, and costs later calls nothing.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, service: Any, owner: type) -> Any:
        if service is None:
            return self
        service._connect()
        return vars(service)[self._name]
