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
    """The settings that make a sandbox the cloud, as long as the test runs."""
    from django.conf import settings
    from django_settings import account_of

    with account_of(sandbox):
        yield settings.VIAM
