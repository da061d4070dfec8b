"""What a call takes and what it returned, as JSON that can be compared, whichever SDK it is of."""

import datetime as dt
import enum
import inspect
from typing import Any, Callable, Dict, List, Mapping, Sequence


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


def parameters(method: Callable[..., Any]) -> List[Dict[str, Any]]:
    """Return the parameters of a method in their order, without its timeout, which ours takes last."""
    found = [each for each in inspect.signature(method).parameters.values() if each.name not in ("self", "timeout")]
    return [
        {
            "name": each.name,
            "positional": each.kind is not inspect.Parameter.KEYWORD_ONLY,
            "default": [] if each.default is inspect.Parameter.empty else [plain(each.default)],
        }
        for each in found
    ]
