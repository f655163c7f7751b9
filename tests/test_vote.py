"""A vote is the mean of what its members say of each step, each of which learns as if it were alone."""

import numpy as np
import pytest
import torch
from test_trees import PARTS, wells

from tsrnn import models
from tsrnn.errors import InputError
from tsrnn.shapes import Batch, Spec
from tsrnn.tagger import Tagger

NETWORK = {"model": "bigru", "hidden_size": 8, "num_layers": 1}
TREES = {"model": "trees", "rounds": 10, "least": 5}
SHORT = {"input_size": 16, "max_epochs": 2, "max_windows": 64, "progress": False}
WORLD = {"target": "label", "inputs": ["GR"], "id": "well", "time": "depth", "split": PARTS}


def fitted(model="vote", **options):
    return Tagger(model, **SHORT, **options).fit(wells(lambda curve, row: curve > 0.3), **WORLD)


def shares(tagger):
    table = tagger.predict(wells(lambda curve, row: curve > 0.3))
    return table.select("label_p_no", "label_p_yes").to_numpy()


@pytest.mark.parametrize("params", [1, 3])
def test_probabilities_are_the_geometric_mean_and_values_the_mean(params):
    spec = Spec(input_size=12, horizon=12, channels=2, targets=1, params=params, loss="mse")
    vote = models.build("vote", models.configure("vote", {"members": (NETWORK, NETWORK)}), spec).eval()
    batch = Batch(torch.randn(4, 12, 2))
    said = [member(batch) for member in vote.members]
    told = vote(batch)
    if params == 1:
        return torch.testing.assert_close(told, (said[0] + said[1]) / 2)
    expected = (said[0].softmax(-1) * said[1].softmax(-1)).sqrt()
    torch.testing.assert_close(told.softmax(-1), expected / expected.sum(-1, keepdim=True))


def test_trees_beside_a_network_are_what_they_are_alone():
    vote, alone = fitted(members=(TREES, NETWORK)), fitted(**TREES)
    assert vote.report_.epochs > 0
    rows = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    ours, theirs = (each.trees.predict_proba(rows) for each in (vote.model_.members[0], alone.model_))
    np.testing.assert_array_equal(ours, theirs)
    assert np.abs(shares(vote) - shares(alone)).max() > 0.01


def test_a_vote_of_trees_alone_is_solved_and_says_what_they_say():
    vote, alone = fitted(members=(TREES,)), fitted(**TREES)
    assert vote.report_.epochs == 0
    np.testing.assert_allclose(shares(vote), shares(alone), atol=1e-6)


def test_trees_read_the_first_channels_alone_where_so_many_are_said():
    frame = wells(lambda curve, row: curve > 0.3).with_columns(noise=np.random.default_rng(2).normal(size=600))
    asked = {**WORLD, "inputs": ["GR", "noise"]}
    one = Tagger("trees", **SHORT, rounds=10, channels=1).fit(frame, **asked)
    np.testing.assert_array_equal(shares(fitted("trees", rounds=10)), one.predict(frame)[:, -2:].to_numpy())


def test_a_vote_with_trees_lies_in_no_file_and_one_of_networks_does(tmp_path):
    with pytest.raises(InputError, match="trees"):
        fitted(members=(TREES, NETWORK)).save(tmp_path / "trees")
    vote = fitted(members=(NETWORK, {**NETWORK, "cell": "lstm"}))
    vote.save(tmp_path / "networks")
    np.testing.assert_array_equal(shares(Tagger.load(tmp_path / "networks")), shares(vote))


@pytest.mark.parametrize(
    ("members", "match"),
    [
        (({"model": "gru"},), "'gru' is for the task 'ahead'"),
        (({"model": "bigru", "input_size": 8},), "give input_size to 'vote' itself"),
        (({"model": "vote"},), "no member of a vote"),
        (({"model": "bigru", "hiden_size": 8},), "hiden_size"),
        ((), "members takes a list"),
        (("bigru",), "members takes a list"),
    ],
)
def test_members_that_cannot_vote_are_refused(members, match):
    with pytest.raises(InputError, match=match):
        fitted(members=members)


def test_members_follow_the_schedules_of_a_training(monkeypatch):
    """A vote hands on what a training tells a model: when an epoch starts, and that it has ended."""
    told = []
    for name in ("epoch_starts", "settle"):
        monkeypatch.setattr(models.find("bigru").kind, name, lambda *_, name=name: told.append(name))
    fitted(members=(NETWORK, TREES))
    assert told.count("epoch_starts") == SHORT["max_epochs"]
    assert told.count("settle") == 1
