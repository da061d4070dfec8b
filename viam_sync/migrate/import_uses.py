"""Finds the imports of the official SDK in a file, and what is used of them."""

from __future__ import annotations

from typing import Iterator, List, NamedTuple, Optional, Sequence, Union

import libcst as cst
from libcst import metadata
from libcst.helpers import get_full_name_for_node

from viam_sync.migrate.official_names import counterpart, is_in, is_of_machines, is_official

Dotted = Union[cst.Name, cst.Attribute]
ImportStatement = Union[cst.Import, cst.ImportFrom]


class ImportedName(NamedTuple):
    """A name that a statement imports.

    Attributes:
        name: Its full name, such as ``viam.utils``.
        local: The name that the file has for it; for ``import viam.utils``, that of the package, ``viam``.
        alias: Its part of the statement.
    """

    name: str
    local: str
    alias: cst.ImportAlias

    @property
    def is_of_grpclib(self) -> bool:
        """Whether it comes from the library that the SDK's errors come from."""
        return self.name.startswith("grpclib")


class NameUse(NamedTuple):
    """A dotted name in the file that begins with an imported one.

    Attributes:
        name: Its full name, such as ``viam.utils.struct_to_dict``.
        chain: The name and what it begins with, the longest first.
    """

    name: str
    chain: Sequence[Dotted]

    @property
    def local(self) -> str:
        """Its first name, which an import binds."""
        root = self.chain[-1]
        return root.value if isinstance(root, cst.Name) else ""


def chain_of(node: cst.CSTNode) -> List[Dotted]:
    """Return a dotted name and what it begins with, the longest first; an empty list for any other expression."""
    if isinstance(node, cst.Name):
        return [node]
    if isinstance(node, cst.Attribute):
        rest = chain_of(node.value)
        return [node, *rest] if rest else []
    return []


def imported_by(statement: ImportStatement) -> Iterator[ImportedName]:
    """Give the names of the official SDK that a statement imports; a star stands for all names of a module."""
    if isinstance(statement, cst.Import):
        for alias in statement.names:
            name = alias.evaluated_name
            if is_official(name):
                yield ImportedName(name, alias.evaluated_alias or name.partition(".")[0], alias)
        return
    module = get_full_name_for_node(statement.module) if statement.module else None
    if statement.relative or module is None or not is_official(module):
        return
    if isinstance(statement.names, cst.ImportStar):
        yield ImportedName(module, "*", cst.ImportAlias(cst.Name("star")))
        return
    for alias in statement.names:
        name = alias.evaluated_name
        yield ImportedName(f"{module}.{name}", alias.evaluated_alias or name, alias)


def _modules(statement: ImportStatement) -> List[str]:
    if isinstance(statement, cst.Import):
        return [alias.evaluated_name for alias in statement.names]
    return [get_full_name_for_node(statement.module) or ""] if statement.module and not statement.relative else []


class ImportUses(cst.CSTVisitor):
    """The imports and the uses of the official SDK's names in a file.

    Args:
        wrapper: The file.

    Attributes:
        imports: The import statements, all of them.
        uses: The dotted names.
        texts: The texts.
        has_viam: Whether the file imports the official SDK or ours: others import grpclib alone.
        machines: Whether it uses something of machines, and does not only import it.
    """

    METADATA_DEPENDENCIES = (metadata.QualifiedNameProvider,)

    def __init__(self, wrapper: metadata.MetadataWrapper) -> None:
        super().__init__()
        self.imports: List[ImportStatement] = []
        self.uses: List[NameUse] = []
        self.texts: List[cst.SimpleString] = []
        wrapper.visit(self)
        found = [each for statement in self.imports for each in imported_by(statement)]
        texts = {text.evaluated_value for text in self.texts} - {"viam"}
        used = [use.name for use in self.uses]
        # An annotation may be a text.
        used += (each.name for each in found if each.local == "*" or each.local in texts)
        self.has_viam = any(name.startswith("viam") for each in self.imports for name in _modules(each))
        self.machines = any(is_of_machines(name) for name in used)

    def counterpart(self, name: str) -> Optional[str]:
        """Return the full name here of an official one; None where the official one stays in this file."""
        return counterpart(name, machines=self.machines)

    def modules(self, imported: ImportedName) -> List[str]:
        """Return the modules to import in the place of an imported one: what is used of it decides."""
        name = imported.name
        within = "grpclib" if imported.local == "grpclib" else name
        used = [use.name for use in self.uses if use.local == imported.local and is_in(use.name, within)]
        new = [self.counterpart(each) for each in used or [name]]
        ours = [each for each in new if each is not None]
        stays = [name] if None in new else []
        if imported.is_of_grpclib:
            return [*stays, *dict.fromkeys(each.partition(".")[0] for each in ours)]
        if not ours or (stays and imported.alias.asname is not None):
            return [name]
        return [*stays, self.counterpart(name) or name]

    def visit_Import(self, node: cst.Import) -> bool:
        """Note an import."""
        self.imports.append(node)
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        """Note an import."""
        self.imports.append(node)
        return False

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        """Note a text."""
        self.texts.append(node)

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        """Note a dotted name as a whole; of another expression, only its beginning may hold names."""
        chain = chain_of(node)
        if chain:
            self._note(chain)
        else:
            node.value.visit(self)
        return False

    def visit_Name(self, node: cst.Name) -> None:
        """Note a name."""
        self._note([node])

    def _note(self, chain: Sequence[Dotted]) -> None:
        # The first name is asked for alone, too: in a function with a parameter ``viam`` it is another one.
        if self._imported(chain[-1]):
            self.uses += (NameUse(name, chain) for name in self._imported(chain[0])[:1])

    def _imported(self, node: Dotted) -> List[str]:
        """Return the full names of the official SDK that a dotted name may stand for."""
        found = self.get_metadata(metadata.QualifiedNameProvider, node, set())
        names = (each.name for each in found if each.source is metadata.QualifiedNameSource.IMPORT)
        return sorted(filter(is_official, names))
