"""The attributes of messages: one that is missing, or cannot be set, gets an error that says what there is to do."""

from typing import Any, Callable

from google.protobuf.descriptor import FieldDescriptor

from viam_sync.checks.descriptions import redact
from viam_sync.messages.explain import UNFIT, explain, is_list, is_map, kind_of, missing_field, refuse_surrogates

#: What is done with a field that cannot be assigned, by the type of message that it holds.
_SETTERS = {
    "google.protobuf.Timestamp": "FromDatetime(…)",
    "google.protobuf.Duration": "FromTimedelta(…)",
    "google.protobuf.Struct": "update({…})",
}


def explain_attributes(cls: Any) -> None:
    """Let the attributes of a class of messages raise errors that name its fields.

    The two methods are set on the class, as `viam_sync.messages.acceptance` does, and for the same reasons. Where the
    runtime is that in C, to read a field takes 0.1 µs longer for it, so the values in Structs, which are many, do
    without.
    """
    if cls.DESCRIPTOR.full_name != "google.protobuf.Value":
        cls.__getattr__ = _missing
    cls.__setattr__ = _assign(cls, cls.__setattr__)


def _missing(self: Any, name: str) -> Any:
    # Many tools ask every object for methods of theirs, which begin so; it takes a while to look for close matches.
    if name.startswith("_"):
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
    raise AttributeError(missing_field(self.DESCRIPTOR, name))


def _assign(cls: Any, plain: Callable[[Any, str, Any], None]) -> Callable[[Any, str, Any], None]:
    fields = cls.DESCRIPTOR.fields_by_name

    def __setattr__(self: Any, name: str, value: Any) -> None:
        if type(value) is str and not value.isascii() and name in fields:
            refuse_surrogates(fields[name], value)
        try:
            plain(self, name, value)
        except (AttributeError, *UNFIT) as error:
            raise _explain_assignment(cls, name, value, error) from None

    return __setattr__


def _explain_assignment(cls: Any, name: str, value: Any, error: Exception) -> Exception:
    field = cls.DESCRIPTOR.fields_by_name.get(name)
    if field is None:
        return error if name.startswith("_") else AttributeError(missing_field(cls.DESCRIPTOR, name))
    how = _setter(field)
    if not how:
        return explain(cls, {name: value}, error)
    kind = "a dict" if is_map(field) else f"a list; each item is {kind_of(field)}" if is_list(field) else kind_of(field)
    return AttributeError(f"{name} cannot be set to {redact(value)}; use message.{name}.{how}, which takes {kind}")


def _setter(field: FieldDescriptor) -> str:
    """Return the call that sets a field which cannot be assigned; an empty text for one that can."""
    if is_map(field):
        return "update({…})"
    if is_list(field):
        return "extend([…])"
    return "" if field.message_type is None else _SETTERS.get(field.message_type.full_name, "CopyFrom(…)")
