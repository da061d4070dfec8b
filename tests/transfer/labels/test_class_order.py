"""The order of classes: a number stands for the same class in every run."""

from pathlib import Path

import pytest

from viam_sync.transfer.labels.class_order import class_order


def test_classes_keep_their_places_and_new_ones_follow_sorted(tmp_path: Path) -> None:
    assert class_order(tmp_path, {"dog", "cat"}) == ["cat", "dog"]
    assert class_order(tmp_path, {"dog", "bee", "ant"}) == ["cat", "dog", "ant", "bee"]
    assert class_order(tmp_path, set()) == ["cat", "dog", "ant", "bee"]


def test_an_order_that_is_given_is_the_one_from_then_on(tmp_path: Path) -> None:
    class_order(tmp_path, {"cat", "dog"})
    assert class_order(tmp_path, {"dog"}, ["dog", "owl"]) == ["dog", "owl"]
    assert class_order(tmp_path, {"cat"}) == ["dog", "owl", "cat"]


def test_an_order_without_a_label_is_refused_and_not_remembered(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="classes lacks 'cat', 'dog', which boxes have; add it"):
        class_order(tmp_path, {"cat", "dog"}, ["owl"])
    assert class_order(tmp_path, set()) == []


@pytest.mark.parametrize("state", ["{", "7", "[7]"])
def test_an_order_that_somebody_has_changed_is_named(state: str, tmp_path: Path) -> None:
    class_order(tmp_path, {"cat"})
    (tmp_path / ".viam-labels" / "classes.json").write_text(state)
    with pytest.raises(FileExistsError, match=r"classes\.json' has been changed; name another folder"):
        class_order(tmp_path, {"cat"})
