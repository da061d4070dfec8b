"""What can be told from a request alone: required texts, IDs, e-mail addresses, namespaces, regions."""

from __future__ import annotations

import re

from viam_sync.sandbox.errors import invalid_argument

REGIONS = ("us-central", "eu-west")

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_LOCATION = re.compile(r"[a-z0-9]{10}\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+\Z")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z")

#: Where a person finds the ID of each kind of thing.
HINTS = {
    "organization": "list_organizations shows those that you can use",
    "location": "list_locations shows those of an organization",
    "robot": "list_robots shows those of a location",
    "part": "get_robot_parts shows those of a robot",
    "user": "list_organization_members shows those of an organization",
    "key": "list_keys shows those of an organization",
    "identity": "list_organization_members and list_keys show those of an organization",
    "resource": "list_organizations, list_locations and list_robots show those that you can use",
    "secret": "they are listed with the location or the part that they belong to",
}

#: What each kind of thing is called in a sentence.
NAMES = {"part": "robot part", "key": "API key", "identity": "user or API key"}

_FORMS = {"location": "10 lowercase letters and digits", "resource": "a UUID, or 10 lowercase letters and digits"}


def required(value: str, what: str) -> str:
    """Return a text that must not be empty; ``what`` names the field."""
    if not value.strip():
        raise invalid_argument(f"{what} is empty; give one.")
    return value


def checked_id(kind: str, value: str) -> str:
    """Return the ID of a thing of one of the kinds above, if it looks like one."""
    name = NAMES.get(kind, kind)
    if not value:
        raise invalid_argument(f"The {name} ID is empty; {HINTS[kind]}.")
    if kind != "location" and _UUID.match(value):
        return value.lower()
    if kind in _FORMS and _LOCATION.match(value):
        return value
    # A key given where its ID belongs must not come back in a message, and from there into a log.
    shown = "What was given" if kind in ("key", "identity", "secret") else repr(value[:64])
    raise invalid_argument(f"{shown} is no {name} ID, which is {_FORMS.get(kind, 'a UUID')}; {HINTS[kind]}.")


def email(value: str) -> str:
    """Return an e-mail address."""
    if not _EMAIL.match(value):
        raise invalid_argument(f"{value[:64]!r} is not an e-mail address; give one like ada@example.com.")
    return value


def namespace(value: str) -> str:
    """Return the public namespace of an organization."""
    if not _NAMESPACE.match(value):
        raise invalid_argument(
            f"{value[:64]!r} cannot be a public namespace: "
            "use lowercase letters, digits and, between them, hyphens, such as 'lesson-robotics'."
        )
    return value


def region(value: str) -> str:
    """Return the region that data is kept in."""
    if value not in REGIONS:
        raise invalid_argument(f"{value[:64]!r} is not a region; choose one of {', '.join(REGIONS)}.")
    return value
