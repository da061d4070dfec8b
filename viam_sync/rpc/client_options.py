"""Options of a client: the limits of its calls, and the time zone of the times that they return."""

from datetime import tzinfo
from typing import Any, Dict, NamedTuple, Optional, Union

from typing_extensions import Self

from viam_sync.checks import time_zone
from viam_sync.checks.numbers import seconds
from viam_sync.rpc.policies import Retry, retry_from
from viam_sync.rpc.synchronous import Synchronous


class ClientOptions(NamedTuple):
    """The options of a client.

    Attributes:
        timeout: Seconds that each call may take in all, where the call itself names none; None for the limit of its
            retry class.
        retry: How often calls are tried; None for what their retry class says.
        tz: The time zone of the times in results; None for UTC without a time zone.
    """

    timeout: Optional[float] = None
    retry: Optional[Retry] = None
    tz: Optional[tzinfo] = None

    def override(
        self,
        timeout: Optional[float] = None,
        retry: Union[Retry, bool, None] = None,
        tz: Optional[tzinfo] = None,
    ) -> "ClientOptions":
        """Return these options, replaced by those of the arguments that are not None.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``timeout`` is not above 0.
        """
        given: Dict[str, Any] = {
            "timeout": None if timeout is None else seconds("timeout", timeout),
            "retry": retry_from(retry),
            "tz": None if tz is None else time_zone("tz", tz),
        }
        return self._replace(**{name: value for name, value in given.items() if value is not None})


class Configurable(Synchronous):
    """The base of clients: an object with options, of which there are copies with others."""

    _options = ClientOptions()

    def options(
        self,
        *,
        timeout: Optional[float] = None,
        retry: Union[Retry, bool, None] = None,
        tz: Optional[tzinfo] = None,
    ) -> Self:
        """Return a copy of this client, on the same connection, with other options.

        Closing a ``ViamClient`` closes its copies, too.

        Args:
            timeout: Seconds that each call may take in all, where the call itself names none; None to leave that as it
                is. Tails of logs go on until they are closed all the same.
            retry: How often calls are tried, and for how long; False for never again, None to leave that as it is.
            tz: The time zone of all datetimes in results, such as ``datetime.timezone.utc``; None to leave that as it
                is. Without one, they are UTC without a time zone. See ``docs/times.md``.

        Returns:
            The copy.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``timeout`` is not above 0.

        Example:
            >>> from datetime import timezone
            >>> hasty = client.options(timeout=5, retry=False, tz=timezone.utc)
            >>> hasty.app_client.get_robot_part(sandbox.robot_part_id).created_on.tzname()
            'UTC'
        """
        other = self._copy()
        other._options = self._options.override(timeout, retry, tz)
        return other

    def _copy(self) -> Self:
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        return other
