"""Fragments and their history as plain records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import Enum
from typing import Any, Mapping, Optional

from typing_extensions import Self

from viam_sync.app._fleet.machine_records import mapping_of, time_of
from viam_sync.messages.acceptance import adopt
from viam_sync.proto import app as pb
from viam_sync.shown import ShortRepr


@dataclass(repr=False)
class Fragment(ShortRepr):
    """A piece of configuration that many machines can share.

    Times are UTC without a time zone, as in the official SDK, or in that of the client's options. ``repr()`` leaves out
    the fields that may hold secrets.

    Attributes:
        id: ID of the fragment, a UUID.
        name: Its name.
        fragment: The configuration; None if the service sent none.
        organization_owner: ID of the organization that owns it.
        public: Whether everyone can use it; ``visibility`` says more.
        created_on: When it was created.
        organization_name: Name of the organization that owns it.
        robot_part_count: How many parts use it.
        organization_count: How many organizations use it.
        only_used_by_owner: Whether no other organization uses it.
        visibility: Its visibility: private, public or unlisted.
        last_updated: When it last changed.
        revision: ID of this revision; each change makes a new one.
        public_namespace: Namespace of the organization that owns it, where it has one.
        fragment_config_json: The configuration as JSON, where the service sent it so.
    """

    class Visibility(str, Enum):
        """The visibility of a fragment."""

        #: Visible to the organization that owns it alone.
        PRIVATE = "private"
        #: Visible to everyone.
        PUBLIC = "public"
        #: Visible to everyone who knows its ID; only its owner finds it in lists.
        PUBLIC_UNLISTED = "public_unlisted"
        #: The service did not say.
        UNSPECIFIED = "unspecified"

        @classmethod
        def from_proto(cls, visibility: pb.FragmentVisibility.ValueType) -> Fragment.Visibility:
            """Return the member for a value of the message; UNSPECIFIED for one that is not known here.

            Example:
                >>> from viam_sync.app.app_client import Fragment
                >>> Fragment.Visibility.from_proto(pb.FragmentVisibility.FRAGMENT_VISIBILITY_PUBLIC).value
                'public'
            """
            return next((known for known in cls if known.to_proto() == visibility), cls.UNSPECIFIED)

        def to_proto(self) -> pb.FragmentVisibility.ValueType:
            """Return the value that stands for it in messages.

            Example:
                >>> from viam_sync.app.app_client import Fragment
                >>> pb.FragmentVisibility.Name(Fragment.Visibility.PUBLIC.to_proto())
                'FRAGMENT_VISIBILITY_PUBLIC'
            """
            return pb.FragmentVisibility.Value(f"FRAGMENT_VISIBILITY_{self.name}")

    id: str
    name: str
    fragment: Optional[Mapping[str, Any]] = field(repr=False)
    organization_owner: str
    public: bool
    created_on: Optional[datetime]
    organization_name: str
    robot_part_count: int
    organization_count: int
    only_used_by_owner: bool
    visibility: Fragment.Visibility = Visibility.UNSPECIFIED
    last_updated: Optional[datetime] = None
    revision: str = ""
    public_namespace: Optional[str] = None
    fragment_config_json: Optional[str] = field(default=None, repr=False)

    @classmethod
    def from_proto(cls, fragment: pb.Fragment, *, tz: Optional[tzinfo] = None) -> Self:
        """Return the record of a message; ``tz`` is the time zone of its times, None for UTC without one.

        Example:
            >>> from viam_sync.app.app_client import Fragment
            >>> Fragment.from_proto(pb.Fragment(name="arm")).name
            'arm'
        """
        fragment = adopt(pb.Fragment, fragment, "fragment")
        has_json = fragment.HasField("fragment_config_json")
        return cls(
            id=fragment.id,
            name=fragment.name,
            fragment=mapping_of(fragment, "fragment"),
            organization_owner=fragment.organization_owner,
            public=fragment.public,
            created_on=time_of(fragment, "created_on", tz),
            organization_name=fragment.organization_name,
            robot_part_count=fragment.robot_part_count,
            organization_count=fragment.organization_count,
            only_used_by_owner=fragment.only_used_by_owner,
            visibility=Fragment.Visibility.from_proto(fragment.visibility),
            last_updated=time_of(fragment, "last_updated", tz),
            revision=fragment.revision,
            public_namespace=fragment.public_namespace if fragment.HasField("public_namespace") else None,
            fragment_config_json=fragment.fragment_config_json if has_json else None,
        )

    @property
    def proto(self) -> pb.Fragment:
        """The record as a message.

        Example:
            >>> from viam_sync.app.app_client import Fragment
            >>> Fragment.from_proto(pb.Fragment(name="arm")).proto.name
            'arm'
        """
        return pb.Fragment(**{**vars(self), "visibility": self.visibility.to_proto()})


@dataclass(repr=False)
class FragmentHistoryEntry(ShortRepr):
    """A change of a fragment.

    Attributes:
        fragment: ID of the fragment.
        edited_on: When it was changed, UTC without a time zone, or in that of the client's options.
        old: The fragment as it was before.
        edited_by: The user or the key that changed it.
        revision: ID of the revision, which `get_fragment` takes as its ``version``.
        config: The configuration, where the service sent it.
    """

    fragment: str
    edited_on: Optional[datetime]
    old: Optional[Fragment]
    edited_by: Optional[pb.AuthenticatorInfo]
    revision: str = ""
    config: Optional[Mapping[str, Any]] = field(default=None, repr=False)

    @classmethod
    def from_proto(cls, fragment_history_entry: pb.FragmentHistoryEntry, *, tz: Optional[tzinfo] = None) -> Self:
        """Return the record of a message; ``tz`` is the time zone of its times, None for UTC without one.

        Example:
            >>> from viam_sync.app.app_client import FragmentHistoryEntry
            >>> FragmentHistoryEntry.from_proto(pb.FragmentHistoryEntry(fragment="f-1")).fragment
            'f-1'
        """
        entry = adopt(pb.FragmentHistoryEntry, fragment_history_entry, "fragment_history_entry")
        return cls(
            fragment=entry.fragment,
            edited_on=time_of(entry, "edited_on", tz),
            old=Fragment.from_proto(entry.old, tz=tz) if entry.HasField("old") else None,
            edited_by=entry.edited_by if entry.HasField("edited_by") else None,
            revision=entry.revision,
            config=mapping_of(entry, "config"),
        )

    @property
    def proto(self) -> pb.FragmentHistoryEntry:
        """The record as a message.

        Example:
            >>> from viam_sync.app.app_client import FragmentHistoryEntry
            >>> FragmentHistoryEntry.from_proto(pb.FragmentHistoryEntry(fragment="f-1")).proto.fragment
            'f-1'
        """
        old = None if self.old is None else self.old.proto
        return pb.FragmentHistoryEntry(**{**vars(self), "old": old})
