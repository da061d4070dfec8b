"""Tests of a project of Django: each has a fresh sandbox, which the setting VIAM names.

class MachinesTest(SandboxTestCase):
    def test_the_rover_is_shown(self):
        self.assertContains(self.client.get("/machines/"), "rover")
"""

from __future__ import annotations

import contextlib
from typing import Any, Dict, Iterator, Mapping

from django.conf import settings
from django.test import TestCase, override_settings

from viam_sync.sandbox import Sandbox, testing


class SandboxMixin(testing.SandboxMixin):
    """What gives each test of a case of Django a fresh sandbox; it stands before the case in the bases.

    Every account of the setting ``VIAM`` leads to the sandbox, and so does the environment.
    """

    @classmethod
    @contextlib.contextmanager
    def sandbox_context(cls) -> Iterator[Sandbox]:
        """Return a context in which the settings and the environment name a sandbox."""
        with super().sandbox_context() as sandbox, override_settings(VIAM=sandbox_setting(sandbox)):
            yield sandbox


class SandboxTestCase(SandboxMixin, TestCase):
    """A ``django.test.TestCase`` whose tests have a fresh sandbox each; see :class:`SandboxMixin`.

    Attributes:
        sandbox: The sandbox of the test.
        viam_client: A client that is connected to it; ``client`` is the browser of Django's.
    """


def sandbox_setting(sandbox: Sandbox) -> Dict[str, Any]:
    """Return the setting ``VIAM`` of the project, with the address and key of a sandbox for each account."""
    given: Mapping[str, Any] = getattr(settings, "VIAM", {})
    access = {"API_KEY_ID": sandbox.api_key_id, "API_KEY": sandbox.api_key, "APP_URL": sandbox.url}
    others = {alias: {**account, **access} for alias, account in given.get("ALIASES", {}).items()}
    return {**given, **access, "ALIASES": others}
