"""Looks for the keys and tokens of a run in all that its tests print, log and raise; a test that shows one fails.

Those that clients authenticate with may not be in the variables of a traceback either, but for the frames of tests.
It knows each that a sandbox of this process makes, and each that a client of this process is given. A test that shows
one on purpose is marked with ``shows_secrets(why)``; if it shows none, it fails, too.
"""

import functools
import logging
import re
import traceback
import warnings
from random import SystemRandom

import pytest
from variables import variables_of_error

# A warning that nobody expects is an error in our tests, so it is looked at as such.

#: Shorter ones stand in texts by chance.
SHORTEST = 20
_WINDOW = 12
#: The windows of a secret that are looked for; one of them begins at a multiple of their number.
_WINDOWS = SHORTEST - _WINDOW + 1
_RUN = re.compile(rf"[\w-]{{{SHORTEST},}}", re.ASCII)


class Known:
    """The secrets of this process, and what they are."""

    def __init__(self):
        self._by_window = {}
        self._harmless = set()

    def add(self, secret, what):
        # All tokens begin alike; what tells them apart, and makes them good, is their end.
        end = secret.rpartition(".")[2] if isinstance(secret, str) else ""
        # One character, many times, is the filling of a test and no secret.
        if len(end) >= SHORTEST and _RUN.fullmatch(end) and len(set(end)) > 1:
            for start in range(_WINDOWS):
                self._by_window.setdefault(end[start : start + _WINDOW], {})[end] = (start, what)

    def spare(self, harmless):
        """Take note of what is no secret, and may hold the same characters as one."""
        self._harmless.update(harmless[start : start + _WINDOW] for start in range(len(harmless) - _WINDOW + 1))

    def find(self, text):
        """Return what the secrets in a text are."""
        found = []
        for run in _RUN.findall(text):
            for at in range(0, len(run) - _WINDOW + 1, _WINDOWS):
                for secret, (start, what) in self._by_window.get(run[at : at + _WINDOW], {}).items():
                    if at >= start and run.startswith(secret, at - start) and secret[:_WINDOW] not in self._harmless:
                        found.append(what)
        return found


class SecretWatch:
    """The hooks.

    Args:
        config: The configuration of pytest.
    """

    def __init__(self, config):
        config.addinivalue_line("markers", "shows_secrets(why): this test shows a key or a token on purpose")
        self._known = Known()
        self._leaks = []
        self._all_passed = True
        self._undo = pytest.MonkeyPatch()

    def look(self, where, text, whose=""):
        self._leaks += [f"{what} is in {where}" for what in self._known.find(text) if what.endswith(whose)]

    def pytest_sessionstart(self):
        from viam_sync.app.viam_client import ViamClient
        from viam_sync.rpc import auth
        from viam_sync.rpc.options import DialOptions
        from viam_sync.sandbox.core.ids import Ids
        from viam_sync.sandbox.wire.authentication import Authentication

        for cls, name, what in (
            (Ids, "key", "an API key of a sandbox"),
            (Ids, "secret", "a secret of a sandbox"),
            (Authentication, "_token", "a token of a sandbox"),
            (auth.AuthService, "authenticate", "a token of a client"),
        ):
            self._after(cls, name, lambda self_, made, what=what: self._known.add(made, what))
        # Where a seed says what is random, the ID of a file can be as the key of another sandbox.
        self._after(Ids, "file", lambda ids, made: isinstance(ids._source, SystemRandom) or self._known.spare(made))
        self._after(auth.Credentials, "__init__", lambda made, _: self._known.add(made.payload, "the key of a client"))
        for cls in (auth.Credentials, DialOptions, auth.Token):
            self._after(cls, "__init__", lambda made, _: self._look_at(made))
        self._after(ViamClient, "close", lambda client, _: self._look_at(client))
        for expecting in (pytest.raises(ValueError), pytest.warns(UserWarning)):  # noqa: PT030 (only its type is wanted)
            self._before(type(expecting), "__exit__", self._look_at_caught)
        self._watch_logs()

    def pytest_sessionfinish(self):
        self._undo.undo()

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        report = (yield).get_result()
        self._all_passed = report.passed and (call.when == "setup" or self._all_passed)
        if report.failed:
            self.look("its failure", str(report.longrepr))
        if call.when == "teardown":
            for name, text in report.sections:
                self.look(name, text)
            leaks, self._leaks = sorted(set(self._leaks)), []
            mark = item.get_closest_marker("shows_secrets")
            if mark is None and leaks:
                _fail(report, f"A secret is shown: {'; '.join(leaks)}. If that is its purpose, mark the test.")
            elif mark is not None and self._all_passed and not leaks:
                _fail(report, f"The test is marked with {mark.name}, and shows none.")

    def _watch_logs(self):
        """Look at each record as it would be printed: those of ours at every level, though nobody else gets these."""
        is_enabled, handle = logging.Logger.isEnabledFor, logging.Logger.handle
        format = logging.Formatter().format

        def always_for_ours(logger, level):
            return logger.name.partition(".")[0] == "viam_sync" or is_enabled(logger, level)

        def look_first(logger, record):
            self.look("a log record", format(record))
            if is_enabled(logger, record.levelno):
                handle(logger, record)

        self._undo.setattr(logging.Logger, "isEnabledFor", always_for_ours)
        self._undo.setattr(logging.Logger, "handle", look_first)

    def _look_at(self, made):
        self.look(f"the repr of a {type(made).__name__}", f"{made!r} {made}")

    def _look_at_caught(self, expecting, kind=None, error=None, trace=None):
        if error is not None:
            self.look(f"the text of a {kind.__name__}", "".join(traceback.format_exception(kind, error, trace)))
            self.look(f"the repr of a {kind.__name__}", repr(error))
            for place, text in variables_of_error(error):
                self.look(f"the variable {place}", text, whose="of a client")
        elif isinstance(expecting, warnings.catch_warnings):
            for warning in expecting.list:
                self.look("a warning", str(warning.message))

    def _after(self, cls, name, act):
        plain = getattr(cls, name)

        @functools.wraps(plain)
        def method(self_, *args, **kwargs):
            made = plain(self_, *args, **kwargs)
            act(self_, made)
            return made

        self._undo.setattr(cls, name, method)

    def _before(self, cls, name, act):
        plain = getattr(cls, name)

        @functools.wraps(plain)
        def method(self_, *args):
            act(self_, *args)
            return plain(self_, *args)

        self._undo.setattr(cls, name, method)


def _fail(report, text):
    if not report.failed:
        report.outcome = "failed"
        report.longrepr = text


def pytest_configure(config):
    config.pluginmanager.register(SecretWatch(config), "secret-watch")
