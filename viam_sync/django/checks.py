"""System checks: the settings always, and the cloud where it is asked for."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, List, Optional

from django.core import checks
from django.core.checks.registry import CheckRegistry

from viam_sync.django.account_checks import account_problem, key_hint
from viam_sync.django.settings import aliases, missing_keys, read_settings

_TAG = "viam"


@checks.register(_TAG)
def check_settings(**about: Any) -> List[checks.CheckMessage]:
    """Check the setting VIAM, without a call.

    A missing key is a warning, as ``migrate`` and the like are run where there is none, and an error stops them.
    """
    found: List[checks.CheckMessage] = []
    for alias in aliases():
        account, problems = read_settings(alias)
        found += [checks.Error(problem.text, hint=problem.hint, id="viam.E001") for problem in problems]
        if account is not None and not account.has_key:
            missing = missing_keys(alias)
            text = f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not set"
            found.append(checks.Warning(text, hint=key_hint(alias), id="viam.W001"))
    return found


@checks.register(_TAG)
def check_cloud(**about: Any) -> List[checks.CheckMessage]:
    """Check by a call that each account is let in, where ``--deploy`` or ``--tag viam`` asks for that."""
    if not _is_asked_for():
        return []
    problems = [account_problem(alias) for alias in aliases() if read_settings(alias)[0] is not None]
    return [
        checks.Error(problem.text, hint=problem.hint, id="viam.E002") for problem in problems if problem is not None
    ]


def _is_asked_for() -> bool:
    """Tell whether the checks that run are those of a deployment or of our tag, which Django tells no check."""
    frame: Optional[FrameType] = sys._getframe()
    while frame is not None and frame.f_code is not CheckRegistry.run_checks.__code__:
        frame = frame.f_back
    asked = {} if frame is None else frame.f_locals
    return bool(asked.get("include_deployment_checks")) or _TAG in (asked.get("tags") or ())
