"""Rows that stand out: by errors of forecasts, in a size that sound rows have, over a threshold of stated alarms."""

import numpy as np
import polars as pl
import pytest
from small import hours, waves

from tsrnn import anomalies, residuals
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel
from tsrnn.residuals import Usual
from tsrnn.split import Part, whole

ROLES = {"target": ["a", "b"], "time": "ds"}
LAST = np.array([0, 12])


def frame(rows=400, seed=0, start=0):
    values = waves(start + rows, 2, period=8, noise=0.1, seed=seed)[start:]
    return pl.DataFrame({"ds": hours(rows), "a": 100 + values[:, 0], "b": values[:, 1]})


@pytest.fixture(scope="module")
def fitted():
    return Forecaster("ols", input_size=16, horizon=3, val_size=0.4).fit(frame(), **ROLES)


def broken():
    """A spike in b at row 200."""
    return frame().with_columns(b=pl.when(pl.int_range(pl.len()) == 200).then(9.0).otherwise("b"))


class TestUsual:
    def test_a_size_is_the_root_mean_square_of_each_lead_and_target(self):
        errors = np.array([[[1.0, 0.0]], [[3.0, np.nan]], [[np.nan, 4.0]]])
        usual = Usual.learn(errors, np.array([0, 3]))
        np.testing.assert_allclose(usual.size, [[np.sqrt(5), np.sqrt(8)]])

    def test_a_row_s_part_is_a_mean_over_its_leads(self):
        usual = Usual(np.array([[1.0], [2.0]]), 1, np.zeros(0))
        parts = usual.parts(np.array([[[3.0], [2.0]], [[np.nan], [2.0]], [[np.nan], [np.nan]]]))
        np.testing.assert_allclose(parts, [[2.0], [1.0], [np.nan]])

    def test_a_score_is_the_worst_target_s(self):
        usual = Usual(np.ones((1, 2)), 1, np.zeros(0))
        parts = np.array([[1.0, 3.0], [np.nan, 2.0], [np.nan, np.nan]])
        np.testing.assert_array_equal(usual.score(parts, np.array([0, 3])), [3.0, 2.0, np.nan])

    @pytest.mark.parametrize("smooth", [2, 3, 8])
    def test_a_smooth_score_is_a_mean_inside_its_series(self, smooth):
        rng = np.random.default_rng(0)
        parts = rng.random((20, 1))
        parts[[4, 13]] = np.nan
        offsets = np.array([0, 9, 20])
        scores = Usual(np.ones((1, 1)), smooth, np.zeros(0)).score(parts, offsets)
        for begin, end in ((0, 9), (9, 20)):
            for row in range(begin, end):
                low, high = max(begin, row - smooth // 2), min(end, row - smooth // 2 + smooth)
                expected = np.nan if np.isnan(parts[row, 0]) else np.nanmean(parts[low:high, 0])
                np.testing.assert_allclose(scores[row], expected)

    @pytest.mark.parametrize("alpha", [0.05, 0.2])
    def test_a_sound_row_exceeds_the_threshold_as_seldom_as_was_asked(self, alpha):
        rng = np.random.default_rng(0)
        shares = []
        for _ in range(400):
            usual = Usual(np.ones((1, 1)), 1, np.sort(rng.random(99)))
            shares.append(rng.random(50) > usual.threshold(alpha))
        assert np.mean(shares) == pytest.approx(alpha, abs=0.01)

    def test_a_target_that_never_moved_is_told_of_when_it_does(self):
        usual = Usual.learn(np.zeros((5, 1, 1)), np.array([0, 5]))
        assert usual.parts(np.array([[[0.1]]]))[0, 0] > 1e4


def test_errors_stand_at_the_rows_that_were_forecast(fitted):
    panel = fitted.preparation_.read(frame())
    laid = fitted.preparation_.lay(panel)
    errors = residuals.of_forecasts(fitted.model_, fitted.head_, laid, whole(laid.arrays))
    table = fitted.forecasts(frame())
    for row, lead in ((16, 0), (18, 2), (250, 1)):
        told = table.filter((pl.col("ds") == frame()["ds"][row]) & (pl.col("lead") == lead + 1))
        missed = (told["y"] - told["forecast"]).abs().to_numpy() / fitted.scaling_.scale[0]
        np.testing.assert_allclose(errors[row, lead], missed, rtol=1e-3)
    assert np.isnan(errors[:16]).all()
    assert np.isnan(errors[16, 1:]).all()
    part = residuals.of_forecasts(fitted.model_, fitted.head_, laid, Part(np.array([100]), np.array([120])))
    assert np.isfinite(part[100:120]).any((1, 2)).all()
    assert np.isnan(part[:100]).all()
    assert np.isnan(part[120:]).all()


def test_a_spike_stands_out_and_its_target_is_named(fitted):
    told = fitted.anomalies(broken())
    assert told.columns == ["ds", "score", "threshold", "anomaly", "a_score", "b_score"]
    assert told["score"].arg_max() == 200
    assert told["anomaly"][200]
    assert told["b_score"][200] > 5 * told["a_score"][200]
    assert told["threshold"].n_unique() == 1
    assert told["anomaly"].to_list() == (told["score"] > told["threshold"]).fill_null(False).to_list()
    assert told["score"][:16].null_count() == 16
    assert not told["anomaly"][:16].any()


def test_pandas_comes_back_as_pandas(fitted):
    told = fitted.anomalies(broken().to_pandas())
    assert told["anomaly"].dtype == bool
    assert told["anomaly"].iloc[200]


def test_a_frame_of_which_no_row_can_be_judged_is_refused(fitted):
    with pytest.raises(InputError, match="frame: no row can be judged, for want of rows before it or of a measurement"):
        fitted.anomalies(frame(10))


def test_series_of_which_no_row_can_be_judged_are_named():
    both = pl.concat([frame(200).with_columns(well=pl.lit("A")), frame(200, 1).with_columns(well=pl.lit("B"))])
    many = Forecaster("ols", input_size=16, horizon=3, val_size=0.4).fit(both, id="well", **ROLES)
    short = both.filter((pl.col("well") == "A") | (pl.col("ds").rank("dense").over("well") <= 10))
    with pytest.warns(Notice, match="frame: series 'B': no row can be judged"):
        told = many.anomalies(short)
    assert not told.filter(pl.col("well") == "B")["anomaly"].any()


def test_a_larger_alpha_tells_of_more(fitted):
    counts = [fitted.anomalies(broken(), alpha=alpha)["anomaly"].sum() for alpha in (0.01, 0.05, 0.3)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_what_comes_later_moves_no_threshold_and_no_earlier_score(fitted):
    whole_, early = fitted.anomalies(broken()), fitted.anomalies(broken()[:190])
    assert early["threshold"][0] == whole_["threshold"][0]
    np.testing.assert_allclose(early["score"][16:180], whole_["score"][16:180], rtol=1e-5)


def test_sound_rows_may_be_named(fitted, tmp_path):
    fitted.save(tmp_path / "saved")
    loaded = Forecaster.load(tmp_path / "saved")
    with pytest.raises(InputError, match="a loaded Forecaster holds no rows; pass sound=, rows in which all was well"):
        loaded.anomalies(broken())
    sound = frame(seed=0)[-120:]
    told = loaded.anomalies(broken(), sound=sound, smooth=2)
    assert told.equals(fitted.anomalies(broken(), sound=sound, smooth=2))
    assert told["score"].arg_max() in (200, 201)


def test_series_are_judged_each_by_itself():
    table = pl.concat(frame(seed=k).with_columns(unique_id=pl.lit(name)) for k, name in enumerate("xy"))
    model = Forecaster("ols", input_size=16, horizon=2, val_size=0.3).fit(table, **ROLES, id="unique_id")
    told = model.anomalies(table, alpha=0.1, smooth=4)
    assert told.columns[:2] == ["unique_id", "ds"]
    assert told.filter(pl.col("unique_id") == "y")["score"][:16].null_count() == 16


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"alpha": 0.0}, "alpha is the chance of a false alarm, a share between 0 and 1, not 0.0"),
        (
            {"alpha": 1e-4},
            "alpha=0.0001 takes at least 9,999 sound rows, and there are 160; take a larger alpha, or fit with",
        ),
        ({"smooth": 0}, "smooth is a whole number of rows, at least 1, not 0"),
        ({"sound": frame()[:10]}, "no row that all was well in was told by the model"),
    ],
)
def test_what_cannot_be_judged_is_one_sentence(fitted, options, said):
    with pytest.raises(InputError, match=said):
        fitted.anomalies(broken(), **options)


def test_rows_of_the_training_flatter(fitted):
    with pytest.warns(Notice, match="the rows that the model was trained on, whose errors are small; pass others"):
        fitted.anomalies()


def test_an_index_called_as_a_column_of_the_answer_is_refused():
    panel = Panel.of(frame().rename({"ds": "score"}), target="a", time="score")
    with pytest.raises(InputError, match="column 'score' is called as one of the anomalies' columns; rename it"):
        anomalies.table(panel, np.zeros((400, 1)), np.zeros(400), 1.0)
