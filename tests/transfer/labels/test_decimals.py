"""Decimals: as short as they can be, while the number that is read stays the same."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viam_sync.transfer.labels.decimals import rounding_interval, shortest_decimal

SHARES = st.one_of(
    st.floats(0, 1, allow_subnormal=False),
    st.floats(-2, 2, allow_subnormal=False),
    st.sampled_from([2.0**-k for k in range(60)]),
)


def digits_of(text: str) -> int:
    return len(Decimal(text).normalize().as_tuple().digits)


@given(SHARES)
def test_a_share_is_written_as_python_writes_it_and_read_as_itself(share: float) -> None:
    text = shortest_decimal(*rounding_interval(share))
    assert float(text) == share
    assert digits_of(text) == digits_of(repr(share))


@given(SHARES, st.integers(1, 20_000))
def test_pixels_are_read_as_the_share_that_they_come_from(share: float, width: int) -> None:
    low, high = rounding_interval(share)
    pixels = shortest_decimal(low * width, high * width)
    assert float(Fraction(pixels) / width) == share


@given(st.integers(1, 20_000), st.data())
def test_hundredths_of_a_pixel_come_back_as_they_were(width: int, data: st.DataObject) -> None:
    hundredths = data.draw(st.integers(0, 100 * width))
    low, high = rounding_interval(float(Fraction(hundredths, 100 * width)))
    assert Fraction(shortest_decimal(low * width, high * width)) == Fraction(hundredths, 100)


@pytest.mark.parametrize("share", [0.0, -0.0, 1.0])
def test_the_edges_of_an_image_are_points(share: float) -> None:
    low, high = rounding_interval(share)
    assert low == high == share


@given(st.floats(1e-6, 0.999))
def test_the_interval_ends_half_way_to_the_neighbours(share: float) -> None:
    low, high = rounding_interval(share)
    tiny = Fraction(1, 10**40)
    assert float(low + tiny) == share == float(high - tiny)
    assert float(low - tiny) < share < float(high + tiny)


def test_nothing_is_between_numbers_in_the_wrong_order() -> None:
    with pytest.raises(ValueError, match="low is 2, which is more than high, 1"):
        shortest_decimal(Fraction(2), Fraction(1))


def test_the_least_number_above_nought_is_written_too() -> None:
    tiny = math.ldexp(1, -1074)
    assert float(shortest_decimal(*rounding_interval(tiny))) == tiny
