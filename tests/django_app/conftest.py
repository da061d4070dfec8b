"""The fixtures of tests that run in this process, where Django is set up once."""

from typing import Any, Iterator

import pytest

from viam_sync.sandbox import Sandbox


@pytest.fixture
def database() -> Iterator[None]:
    """The tables of the models, which are empty afterwards."""
    from django.core.management import call_command

    yield
    call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def account(sandbox: Sandbox) -> Iterator[Any]:
    """Settings that make a sandbox the cloud; they hold as long as the test runs."""
    from django.test import override_settings

    keys = {"API_KEY_ID": sandbox.api_key_id, "API_KEY": sandbox.api_key}
    with override_settings(VIAM={**keys, "APP_URL": sandbox.url}):
        yield keys
