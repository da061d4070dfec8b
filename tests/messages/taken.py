"""Checks that messages of another package are taken wherever one of ours is."""

import importlib
import inspect
import pkgutil
from typing import Any, Dict

import viam_sync.app
from viam_sync.app.app_client import APIKeyAuthorization

from .schema_walk import full_name

Classes = Dict[str, Any]


def record_classes() -> Classes:
    """Return the classes of records that are made of any message, by the full name of its type."""
    found: Classes = {}
    for module in pkgutil.walk_packages(viam_sync.app.__path__, "viam_sync.app."):
        for _, cls in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            # That of a role takes known roles alone, so an example is none.
            if hasattr(cls, "from_proto") and cls is not APIKeyAuthorization:
                found[full_name(_taken_by(cls.from_proto))] = cls
    return found


def _taken_by(from_proto: Any) -> Any:
    annotation = next(iter(inspect.signature(from_proto).parameters.values())).annotation
    # typing.get_type_hints() evaluates the result, too, which Python 3.8 refuses where it is Self.
    return eval(annotation, from_proto.__globals__) if isinstance(annotation, str) else annotation


def check_message(cls: Any, theirs: Any) -> None:
    """Check that a message is copied and merged, and that nothing in it is lost, known here or not."""
    wanted = cls.FromString(theirs.SerializeToString())
    copied, merged = cls(), cls()
    copied.CopyFrom(theirs)
    merged.MergeFrom(theirs)
    assert copied == merged == wanted
    assert type(theirs).FromString(copied.SerializeToString()) == theirs


def check_fields(cls: Any, theirs: Any) -> None:
    """Check that the constructor takes what is in the fields of a message, one by one, as it is there."""
    for field, value in theirs.ListFields():
        if field.name in cls.DESCRIPTOR.fields_by_name:
            wanted = cls()
            wanted.MergeFromString(_alone(theirs, field.name).SerializeToString())
            assert cls(**{field.name: value}) == wanted, field.full_name


def _alone(message: Any, name: str) -> Any:
    alone = type(message)()
    alone.CopyFrom(message)
    for field, _ in message.ListFields():
        if field.name != name:
            alone.ClearField(field.name)
    return alone


def check_record(record: Any, cls: Any, theirs: Any, *others: Any) -> None:
    """Check that the record of a message is that of the same message of ours."""
    assert record.from_proto(theirs, *others) == record.from_proto(cls.FromString(theirs.SerializeToString()), *others)
