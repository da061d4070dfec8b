"""Machines into a model: what a run creates, updates and removes, planned before anything is written."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from django.core.management.base import CommandError
from django.db import DatabaseError, router, transaction

from viam_sync.django.field_map import FieldMap, MappedField


class Change(NamedTuple):
    """What a run does to one object.

    Attributes:
        kind: ``create``, ``update``, ``delete``, ``deactivate`` or ``keep``; the last is what is gone in the cloud.
        thing: The object, with its new values.
        key: The ID of the machine.
        fields: The values that change, by the fields' names in the database: those of before and of after.
    """

    kind: str
    thing: Any
    key: str
    fields: Mapping[str, Tuple[Any, Any]]


def key_field(field_map: FieldMap) -> MappedField:
    """Return the field that holds the ID of the machine.

    Raises:
        CommandError: If ``--map`` has none, or it may hold one ID twice.
    """
    found = [mapped for mapped in field_map.fields if mapped.path == "id"]
    if not found:
        raise CommandError("--map must give the field with the ID of the machine, such as viam_id=id", returncode=2)
    if not found[0].field.unique:
        label = field_map.model._meta.label
        raise CommandError(
            f"{found[0].field.name} of {label} must be unique: it tells the machines apart", returncode=2
        )
    return found[0]


def boolean_field(field_map: FieldMap, name: str) -> str:
    """Return the name of a field that holds true or false.

    Raises:
        CommandError: If it is another field, or none, or one that ``--map`` gives.
    """
    fields = {each.name: each.get_internal_type() for each in field_map.model._meta.concrete_fields}
    if fields.get(name) != "BooleanField" or name in {mapped.field.name for mapped in field_map.fields}:
        label = field_map.model._meta.label
        raise CommandError(
            f"--deactivate takes a BooleanField of {label} that --map does not give, got {name!r}", returncode=2
        )
    return name


class MachineSync:
    """A run that makes the objects of a model those of the machines.

    Args:
        field_map: The fields.
        delete: Whether to delete objects whose machine is gone.
        active: The field that is false for those, and true for the others; None for no such field.
    """

    def __init__(self, field_map: FieldMap, *, delete: bool = False, active: Optional[str] = None) -> None:
        self._map = field_map
        self._key = key_field(field_map).field.attname
        self._delete = delete
        self._active = active
        self._database = router.db_for_write(field_map.model)

    def run(self, rows: Iterable[Mapping[str, Any]], *, dry: bool) -> List[Change]:
        """Write all changes in one transaction, and return them.

        Args:
            rows: The machines.
            dry: Whether to write nothing.

        Raises:
            CommandError: If the model or the database does not take one; then nothing is written.
        """
        values = [self._map.values(row, f"machine {row['name']} ({row['id']})") for row in rows]
        if not values and (self._delete or self._active):
            raise CommandError("the account has no machine at all, so nothing is removed; is the key the right one?")
        try:
            with transaction.atomic(using=self._database):  # pyright: ignore[reportGeneralTypeIssues]
                changes = self._changes({each[self._key]: each for each in values})
                for change in () if dry else changes:
                    self._write(change)
        except DatabaseError as error:
            raise CommandError(f"{self._map.model._meta.label} does not take the machines: {error}") from error
        return changes

    def _changes(self, machines: Mapping[Any, Dict[str, Any]]) -> List[Change]:
        known = {getattr(each, self._key): each for each in self._map.model._base_manager.using(self._database)}
        changes = []
        for key, values in machines.items():
            wanted = {**values, self._active: True} if self._active else values
            if key not in known:
                changes.append(Change("create", self._map.model(**wanted), str(key), {}))
                continue
            fields = _set_values(known[key], wanted)
            if fields:
                changes.append(Change("update", known[key], str(key), fields))
        # An object without an ID is none of ours.
        gone = [thing for key, thing in known.items() if key not in machines and key not in (None, "")]
        return changes + [change for change in map(self._removal, gone) if change is not None]

    def _removal(self, thing: Any) -> Optional[Change]:
        key = str(getattr(thing, self._key))
        if self._delete:
            return Change("delete", thing, key, {})
        if self._active is None:
            return Change("keep", thing, key, {})
        fields = _set_values(thing, {self._active: False})
        return Change("deactivate", thing, key, fields) if fields else None

    def _write(self, change: Change) -> None:
        if change.kind == "delete":
            change.thing.delete(using=self._database)
        elif change.kind == "create":
            change.thing.save(using=self._database, force_insert=True)
        elif change.kind != "keep":
            # All other fields are left as they are by now.
            change.thing.save(using=self._database, update_fields=[*change.fields, *self._map.automatic])


def _set_values(thing: Any, values: Mapping[str, Any]) -> Dict[str, Tuple[Any, Any]]:
    """Set the values of an object, and return those that were others: each as a pair of before and after."""
    changed = {name: (getattr(thing, name), value) for name, value in values.items() if getattr(thing, name) != value}
    for name, value in values.items():
        setattr(thing, name, value)
    return changed
