"""Loggers that print, as those of the official SDK do; they are those of Python's ``logging``, and nothing else.

A logger of :func:`getLogger` prints from INFO on: errors to stderr, all else to stdout. A program that has set up
``logging`` by itself gets its own handlers instead. Nothing of this is needed to see what ``viam_sync`` itself logs: it
logs to Python's ``logging`` under the names of its modules.
"""

import logging
import sys
from logging import DEBUG, ERROR, FATAL, INFO, WARN, WARNING
from typing import Any, Dict, Union

from viam_sync.errors import NotSupportedError
from viam_sync.viam_sdk import MACHINES

__all__ = [
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "LOGGERS",
    "LOG_LEVEL",
    "WARN",
    "WARNING",
    "addHandlers",
    "getLogger",
    "setLevel",
    "setParent",
    "shutdown",
    "silence",
    "update_log_level",
]

#: The level of loggers to come.
LOG_LEVEL = INFO
#: The loggers of `getLogger`, by name.
LOGGERS: Dict[str, logging.Logger] = {}


class _Console(logging.Handler):
    """Prints errors to stderr and all else to stdout, as they are at the time: notebooks and tests replace them."""

    def emit(self, record: logging.LogRecord) -> None:
        if logging.getLogger().handlers:
            return  # the program has set up logging, perhaps after it asked for this logger
        try:
            print(self.format(record), file=sys.stderr if record.levelno >= ERROR else sys.stdout, flush=True)
        except Exception:
            self.handleError(record)


#: One for all loggers: a logger that gets it twice has it once.
_CONSOLE = _Console()
_CONSOLE.setFormatter(
    logging.Formatter("%(asctime)s\t\t%(levelname)s\t%(name)s (%(filename)s:%(lineno)d)\t%(message)s")
)


def getLogger(name: str) -> logging.Logger:
    """Return the logger of a name, which prints from the level on that :func:`setLevel` sets.

    Args:
        name: Its name, usually ``__name__``.

    Example:
        >>> from viam_sync.logging import getLogger
        >>> getLogger("lesson").level
        20
    """
    logger = logging.getLogger(name)
    if name not in LOGGERS:
        LOGGERS[name] = logger
        logger.setLevel(LOG_LEVEL)
    addHandlers(logger)
    return logger


def addHandlers(logger: logging.Logger, use_default_handlers: bool = False) -> None:
    """Let a logger print, unless it or one above it has a handler already.

    Args:
        logger: The logger.
        use_default_handlers: Taken for scripts of the official SDK; all handlers are the default ones here.
    """
    if not logger.hasHandlers():
        logger.addHandler(_CONSOLE)


def update_log_level(logger: logging.Logger, level: Union[int, str]) -> None:
    """Set the level of one logger.

    Args:
        logger: The logger.
        level: A level of ``logging``, as a number or by its name.

    Raises:
        ValueError: If there is no level of this name.
    """
    logger.setLevel(level.upper() if isinstance(level, str) else level)


def setLevel(level: int) -> None:
    """Set the level of all loggers of :func:`getLogger`, and of those to come.

    Args:
        level: A level of ``logging``.
    """
    global LOG_LEVEL
    LOG_LEVEL = level
    for logger in list(LOGGERS.values()):
        logger.setLevel(level)


def silence() -> None:
    """Print nothing any more, whatever its level."""
    setLevel(FATAL + 1)


def setParent(parent: Any) -> None:
    """Refuse to send logs to a machine, as modules of machines do.

    Args:
        parent: The machine.

    Raises:
        NotSupportedError: Always.
    """
    raise NotSupportedError(MACHINES)


def shutdown() -> None:
    """Do nothing: the loggers of the official SDK end a thread here, and these have none."""
