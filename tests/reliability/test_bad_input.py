"""Every public function, given what does not fit: a clear error that names the parameter, and nothing is sent."""

import datetime as dt
import inspect
import re
from typing import Any, Callable, Dict, Iterator, List, Set, Tuple

import bson
import pytest
from label_folders import PETS, write_labels
from parity.calls import CALLS
from parity.recording import NAMES, arguments_of
from wire_words import FULL_NAME

import viam_sync
from reliability.bad_values import TAKEN, VALUES, OwnError
from viam_sync import utils
from viam_sync.app import app_client, viam_client
from viam_sync.proto import app as pb
from viam_sync.rpc import dial
from viam_sync.rpc.dial import parse_address

#: Methods that are no calls, or take nothing that could be wrong, and why they are left out.
LEFT_OUT = {
    ("DataClient", "delete_tabular_data_by_filter"): "refuses whatever it is given",
    ("DataClient", "create_filter"): "is that of utils, which is tried here, and warns",
}


def _methods() -> List[Tuple[str, str]]:
    found = []
    for client in CALLS:
        cls = getattr(viam_client, client)
        names = (name for name in dir(cls) if not name.startswith("_") and inspect.isroutine(getattr(cls, name)))
        found += [(client, name) for name in names if (client, name) not in LEFT_OUT]
    return found


METHODS = _methods()


def fitting(signature: inspect.Signature, client: str, method: str, folder: str) -> Dict[str, Any]:
    """Return arguments that a method takes: those of a known call, else one of each kind."""
    if any(text.startswith(f"{method}(") for text in CALLS[client]):
        return dict(arguments_of(signature, client, method, folder))
    own = {
        "upload_files": {"paths": folder, "part_id": "p-1", "journal": False},
        "import_dataset": {"folder": f"{folder}/pets", "format": "viam", "name": "pets", "part_id": "p-1"},
        "export_dataset": {"dataset_id": "d-1", "folder": f"{folder}/dataset"},
        "check_dataset": {"dataset_id": "d-1", "model_type": 1},
        "export_binary_data": {"filter": None, "folder": f"{folder}/files"},
        "export_tabular_data_to": {"filter_or_query": None, "path": f"{folder}/rows.jsonl"},
        "mirror_tabular_data": {"filter": None, "dest": f"{folder}/rows.duckdb"},
        # At least one of their arguments must be given.
        "list_nested_fragments": {"additional_fragments": [NAMES["app"].AdditionalFragment()]},
        "search_organizations": {"public_namespace": "acme"},
    }
    required = {name: each for name, each in signature.parameters.items() if each.default is each.empty}
    return own.get(method) or {name: _one_of(str(each.annotation), name) for name, each in required.items()}


def _one_of(annotation: str, name: str) -> Any:
    kinds = {
        "str": "x-1",
        "int": 3,
        "float": 1.5,
        "bool": True,
        "Sequence[str]": ["x-1"],
        "TimestampLike": NAMES["one" if name.startswith("end") else "noon"],
        "bytes": b"bytes",
        "Sequence[bytes]": [bson.encode({"$limit": 1})],
        "pb.BillingAddress": NAMES["app"].BillingAddress(),
        "pb.OAuthConfig": NAMES["app"].OAuthConfig(),
    }
    return kinds.get(annotation)


def taken(parameter: inspect.Parameter) -> Set[str]:
    """Return the names of the values that a parameter takes."""
    annotation = re.sub(r"^<class '(\w+)'>$|typing\.", r"\1", str(parameter.annotation))
    annotation = re.sub(r"^Union\[(.*), NoneType\]$", r"Optional[\1]", annotation)
    optional = parameter.default is not parameter.empty or annotation.startswith("Optional[")
    if annotation.startswith("Optional["):
        annotation = annotation[len("Optional[") : -1]
    is_id = re.fullmatch(r"(.*_)?id(_.*)?", parameter.name) and annotation == "str" and not optional
    found = next(labels for pattern, labels in TAKEN if re.fullmatch(pattern, "ID" if is_id else annotation))
    # A pattern is for names of files, which need not be text.
    odd = ["surrogate"] if parameter.name == "pattern" else []
    return {*found, *odd, *(["None"] if optional else [])}


def outcome(call: Callable[[], Any], name: str) -> str:
    """Return what became of a call: "taken", "refused" by the name of a parameter, or in what other way it ended."""
    try:
        result = call()
    except (OwnError, OSError, ImportError) as error:  # the file is named, or what to install
        return "refused" if isinstance(error, OwnError) or len(str(error)) > 10 else repr(error)
    except Exception as error:
        clear = type(error) in (TypeError, ValueError) and re.search(rf"(?<!\w){name}(?!\w)", str(error))
        return (
            "refused" if clear and not FULL_NAME.search(str(error)) else f"{type(error).__name__}: {str(error)[:200]}"
        )
    if hasattr(result, "close"):
        result.close()
    return "taken"


def failures(call: Callable[..., Any], good: Dict[str, Any], sent: Callable[[], int]) -> Iterator[str]:
    """Try each value as each argument, the others being good, and yield what went wrong."""
    cases = [
        (name, taken(each), label) for name, each in inspect.signature(call).parameters.items() for label in VALUES
    ]
    # Values that may be accepted come last: a call that times out at once may reach the server a moment later.
    for name, may_pass, label in sorted(cases, key=lambda case: case[2] in case[1]):
        arguments, before = {**good, name: VALUES[label]()}, sent()
        what = outcome(lambda arguments=arguments: call(**arguments), name)  # type: ignore[misc]
        if label in may_pass:
            continue
        if what != "refused":
            yield f"{name} given {label}: {what}"
        elif sent() != before:
            yield f"{name} given {label}: refused, but after it was sent"


