"""Checks of request fields that need no state: required texts, IDs, e-mail addresses, namespaces and regions."""

from __future__ import annotations

import re

from viam_sync.sandbox.core.call_errors import invalid_argument

REGIONS = ("us-central", "eu-west")

_UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z"
_LOCATION = r"[a-z0-9]{10}\Z"
_OBJECT = r"[0-9a-fA-F]{24}\Z"
_FILE = r"[0-9a-zA-Z]{64}\Z"
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+\Z")
_ITEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_LONGEST_ITEM = 200
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z")

#: For each kind of resource, where its IDs can be found; the end of an error message.
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
    "dataset": "list_datasets_by_organization_id shows those of an organization",
    "file": "binary_data_by_filter shows those of your files",
    "box": "the annotations of a file show those in it",
    "training_job": "list_training_jobs shows those of an organization",
    "fragment": "list_fragments shows those that an organization can use",
    "registry item": "list_registry_items shows those that an organization can use",
    "module": "list_modules shows those that an organization can use",
}

#: The names of the kinds of resources in error messages, where they differ from the kind.
NAMES = {
    "part": "robot part",
    "key": "API key",
    "identity": "user or API key",
    "training_job": "training job",
    "box": "bounding box",
}

# The pattern of an ID and its description, for the kinds whose IDs are not UUIDs.
_FORMS = {
    "location": (_LOCATION, "10 lowercase letters and digits"),
    "resource": (f"{_UUID}|{_LOCATION}", "a UUID, or 10 lowercase letters and digits"),
    "file": (_FILE, "64 letters and digits"),
    **dict.fromkeys(("dataset", "box", "training_job"), (_OBJECT, "24 hexadecimal digits")),
}


def required(value: str, what: str) -> str:
    """Return a text that must not be blank; ``what`` names the field in the error."""
    if not value.strip():
        raise invalid_argument(f"{what} is empty; give one.")
    return value


def checked_id(kind: str, value: str) -> str:
    """Return the ID of a resource in lower case, if it is well-formed; ``kind`` is a key of HINTS."""
    name = NAMES.get(kind, kind)
    if not value:
        raise invalid_argument(f"The {name} ID is empty; {HINTS[kind]}.")
    pattern, form = _FORMS.get(kind, (_UUID, "a UUID"))
    if re.match(pattern, value):
        return value.lower()
    # A key that is passed instead of its ID must not appear in an error message, and from there in a log.
    shown = "What was given" if kind in ("key", "identity", "secret") else repr(value[:80])
    raise invalid_argument(f"{shown} is no {name} ID, which is {form}; {HINTS[kind]}.")


def checked_email(value: str) -> str:
    """Return an e-mail address, if it is well-formed."""
    if not _EMAIL.match(value):
        raise invalid_argument(f"{value[:64]!r} is not an e-mail address; give one like ada@example.com.")
    return value


def checked_namespace(value: str) -> str:
    """Return a public namespace, if it is valid."""
    # A namespace that looks like the ID of an organization would make the IDs of its modules ambiguous.
    if not _NAMESPACE.match(value) or re.match(_UUID, value):
        raise invalid_argument(
            f"{value[:64]!r} cannot be a public namespace: "
            "use lowercase letters, digits and, between them, hyphens, such as 'lesson-robotics'."
        )
    return value


def checked_item_name(value: str, what: str) -> str:
    """Return the name of a module, a model or a training script, if it is valid; ``what`` names it in the error."""
    if not _ITEM.match(required(value, f"The name of the {what}")) or len(value) > _LONGEST_ITEM:
        raise invalid_argument(
            f"{value[:64]!r} cannot be the name of a {what}: use at most {_LONGEST_ITEM} letters, digits, hyphens, "
            "underscores and dots, with a letter or a digit first, such as 'my-module'."
        )
    return value


def checked_region(value: str) -> str:
    """Return a region that data can be stored in, if it exists."""
    if value not in REGIONS:
        raise invalid_argument(f"{value[:64]!r} is not a region; choose one of {', '.join(REGIONS)}.")
    return value
