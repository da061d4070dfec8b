"""Readings into a model, each once, however often they are written."""

from __future__ import annotations

import itertools
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Tuple

from django.core.management.base import CommandError
from django.db import DatabaseError, connections, router, transaction
from django.db.models import UniqueConstraint

from viam_sync.django.field_map import FieldMap

#: How many rows are written at a time.
_BATCH = 500


class Written(NamedTuple):
    """What became of readings.

    Attributes:
        rows: How many were written.
        replaced: How many of them had the place of another of the same run.
    """

    rows: int
    replaced: int


def unique_fields(field_map: FieldMap) -> List[str]:
    """Return the mapped fields that tell one object from all others, by a rule of the model.

    Raises:
        CommandError: If no rule of the model is about mapped fields alone.
    """
    meta = field_map.model._meta
    mapped = {each.field.name for each in field_map.fields}
    candidates: List[Sequence[str]] = [[field.name] for field in meta.concrete_fields if field.unique]
    candidates += meta.unique_together
    candidates += [each.fields for each in meta.constraints if _is_plain(each)]
    for names in candidates:
        if mapped.issuperset(names):
            return list(names)
    raise CommandError(
        f"{meta.label} has no unique field or UniqueConstraint of mapped fields ({', '.join(sorted(mapped))}), so"
        " another run would write everything twice; add one, such as models.UniqueConstraint(fields=[…], name=…)",
        returncode=2,
    )


def _is_plain(constraint: Any) -> bool:
    """Tell whether a constraint holds for all objects at any time, and is about fields."""
    is_unique = isinstance(constraint, UniqueConstraint) and bool(constraint.fields)
    return is_unique and constraint.condition is None and constraint.deferrable is None


def write_readings(field_map: FieldMap, rows: Iterable[Mapping[str, Any]]) -> Written:
    """Write rows to a model in one transaction: new ones are added, others are updated.

    Raises:
        CommandError: If the model or the database does not take one; then nothing is written.
    """
    names = unique_fields(field_map)
    total = replaced = 0
    iterator = iter(rows)
    database = router.db_for_write(field_map.model)
    try:
        with transaction.atomic(using=database):  # pyright: ignore[reportGeneralTypeIssues]
            for batch in iter(lambda: list(itertools.islice(iterator, _BATCH)), []):
                objects = _objects(field_map, names, batch)
                _upsert(field_map, names, objects, database)
                total += len(batch)
                replaced += len(batch) - len(objects)
    except DatabaseError as error:
        raise CommandError(f"{field_map.model._meta.label} does not take the readings: {error}") from error
    return Written(total, replaced)


def _objects(field_map: FieldMap, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> List[Any]:
    """Return an object for each row; of several with one key the last, as no statement may write an object twice."""
    keys = [field_map.model._meta.get_field(name).attname for name in names]
    found: Dict[Tuple[Any, ...], Any] = {}
    for row in rows:
        described = f"the reading of {row['timeRequested'].isoformat()}"
        values = field_map.values(row, described)
        key = tuple(values[name] for name in keys)
        if None in key:
            raise CommandError(f"{keys[key.index(None)]} of {described} is null, and must tell it from others")
        found[key] = field_map.model(**values)
    return list(found.values())


def _upsert(field_map: FieldMap, names: Sequence[str], objects: Sequence[Any], database: str) -> None:
    others = [each.field.name for each in field_map.fields if each.field.name not in names]
    options: Dict[str, Any] = {"ignore_conflicts": True}
    if others:
        options = {"update_conflicts": True, "update_fields": [*others, *field_map.automatic]}
        # MySQL goes by all of its unique keys, and takes none.
        if connections[database].features.supports_update_conflicts_with_target:
            options["unique_fields"] = names
    field_map.model._base_manager.using(database).bulk_create(objects, **options)
