"""Messages and records in a JsonResponse."""

from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from google.protobuf.message import Message

from viam_sync.display.json_form import to_dict
from viam_sync.display.shown_fields import is_record


class MessageEncoder(DjangoJSONEncoder):
    """Writes messages and records as ``to_dict(…, secrets=False)`` does, and all else as Django does.

    Example:
        >>> from django.http import JsonResponse
        >>> from viam_sync.django import MessageEncoder
        >>> robots = client.app_client.list_robots(sandbox.location_id)
        >>> JsonResponse({"robots": list(robots)}, encoder=MessageEncoder).content[:17]
        b'{"robots": [{"id"'
    """

    def default(self, o: Any) -> Any:
        """Return what JSON can hold for an object that it cannot."""
        if isinstance(o, Message) or is_record(o):
            return to_dict(o, secrets=False)
        return super().default(o)
