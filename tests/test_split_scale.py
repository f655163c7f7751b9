"""Splits are arithmetic on rows; scalers see training rows alone and can be undone."""

import re
import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tsrnn import Forecaster, scale, split
from tsrnn.arrays import Arrays
from tsrnn.errors import InputError, Notice


def _arrays(lengths, *columns):
    rows = sum(lengths)
    columns = columns or (np.arange(float(rows)),)
    names = tuple(f"c{k}" for k in range(len(columns)))
    ids = tuple(f"s{k}" for k in range(len(lengths)))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Arrays(columns, names, len(columns), ids, offsets, np.zeros(0, np.int64))


def _spans(part):
    return list(zip(part.begin.tolist(), part.end.tolist(), strict=True))


class TestSplit:
    def test_ett_borders(self):
        parts = split.borders(_arrays([17420]), [8640, 11520, 14400])
        assert _spans(parts.train) == [(0, 8640)]
        assert _spans(parts.val) == [(8640, 11520)]
        assert _spans(parts.test) == [(11520, 14400)]

    @pytest.mark.parametrize(("horizon", "windows"), [(96, 2785), (192, 2689), (336, 2545), (720, 2161)])
    def test_ett_test_windows_of_the_literature(self, horizon, windows):
        test = split.borders(_arrays([17420]), [8640, 11520, 14400]).test
        assert int(test.end[0] - test.begin[0]) - horizon + 1 == windows

    def test_borders_count_from_the_start_of_each_series(self):
        parts = split.borders(_arrays([10, 12]), [4, 6, 9])
        assert _spans(parts.test) == [(6, 9), (16, 19)]
        assert _spans(split.borders(_arrays([10, 12]), np.array([4, 6, 9])).test) == _spans(parts.test)

    @pytest.mark.parametrize(
        ("rows", "train", "val", "test"), [(52696, 36887, 5270, 10539), (7588, 5311, 760, 1517), (10, 7, 1, 2)]
    )
    def test_ratios_of_the_literature(self, rows, train, val, test):
        parts = split.ratios(_arrays([rows]), (0.7, 0.1, 0.2))
        assert [int(part.end[0] - part.begin[0]) for part in (parts.train, parts.val, parts.test)] == [train, val, test]

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.integers(1, 5000), min_size=1, max_size=5), st.integers(1, 98), st.integers(0, 50))
    def test_ratios_cover_every_row_once(self, lengths, first, second):
        second = min(second, 100 - first)
        arrays = _arrays(lengths)
        parts = split.ratios(arrays, (first / 100, second / 100, (100 - first - second) / 100))
        np.testing.assert_array_equal(parts.train.begin, arrays.offsets[:-1])
        np.testing.assert_array_equal(parts.train.end, parts.val.begin)
        np.testing.assert_array_equal(parts.val.end, parts.test.begin)
        np.testing.assert_array_equal(parts.test.end, arrays.offsets[1:])
        assert (parts.val.end >= parts.val.begin).all()

    def test_the_last_rows_are_the_test_and_those_before_of_every_fifth_series_validate(self):
        parts = split.last(_arrays([12, 12, 13, 12, 12, 12, 12, 12]), 4)
        assert _spans(parts.test)[:3] == [(8, 12), (20, 24), (33, 37)]
        assert _spans(parts.val)[:3] == [(8, 8), (20, 20), (29, 33)]
        assert _spans(parts.train)[:3] == [(0, 8), (12, 20), (24, 29)]
        assert (parts.val.end > parts.val.begin).sum() == 1  # the eighth series is too short to give rows away
        assert (parts.test.begin == parts.val.end).all()
        assert (parts.val.begin == parts.train.end).all()

    def test_where_no_fifth_series_is_long_the_first_that_is_validates(self):
        for lengths, validates in (([13], 0), ([12, 13], 1), ([13, 13, 12, 13], 0)):
            val = split.last(_arrays(lengths), 4).val
            assert np.flatnonzero(val.end - val.begin).tolist() == [validates]

    def test_a_series_without_rows_before_its_last_ones_is_refused(self):
        with pytest.raises(InputError, match=r"series 's1' has 4 rows, and .* last 4 of each: leave it out, or take"):
            split.last(_arrays([12, 4]), 4)
        with pytest.raises(InputError, match=r"2 of 3 series have too few rows \('s1' 3, 's2' 4\).*: leave them out"):
            split.last(_arrays([12, 3, 4]), 4)
        with pytest.raises(
            InputError, match=r"series 's0' has 3 rows, and the split takes the last 4 of each: take fewer"
        ):
            split.last(_arrays([3]), 4)
        with pytest.raises(InputError, match=r"split last takes a whole number of rows from 1, not 0\.5"):
            split.declared({"last": 0.5})

    def test_by_series(self):
        parts = split.by_series(_arrays([3, 4, 5, 6]), val=["s1"], test=["s3"])
        assert _spans(parts.train) == [(0, 3), (3, 3), (7, 12), (12, 12)]
        assert _spans(parts.val) == [(0, 0), (3, 7), (7, 7), (12, 12)]
        assert _spans(parts.test) == [(0, 0), (3, 3), (7, 7), (12, 18)]

    def test_shares_of_series_hold_out_the_last_ones(self):
        arrays = _arrays([3] * 10)
        made = split.standard(arrays, {"by_series": {"val": 0.1, "test": 0.2}}, "frame")
        assert [(part.end > part.begin).sum() for part in (made.train, made.val, made.test)] == [7, 1, 2]
        assert (made.test.end > made.test.begin).tolist() == [False] * 8 + [True] * 2
        with pytest.raises(InputError, match=r"shares of series held out .* add up to less than 1, not \(0\.5, 0\.5\)"):
            split.standard(arrays, {"by_series": {"val": 0.5, "test": 0.5}}, "frame")
        with pytest.raises(InputError, match=r"shares of series held out are numbers .* not \(0\.5, \['s1'\]\)"):
            split.standard(arrays, {"by_series": {"val": 0.5, "test": ["s1"]}}, "frame")

    def test_each_series_is_left_out_once_and_the_next_one_validates(self):
        arrays = _arrays([3, 4, 5])
        made = split.folds(arrays.ids, {"leave_one_out": "series"})
        assert list(made) == ["s0", "s1", "s2"]
        parts = split.standard(arrays, made["s2"], "x")
        assert _spans(parts.train) == [(0, 0), (3, 7), (7, 7)]
        assert _spans(parts.val) == [(0, 3), (3, 3), (7, 7)]
        assert _spans(parts.test) == [(0, 0), (3, 3), (7, 12)]

    def test_other_splits_are_one_fold_without_a_name(self):
        for row in ({"ratios": [0.7, 0.1, 0.2]}, "standard", None):
            assert split.folds(("a", "b"), row) == {"": row}

    def test_folds_that_cannot_be_are_refused(self):
        with pytest.raises(InputError, match="leave_one_out takes 'series', not 'rows'"):
            split.folds(("a", "b", "c"), {"leave_one_out": "rows"})
        with pytest.raises(InputError, match=r"needs at least three.*there are 2"):
            split.folds(("a", "b"), {"leave_one_out": "series"})

    def test_tail(self):
        parts = split.tail(_arrays([10, 3]), 4)
        assert _spans(parts.train) == [(0, 6), (10, 10)]
        assert _spans(parts.val) == [(6, 10), (10, 13)]
        assert _spans(parts.test) == [(10, 10), (13, 13)]

    @pytest.mark.parametrize(
        ("cut", "words"),
        [
            (lambda a: split.borders(a, [5, 3, 8]), "rising"),
            (lambda a: split.borders(a, [5, 8]), "three"),
            (lambda a: split.borders(a, [5, 8, 11]), "'s0' has 10 rows.*11"),
            (lambda a: split.ratios(a, (0.5, 0.1, 0.1)), "add up to 1"),
            (lambda a: split.ratios(a, (0.0, 0.5, 0.5)), "add up to 1"),
            (lambda a: split.borders(a, [1.5, 3, 8]), "three rising row numbers"),
            (lambda a: split.ratios(a, 0.7), "three shares that add up to 1, not 0.7"),
            (lambda a: split.ratios(a, "0.7"), "three shares"),
            (lambda a: split.standard(a, [0.7, 0.1, 0.2], "x"), r"one pair such as .*, not \[0.7, 0.1, 0.2\]"),
            (lambda a: split.standard(a, {}, "x"), "one pair such as"),
            (lambda a: split.standard(a, {"ratios": [0.7, 0.1, 0.2], "borders": [1, 2, 3]}, "x"), "one pair such as"),
            (lambda a: split.standard(a, {"ratio": [0.7, 0.1, 0.2]}, "x"), "did you mean 'ratios'"),
            (lambda a: split.standard(a, {"by_series": ["s0"]}, "x"), r"such as .*, not \['s0'\]"),
            (lambda a: split.standard(a, {"by_series": {"test": "s0"}}, "x"), "such as .*, not {'test': 's0'}"),
            (lambda a: split.standard(a, {"by_series": {"tests": ["s0"]}}, "x"), "such as .*, not {'tests'"),
            (lambda a: split.by_series(a, [], ["s9"]), "'s9'.*did you mean 's0'"),
            (lambda a: split.by_series(a, ["s0"], ["s0"]), "'s0'.*choose one"),
        ],
    )
    def test_refusals(self, cut, words):
        with pytest.raises(InputError, match=words):
            cut(_arrays([10]))


