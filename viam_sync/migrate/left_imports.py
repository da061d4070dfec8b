"""Names the imports that the command leaves to a person, and why."""

from __future__ import annotations

import re
from typing import Iterator, Optional

import libcst as cst
from libcst import metadata

from viam_sync.migrate.findings import Finding
from viam_sync.migrate.import_uses import ImportedName, ImportUses, imported_by
from viam_sync.migrate.official_names import counterpart, is_error, is_of_machines

_MACHINES = "{name} belongs to machines, which viam-sdk drives: its import stays"
_ERRORS = "machines raise {name}, and calls to the cloud an error of viam_sync: catch the one, or both"
_GRPCLIB = "{name} comes from the library beneath viam-sdk, and has no counterpart here: its import stays"
_ELSEWHERE = "{name} is what viam-sdk raises: if the cloud's calls are meant, import {new}"
_TEXT = "the text {name!r} names a module of viam-sdk: texts stay as they are"


def left_imports(module: cst.Module) -> Iterator[Finding]:
    """Give what ``rewrite_imports`` leaves in a file, and texts that name modules.

    Args:
        module: The file, before its imports are rewritten.

    Example:
        >>> import libcst
        >>> from viam_sync.migrate.left_imports import left_imports
        >>> [each.reason for each in left_imports(libcst.parse_module("import viam.media"))]
        ['viam.media belongs to machines, which viam-sdk drives: its import stays']
    """
    wrapper = metadata.MetadataWrapper(module, unsafe_skip_copy=True)
    found = ImportUses(wrapper)
    positions = wrapper.resolve(metadata.PositionProvider)
    for statement in found.imports:
        for each in imported_by(statement):
            reason = _reason(each, found)
            if reason:
                new = counterpart(each.name, machines=False)
                yield Finding(positions[statement].start.line, reason.format(name=each.name, new=new))
    for text in found.texts:
        value = text.evaluated_value
        if isinstance(value, str) and re.fullmatch(r"viam(\.\w+)+", value) and counterpart(value, machines=False):
            yield Finding(positions[text].start.line, _TEXT.format(name=value))


def _reason(imported: ImportedName, found: ImportUses) -> Optional[str]:
    """Return why an import is left to a person; None if nobody has to look at it."""
    name = imported.name
    if is_error(name):
        return _ERRORS if found.machines else None if found.has_viam else _ELSEWHERE
    if is_of_machines(name):
        return _MACHINES
    return _GRPCLIB if imported.is_of_grpclib and found.has_viam and name in found.modules(imported) else None
