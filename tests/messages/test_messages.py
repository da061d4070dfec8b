"""Every message and enum of the schema can be pickled, copied, compared and printed."""

import copy
import importlib
import pickle

import pytest

from viam_sync.proto import app
from viam_sync.proto.app import data

from .schema_walk import enums, example, full_name, messages, modules


def test_the_schema_has_messages_and_enums_nested_ones_too():
    assert len(messages()) > 500
    assert len(enums()) > 20
    assert [enum.__qualname__ for enum in enums() if "." in enum.__qualname__] == ["SharedSecret.State"]


# In pure Python, protobuf 4.22 warns of its own code when it prints an Any.
@pytest.mark.filterwarnings("ignore:SymbolDatabase.GetPrototype")
@pytest.mark.parametrize("module", modules())
def test_the_messages_of(module):
    for cls in messages():
        if cls.__module__ == module:
            check_message(cls)


def check_message(cls):
    message = example(cls)
    others = [pickle.loads(pickle.dumps(message, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    others += [copy.copy(message), copy.deepcopy(message), cls.FromString(message.SerializeToString())]
    for other in others:
        assert type(other) is cls
        assert other is not message
        assert other == message
    assert repr(cls()) == str(cls()) == ""
    if message.ListFields():
        assert repr(message) == str(message) != ""
        message.Clear()
        assert all(other != message for other in others)


def test_a_class_is_found_where_it_says_it_is():
    for cls in [*messages(), *enums()]:
        found = importlib.import_module(cls.__module__)
        for name in cls.__qualname__.split("."):
            found = getattr(found, name)
        assert found is cls
        assert pickle.loads(pickle.dumps(cls)) is cls
        assert copy.deepcopy(cls) is cls


@pytest.mark.parametrize("enum", enums(), ids=full_name)
def test_an_enum(enum):
    described = [(value.name, value.number) for value in enum.DESCRIPTOR.values]
    assert enum.items() == described
    assert enum.keys() == [name for name, _ in described]
    assert enum.values() == [number for _, number in described]
    assert enum.ValueType is int
    for name, number in described:
        assert enum.Value(name) == getattr(enum, name) == number
        assert enum.Value(enum.Name(number)) == number
    assert enum.DESCRIPTOR.full_name in repr(enum)
    assert described[0][0] in repr(enum)


@pytest.mark.parametrize("enum", enums(), ids=full_name)
def test_an_enum_refuses_names_and_numbers_that_it_does_not_have(enum):
    with pytest.raises(ValueError, match="NO_SUCH_NAME"):
        enum.Value("NO_SUCH_NAME")
    with pytest.raises(ValueError, match="98765"):
        enum.Name(98765)
    with pytest.raises(AttributeError):
        _ = enum.NO_SUCH_NAME


def test_the_values_of_a_nested_enum_are_attributes_of_the_message_around_it():
    assert app.SharedSecret.State.Value("STATE_ENABLED") == app.SharedSecret.STATE_ENABLED


def test_messages_of_different_types_are_not_equal():
    assert app.Robot() != app.Organization()
    assert app.Robot(id="1") != "1"


def test_a_message_keeps_fields_that_it_does_not_know():
    wire = data.Filter(robot_id="r").SerializeToString() + b"\xfa\x3f\x03new"
    assert data.Filter.FromString(wire).SerializeToString() == wire
