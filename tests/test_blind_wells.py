"""Wells that lack a curve: forecast with the mask where the model learnt to miss it, else said or refused."""

import numpy as np
import polars as pl
import pytest

from tsrnn import refine
from tsrnn.errors import InputError, Notice
from tsrnn.forecaster import Forecaster
from tsrnn.panel import Panel
from tsrnn.reading import EMPTY, Column, Note, Reading

ASKED = {"target": "GR", "past_covariates": "DTC", "time": "depth", "id": "well"}


def well(name, seed=0, rows=120):
    rng = np.random.default_rng(seed)
    gr = 60 + 20 * np.sin(np.arange(rows) / 9) + rng.normal(size=rows)
    depths = 1000 + 0.5 * np.arange(rows)
    return pl.DataFrame({"well": [name] * rows, "depth": depths, "GR": gr, "DTC": 80 + 0.3 * gr})


def fitted(*wells):
    return Forecaster("gru", input_size=16, horizon=4, max_epochs=1, hidden_size=8).fit(pl.concat(wells), **ASKED)


def lacking(frame, name="DTC"):
    return frame.with_columns(pl.lit(None, pl.Float64).alias(name))


@pytest.fixture(scope="module")
def told():
    """A model that saw a well without DTC."""
    return fitted(well("A"), well("B", 1), lacking(well("C", 2)))


@pytest.fixture(scope="module")
def untold():
    return fitted(well("A"), well("B", 1))


def test_a_well_without_a_covariate_is_forecast_with_the_mask(told):
    blind = lacking(well("D", 3))
    with pytest.warns(Notice, match="'DTC' holds no value in any row; it is read as missing throughout"):
        answer = told.predict(blind)
    with pytest.warns(Notice, match="'DTC' holds no value"):
        assert told.predict(blind.drop("DTC")).equals(answer)
    assert np.isfinite(answer["GR"].to_numpy()).all()
    together = pl.concat([well("A"), blind])
    assert told.predict(together).filter(well="D").equals(answer)


def test_a_model_that_never_missed_it_says_what_it_reads(untold):
    blind = lacking(well("D", 3))
    words = "series 'D' holds no 'DTC', which no row of the training missed: the model reads the training's mean"
    with pytest.warns(Notice, match=words):
        untold.predict(pl.concat([well("A"), blind]))
    with pytest.warns(Notice, match=words):
        untold.predict(Panel.of(blind, **ASKED))
    with pytest.raises(InputError, match=r"unknown column of frame 'DTC'.*so that the model learns to miss it"):
        untold.predict(blind.drop("DTC"))


def test_a_well_without_a_target_is_a_panel_and_nothing_is_forecast_from_it(told):
    panel = Panel.of(lacking(well("D"), "GR"), **ASKED)
    assert panel.roles.targets == ("GR",)
    with pytest.raises(InputError, match="'GR' is empty"):
        fitted(lacking(well("D"), "GR"))
    with pytest.raises(InputError, match="'D' has no measured target"):
        told.predict(panel)


def test_a_curve_that_the_reader_left_out_can_be_asked_for():
    frame = well("D").drop("DTC")
    reading = Reading(frame, {"GR": Column("gAPI")}, (Note(EMPTY, 1, "DTC", "D", loud=False),))
    panel = refine.panel(reading, {**ASKED, "source": "D.las"})
    assert panel.frame["DTC"].null_count() == frame.height
    with pytest.raises(InputError, match=r"unknown column of D\.las 'NPHI'"):
        refine.panel(reading, {**ASKED, "past_covariates": "NPHI", "source": "D.las"})
