"""The names of models and APIs: triplets of words, joined by colons."""

from __future__ import annotations

import re
from typing import Iterable

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.call_errors import invalid_argument

_TRIPLET = re.compile(r"[a-z0-9_-]+:[a-z0-9_-]+:[a-z0-9_-]+\Z")


def check_models(models: Iterable[pb.Model]) -> None:
    """Check the names of models and of the APIs that they implement.

    Raises:
        CallError: INVALID_ARGUMENT.
    """
    for model in models:
        for field, example in (("api", "rdk:component:camera"), ("model", "acme:cameras:thermal")):
            value = getattr(model, field)
            if not _TRIPLET.match(value):
                raise invalid_argument(
                    f"{value[:64]!r} cannot be the {field} of a model: it takes three words of lowercase letters, "
                    f"digits, hyphens and underscores, with colons between them, such as {example!r}."
                )