@pytest.mark.parametrize(("client", "method"), METHODS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_wrong_argument_is_refused_by_name_and_nothing_is_sent(recorder, tmp_path, monkeypatch, client, method):
    server, channel = recorder
    monkeypatch.chdir(tmp_path)
    (tmp_path / "upload.txt").write_text("text")
    write_labels(tmp_path / "pets", "viam", PETS)
    call = getattr(getattr(viam_client, client)(channel, {"authorization": "Bearer token"}), method)
    good = fitting(inspect.signature(call), client, method, str(tmp_path))
    # The tail of a log asks in a thread of its own, perhaps a moment later.
    count = (lambda: 0) if method == "tail_robot_part_logs" else lambda: len(server.calls)
    assert list(failures(call, good, count)) == []


MINUTE = dt.timedelta(minutes=1)
OPTIONS = dial.DialOptions.with_api_key("hush-hush", "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d")
_STRUCT, _FILTER = (
    utils.dict_to_struct({"speed": 1}),
    utils.create_filter(start_time=NAMES["noon"], end_time=NAMES["noon"] + MINUTE),
)

#: The public functions and classes besides the clients, and arguments that they take.
FUNCTIONS: Dict[str, Tuple[Callable[..., Any], Dict[str, Any]]] = {
    "APIKeyAuthorization": (
        app_client.APIKeyAuthorization,
        {"role": "owner", "resource_type": "robot", "resource_id": "r"},
    ),
    "Credentials": (dial.Credentials, {"type": "api-key", "payload": "hush-hush"}),
    "DialOptions": (dial.DialOptions, {}),
    "DialOptions.with_api_key": (dial.DialOptions.with_api_key, {"api_key": "k", "api_key_id": OPTIONS.auth_entity}),
    "Retry": (viam_sync.Retry, {}),
    "create_filter": (utils.create_filter, {}),
    "datetime_to_timestamp": (utils.datetime_to_timestamp, {}),
    "dict_to_struct": (utils.dict_to_struct, {}),
    "message_to_struct": (utils.message_to_struct, {}),
    "parse_address": (parse_address, {"address": "app.viam.com"}),
    "partition_filter": (utils.partition_filter, {"filter": _FILTER, "n": 3}),
    "primitive_to_value": (utils.primitive_to_value, {}),
    "struct_to_dict": (utils.struct_to_dict, {}),
    "struct_to_message": (utils.struct_to_message, {"struct": _STRUCT, "message_type": pb.Robot}),
    "timestamp_to_datetime": (utils.timestamp_to_datetime, {"timestamp": utils.datetime_to_timestamp(NAMES["noon"])}),
    "value_to_primitive": (utils.value_to_primitive, {}),
}

#: The values that they accept, where the annotations do not tell.
ALSO = {
    "APIKeyAuthorization.resource_id": {"text", "own text", "long text"},
    "Credentials.type": {"text", "own text", "empty text", "NUL", "long text"},
    "Credentials.payload": {"text", "own text", "empty text", "NUL", "long text"},
    "DialOptions.auth_entity": {"text", "own text", "empty text", "long text"},
    "DialOptions.turn_uri": {"text", "own text", "empty text", "long text"},
    "DialOptions.ca_certificate": {"text", "own text", "bytes", "empty text", "long text", "folder"},
    "DialOptions.max_reconnect_attempts": {"three"},
    "DialOptions.initial_connection_attempts": {"three"},
    "DialOptions.timeout": {"three", "1.5"},
    "DialOptions.initial_connection_attempt_timeout": {"three", "1.5"},
    "DialOptions.with_api_key.api_key": {"text", "own text", "NUL", "long text"},
    "parse_address.address": {"text", "own text"},
    "parse_address.insecure": set(VALUES),
    "partition_filter.n": {"three"},
    "primitive_to_value.v": {
        *("three", "1.5", "True", "text", "own text", "bytes", "empty list", "empty dict", "None", "empty text", "NUL"),
        *("long text", "2**31", "2**63", "2**64", "2**200", "-1", "-2**63-1", "NaN", "infinity", "dict to NaN"),
        *("list of None", "list of an empty text", "list of a NUL", "list of a huge number", "list of lists"),
        "list of dicts",
    },
    "create_filter.start_time": {"None", "first time", "last time", "empty dict"},
    "create_filter.end_time": {"None", "first time", "last time", "empty dict"},
    "datetime_to_timestamp.dt": {"None", "first time", "last time"},
    "dict_to_struct.obj": {"None", "empty dict", "dict to NaN"},
    "Retry.attempts": {"three", "2**31", "2**63", "2**64", "2**200", "2**20000"},
    "Retry.total_timeout": {"three", "1.5", "True"},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_and_constructors_refuse_by_name_what_does_not_fit(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call, good = FUNCTIONS[name]
    wrong = []
    for parameter, described in inspect.signature(call).parameters.items():
        takes = ALSO.get(f"{name}.{parameter}", taken(described)) | ({"None"} if described.default is None else set())
        for label, make in VALUES.items():
            what = outcome(lambda make=make, key=parameter: call(**{**good, key: make()}), parameter)
            if what != "refused" and label not in takes:
                wrong.append(f"{parameter} given {label}: {what}")
    assert wrong == []


def test_no_public_function_is_left_out():
    public = {name for name in utils.__all__ if inspect.isfunction(getattr(utils, name))}
    assert public <= FUNCTIONS.keys()
