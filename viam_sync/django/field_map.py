"""``--model app.Model --map field=path``: which values of rows become which fields of a model."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.management.base import CommandError
from django.db import models
from django.utils import timezone

from viam_sync.checks.near_names import any_of, near_names

_WORD = re.compile(r"(?:\\.|[^.\\])+")
_ESCAPED = re.compile(r"\\(.)")


def add_map_argument(parser: Any) -> None:
    """Add the option ``--map`` to a command."""
    parser.add_argument(
        "--map",
        metavar="FIELD=PATH",
        nargs="+",
        action="extend",
        default=[],
        help="A field of the model, and what becomes its value; FIELD__NAME=PATH finds a related object by its NAME.",
    )


class MappedField(NamedTuple):
    """A field of a model, and where its value is in a row.

    Attributes:
        field: The field.
        lookup: The field by which a related object is found; empty where the field is no relation.
        path: The path, as it was given.
    """

    field: Any
    lookup: str
    path: str

    @property
    def words(self) -> List[str]:
        r"""The keys on the path; a dot within a key is written ``\.``, as in the columns of exported files."""
        return [_ESCAPED.sub(r"\1", word) for word in _WORD.findall(self.path)]


class FieldMap:
    """The fields of a model that rows fill.

    Args:
        label: The model, as ``app.Model``.
        pairs: For each field, ``field=path``.

    Raises:
        CommandError: If there is no such model or field.
    """

    def __init__(self, label: str, pairs: Sequence[str]) -> None:
        #: The class; Any, as Django has no types.
        self.model: Any = _model(label)
        self.fields = [_mapped_field(self.model, pair) for pair in pairs]
        if not self.fields:
            raise CommandError(f"--model {label} takes --map, such as --map name=name", returncode=2)
        names = [mapped.field.name for mapped in self.fields]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise CommandError(f"--map gives {', '.join(doubled)} twice", returncode=2)
        self._related: Dict[Tuple[str, Any], Any] = {}

    @property
    def automatic(self) -> List[str]:
        """The fields that say when an object was last written, which Django sets where it is told to write them."""
        return [field.name for field in self.model._meta.concrete_fields if getattr(field, "auto_now", False)]

    def values(self, row: Mapping[str, Any], described: str) -> Dict[str, Any]:
        """Return the values of the fields for a row, checked as the model says, by their names in the database.

        Raises:
            CommandError: If the model does not take a value; ``described`` says which row it is.
        """
        found = {}
        for mapped in self.fields:
            try:
                found[mapped.field.attname] = self._value(mapped, value_at(row, mapped.words))
            except ValidationError as error:
                raise CommandError(
                    f"{mapped.field.name} of {described}: {' '.join(map(str, error.messages))}"
                ) from None
        return found

    def _value(self, mapped: MappedField, value: Any) -> Any:
        field = mapped.field
        if isinstance(value, datetime) and not settings.USE_TZ:
            value = timezone.make_naive(value, timezone.get_default_timezone())
        if field.is_relation and value is not None:
            value = self._related_key(mapped, value)
        elif value is not None:
            if isinstance(field, models.IntegerField) and isinstance(value, float) and not value.is_integer():
                raise ValidationError(f"{value} is no whole number")
            return field.clean(value, None)
        return _empty_value(mapped) if value is None else value

    def _related_key(self, mapped: MappedField, value: Any) -> Any:
        """Return what refers to a related object; None where there is none, and the field may be null."""
        key = mapped.field.name, value
        if key not in self._related:
            model = mapped.field.remote_field.model
            things = model._base_manager.filter(**{mapped.lookup: value})
            found = list(things.values_list(mapped.field.target_field.attname, flat=True)[:2])
            if len(found) > 1 or not (found or mapped.field.null):
                count = "more than one" if found else "no"
                raise ValidationError(f"there is {count} {model._meta.label} whose {mapped.lookup} is {value}")
            self._related[key] = found[0] if found else None
        return self._related[key]


def _empty_value(mapped: MappedField) -> Any:
    """Return what stands for a value that is not there."""
    default = None if mapped.field.null else mapped.field.get_default()
    if default is None and not mapped.field.null:
        raise ValidationError(f"{mapped.path} has no value here, and the field takes no null")
    return default


def value_at(row: Any, words: Sequence[str]) -> Any:
    """Return what a path leads to in nested dicts and lists; None where nothing is there.

    Example:
        >>> from viam_sync.django.field_map import value_at
        >>> value_at({"data": {"axes": [1, 2]}}, ["data", "axes", "1"])
        2
    """
    for word in words:
        if isinstance(row, Mapping):
            row = row.get(word)
        elif isinstance(row, (list, tuple)) and word.isdecimal() and int(word) < len(row):
            row = row[int(word)]
        else:
            return None
    return row


def require_paths(fields: Sequence[MappedField], known: Sequence[str]) -> None:
    """Refuse a path that no row has.

    Raises:
        CommandError: If there is one.
    """
    for mapped in fields:
        if mapped.path not in known:
            raise CommandError(f"--map {mapped.field.name}={mapped.path}: {_advice(mapped.path, known)}", returncode=2)


def _advice(name: str, known: Sequence[str]) -> str:
    near = near_names(name, known)
    return f"did you mean {any_of(near)}?" if near else f"there are {', '.join(known)}"


def _model(label: str) -> Any:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        known = [model._meta.label for model in apps.get_models()]
        raise CommandError(f"--model takes app.Model, got {label!r}; {_advice(label, known)}", returncode=2) from None


def _mapped_field(model: Any, pair: str) -> MappedField:
    name, equals, path = pair.partition("=")
    name, _, lookup = name.partition("__")
    if not equals or not path:
        raise CommandError(f"--map takes field=path, got {pair!r}", returncode=2)
    field = _concrete_field(model, name)
    related = field.remote_field.model if field is not None and field.is_relation else None
    if field is None or (lookup and related is None):
        advice = _advice(name, [each.name for each in model._meta.concrete_fields])
        raise CommandError(f"{model._meta.label} has no field {pair.partition('=')[0]}; {advice}", returncode=2)
    if related is None:
        return MappedField(field, "", path)
    if lookup and _concrete_field(related, lookup) is None:
        raise CommandError(f"{related._meta.label} has no field {lookup}", returncode=2)
    return MappedField(field, lookup or field.target_field.attname, path)


def _concrete_field(model: Any, name: str) -> Optional[Any]:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if field.concrete and not field.many_to_many else None
