"""The configuration of the app."""

from django.apps import AppConfig


class ViamSyncConfig(AppConfig):
    """The app, whose label is ``viam_sync``, as ``django`` would say nothing."""

    name = "viam_sync.django"
    label = "viam_sync"
    verbose_name = "Viam"

    def ready(self) -> None:
        """Register the system checks."""
        from viam_sync.django import checks  # noqa: F401
