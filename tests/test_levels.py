"""Words of covariates: learnt once, a column of 0 and 1 or a code each, saved; a word met later is a level."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tsrnn import levels
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel

DAYS = pd.date_range("2024-01-01", periods=40)
REGIONS = {"A": "north", "B": "south", "C": "north"}
TASK = {"input_size": 7, "horizon": 2, "hidden_size": 4, "max_epochs": 1}


def _frame(**columns):
    parts = [
        pd.DataFrame({"unique_id": name, "ds": DAYS, "y": 10.0 * k + np.arange(40.0), "region": region})
        for k, (name, region) in enumerate(REGIONS.items())
    ]
    return pd.concat(parts, ignore_index=True).assign(**columns)


def _static(frame):
    return Panel.of(frame, target="y", static_covariates="region").arrays().static.tolist()


@pytest.mark.parametrize("kind", [lambda f: f, pl.from_pandas, lambda f: pl.from_pandas(f).to_arrow()])
@pytest.mark.parametrize("dtype", [str, object, "category"])
def test_a_column_for_each_word(kind, dtype):
    assert _static(kind(_frame(region=lambda f: f.region.astype(dtype)))) == [[1, 0], [0, 1], [1, 0]]


def test_numbers_and_booleans_stay_one_column():
    assert _static(_frame(region=lambda f: f.region == "north")) == [[1], [0], [1]]
    assert _static(_frame(region=lambda f: f.region.map({"north": "1", "south": "2"}))) == [[1], [2], [1]]
    assert _static(_frame(region=lambda f: f.region.map({"north": "01", "south": "02"}))) == [[1, 0], [0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([f"word {k}" for k in range(80)] + ["again"] * 40, ["81 different words in 120 rows", "again and again"]),
        ((["1"] * 39 + ["oops"]) * 3, ["row 40 holds 'oops' among numbers"]),
    ],
)
def test_what_is_no_category_is_named(cells, words):
    with pytest.raises(InputError, match="'region'") as caught:
        Panel.of(_frame(region=cells), target="y", future_covariates="region")
    assert all(word in str(caught.value) for word in words)


def test_a_static_covariate_that_changes_is_named():
    with pytest.raises(InputError, match="'region' changes in row 42 of series 'B'; name it as a past or future"):
        _static(_frame(region=[*["a"] * 41, *["b"] * 79]))
    assert _static(_frame(region=[None, *["a"] * 39, *["b"] * 80])) == [[1, 0], [0, 1], [0, 1]]


def test_words_met_later_and_missing_ones_are_a_row_of_zeros(tmp_path):
    frame = _frame(plan=["on", "off"] * 60)
    fitted = Forecaster("gru", **TASK).fit(frame, target="y", static_covariates="region", future_covariates="plan")
    assert (fitted.spec_.static, fitted.spec_.known) == (2, 2)
    fitted.save(tmp_path / "saved")
    loaded = Forecaster.load(tmp_path / "saved")
    ahead = pd.DataFrame({"unique_id": [*"AABBCC"], "ds": [*pd.date_range("2024-02-10", periods=2)] * 3, "plan": "on"})
    before = fitted.predict(future=ahead)
    pd.testing.assert_frame_equal(loaded.predict(frame, future=ahead), before)
    pd.testing.assert_frame_equal(
        loaded.predict(Panel.of(frame, target="y", static_covariates="region", future_covariates="plan"), future=ahead),
        before,
    )
    other = frame.assign(region=frame.region.replace("south", "west"))
    panel = loaded.preparation_.read(other)
    with pytest.warns(Notice, match="'region' holds 'west', and the model knows 'north', 'south'"):
        assert panel.arrays().static.tolist() == [[1, 0], [0, 0], [1, 0]]
    made = Panel.of(other, target="y", static_covariates="region", future_covariates="plan")
    with pytest.warns(Notice, match="'west'"):
        assert loaded.preparation_.read(made).arrays().static.tolist() == [[1, 0], [0, 0], [1, 0]]
    with pytest.warns(Notice, match="'plan' holds 'perhaps', and the model knows 'off', 'on'"):
        late = loaded.predict(frame, future=ahead.assign(plan="perhaps"))["y"]
    assert np.isfinite(late).all()
    assert not np.allclose(late, before["y"])
    with pytest.warns(Notice, match="'plan' holds '3', and the model knows"):
        loaded.predict(frame, future=ahead.assign(plan=3))
    with pytest.raises(InputError, match="future lacks plan at unique_id A"):
        loaded.predict(frame, future=ahead.assign(plan=None))


def test_the_numbers_of_a_frame_with_words_have_a_fingerprint():
    one, other = (
        Panel.of(_frame(region=word), target="y", static_covariates="region").fingerprint for word in ("north", "south")
    )
    assert one != other


def test_many_words_are_codes_that_hang_on_the_word_alone():
    words = [f"shop {k}" for k in range(300)]
    with pytest.warns(Notice, match=r"holds 'new', and the model knows 'shop 0', .* and 295 more"):
        code = levels.encode(pl.Series([*words, None, "new"]), tuple(sorted(words)))
    assert code.shape == (302, 16)
    np.testing.assert_allclose(np.linalg.norm(code[:300], axis=1), 1, rtol=1e-5)
    assert np.abs(code[:300] @ code[:300].T - np.eye(300)).max() < 0.95
    assert not code[300:].any()
    fewer = levels.encode(pl.Series(words[:20]), tuple(sorted(words[:20])))
    np.testing.assert_array_equal(fewer, code[:20])


def test_the_series_id_is_a_static_covariate_by_its_name(tmp_path):
    frame = _frame()
    static = {"target": "y", "static_covariates": ["unique_id", "region"]}
    panel = Panel.of(frame, **static)
    assert panel.ids == ("A", "B", "C")
    assert panel.arrays().static.tolist() == [[1, 0, 0, 1, 0], [0, 1, 0, 0, 1], [0, 0, 1, 1, 0]]
    numbered = Panel.of(frame.assign(unique_id=frame.unique_id.map({"A": 7, "B": 8, "C": 9})), **static)
    assert numbered.arrays().static[:, :3].tolist() == np.eye(3).tolist()
    fitted = Forecaster("gru", **TASK).fit(frame, **static)
    fitted.save(tmp_path / "saved")
    loaded = Forecaster.load(tmp_path / "saved")
    pd.testing.assert_frame_equal(loaded.predict(frame), fitted.predict())
    with pytest.warns(Notice, match="'unique_id' holds 'D', and the model knows 'A', 'B', 'C'"):
        later = loaded.predict(frame.replace({"unique_id": {"C": "D"}}))
    assert list(later.unique_id) == ["A", "A", "B", "B", "D", "D"]
    assert np.isfinite(later.y).all()


def test_many_series_are_told_apart_by_their_codes():
    names = [f"shop {k}" for k in range(20)]
    frame = pd.concat([_frame()[:40].assign(unique_id=name) for name in names])
    panel = Panel.of(frame, target="y", static_covariates="unique_id")
    np.testing.assert_array_equal(panel.arrays().static, levels.encode(pl.Series(names), tuple(sorted(names))))
