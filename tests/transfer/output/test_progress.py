import io
import sys
from typing import Any, Dict, List, Optional, Tuple

import pytest

from viam_sync.transfer.output.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Bar:
    """A bar of tqdm, as far as it is used."""

    made: List["Bar"] = []

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.n = 0
        self.closed = False
        self.made.append(self)

    def update(self, count: int) -> None:
        self.n += count

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> List[Bar]:
    monkeypatch.setattr(Bar, "made", [])
    monkeypatch.setitem(sys.modules, "tqdm.auto", type(sys)("tqdm.auto"))
    monkeypatch.setattr(sys.modules["tqdm.auto"], "tqdm", Bar, raising=False)
    return Bar.made


def run(progress: Any, total: Optional[int] = 5, unit: str = "bytes") -> None:
    with Progress(progress, unit, "cat.png") as shown:
        shown.begin(total)
        for count in (2, 3):
            shown.advance(count)


def test_a_function_is_called_with_the_amount_done_and_the_total() -> None:
    told: List[Tuple[int, Optional[int], str]] = []
    run(lambda *each: told.append(each))
    run(lambda *each: told.append(each), None, "files")
    assert told == [(done, 5, "bytes") for done in (0, 2, 5)] + [(done, None, "files") for done in (0, 2, 5)]


def test_an_error_of_the_function_is_kept_and_raised_once() -> None:
    def fail(done: int, total: Optional[int], unit: str) -> None:
        if done:
            raise LookupError(done)

    with Progress(fail) as shown:
        shown.begin(5)
        with pytest.raises(LookupError) as caught:
            shown.advance(1)
        assert shown.failure is caught.value
        shown.advance(1)


@pytest.mark.parametrize("progress", [None, False])
def test_nothing_is_shown_unless_it_is_asked_for(
    bars: List[Bar], monkeypatch: pytest.MonkeyPatch, progress: Optional[bool]
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    run(progress)
    assert bars == []


def test_a_terminal_gets_a_bar(bars: List[Bar], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    run(True)
    run(True, 9, "files")
    scale: Dict[str, Any] = {"unit": "B", "unit_scale": True, "unit_divisor": 1024}
    assert [bar.options for bar in bars] == [
        {"total": 5, "desc": "cat.png", **scale},
        {"total": 9, "desc": "cat.png", "unit": " files"},
    ]
    assert [(bar.n, bar.closed) for bar in bars] == [(5, True), (5, True)]


@pytest.mark.parametrize("stream", [io.StringIO(), None])
def test_a_pipe_gets_none(bars: List[Bar], monkeypatch: pytest.MonkeyPatch, stream: Optional[io.StringIO]) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    run(True)
    assert bars == []


def test_the_bar_of_tqdm_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tqdm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    run(True, 5)
    assert "cat.png: 100%" in terminal.getvalue()
    assert "5.00/5.00" in terminal.getvalue()


def test_without_tqdm_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match="pip install tqdm, or give a callable"):
        Progress(True)


@pytest.mark.parametrize("progress", [1, "yes", 0])
def test_an_argument_that_is_no_progress_is_rejected(progress: Any) -> None:
    with pytest.raises(TypeError, match=r"progress takes True, a callable or None, got (1|a str|0)$"):
        Progress(progress)
