from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any, Callable, Type

import grpc
import pytest
from google.protobuf.message import Message
from servers import FakeService, refuse

from viam_sync.app.app_client import AppClient, Fragment, FragmentHistoryEntry
from viam_sync.errors import FailedPreconditionError, GRPCError, NotFoundError
from viam_sync.proto import app as pb
from viam_sync.rpc.dial import Channel, parse_address

NOON = datetime(2024, 5, 6, 12, 0, 0, 123456)

WHOLE = pb.Fragment(
    id="f-1",
    name="arm",
    fragment={"components": [{"speed": 1.5, "limit": None}]},
    organization_owner="o-1",
    public=True,
    created_on=NOON,
    organization_name="Lessons",
    robot_part_count=3,
    organization_count=2,
    only_used_by_owner=True,
    visibility=pb.FragmentVisibility.FRAGMENT_VISIBILITY_PUBLIC,
    last_updated=NOON + timedelta(days=1),
    revision="r-7",
    public_namespace="lessons",
    fragment_config_json='{"components": []}',
)
EDIT = pb.FragmentHistoryEntry(
    fragment="f-1",
    edited_on=NOON,
    old=WHOLE,
    edited_by=pb.AuthenticatorInfo(value="bob@example.com"),
    revision="r-6",
    config={"components": []},
)
ANSWERS = {
    "ListFragments": pb.ListFragmentsResponse(fragments=[WHOLE, pb.Fragment(id="f-2")]),
    "GetFragment": pb.GetFragmentResponse(fragment=WHOLE),
    "CreateFragment": pb.CreateFragmentResponse(fragment=WHOLE),
    "UpdateFragment": pb.UpdateFragmentResponse(fragment=WHOLE),
    "GetFragmentHistory": pb.GetFragmentHistoryResponse(history=[EDIT]),
}


def answering(answer: Message) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    return lambda request, context: answer.SerializeToString()


@pytest.fixture
def server(server: FakeService) -> FakeService:
    server.unary.update({name: answering(answer) for name, answer in ANSWERS.items()})
    return server


@pytest.fixture
def cloud(channel: Channel) -> AppClient:
    return AppClient(channel, {})


@pytest.mark.parametrize(
    ("call", "request_message"),
    [
        (lambda cloud: cloud.list_fragments("o-1"), pb.ListFragmentsRequest(organization_id="o-1", show_public=True)),
        (
            lambda cloud: cloud.list_fragments("o-1", False, visibilities=[Fragment.Visibility.PUBLIC_UNLISTED]),
            pb.ListFragmentsRequest(
                organization_id="o-1",
                show_public=False,
                fragment_visibility=[pb.FragmentVisibility.FRAGMENT_VISIBILITY_PUBLIC_UNLISTED],
            ),
        ),
        (lambda cloud: cloud.get_fragment("f-1"), pb.GetFragmentRequest(id="f-1")),
        (lambda cloud: cloud.get_fragment("f-1", version="r-7"), pb.GetFragmentRequest(id="f-1", version="r-7")),
        (
            lambda cloud: cloud.create_fragment("o-1", "arm"),
            pb.CreateFragmentRequest(organization_id="o-1", name="arm"),
        ),
        (
            lambda cloud: cloud.create_fragment("o-1", "arm", {"limit": None}, visibility=Fragment.Visibility.PRIVATE),
            pb.CreateFragmentRequest(
                organization_id="o-1",
                name="arm",
                config={"limit": None},
                visibility=pb.FragmentVisibility.FRAGMENT_VISIBILITY_PRIVATE,
            ),
        ),
        (lambda cloud: cloud.update_fragment("f-1", "arm"), pb.UpdateFragmentRequest(id="f-1", name="arm")),
        (
            lambda cloud: cloud.update_fragment("f-1", "arm", {}, False),
            pb.UpdateFragmentRequest(id="f-1", name="arm", config={}, public=False),
        ),
        (
            lambda cloud: cloud.update_fragment(
                "f-1",
                "arm",
                {"speed": 1},
                True,
                visibility=Fragment.Visibility.PUBLIC,
                last_known_update=NOON.replace(hour=14, tzinfo=timezone(timedelta(hours=2))),
                fragment_config_json="{}",
            ),
            pb.UpdateFragmentRequest(
                id="f-1",
                name="arm",
                config={"speed": 1},
                public=True,
                visibility=pb.FragmentVisibility.FRAGMENT_VISIBILITY_PUBLIC,
                last_known_update=NOON,
                fragment_config_json="{}",
            ),
        ),
        (
            lambda cloud: cloud.get_fragment_history("f-1"),
            pb.GetFragmentHistoryRequest(id="f-1", page_token="", page_limit=10),
        ),
        (
            lambda cloud: cloud.get_fragment_history("f-1", "t-1", 3),
            pb.GetFragmentHistoryRequest(id="f-1", page_token="t-1", page_limit=3),
        ),
        (
            lambda cloud: cloud.get_fragment_history("f-1", page_token=None, page_limit=None),
            pb.GetFragmentHistoryRequest(id="f-1"),
        ),
    ],
)
def test_the_request_holds_what_was_given_and_nothing_else(
    server: FakeService, cloud: AppClient, call: Callable[[AppClient], Any], request_message: Message
) -> None:
    call(cloud)
    (made,) = server.calls
    assert made.method == f"/viam.app.v1.AppService/{type(request_message).__name__[: -len('Request')]}"
    assert type(request_message).FromString(made.requests[0]) == request_message


