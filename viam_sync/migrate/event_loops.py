"""Event loops that nothing runs on any more."""

from __future__ import annotations

from typing import Dict, List, Optional, Set

import libcst as cst

from viam_sync.migrate.awaitables import Awaitables
from viam_sync.migrate.coroutines import Plan
from viam_sync.migrate.expressions import Values
from viam_sync.migrate.facts import Facts
from viam_sync.migrate.value_kinds import ENDINGS, LOOP, LOOP_MAKERS, SETTINGS, Place


class EventLoops:
    """Finds the statements that make, set and close the loops."""

    def __init__(self, facts: Facts, values: Values, awaitables: Awaitables, plan: Plan) -> None:
        self._facts = facts
        self._values = values
        self._awaitables = awaitables
        self._plan = plan

    def unneeded(self) -> Set[cst.CSTNode]:
        """Return the lines that have nothing left to do."""
        uses: Dict[Place, List[cst.CSTNode]] = {}
        visitor = _Loops(self._values)
        for module in self._facts.modules:
            module.visit(visitor)
        for node in visitor.found:
            place = self._values.place(node)
            if place is not None:
                uses.setdefault(place, []).append(node)
        lines: Set[cst.CSTNode] = set()
        for nodes in uses.values():
            is_used = not all(self._is_replaced(node) or self._line(node) for node in nodes)
            is_replaced = any(map(self._is_replaced, nodes))
            if not is_used and (is_replaced or all(self._facts.home_of(node) in self._plan.plain for node in nodes)):
                lines.update(line for line in map(self._line, nodes) if line is not None)
        return lines | self._settings()

    def _settings(self) -> Set[cst.CSTNode]:
        """Return the lines with settings in modules in which all that is asynchronous becomes plain."""
        lines = (self._statement(call) for call in self._facts.calls if self._awaitables.name_of(call) in SETTINGS)
        plain = set(filter(self._plan.all_plain, self._facts.modules))
        return {line for line in lines if line is not None and self._facts.module_of(line) in plain}

    def _is_replaced(self, node: cst.CSTNode) -> bool:
        """Whether a loop is used by a call that becomes plain."""
        parent = self._facts.parents[node]
        return isinstance(parent, cst.Attribute) and self._facts.parents[parent] in self._plan.plain

    def _line(self, node: cst.CSTNode) -> Optional[cst.CSTNode]:
        """Return the line that only makes, sets or closes a loop."""
        parent = self._facts.parents[node]
        if isinstance(parent, cst.AssignTarget):
            assign = self._facts.parents[parent]
            is_made = isinstance(assign, cst.Assign) and self._awaitables.name_of(assign.value) in LOOP_MAKERS
            return self._facts.parents[assign] if is_made else None
        call = self._facts.parents[parent]
        name = self._awaitables.name_of(call)
        if name in ENDINGS or name in SETTINGS:
            return self._statement(call)
        return None

    def _statement(self, call: cst.CSTNode) -> Optional[cst.CSTNode]:
        """Return the line that consists of a call, which may stand in one that runs it."""
        parent = self._facts.parents[call]
        if isinstance(parent, cst.Arg):
            parent = self._facts.parents[self._facts.parents[parent]]
        line = self._facts.parents[parent]
        is_alone = isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1
        return line if isinstance(parent, cst.Expr) and is_alone else None


class _Loops(cst.CSTVisitor):
    """Collects the names of loops."""

    def __init__(self, values: Values) -> None:
        super().__init__()
        self._values = values
        self.found: List[cst.CSTNode] = []

    def visit_Name(self, node: cst.Name) -> None:
        if self._values.name_of(node) == LOOP:
            self.found.append(node)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        if self._values.name_of(node) == LOOP:
            self.found.append(node)
