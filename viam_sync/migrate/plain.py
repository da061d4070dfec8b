"""The tree of a script with the asynchronous code that is Viam's made plain."""

from __future__ import annotations

from types import MappingProxyType
from typing import List, Mapping, Tuple

import libcst as cst

from viam_sync.migrate import cloud
from viam_sync.migrate.awaitables import Awaitables
from viam_sync.migrate.coroutines import Plan
from viam_sync.migrate.event_loops import EventLoops
from viam_sync.migrate.expressions import Values
from viam_sync.migrate.facts import Facts
from viam_sync.migrate.findings import Finding
from viam_sync.migrate.module_imports import tidy
from viam_sync.migrate.rewrite import rewrite
from viam_sync.migrate.value_flow import settle


def make_plain(
    module: cst.Module, *, threads: bool = False, elsewhere: Mapping[str, bool] = MappingProxyType({})
) -> Tuple[cst.Module, List[Finding]]:
    """Return a module without the asynchronous code that is Viam's, and what stays of it, with the reasons.

    Args:
        module: The module, before its imports are rewritten.
        threads: Whether what ``asyncio.gather`` waits for runs in threads, instead of one after the other.
        elsewhere: Functions of other files that become plain, by full name, and whether they are awaited.

    Example:
        >>> import libcst
        >>> from viam_sync.migrate.plain import make_plain
        >>> module, findings = make_plain(libcst.parse_module("await client.app_client.list_organizations()"))
        >>> module.code, findings
        ('client.app_client.list_organizations()', [])
    """
    facts = Facts(module)
    if not facts.sites or not (facts.names_viam or elsewhere or facts.attributes & cloud.CLIENTS):
        return module, []
    values = Values(facts, elsewhere)
    settle(facts, values)
    awaitables = Awaitables(facts, values, threads)
    plan = Plan(facts, values, awaitables)
    if not plan.is_needed:
        return module, plan.findings()
    unneeded = EventLoops(facts, values, awaitables, plan).unneeded()
    changed = rewrite(facts, values, awaitables, plan, unneeded)
    return tidy(facts.imports, changed.module, changed.needed, changed.helpers), plan.findings()
