"""The platforms of module files."""

from __future__ import annotations

from viam_sync.sandbox.core.call_errors import invalid_argument

_ALL = (
    *("any", "any/amd64", "any/arm64"),
    *("linux/any", "linux/amd64", "linux/arm64", "linux/arm32v6", "linux/arm32v7"),
    *("darwin/any", "darwin/amd64", "darwin/arm64", "windows/amd64"),
)


def checked_platform(platform: str) -> str:
    """Return a platform, if it exists.

    Raises:
        CallError: INVALID_ARGUMENT.
    """
    if platform not in _ALL:
        raise invalid_argument(f"{platform[:64]!r} is not a platform; choose one of {', '.join(_ALL)}.")
    return platform


def runs_on(file: str, platform: str) -> bool:
    """Return whether a file for a platform such as "linux/any" runs on another one.

    Example:
        >>> runs_on("linux/any", "linux/arm64"), runs_on("linux/amd64", "linux/arm64")
        (True, False)
    """
    system, _, processor = file.partition("/")
    wanted_system, _, wanted_processor = platform.partition("/")
    return system in ("any", wanted_system) and (processor or "any") in ("any", wanted_processor or "any")
