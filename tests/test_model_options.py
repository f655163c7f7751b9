"""Options of models, cells and training find their object; a wrong one is named, with the nearest."""

import re
from dataclasses import fields, make_dataclass
from typing import get_type_hints

import pytest
import torch
from small import long_frame
from small_models import made, small

from tsrnn import models
from tsrnn.cells import Cell
from tsrnn.commands._base.given import options as options_of
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.parameters import read_toml, sort
from tsrnn.registry import names
from tsrnn.shapes import Spec


def test_an_option_of_another_model_is_named():
    with pytest.raises(InputError, match="unknown option of model 'lstm' 'hiden_size': did you mean 'hidden_size'"):
        models.configure("lstm", {"hiden_size": 3})
    with pytest.raises(InputError, match="unknown option of model 'nlinear' 'hidden_size'"):
        models.configure("nlinear", {"hidden_size": 3})
    with pytest.raises(InputError, match="did you mean 'learning_rate'"):
        sort("lstm", {"learning_rat": 1e-3})


def test_options_find_the_object_they_belong_to():
    config, training = sort("gru", {"hidden_size": 7, "max_epochs": 3})
    assert (config.cell, config.hidden_size, training.max_epochs) == ("gru", 7, 3)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("gru", {"centring": "lats"}, "unknown centring of model 'gru' 'lats': did you mean 'last'"),
        ("ols", {"ridges": 0.1}, "ridges takes numbers of at least 0, such as [1e-4, 1e-2], not 0.1"),
        ("ols", {"ridges": [0.1, -1]}, "not [0.1, -1]"),
        ("ols", {"ridges": []}, "not []"),
        ("segrnn", {"decoding": 3}, "unknown decoding of model 'segrnn' '3': Known: parallel, recurrent"),
        ("seq2seq", {"cell": "grv"}, "unknown cell 'grv': did you mean 'gru'"),
        ("lstm", {"cell_options": 2}, "cell_options takes names and values, such as {forget_bias = 2.0}, not 2"),
        ("lstm", {"cell_options": {"forget_bia": 2}}, "option of cell 'lstm' 'forget_bia': did you mean 'forget_bias'"),
        ("gru", {"cell_options": {"backend": "stock"}}, "unknown option of cell 'gru' 'backend': Known: none"),
        ("lstm", {"cell_options": {"forget_bias": "two"}}, "takes a value such as 1.0, not 'two'"),
        ("rnn", {"cell_options": {"nonlinearity": 1}}, "takes a value such as 'tanh', not 1"),
    ],
)
def test_a_word_that_an_option_does_not_know_is_named(name, options, message):
    with pytest.raises(InputError, match=re.escape(message)):
        models.configure(name, options)


@pytest.mark.parametrize("name", names("models"))
def test_sizes_that_are_none_are_refused(name):
    """Every whole number is at least 1, or 0 where that is the default; every number and word is one."""
    config = models.find(name).config
    kinds = get_type_hints(config)
    for each in fields(config):
        kind = kinds[each.name]
        if kind is int:
            wrong = [-1 if each.default == 0 else 0, "8", 1.5, True, None]
        elif kind is float:
            wrong = ["0.5", None, float("nan") if each.name == "dropout" else True]
        elif kind is bool:
            wrong = ["yes", 1]
        else:
            wrong = [-1, "8"] if kind == int | None else []
        for value in wrong:
            with pytest.raises(InputError, match=each.name):
                models.build(name, models.configure(name, {each.name: value}), Spec(48, 6, 2, 2, seasonality=24))


def test_an_option_without_a_default_must_be_given():
    class Bare(models.Model):
        Config = make_dataclass("Config", [("width", int)], frozen=True)

        def forward(self, batch):
            return batch.past

    assert models.configure(Bare, {"width": 3}).width == 3
    with pytest.raises(InputError, match=r"model 'Bare': .*missing.*'width'"):
        models.configure(Bare, {})
    with pytest.raises(InputError, match="width of model 'Bare' must be at least 1, not 0"):
        models.configure(Bare, {"width": 0})


def test_dropout_is_a_probability():
    for value in (-0.1, 1, 2.0):
        with pytest.raises(InputError, match=f"dropout of model 'mlp' must be at least 0 and below 1, not {value}"):
            models.configure("mlp", {"dropout": value})


@pytest.mark.parametrize("text", ["cell_options={forget_bias = 3.0}", "cell_options={'forget_bias' = 3}"])
@pytest.mark.parametrize("name", ["bilstm", "seq2seq", "segrnn", "braid", "deepar"])
def test_a_cells_own_options_come_from_the_command_line(name, text):
    model = made(name, cell="lstm", **options_of(["num_layers=2", text]))
    forget = [each.bias_ih[16:32] for each in model.modules() if isinstance(each, Cell)]
    assert len(forget) == {"bilstm": 4, "seq2seq": 4, "segrnn": 3, "braid": 3, "deepar": 2}[name]
    assert all(torch.equal(each, torch.full((16,), 3.0)) for each in forget)


def test_a_cells_own_options_come_from_a_file_and_are_saved(tmp_path):
    (tmp_path / "a.toml").write_text('model = "segrnn"\ncell = "elman"\ncell_options.nonlinearity = "relu"\n')
    params = {"input_size": 48, "horizon": 6, "max_epochs": 1, **small("segrnn"), **read_toml(tmp_path / "a.toml")}
    forecaster = Forecaster(**params).fit(long_frame((90, 80)))
    assert forecaster.model_.encoder.cells[0].nonlinearity == "relu"
    forecaster.save(tmp_path / "saved")
    loaded = Forecaster.load(tmp_path / "saved")
    assert loaded.model_.decoder.nonlinearity == "relu"
    assert loaded.get_params() == forecaster.get_params()


def test_an_unknown_model_is_named_with_the_nearest():
    with pytest.raises(InputError, match="unknown model 'lstn': did you mean"):
        models.configure("lstn", {})


@pytest.mark.parametrize("name", ["lstm", "segrnn", "seq2seq", "selective"])
def test_a_segment_longer_than_the_window_is_refused(name):
    with pytest.raises(InputError, match="segment=49 is longer than input_size=48"):
        made(name, segment=49)
