"""Series with labelled anomalies, as aeon's wheel carries them: sound where models learn, and labels in no role."""

from importlib.util import find_spec

import pytest

from tsrnn import catalog, faults, packaged, packaged_anomalies, suites
from tsrnn.errors import InputError

NAMES = [name for name in catalog.names() if catalog.row(name).reader == "aeon_csv"]
SIMULATED = [name for name in catalog.names() if catalog.row(name).reader == "faults"]


def checked(panel, name):
    row = catalog.row(name)
    labels = panel.frame[faults.LABEL].to_numpy()
    train, val, test = row.split["borders"]
    assert panel.frame.height == row.rows == test
    assert not labels[:val].any()
    assert labels[val:].any()
    assert train < val
    assert faults.LABEL not in (*panel.roles.targets, *panel.roles.past)
    assert panel.roles.targets == row.target


@pytest.mark.skipif(find_spec("aeon") is None, reason="aeon, which carries the data, is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_what_aeon_carries_is_sound_where_models_learn(name):
    panel = catalog.load(name)
    checked(panel, name)
    assert panel.sha256 == catalog.row(name).sha256


@pytest.mark.parametrize("name", SIMULATED)
def test_a_world_with_faults_is_sound_where_models_learn(name):
    checked(catalog.load(name), name)


def test_each_of_them_has_a_suite_that_is_scored_by_labels():
    said = {suites.find(name).data: suites.find(name) for name in suites.names() if suites.find(name).task == "detect"}
    assert {*said} == {*NAMES, *SIMULATED}
    for suite in said.values():
        assert suite.measures[0] == "missed"
        assert "ols" in suites.preset(suite.name, "quick").models


def test_without_aeon_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(packaged, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"the package aeon, which is not installed; .*--no-deps aeon"):
        packaged_anomalies.read("EcgDiffCount3")


@pytest.mark.skipif(find_spec("aeon") is None, reason="aeon, which carries the data, is not installed")
def test_other_files_than_the_catalogue_s_are_refused():
    with pytest.raises(InputError, match="is not EcgDiffCount3: its sha256 is"):
        packaged_anomalies.read("EcgDiffCount3", "0" * 64)
