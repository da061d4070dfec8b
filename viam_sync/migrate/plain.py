"""The trees of scripts with the asynchronous code that is Viam's made plain."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Mapping, Tuple

import libcst as cst

from viam_sync.migrate import cloud
from viam_sync.migrate.awaitables import Awaitables, is_asynchronous
from viam_sync.migrate.coroutines import Plan
from viam_sync.migrate.event_loops import EventLoops
from viam_sync.migrate.expressions import Values
from viam_sync.migrate.facts import Facts
from viam_sync.migrate.findings import Finding
from viam_sync.migrate.module_imports import tidy
from viam_sync.migrate.program import Program
from viam_sync.migrate.rewrite import rewrite
from viam_sync.migrate.value_flow import settle


def make_plain(
    modules: Mapping[Path, cst.Module], *, threads: bool = False
) -> Dict[Path, Tuple[cst.Module, List[Finding]]]:
    """Return modules without the asynchronous code that is Viam's, and what stays of it, with the reasons.

    Args:
        modules: The modules, which may import each other, before their imports are rewritten.
        threads: Whether what ``asyncio.gather`` waits for runs in threads, instead of one after the other.

    Example:
        >>> import libcst
        >>> from pathlib import Path
        >>> from viam_sync.migrate.plain import make_plain
        >>> script = libcst.parse_module("await client.app_client.list_organizations()")
        >>> module, findings = make_plain({Path("script.py"): script})[Path("script.py")]
        >>> module.code, findings
        ('client.app_client.list_organizations()', [])
    """
    facts = Facts(modules.values())
    is_of_viam = any(facts.names(module).is_of_viam for module in modules.values())
    imported = {name.rpartition(".")[2] for module in facts.modules for name, _ in facts.names(module).imports}
    is_plain = not facts.sites and not any(map(is_asynchronous, facts.functions)) and "AsyncMock" not in imported
    if is_plain or not (is_of_viam or facts.attributes & cloud.CLIENTS):
        return {path: (module, []) for path, module in modules.items()}
    values = Values(facts, Program(modules))
    settle(facts, values)
    awaitables = Awaitables(facts, values, threads)
    plan = Plan(facts, values, awaitables)
    unneeded = EventLoops(facts, values, awaitables, plan).unneeded()
    changed = {}
    for path, module in modules.items():
        result = module
        if plan.is_needed:
            new = rewrite(module, facts, values, awaitables, plan, unneeded)
            result = tidy(facts.names(module).imports, new.module, new.needed, new.helpers)
        changed[path] = result, plan.findings(module)
    return changed
