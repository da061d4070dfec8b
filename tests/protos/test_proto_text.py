"""Descriptors become .proto files that compile to the same descriptors; differences between schemas are told."""

import pytest

from .mini_schemas import BENCH, CASES, cases, compiled

from compile import ROOTS, compile_protos, schema_names  # isort: skip
from import_schema import differences  # isort: skip
from proto_text import comments_of, default_json_name, proto_text  # isort: skip

NAMES = {case: (CASES / case,) for case in cases()} | {"oddities": (CASES.parent / "texts",), "the schema": ROOTS}


def bare(file):
    without = type(file)()
    without.CopyFrom(file)
    without.ClearField("source_code_info")
    stack = list(without.message_type)
    while stack:
        message = stack.pop()
        stack += message.nested_type
        for field in message.field:
            # protoc writes down every JSON name, also those that follow from the name of the field.
            if field.json_name == default_json_name(field.name):
                field.ClearField("json_name")
    return without


def words(comments):
    return {name: text.split() for name, text in comments.items()}


@pytest.mark.parametrize("roots", NAMES.values(), ids=list(NAMES))
def test_a_written_file_compiles_to_the_same_descriptors_and_keeps_its_comments(roots, tmp_path):
    names = schema_names(roots)
    before = {file.name: file for file in compile_protos(names, roots, comments=True).file if file.name in names}
    for name, file in before.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(proto_text(file, comments_of(file)), encoding="utf-8")

    after = {file.name: file for file in compile_protos(names, (tmp_path,), comments=True).file if file.name in names}

    assert after.keys() == before.keys()
    for name, file in before.items():
        assert bare(after[name]) == bare(file)
        assert words(comments_of(after[name])) == words(comments_of(file))
    assert differences(before, after) == []


def test_comments_are_found_by_the_full_names_of_what_they_stand_above():
    (file,) = (file for file in compiled("enums").file if file.name == "zoo.proto")
    comments = comments_of(file)
    assert comments["zoo.v1.ZooService.ListAnimals"] == "List the animals of some kinds."
    assert comments["zoo.v1.Animal.Bed.Stuff"] == "What it is made of."
    assert comments["zoo.v1.Kind.KIND_DOG"] == "A wolf, too."
    assert comments["zoo.v1.ListAnimalsRequest.kinds"] == "The kinds wanted."


def test_additions_removals_and_changes_are_told_by_name():
    (before,) = compiled("streams").file
    after = type(before)()
    after.CopyFrom(before)
    messages = {message.name: message for message in after.message_type}
    messages["LookRequest"].field[0].number = 7
    messages["WatchRequest"].field[1].name = "pause"
    messages["FillResponse"].name = "FilledResponse"
    after.service[0].method[1].server_streaming = False

    assert differences({"zoo.proto": before}, {"zoo.proto": after}) == [
        "removed  zoo.v1.FillResponse",
        "added    zoo.v1.FilledResponse",
        "changed  zoo.v1.LookRequest.animal_id",
        "removed  zoo.v1.WatchRequest.interval",
        "added    zoo.v1.WatchRequest.pause",
        "changed  zoo.v1.ZooService.Watch",
    ]


def test_the_schema_is_where_the_bench_looks_for_it():
    assert {"app/v1/app.proto", "proto/rpc/v1/auth.proto"} <= set(schema_names())
    assert BENCH in ROOTS