def test_an_emptied_configuration_is_not_one_that_stays(server: FakeService, cloud: AppClient) -> None:
    cloud.update_fragment("f-1", "arm", {})
    cloud.update_fragment("f-1", "arm")
    requests = [pb.UpdateFragmentRequest.FromString(call.requests[0]) for call in server.calls]
    assert [request.HasField("config") for request in requests] == [True, False]


@pytest.mark.parametrize(
    "call",
    [
        lambda cloud: cloud.get_fragment("f-1"),
        lambda cloud: cloud.create_fragment("o-1", "arm"),
        lambda cloud: cloud.update_fragment("f-1", "arm"),
        lambda cloud: cloud.list_fragments("o-1")[0],
    ],
)
def test_a_fragment_becomes_a_record_of_plain_values(cloud: AppClient, call: Callable[[AppClient], Fragment]) -> None:
    fragment = call(cloud)
    assert fragment == Fragment(
        id="f-1",
        name="arm",
        fragment={"components": [{"speed": 1.5, "limit": None}]},
        organization_owner="o-1",
        public=True,
        created_on=NOON,
        organization_name="Lessons",
        robot_part_count=3,
        organization_count=2,
        only_used_by_owner=True,
        visibility=Fragment.Visibility.PUBLIC,
        last_updated=NOON + timedelta(days=1),
        revision="r-7",
        public_namespace="lessons",
        fragment_config_json='{"components": []}',
    )
    assert fragment.proto == WHOLE


def test_an_empty_fragment_becomes_a_record_of_nothing(cloud: AppClient) -> None:
    fragment = cloud.list_fragments("o-1")[1]
    assert (fragment.id, fragment.fragment, fragment.created_on, fragment.last_updated) == ("f-2", None, None, None)
    assert fragment.visibility is Fragment.Visibility.UNSPECIFIED
    assert fragment.proto == pb.Fragment(id="f-2")


def test_a_fragment_is_made_without_what_came_later() -> None:
    fragment = Fragment("f-1", "arm", None, "o-1", False, None, "Lessons", 0, 0, True)
    assert fragment.proto == pb.Fragment(
        id="f-1", name="arm", organization_owner="o-1", organization_name="Lessons", only_used_by_owner=True
    )


def test_what_may_hold_secrets_is_not_printed(cloud: AppClient) -> None:
    (edit,) = cloud.get_fragment_history("f-1")
    assert "components" not in repr(edit)
    assert "name='arm'" in repr(edit)


def test_an_edit_survives_the_way_into_a_record_and_back(cloud: AppClient) -> None:
    (edit,) = cloud.get_fragment_history("f-1")
    assert (edit.fragment, edit.edited_on, edit.revision, edit.config) == ("f-1", NOON, "r-6", {"components": []})
    assert edit.old == Fragment.from_proto(WHOLE)
    assert edit.edited_by == pb.AuthenticatorInfo(value="bob@example.com")
    assert edit.proto == EDIT


