"""Location and scale in a stream: those of numpy, to the rounding of their sums; and quantiles, exactly."""

import numpy as np
import pytest
from small import arrays_of, whole

from tsrnn import moments, scale


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(moments, "MANY", 10)
    monkeypatch.setattr(moments, "_BLOCK", 64)


def drawn(kind, spread=1.0):
    rng = np.random.default_rng(3)
    pieces = [(rng.standard_normal(count) * spread + 5).astype(kind) for count in (200, 3, 61)]
    pieces[0][::7] = np.nan
    return pieces


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("name", scale.SCALERS)
def test_a_scaler_in_a_stream_is_the_one_in_memory(kind, name, monkeypatch):
    arrays = arrays_of(*(piece[:, None] for piece in drawn(kind)))
    in_memory = scale.fit(name, arrays, whole(arrays))
    monkeypatch.setattr(moments, "MANY", 10)
    monkeypatch.setattr(moments, "_BLOCK", 64)
    streamed = scale.fit(name, arrays, whole(arrays))
    for one, other in zip((in_memory.loc, in_memory.scale), (streamed.loc, streamed.scale), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6 if name == "robust" and kind is np.float32 else 1e-13)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_ranks_are_those_of_a_sort(kind, few):
    pieces = drawn(kind, 1e30)
    pieces[1][:] = [0.0, -0.0, -1e-38]
    numbers = np.sort(np.concatenate(pieces))
    numbers = numbers[np.isfinite(numbers)]
    ranks = [0, 1, 7, 100, len(numbers) - 1]
    assert moments._ranked(moments.blocks(pieces), ranks) == numbers[ranks].astype(float).tolist()


@pytest.mark.parametrize("power", [-200, 200])
def test_numbers_whose_squares_are_beyond_float64_have_a_deviation(power, few):
    arrays = arrays_of(np.ldexp(np.arange(40.0), 4 * power)[:, None])
    found = scale.fit("standard", arrays, whole(arrays))
    assert np.ldexp(found.scale[0, 0], -4 * power) == pytest.approx(np.arange(40.0).std(), rel=1e-12)


def test_a_constant_has_no_scale(few):
    arrays = arrays_of(np.full((40, 1), 0.1), np.full((40, 1), np.nan))
    found = scale.fit("standard", arrays, whole(arrays))
    assert (found.loc[0, 0], found.scale[0, 0]) == (0.1, 0.0)


def test_nothing_measured_has_the_usual_scale(few):
    arrays = arrays_of(np.full((40, 1), np.nan))
    found = scale.fit("robust", arrays, whole(arrays))
    assert (found.loc[0, 0], found.scale[0, 0]) == (0.0, 1.0)
