"""Progress: a bar on the terminal or in a notebook, or calls of the caller's function."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from types import TracebackType
from typing import Any, Callable, Iterable, Iterator, Optional, Type, TypeVar, Union

from typing_extensions import Self

from viam_sync.checks import wrong_type

#: The argument ``progress`` of methods: True for a bar on the terminal or in a notebook; or a function, which is called
#: with the amount done, the total, None if that is not known, and the unit, such as "bytes".
ProgressLike = Union[bool, Callable[[int, Optional[int], str], object]]

Item = TypeVar("Item")


class Progress:
    """Reports progress; threads may share it.

    A bar appears only in a notebook, or if the standard error is a terminal. A function is called by one thread at a
    time, though not by that of the caller; an error that it raises ends the work.

    Args:
        progress: True for a bar, a function, or None or False for nothing.
        unit: The unit that is counted; bytes are shown as kilobytes, megabytes and so on.
        label: The label of the bar.

    Attributes:
        done: The amount that is done.
        failure: The error that the function has raised; None if it has not.

    Raises:
        TypeError: If ``progress`` is none of these.
        ImportError: If it is True, and tqdm is not installed.

    Example:
        >>> from viam_sync.transfer.output.progress import Progress
        >>> with Progress(lambda done, total, unit: print(done, total, unit), "files") as progress:
        ...     progress.begin(2)
        ...     progress.advance(2)
        0 2 files
        2 2 files
    """

    def __init__(self, progress: Optional[ProgressLike], unit: str = "bytes", label: str = "") -> None:
        self._tell: Optional[Callable[[int, Optional[int], str], object]] = None
        self._tqdm: Any = None
        if progress is True:
            self._tqdm = _tqdm()
        elif callable(progress):
            self._tell = progress
        elif progress is not None and progress is not False:
            raise wrong_type("progress", "True, a callable or None", progress)
        self._unit = unit
        self._label = label
        self._bar: Any = None
        self.done = 0
        self._total: Optional[int] = None
        self._lock = threading.Lock()
        self.failure: Optional[BaseException] = None

    def begin(self, total: Optional[int]) -> None:
        """Report that the work begins.

        Args:
            total: The total; None if that is not known.
        """
        self._total = total
        if self._tqdm is not None and (_is_notebook() or (sys.stderr is not None and sys.stderr.isatty())):
            scale = {"unit": "B", "unit_scale": True, "unit_divisor": 1024} if self._unit == "bytes" else {}
            options = {"unit": f" {self._unit}", **scale}
            self._bar = self._tqdm(total=total, desc=self._label or None, **options)
        self.advance(0)

    def advance(self, count: int) -> None:
        """Report that ``count`` more are done."""
        with self._lock:
            self.done += count
            if self._bar is not None:
                self._bar.update(count)
            if self._tell is None or self.failure is not None:
                return
            try:
                self._tell(self.done, self._total, self._unit)
            except BaseException as failure:
                self.failure = failure
                raise

    def counted(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield items, and report each as done once the next one is asked for."""
        for item in items:
            yield item
            self.advance(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        with self._lock:
            if self._bar is not None:
                self._bar.close()
            self._bar = self._tell = None


def _is_notebook() -> bool:
    """Tell whether this is the kernel of a notebook, which shows what it writes though it has no terminal."""
    if "ipykernel.zmqshell" not in sys.modules:
        return False
    return importlib.import_module("IPython").get_ipython() is not None


def _tqdm() -> Any:
    # In a notebook without ipywidgets, which shows text as a terminal does, tqdm.auto fails or warns.
    is_plain = _is_notebook() and importlib.util.find_spec("ipywidgets") is None
    try:
        return importlib.import_module("tqdm" if is_plain else "tqdm.auto").tqdm
    except ImportError:
        raise ImportError(
            "progress=True shows a bar of tqdm, which is not installed; pip install tqdm, or give a callable instead"
        ) from None
