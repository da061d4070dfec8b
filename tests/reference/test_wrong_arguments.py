"""Every argument of every method: one of a wrong type is refused by its name, and nothing is sent."""

import inspect
import re

import pytest
from google.protobuf import struct_pb2, timestamp_pb2
from parity.calls import CALLS
from parity.recording import arguments_of
from wire_words import FULL_NAME

from viam_sync.app import viam_client
from viam_sync.proto import app

METHODS = sorted({(client, text.partition("(")[0]) for client, texts in CALLS.items() for text in texts})

#: Messages of the wrong kind, of ours and of google.protobuf.
MESSAGES = (timestamp_pb2.Timestamp(), struct_pb2.Struct(), app.Robot())
#: One of each kind that an argument is, some that only look like it, and one that fits none.
VALUES = (
    *(object(), 5, 5.0, -1, 2**70, "text", b"bytes", ["text", 5], {5: 5}, {"text": object()}, [{"id": 5}]),
    *(*MESSAGES, [MESSAGES[0]], {"text": MESSAGES[0]}),
)

#: Words of the wire, of which an error speaks to nobody who calls a method: it names types of Python.
WIRE = re.compile(r"\b(bits|u?int(32|64)|\w+Request)\b")


@pytest.mark.parametrize(("client", "method"), METHODS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_argument_that_does_not_fit_is_named_and_nothing_is_sent(recorder, tmp_path, monkeypatch, client, method):
    server, channel = recorder
    monkeypatch.chdir(tmp_path)
    (tmp_path / "upload.txt").write_text("text")
    call = getattr(getattr(viam_client, client)(channel, {"authorization": "Bearer token"}), method)
    good = arguments_of(inspect.signature(call), client, method, str(tmp_path))
    for name in inspect.signature(call).parameters.keys() - {"timeout"}:
        refusals = [refusal(server, call, {**good, name: value}) for value in VALUES]
        assert any(refusals), f"{name} takes anything"
        assert not [text for text in refusals if text and not clear(text, name)]


def clear(text, name):
    """Tell whether an error begins with the name of the parameter, and speaks of types of Python."""
    kind = text.partition(", got ")[0]
    named = re.match(rf"(data_request_times and )?{name}(?!\w)", text)
    return named and "after it was sent" not in text and not WIRE.search(kind) and not FULL_NAME.search(text)


def refusal(server, call, arguments):
    """Return what a call is refused with before anything is sent; None if it is not refused."""
    sent = len(server.calls)
    try:
        call(**arguments)
    except FileNotFoundError:  # it names the file
        return None
    except (TypeError, ValueError) as error:
        return f"{error}, after it was sent" if len(server.calls) > sent else str(error)
    return None
