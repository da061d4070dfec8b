"""What a call returned, as JSON that can be compared, whichever SDK it is of."""

import datetime as dt
import enum
from typing import Any, Mapping, Sequence


def plain(value: Any) -> Any:
    """Return a result as JSON; messages as their name and bytes, records as what they hold."""
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, dt.datetime):
        return {"time": value.isoformat()}
    if hasattr(value, "SerializeToString"):
        return {"message": value.DESCRIPTOR.full_name, "bytes": value.SerializeToString(deterministic=True).hex()}
    if isinstance(value, Mapping):
        return {"dict": {key: plain(each) for key, each in value.items()}}
    if isinstance(value, tuple):
        return {"tuple": [plain(each) for each in value]}
    if isinstance(value, Sequence):  # what protobuf gives for a repeated field is a sequence
        return [plain(each) for each in value]
    held = {name: plain(each) for name, each in vars(value).items() if not name.startswith("_")}
    return {"record": type(value).__name__, **held}
