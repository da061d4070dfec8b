"""Loggers print as those of the official SDK do, unless the program has set up logging by itself."""

import logging
from contextlib import contextmanager
from typing import Iterator

import pytest

from viam_sync import logging as loggers
from viam_sync.errors import NotSupportedError


@contextmanager
def outside_of_pytest() -> Iterator[None]:
    """Take away the handlers that pytest gives the root logger while a test runs."""
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        yield
    finally:
        root.handlers = handlers


@pytest.fixture(autouse=True)
def as_they_were() -> Iterator[None]:
    """Forget the loggers of a test, and its level."""
    yield
    loggers.setLevel(logging.INFO)
    for name in list(loggers.LOGGERS):
        del logging.Logger.manager.loggerDict[name], loggers.LOGGERS[name]


def test_a_logger_prints_errors_to_stderr_and_all_else_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with outside_of_pytest():
        logger = loggers.getLogger("lesson")
        logger.debug("quiet")
        logger.info("begun")
        logger.error("broken")
    out, err = capsys.readouterr()
    assert out.endswith("\tbegun\n")
    assert "\tINFO\tlesson (test_logging.py:" in out
    assert err.endswith("\tbroken\n")
    assert (out + err).count("\n") == 2


def test_a_logger_of_the_same_name_is_the_same_and_prints_once(capsys: pytest.CaptureFixture[str]) -> None:
    with outside_of_pytest():
        assert loggers.getLogger("lesson") is loggers.getLogger("lesson") is logging.getLogger("lesson")
        loggers.getLogger("lesson.part").info("begun")
    assert capsys.readouterr().out.count("begun") == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_handlers_of_the_program_are_used_alone(when: str, capsys: pytest.CaptureFixture[str]) -> None:
    with outside_of_pytest():
        if when == "after":
            loggers.getLogger("lesson")
        logging.basicConfig(format="mine: %(message)s")
        loggers.getLogger("lesson").info("begun")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "mine: begun\n")


def test_levels_are_set_for_one_logger_and_for_all() -> None:
    first, second = loggers.getLogger("first"), loggers.getLogger("second")
    loggers.update_log_level(first, "warning")
    assert (first.level, second.level) == (logging.WARNING, logging.INFO)
    loggers.setLevel(logging.DEBUG)
    assert [each.level for each in (first, second, loggers.getLogger("third"))] == [logging.DEBUG] * 3
    assert loggers.LOG_LEVEL == logging.DEBUG


def test_a_silenced_logger_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with outside_of_pytest():
        first = loggers.getLogger("first")
        loggers.silence()
        first.critical("lost")
        loggers.getLogger("second").critical("lost")
    assert capsys.readouterr() == ("", "")


def test_a_level_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="LOUD"):
        loggers.update_log_level(loggers.getLogger("lesson"), "loud")


def test_a_level_of_the_program_is_kept_when_a_logger_is_asked_for_again() -> None:
    loggers.getLogger("lesson").setLevel(logging.ERROR)
    assert loggers.getLogger("lesson").level == logging.ERROR


def test_logs_go_to_no_machine() -> None:
    with pytest.raises(NotSupportedError, match="viam-sdk"):
        loggers.setParent(object())
    loggers.shutdown()
