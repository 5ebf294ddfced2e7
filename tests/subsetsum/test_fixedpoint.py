"""The fixed point: conversions, their stated error, and room for every sum."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rssp import ArgumentError
from rssp.subsetsum.fixedpoint import FixedPoint

SAMPLES = arrays(np.float64, st.tuples(st.integers(1, 20), st.integers(1, 3)), elements=st.floats(-1e6, 1e6))


@given(SAMPLES)
def test_error_and_room(sample):
    grid = FixedPoint.for_sample(sample, reach=1.0)
    units = grid.to_int(sample)
    unit = Fraction(2) ** -grid.q
    for x, u in zip(sample.ravel().tolist(), units.ravel().tolist(), strict=True):
        assert abs(Fraction(x) - u * unit) <= unit / 2
    largest = max(sum(abs(u) for u in column) for column in units.T.tolist())
    assert largest < 2**61 + len(sample)
    # q is the largest: twice the resolution would not fit
    reach = max(float(np.abs(sample).sum(axis=0).max()), 1.0)
    assert reach * 2.0 ** (grid.q + 1) >= 2**61 * (1 - 2**-30)


@given(st.lists(st.integers(-(2**20), 2**20), min_size=1, max_size=30))
def test_numbers_on_the_grid_are_exact(numerators):
    sample = np.array(numerators, dtype=float)[:, None] / 2**20
    grid = FixedPoint.for_sample(sample)
    assert np.array_equal(grid.to_float(grid.to_int(sample)), sample)


@given(st.floats(1e-300, 1e300), st.integers(0, 1), st.sampled_from([-5, 0, 40, 59]))
def test_floor_is_exact_or_capped(value, halves, q):
    units = FixedPoint(q).floor(value, halves)
    exact = math.floor(Fraction(value) * Fraction(2) ** (q + halves))
    assert units == min(exact, 2**62)


def test_zeros_and_overflow():
    assert FixedPoint.for_sample(np.zeros((3, 1))).q == 61
    with pytest.raises(ArgumentError, match="Rescale"):
        FixedPoint.for_sample(np.full((4, 1), 1e305))