class TestScale:
    def test_standard_of_the_training_rows_alone(self):
        x = np.concatenate([np.array([1.0, 2.0, 3.0, 4.0]), np.full(6, 1e6)])
        arrays = _arrays([10], x)
        affine = scale.fit("standard", arrays, split.borders(arrays, [4, 6, 10]).train)
        assert affine.loc.item() == 2.5
        assert affine.scale.item() == pytest.approx(np.sqrt(1.25))

    @pytest.mark.parametrize("name", scale.SCALERS)
    def test_later_rows_change_nothing(self, name):
        x = np.random.default_rng(0).normal(5, 3, 100)
        changed = x.copy()
        changed[60:] = np.nan
        fits = []
        for column in (x, changed):
            arrays = _arrays([100], column)
            fits.append(scale.fit(name, arrays, split.borders(arrays, [60, 80, 100]).train))
        assert fits[0].loc.item() == fits[1].loc.item()
        assert fits[0].scale.item() == fits[1].scale.item()

    @pytest.mark.parametrize(
        ("name", "loc", "width"),
        [("standard", 2.0, 3.5**0.5), ("robust", 1.5, 2.0 / 1.349), ("mean_abs", 0.0, 2.0), ("none", 0.0, 1.0)],
    )
    def test_values_by_hand(self, name, loc, width):
        x = np.array([0.0, 1.0, np.nan, 2.0, 5.0])
        arrays = _arrays([5], x)
        affine = scale.fit(name, arrays, split.tail(arrays, 0).train)
        assert affine.loc.shape == affine.scale.shape == (1, 1)
        assert affine.loc.item() == pytest.approx(loc)
        assert affine.scale.item() == pytest.approx(width)

    @pytest.mark.parametrize("name", scale.SCALERS)
    @pytest.mark.parametrize("value", [0.0, 7.0, -1e9, np.nan])
    def test_a_constant_channel_keeps_its_unit_and_is_forecast_as_it_is(self, name, value):
        arrays = _arrays([20], np.full(20, value), np.arange(20.0))
        affine = scale.fit(name, arrays, split.tail(arrays, 0).train)
        assert np.isfinite(affine.loc).all()
        known = name != "none" and not np.isnan(value)
        assert affine.scale[0, 0] == (0 if known else 1)
        assert affine.scale[0, 1] > 0
        loc = value if known else 0
        assert affine.apply(loc + 3.0)[0, 0] == 3
        assert affine.invert(affine.apply(loc + 3.0))[0, 0] == loc + 3
        assert affine.invert(affine.held(0.7))[0, 0] == (loc if known else 0.7)

    @pytest.mark.parametrize("name", ["standard", "robust", "mean_abs"])
    @pytest.mark.parametrize("unit", [1.0, 1e-12, 1e-20, 1e20])
    def test_small_units_are_no_constants_and_rounding_is_one(self, name, unit):
        rng = np.random.default_rng(0)
        moving = _arrays([50], unit * (5 + rng.normal(0, 1e-3, 50)))
        assert scale.fit(name, moving, split.tail(moving, 0).train).scale[0, 0] > 0
        rounded = _arrays([50], unit * np.where(rng.random(50) < 0.5, 0.1 + 0.2, 0.3))
        assert scale.fit(name, rounded, split.tail(rounded, 0).train).scale[0, 0] == 0
        narrow = _arrays([50], np.full(50, 0.1, np.float32))
        assert scale.fit(name, narrow, split.tail(narrow, 0).train).scale[0, 0] == 0

    @pytest.mark.parametrize("name", ["standard", "robust", "mean_abs"])
    @pytest.mark.parametrize("power", [-1000, -600, 600, 1015])
    def test_units_whose_squares_no_float_holds_scale_like_others(self, name, power):
        x = np.random.default_rng(0).normal(1, 1, 50)
        near, far = _arrays([50], x), _arrays([50], np.ldexp(x, power))
        wanted, affine = (scale.fit(name, each, split.tail(each, 0).train) for each in (near, far))
        np.testing.assert_allclose(np.ldexp(affine.loc, -power), wanted.loc, rtol=1e-12)
        np.testing.assert_allclose(np.ldexp(affine.scale, -power), wanted.scale, rtol=1e-12)

    def test_robust_takes_the_deviation_where_half_the_values_are_one(self):
        rain = _arrays([40], np.repeat([0.0, 1e-9], [36, 4]))
        assert scale.fit("robust", rain, split.tail(rain, 0).train).scale[0, 0] == pytest.approx(3e-10)

    @pytest.mark.parametrize(
        ("name", "per_series", "far", "mend"),
        [
            ("mean_abs", True, 1e9, "'c0' of series 's1' moves by .*scaler='standard'"),
            ("none", False, 1e9, "scaler='standard'"),
            ("standard", False, 1e9, "'s0'.*scale_per_series=True"),
            *[(name, True, 1e12, None) for name in ("standard", "robust")],
            *[(name, False, 100, None) for name in scale.SCALERS],
        ],
    )
    def test_what_float32_loses_of_a_series_is_said(self, name, per_series, far, mend):
        x = np.sin(np.arange(40.0))
        arrays = _arrays([40, 40], np.concatenate([x, far + x]))
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            scale.fit(name, arrays, split.tail(arrays, 4).train, per_series)
        assert [bool(re.search(mend or "", str(each.message))) for each in said] == ([True] if mend else [])

    @pytest.mark.parametrize("per_series", [False, True])
    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            ("standard", 1e30, True),
            ("standard", -1e9, True),
            ("mean_abs", 1e30, False),
            ("robust", 1e30, False),
            ("standard", 1e6, False),
        ],
    )
    def test_a_value_beside_which_the_others_are_lost_is_said(self, name, value, said, per_series):
        x = np.arange(40.0)
        x[10] = value
        arrays = _arrays([30, 40], np.concatenate([np.arange(30.0), x]))
        with warnings.catch_warnings(record=True) as notices:
            warnings.simplefilter("always")
            scale.fit(name, arrays, split.tail(arrays, 4).train, per_series)
        messages = [str(each.message) for each in notices]
        assert len(messages) == said
        assert all(f"column 'c0', row 11 of series 's1' holds {value:g}, so far out" in each for each in messages)

    def test_one_value_is_no_constant(self):
        arrays = _arrays([1], np.array([7.0]))
        affine = scale.fit("standard", arrays, split.tail(arrays, 0).train)
        assert (affine.loc[0, 0], affine.scale[0, 0]) == (7, 1)

    def test_all_series_together_or_each_by_itself(self):
        x = np.concatenate([np.arange(10.0), 100 + np.arange(10.0), 7 * np.arange(5.0)])
        arrays = _arrays([10, 10, 5], x)
        train = split.by_series(arrays, val=[], test=["s2"]).train
        together = scale.fit("standard", arrays, train)
        assert together.loc[:, 0].tolist() == [pytest.approx(54.5)] * 3
        each = scale.fit("standard", arrays, train, per_series=True)
        assert each.loc[:, 0].tolist() == [4.5, 104.5, pytest.approx(54.5)]  # the well left out takes the panel's
        assert each.scale[0, 0] == pytest.approx(np.arange(10).std())

    @pytest.mark.filterwarnings("ignore::tsrnn.errors.Notice")  # values far out are said
    @settings(max_examples=60, deadline=None)
    @given(
        x=hnp.arrays(np.float64, st.integers(2, 40), elements=st.floats(-1e6, 1e6)),
        name=st.sampled_from(sorted(scale.SCALERS)),
    )
    def test_undo_gives_back_what_came_in(self, x, name):
        arrays = _arrays([len(x)], x)
        affine = scale.fit(name, arrays, split.tail(arrays, 0).train)
        again = affine.invert(affine.apply(x[:, None]))
        np.testing.assert_allclose(again[:, 0], x, rtol=1e-12, atol=1e-9 * max(1.0, float(np.abs(x).max())))

    def test_standard_scores_have_mean_nought_and_deviation_one(self):
        x = np.random.default_rng(1).gamma(2, 30, 500)
        arrays = _arrays([500], x)
        z = scale.fit("standard", arrays, split.tail(arrays, 0).train).apply(x[:, None])
        assert z.mean() == pytest.approx(0, abs=1e-12)
        assert z.std() == pytest.approx(1)

    def test_unknown_names_meet_the_nearest(self):
        arrays = _arrays([5])
        with pytest.raises(InputError, match=r"'standart'.*did you mean 'standard'"):
            scale.fit("standart", arrays, split.tail(arrays, 0).train)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("far", [1e308, -1.7e308])
@pytest.mark.parametrize("ends", [False, True])
def test_numbers_near_the_end_of_float64_are_said_and_no_sum_of_them_warns(far, ends):
    """By no warning of numpy's, which names no column: neither at the fit nor at what is told."""
    noise = np.random.default_rng(0).normal(size=300)
    x = np.sign(noise) * far if ends else np.abs(noise) / 5 * far
    worst = f"{max(x.max(), x.min(), key=abs):g}".replace("+", r"\+")
    frame = pl.DataFrame({"t": range(300), "y": noise, "x": x})
    said = rf"^frame: x: 300 values near the largest number that a computer holds, such as {worst}; mend these cells"
    small = {"input_size": 16, "horizon": 4, "hidden_size": 4, "max_epochs": 1, "max_windows": 32, "progress": False}
    with pytest.warns(Notice, match=said):
        forecaster = Forecaster("gru", **small).fit(frame, target="y", past_covariates=["x"], time="t")
    assert forecaster.predict()["y"].is_finite().all()
