"""A health view: whether the cloud answers, and whether a machine is online."""

from __future__ import annotations

import logging
from typing import Any, Dict, Optional

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, JsonResponse
from django.views import View

from viam_sync import GRPCError, ViamError
from viam_sync.django.account_clients import clients
from viam_sync.django.fleet_rows import robot_row
from viam_sync.django.settings import DEFAULT

LOGGER = logging.getLogger(__name__)


class MachineStatus(View):
    """Answers with JSON, and 200 if all is well, or else 503, within a time.

    Without a machine it tells whether the cloud answers. With one, by ``as_view(machine_id=…)`` or by a part of the URL
    of that name, it tells whether that is online. No secret, and no text of an error, is in the answer; the log has it.

    Attributes:
        machine_id: ID of the machine, a UUID; None for the cloud alone.
        alias: The account.
        seconds: How long the answer may take.

    Example:
        >>> from django.test import RequestFactory
        >>> from viam_sync.django import MachineStatus
        >>> MachineStatus.as_view(seconds=5)(RequestFactory().get("/health/")).content
        b'{"ok": true}'
    """

    machine_id: Optional[str] = None
    alias = DEFAULT
    seconds: float = 5

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, machine_id: Optional[str] = None) -> JsonResponse:
        """Answer a request."""
        try:
            answer = self._answer(machine_id or self.machine_id)
        except (ViamError, OSError, ValueError, ImproperlyConfigured) as error:
            LOGGER.warning("MachineStatus of the account %r: %s", self.alias, error)
            answer = {"ok": False, "error": _kind_of(error)}
        response = JsonResponse(answer, status=200 if answer["ok"] else 503)
        response["Cache-Control"] = "no-store"
        return response

    def _answer(self, machine_id: Optional[str]) -> Dict[str, Any]:
        # Connecting has a limit of its own, so each of the two gets half of the time.
        client = clients.current(self.alias, self.seconds / 2)
        if machine_id is None:
            client.app_client.list_organizations(timeout=self.seconds / 2)
            return {"ok": True}
        row = robot_row(client.app_client.get_robot(machine_id, timeout=self.seconds / 2))
        names = ("id", "name", "online_state", "last_access")
        return {"ok": row["online"], "machine": {name: row[name] for name in names}}


def _kind_of(error: Exception) -> str:
    """Return a word for an error, which tells nothing about the project."""
    return error.status.name if isinstance(error, GRPCError) else type(error).__name__
