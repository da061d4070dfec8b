"""The comparison of the boxes that an image should have with those that it has."""

from __future__ import annotations

from typing import List, Sequence

from viam_sync.transfer.labels.labeled_image import Box

#: The difference of two edges that are the same, far below a pixel: a service may round them.
_SAME = 1e-6


def missing_boxes(wanted: Sequence[Box], there: Sequence[Box]) -> List[Box]:
    """Return the boxes that are not there yet, in their order; where one is wanted twice, it has to be there twice.

    The label and the edges count; the confidence does not.

    Example:
        >>> from viam_sync.transfer.labels.box_matching import missing_boxes
        >>> from viam_sync.transfer.labels.labeled_image import Box
        >>> cat, dog = Box("cat", 0, 0, 0.5, 0.5), Box("dog", 0, 0, 0.5, 0.5)
        >>> [box.label for box in missing_boxes([cat, dog, dog], [dog])]
        ['cat', 'dog']
    """
    unmatched = list(there)
    missing: List[Box] = []
    for box in wanted:
        match = next((other for other in unmatched if _is_same(box, other)), None)
        if match is None:
            missing.append(box)
        else:
            unmatched.remove(match)
    return missing


def _is_same(box: Box, other: Box) -> bool:
    edges = zip(box[1:5], other[1:5])
    return box.label == other.label and all(abs(one - another) < _SAME for one, another in edges)