def test_an_empty_edit_becomes_a_record_of_nothing() -> None:
    edit = FragmentHistoryEntry.from_proto(pb.FragmentHistoryEntry())
    assert (edit.fragment, edit.edited_on, edit.old, edit.edited_by, edit.config) == ("", None, None, None, None)
    assert edit.proto == pb.FragmentHistoryEntry()


def test_a_visibility_is_a_text_and_a_value_of_the_message() -> None:
    assert issubclass(Fragment.Visibility, Enum)
    assert [member.value for member in Fragment.Visibility] == ["private", "public", "public_unlisted", "unspecified"]
    assert [int(member.to_proto()) for member in Fragment.Visibility] == [1, 2, 3, 0]
    assert [Fragment.Visibility.from_proto(member.to_proto()) for member in Fragment.Visibility] == list(
        Fragment.Visibility
    )
    assert Fragment.Visibility("public") is Fragment.Visibility.PUBLIC


def test_a_visibility_that_is_not_known_yet_is_unspecified() -> None:
    later = pb.Fragment.FromString(b"\x60\x63")
    assert Fragment.from_proto(later).visibility is Fragment.Visibility.UNSPECIFIED


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda cloud: cloud.list_fragments("o-1", visibilities="public"),
            TypeError,
            "visibilities takes a list of Fragment.Visibility, got a str",
        ),
        (
            lambda cloud: cloud.list_fragments("o-1", visibilities=Fragment.Visibility.PUBLIC),
            TypeError,
            "visibilities takes a list",
        ),
        (
            lambda cloud: cloud.list_fragments("o-1", visibilities=["open"]),
            ValueError,
            r"visibilities takes a Fragment.Visibility \(Visibility.PRIVATE, .*\), got 'open'",
        ),
        (lambda cloud: cloud.create_fragment("o-1", "arm", visibility="open"), ValueError, "visibility takes"),
        (lambda cloud: cloud.update_fragment("f-1", "arm", visibility=5), ValueError, "visibility takes.*got 5"),
    ],
)
def test_a_wrong_visibility_is_found_before_anything_is_asked(
    server: FakeService, cloud: AppClient, call: Callable[[AppClient], Any], kind: Type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        call(cloud)
    assert server.calls == []


@pytest.mark.parametrize(
    ("rpc", "call", "attempts"),
    [
        ("ListFragments", lambda cloud: cloud.list_fragments("o-1"), 5),
        ("GetFragment", lambda cloud: cloud.get_fragment("f-1"), 5),
        ("GetFragmentHistory", lambda cloud: cloud.get_fragment_history("f-1"), 5),
        ("UpdateFragment", lambda cloud: cloud.update_fragment("f-1", "arm"), 5),
        ("UpdateFragment", lambda cloud: cloud.update_fragment("f-1", "arm", last_known_update=NOON), 1),
        ("CreateFragment", lambda cloud: cloud.create_fragment("o-1", "arm"), 1),
    ],
)
def test_only_what_does_no_harm_twice_is_tried_again(
    server: FakeService, rpc: str, call: Callable[[AppClient], Any], attempts: int
) -> None:
    server.unary[rpc] = refuse(grpc.StatusCode.UNAVAILABLE, "busy")
    with Channel(parse_address(server.url), max_reconnect_attempts=3) as channel, pytest.raises(GRPCError, match=rpc):
        call(AppClient(channel, {}))
    assert len(server.calls) == attempts


def test_a_stale_update_is_our_exception(server: FakeService, cloud: AppClient) -> None:
    server.unary["UpdateFragment"] = refuse(grpc.StatusCode.FAILED_PRECONDITION, "changed since")
    with pytest.raises(FailedPreconditionError, match="changed since"):
        cloud.update_fragment("f-1", "arm", last_known_update=NOON)


def test_a_fragment_that_does_not_exist_is_not_found(server: FakeService, cloud: AppClient) -> None:
    server.unary["GetFragment"] = refuse(grpc.StatusCode.NOT_FOUND, "no such fragment")
    with pytest.raises(NotFoundError, match="GetFragment"):
        cloud.get_fragment("f-1")
