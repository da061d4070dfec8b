"""Sets Django up in this process, with a database in memory; to be imported before any model."""

import django
from django.conf import settings
from django.core.management import call_command
from django.test import override_settings

from viam_sync.sandbox import Sandbox

settings.configure(
    ALLOWED_HOSTS=["testserver"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["viam_sync.django", "django_shop"],
    SECRET_KEY="for tests",
    TIME_ZONE="America/Chicago",
    USE_TZ=True,
    VIAM={},
)
django.setup()
call_command("migrate", run_syncdb=True, verbosity=0)


def account_of(sandbox: Sandbox) -> override_settings:
    """Return a block within which a sandbox is the cloud of all that Django runs."""
    keys = {"API_KEY_ID": sandbox.api_key_id, "API_KEY": sandbox.api_key}
    return override_settings(VIAM={**keys, "APP_URL": sandbox.url})
