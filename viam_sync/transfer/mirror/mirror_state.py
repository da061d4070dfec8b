"""The state that a mirror keeps for its next run: what it is of, its columns, and how far the runs have come."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Mapping, NamedTuple, Optional

from viam_sync.transfer.output.kinds import Kind


class MirrorState(NamedTuple):
    """The state of a mirror after a run, or after one of its slices.

    A run makes the mirror what the service has, from some time on, the oldest slice first. Its successor begins where
    readings may be missing: at the end of what an unfinished run has done, and at ``newest`` minus the look-back, as
    later readings and late ones may have come since that run began.

    ``newest`` is a time of the service's readings and not of this computer, whose clock may be ahead: a run of next
    year's clock must not let the real ones begin next year. Readings may be ahead of the real time, too, where the
    clock of a machine is; so it is the newest reading that is not after the time here. If one of these two clocks is
    right, or behind, it is not ahead, and no reading is lost. If it is too early, a run does more than it had to.
    For the same reason, runs have no end but that of the filter: readings from the future are mirrored as well.

    Attributes:
        source: The readings that it is of, in a form that JSON can hold.
        kinds: The kind of each column, by its name, in their order.
        until: The end of what an unfinished run has done; None if the last run has finished.
        newest: The time of the newest reading, by this clock not in the future, when the last run began; None if there
            was none. All times are UTC without a time zone.
    """

    source: Mapping[str, Any]
    kinds: Mapping[str, Kind]
    until: Optional[datetime] = None
    newest: Optional[datetime] = None

    def begin(self, newest: Optional[datetime], look_back: Optional[timedelta]) -> Optional[datetime]:
        """Return the time from which on the next run replaces readings; None for all.

        Args:
            newest: The time of the newest reading now. If it is older than the one before, readings were deleted since,
                or the clock has been set back.
            look_back: The time that readings may be late; None if all are to be compared anew.

        Example:
            >>> from datetime import datetime, timedelta
            >>> from viam_sync.transfer.mirror.mirror_state import MirrorState
            >>> state = MirrorState({}, {}, newest=datetime(2024, 1, 31))
            >>> state.begin(datetime(2024, 2, 1), timedelta(days=7))
            datetime.datetime(2024, 1, 24, 0, 0)
        """
        if look_back is None or self.newest is None:
            return None
        begin = shifted(min(self.newest, newest or self.newest), -look_back)
        return begin if self.until is None else min(begin, self.until)

    def to_json(self) -> str:
        """Return it as text."""
        times = {"until": self.until, "newest": self.newest}
        texts = {name: None if time is None else time.isoformat() for name, time in times.items()}
        return json.dumps({"source": self.source, "kinds": self.kinds, **texts})

    @classmethod
    def from_json(cls, text: str) -> MirrorState:
        """Return the state that `to_json` has made a text of.

        Example:
            >>> from viam_sync.transfer.mirror.mirror_state import MirrorState
            >>> state = MirrorState({}, {"tags": ("list", "text")})
            >>> MirrorState.from_json(state.to_json()) == state
            True
        """
        found = json.loads(text)
        until, newest = (found[name] and datetime.fromisoformat(found[name]) for name in ("until", "newest"))
        return cls(found["source"], {name: _kind(kind) for name, kind in found["kinds"].items()}, until, newest)


def _kind(found: Any) -> Kind:
    return ("list", _kind(found[1])) if isinstance(found, list) else found


def shifted(moment: datetime, span: timedelta) -> datetime:
    """Return a time that is later by a span, or an end of the calendar.

    Example:
        >>> from datetime import datetime, timedelta
        >>> from viam_sync.transfer.mirror.mirror_state import shifted
        >>> shifted(datetime.min, timedelta(days=-1))
        datetime.datetime(1, 1, 1, 0, 0)
    """
    try:
        return moment + span
    except OverflowError:
        return datetime.min if span < timedelta(0) else datetime.max
