"""Faults put in on purpose: where they are labelled, and nowhere else."""

import numpy as np
import polars as pl
import pytest
from small import hours, waves

from tsrnn import faults
from tsrnn.errors import InputError
from tsrnn.panel import Panel

SEASON = 8


def frame(rows=200):
    values = waves(rows, 2, period=SEASON, noise=0.1)
    return pl.DataFrame({"ds": hours(rows), "a": values[:, 0], "b": values[:, 1]})


@pytest.mark.parametrize("kind", faults.KINDS)
def test_each_kind_changes_labelled_rows_and_no_others(kind):
    sound = frame()
    broken = faults.inject(sound, ["a", "b"], SEASON, 60, kinds=[kind], count=4, seed=3)
    labels = broken[faults.LABEL].to_numpy().astype(bool)
    changed = (broken.select("a", "b") != sound.select("a", "b")).to_numpy()
    assert (changed.sum(1) <= 1).all()
    assert not changed[~labels].any()
    assert changed[labels].any(1).mean() > 0.8
    assert not labels[:60].any()
    assert np.sum(np.diff(labels.astype(int)) == 1) == 4


def test_one_seed_is_one_world():
    first, again, other = (faults.inject(frame(), ["a"], SEASON, 60, count=4, seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


def test_a_panel_s_part_is_broken_in_each_of_its_series():
    table = pl.concat(frame().with_columns(unique_id=pl.lit(name)) for name in "xy")
    panel = Panel.of(table, target=["a", "b"], time="ds", id="unique_id")
    begin, end = np.array([100, 300]), np.array([200, 380])
    broken, labels = faults.into(panel, begin, end, SEASON, seed=0)
    assert labels[100:200].any()
    assert labels[300:380].any()
    assert not labels[:100].any()
    assert not labels[200:300].any()
    assert not labels[380:].any()
    same = (broken.frame["a"] == panel.frame["a"]) & (broken.frame["b"] == panel.frame["b"])
    assert same.to_numpy()[labels == 0].all()


def test_a_part_without_room_stays_sound():
    panel = Panel.of(frame(), target=["a"], time="ds")
    broken, labels = faults.into(panel, np.array([190]), np.array([200]), SEASON, seed=0)
    assert broken.frame.equals(panel.frame)
    assert not labels.any()


def test_the_worlds_hold_faults_in_their_second_year_alone():
    for made in (faults.transformer_faults, faults.station_faults):
        labels = made()[faults.LABEL].to_numpy()
        assert len(labels) == 17520
        assert not labels[:8760].any()
        assert 0 < labels[8760:].mean() < 0.1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kinds": ["shifted"]}, "unknown kind of fault 'shifted': did you mean 'shift'"),
        ({"columns": ["c"]}, "unknown column of frame 'c'"),
        ({"count": 40}, "40 faults need 8 rows before the first of them and 24 rows each; there are 60 and 3"),
    ],
)
def test_what_cannot_be_broken_is_one_sentence(options, said):
    with pytest.raises(InputError, match=said):
        faults.inject(frame(), **{"columns": ["a"], "season": SEASON, "begin": 60, **options})
