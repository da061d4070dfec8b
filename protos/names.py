"""Which names the generated code uses: for methods, for parameters, and for the modules that it imports."""

import keyword
import re
from typing import Any, Callable, Collection, Dict, Iterable, List, Set

from google.protobuf.descriptor import FileDescriptor

#: Tells the dotted name of the module that holds the messages of a .proto file, by the file's name.
Modules = Callable[[str], str]


def snake(name: str) -> str:
    """Return a CamelCase name in snake_case.

    >>> snake("GetUserIDByEmail"), snake("ListDatasetsByIDs")
    ('get_user_id_by_email', 'list_datasets_by_ids')
    """
    name = re.sub(r"IDs(?![a-z])", "Ids", name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def free(name: str, taken: Collection[str] = ()) -> str:
    """Return ``name``, with underscores behind it until it is no keyword and not ``taken``.

    >>> free("from"), free("colour"), free("list", {"list", "list_"})
    ('from_', 'colour', 'list__')
    """
    while keyword.iskeyword(name) or name in taken:
        name += "_"
    return name


def aliases(modules: Iterable[str]) -> Dict[str, str]:
    """Return the name under which each module is imported: as much of its end as tells it from the others.

    >>> aliases(["zoo.v1.animals", "zoo.v1.common", "farm.v1.common"])["zoo.v1.animals"]
    'animals_pb'
    >>> sorted(aliases(["zoo.v1.common", "farm.v1.common"]).values())
    ['farm_v1_common_pb', 'zoo_v1_common_pb']
    """
    split = {module: module.split(".") for module in modules}
    found = {}
    for module, parts in split.items():
        size = 1
        while size < len(parts) and any(
            other[-size:] == parts[-size:] for name, other in split.items() if name != module
        ):
            size += 1
        found[module] = f"{'_'.join(parts[-size:])}_pb"
    return found


def modules_below(file: FileDescriptor, modules: Modules) -> Set[str]:
    """Return the modules that the code made from a .proto file may name: its own, and those of all it imports."""
    waiting, seen = [file], {file.name}
    while waiting:
        new = [each for each in waiting.pop().dependencies if each.name not in seen]
        waiting += new
        seen |= {each.name for each in new}
    return {modules(name) for name in seen}


def nesting(descriptor: Any) -> List[str]:
    """Return the names of the messages around a message or enum, the outermost first, and its own."""
    names: List[str] = []
    while descriptor is not None:
        names.insert(0, descriptor.name)
        descriptor = descriptor.containing_type
    return names
