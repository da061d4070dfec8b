"""Things of a module that become plain together or not at all, and what hinders them."""

from __future__ import annotations

from typing import Dict, Iterator, List, NamedTuple, Set

import libcst as cst


class Obstacle(NamedTuple):
    """A reason for which something stays asynchronous."""

    key: cst.CSTNode
    node: cst.CSTNode
    reason: str


class Groups:
    """Sets of nodes: those in one set share their fate, and a set that stays asynchronous keeps others so."""

    def __init__(self) -> None:
        self._parents: Dict[cst.CSTNode, cst.CSTNode] = {}
        self._needs: Dict[cst.CSTNode, Set[cst.CSTNode]] = {}
        #: The nodes that call Viam.
        self.wanted: Set[cst.CSTNode] = set()
        self._named: Set[cst.CSTNode] = set()
        self.blocks: List[Obstacle] = []

    def join(self, first: cst.CSTNode, second: cst.CSTNode) -> None:
        """Say that two nodes become plain together."""
        self._parents[self._top(first)] = self._top(second)

    def need(self, node: cst.CSTNode, needed: cst.CSTNode) -> None:
        """Say that a node can become plain only if another one does."""
        self._needs.setdefault(node, set()).add(needed)

    def share(self, node: cst.CSTNode, needed: cst.CSTNode) -> None:
        """Say that a node awaits another one: neither can become plain unless both do."""
        self.need(node, needed)
        self.need(needed, node)

    def block(self, key: cst.CSTNode, node: cst.CSTNode, reason: str, *, is_named: bool = False) -> None:
        """Say why a node stays asynchronous, and where; some reasons are named whether or not it calls Viam."""
        self.blocks.append(Obstacle(key, node, reason))
        if is_named:
            self._named.add(node)

    def plain(self) -> Set[cst.CSTNode]:
        """Return the nodes that become plain: those that call Viam, all that these await, and all that await them."""
        needs = self._edges()
        dependents = _reversed(needs)
        staying = self._reached({self._top(block.key) for block in self.blocks}, dependents)
        chosen: Set[cst.CSTNode] = set()
        wanted = self._calling_viam(needs) - staying
        while not wanted <= chosen:
            chosen = self._reached(wanted, needs)
            wanted = self._reached(chosen, dependents) - staying
        return {node for node in self._nodes() if self._top(node) in chosen}

    def obstacles(self) -> Iterator[Obstacle]:
        """Yield the reasons that concern calls of Viam, and those that are named anyway."""
        needs = self._edges()
        wanted = self._calling_viam(needs)
        dependents = _reversed(needs)
        for block in self.blocks:
            if block.node in self._named or wanted & self._reached({self._top(block.key)}, dependents):
                yield block

    def _calling_viam(self, needs: Dict[cst.CSTNode, Set[cst.CSTNode]]) -> Set[cst.CSTNode]:
        return self._reached({self._top(node) for node in self.wanted}, _reversed(needs))

    def _top(self, node: cst.CSTNode) -> cst.CSTNode:
        while node in self._parents and self._parents[node] is not node:
            node = self._parents[node]
        return node

    def _nodes(self) -> Set[cst.CSTNode]:
        needed = {node for nodes in self._needs.values() for node in nodes}
        return {
            *self._parents,
            *self._parents.values(),
            *self._needs,
            *self.wanted,
            *needed,
            *(block.key for block in self.blocks),
        }

    def _edges(self) -> Dict[cst.CSTNode, Set[cst.CSTNode]]:
        edges: Dict[cst.CSTNode, Set[cst.CSTNode]] = {}
        for node, needed in self._needs.items():
            edges.setdefault(self._top(node), set()).update(map(self._top, needed))
        return edges

    @staticmethod
    def _reached(start: Set[cst.CSTNode], edges: Dict[cst.CSTNode, Set[cst.CSTNode]]) -> Set[cst.CSTNode]:
        reached, waiting = set(start), list(start)
        while waiting:
            new = edges.get(waiting.pop(), set()) - reached
            reached |= new
            waiting += new
        return reached


def _reversed(edges: Dict[cst.CSTNode, Set[cst.CSTNode]]) -> Dict[cst.CSTNode, Set[cst.CSTNode]]:
    turned: Dict[cst.CSTNode, Set[cst.CSTNode]] = {}
    for node, needed in edges.items():
        for other in needed:
            turned.setdefault(other, set()).add(node)
    return turned
