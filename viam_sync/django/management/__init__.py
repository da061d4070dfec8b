"""The commands of the app, and ``ViamCommand``, the base of commands that make calls."""

from viam_sync.django.management.base import ViamCommand

__all__ = ["ViamCommand"]
