"""Random IDs, keys and secrets, all from one source."""

from __future__ import annotations

import random
import string
import uuid

_LETTERS_AND_DIGITS = string.ascii_lowercase + string.digits


class Ids:
    """A generator of IDs; with the same seed it generates the same ones.

    Example:
        >>> import random
        >>> len(Ids(random.Random(1)).location())
        10
    """

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def uuid(self) -> str:
        """Return a UUID, which is the ID of most resources."""
        return str(uuid.UUID(int=self._source.getrandbits(128), version=4))

    def location(self) -> str:
        """Return the ID of a location: 10 lowercase letters and digits."""
        return self._text(10)

    def key(self) -> str:
        """Return the value of an API key."""
        return self._text(32)

    def file(self) -> str:
        """Return the ID of a file: 64 lowercase letters and digits."""
        return self._text(64)

    def object(self) -> str:
        """Return the ID of a dataset, a bounding box or a training job: 24 hexadecimal digits."""
        return f"{self._source.getrandbits(96):024x}"

    def secret(self) -> str:
        """Return the secret of a location or a part, or the one that signs tokens."""
        return self._text(48)

    def _text(self, length: int) -> str:
        if not isinstance(self._source, random.SystemRandom):
            return "".join(self._source.choices(_LETTERS_AND_DIGITS, k=length))
        # Each draw is a call of the system, so that there is one for all letters.
        number = self._source.randrange(len(_LETTERS_AND_DIGITS) ** length)
        letters = []
        for _ in range(length):
            number, digit = divmod(number, len(_LETTERS_AND_DIGITS))
            letters.append(_LETTERS_AND_DIGITS[digit])
        return "".join(letters)
