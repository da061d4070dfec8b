"""The split of a dataset into images to train with, to choose by and to test with: by their IDs, so always the same."""

from __future__ import annotations

import hashlib
import math
from typing import Any, NamedTuple, Optional

from viam_sync.checks import as_list
from viam_sync.checks.numbers import share
from viam_sync.transfer.labels.labeled_image import SPLITS

_KIND = "the shares for train, val and test, such as (0.8, 0.1, 0.1), which add up to 1"
#: A digest is cut to so many bytes, which are a whole number from 0 to ``_RANGE``.
_BYTES = 6
_RANGE = 1 << 8 * _BYTES


class DatasetSplit(NamedTuple):
    """The shares of the parts of a split.

    Attributes:
        train: The share of the images to train with, from 0 to 1.
        val: The share of those to choose a model by.
        test: The share of those to test it with.

    Example:
        >>> from viam_sync.transfer.labels.dataset_split import DatasetSplit
        >>> [DatasetSplit(0.6, 0.2, 0.2).part_of(f"org/loc/{name}") for name in ("cat", "dog", "cow", "ox")]
        ['train', 'train', 'train', 'test']
    """

    train: float
    val: float
    test: float

    def part_of(self, id: str) -> str:
        """Return the part that an image belongs to, one of ``SPLITS``; it is a matter of its ID alone."""
        drawn = int.from_bytes(hashlib.sha256(id.encode()).digest()[:_BYTES], "big") / _RANGE
        for part, size in zip(SPLITS, self):
            if drawn < size:
                return part
            drawn -= size
        # The sum of the shares may be a little less than 1.
        return max(zip(self, SPLITS))[1]


def split_from(value: Any) -> Optional[DatasetSplit]:
    """Return the argument ``split`` as a split; None if there is none.

    Args:
        value: Two or three shares, or None.

    Raises:
        TypeError: If it is no list of numbers.
        ValueError: If these are no shares, or their sum is not 1.

    Example:
        >>> from viam_sync.transfer.labels.dataset_split import split_from
        >>> split_from([0.75, 0.25])
        DatasetSplit(train=0.75, val=0.25, test=0)
        >>> split_from((80, 10, 10))
        Traceback (most recent call last):
        ValueError: split[0] takes a number from 0 to 1, got 80
    """
    if value is None:
        return None
    shares = [share(f"split[{index}]", each) for index, each in enumerate(as_list("split", value, "numbers"))]
    if len(shares) not in (2, 3) or not math.isclose(sum(shares), 1, abs_tol=1e-9):
        raise ValueError(f"split takes {_KIND}, got {tuple(shares)}")
    return DatasetSplit(*shares, *([0] * (3 - len(shares))))
