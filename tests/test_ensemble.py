"""An ensemble is the mean of its members, each of which learns as if it were alone."""

import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small import arrays_of, cut_of, long_frame, waves

from tsrnn import fit, heads, models, testing, windows
from tsrnn.errors import InputError
from tsrnn.forecaster import Forecaster
from tsrnn.models.ensemble import Config, Ensemble
from tsrnn.parameters import FitConfig
from tsrnn.shapes import Batch, Spec

SPEC = Spec(input_size=48, horizon=6, channels=2, targets=2, seasonality=8)
LINEAR, NEAR, SOLVED = {"model": "nlinear"}, {"model": "nlinear", "input_size": 16}, {"model": "ols", "input_size": 24}
GRU = {"model": "gru", "segment": 8, "hidden_size": 8, "dropout": 0.0}


def made(*members: dict[str, Any], spec: Spec = SPEC) -> Ensemble:
    torch.manual_seed(0)
    return Ensemble(Config(members), spec)


def world(rows: int = 400) -> windows.Windows:
    return cut_of(arrays_of(waves(rows, 2, noise=0.2)), SPEC.input_size, SPEC.horizon)


def batch(cut: windows.Windows, rows: int = 16) -> Batch:
    return cut.gather(torch.arange(rows))


@pytest.mark.slow
@pytest.mark.parametrize("members", [(LINEAR, SOLVED), (GRU, NEAR, LINEAR), ({"model": "s_mamba"}, SOLVED)])
def test_the_contract_of_other_line_ups(members: tuple[dict[str, Any], ...]) -> None:
    testing.check_model("ensemble", members=members)


def test_the_forecast_is_the_mean_of_members_that_see_their_own_look_back() -> None:
    ensemble, seen = made(LINEAR, NEAR).eval(), batch(world())
    whole, near = ensemble.members
    alone = [whole(seen), near(replace(seen, past=seen.past[:, -16:]))]
    torch.testing.assert_close(ensemble(seen), torch.stack(alone).mean(0))


def test_what_stands_beside_the_past_is_cut_with_it() -> None:
    spec = replace(SPEC, known=3)
    ensemble = made(GRU, {**GRU, "input_size": 16}, spec=spec).eval()
    past, known = torch.randn(4, 48, 2), torch.randn(4, 54, 3)
    seen = Batch(
        past, observed=torch.ones(4, 48, 2, dtype=torch.bool), known=known, lengths=torch.tensor([48, 30, 9, 2])
    )
    own = Batch(past[:, 32:], known=known[:, 32:], lengths=torch.tensor([16, 16, 9, 2]))
    alone = torch.stack([ensemble.members[0](seen), ensemble.members[1](own)])
    torch.testing.assert_close(ensemble(seen), alone.mean(0))


def test_each_member_learns_from_its_own_error_and_the_mean_is_judged() -> None:
    ensemble, seen, head = made(LINEAR, GRU), batch(world()), heads.build(None, "mse")
    own = [member.loss(seen, head) for member in ensemble.members]
    torch.testing.assert_close(ensemble.train().loss(seen, head), torch.stack(own).mean())
    torch.testing.assert_close(ensemble.eval().loss(seen, head), head.loss(ensemble(seen), seen.target, None))


def test_a_member_trains_as_it_would_alone() -> None:
    head, config = heads.build(None, "mse"), FitConfig(max_epochs=2, gradient_clip=0.0)
    together = made(LINEAR, NEAR)
    alone = models.build("nlinear", models.configure("nlinear", {}), SPEC)
    alone.load_state_dict(together.members[0].state_dict())
    for model in (together, alone):
        fit.fit(model, head, world(), None, config)
    for name, weight in alone.state_dict().items():
        torch.testing.assert_close(together.members[0].state_dict()[name], weight, rtol=1e-3, atol=1e-5)


def test_closed_forms_are_solved_and_stay_so() -> None:
    cut = world()
    both = made(SOLVED, NEAR)
    assert not both.solve(cut, None)
    alone = models.build("ols", models.configure("ols", {}), replace(SPEC, input_size=24))
    alone.solve(windows.Windows(cut.buffer, cut.targets_at, 24, SPEC.horizon), None)
    torch.testing.assert_close(both.members[0].linear.weight, alone.linear.weight)
    fit.fit(both, heads.build(None, "mse"), cut, None, FitConfig(max_epochs=1))
    torch.testing.assert_close(both.members[0].linear.weight, alone.linear.weight)
    assert made(SOLVED, {"model": "repeat_last"}).solve(cut, None)


def test_it_beats_its_worse_member_and_survives_the_disk(tmp_path: Any) -> None:
    frame = long_frame()
    options: dict[str, Any] = {"input_size": 24, "horizon": 6, "max_epochs": 3, "quantiles": [0.1, 0.5, 0.9]}
    members = [{"model": "nlinear"}, {"model": "gru", "input_size": 12, "hidden_size": 8}]
    split = {"ratios": [0.6, 0.2, 0.2]}
    roles = {"target": "y", "time": "ds", "id": "unique_id"}
    made = Forecaster("ensemble", members=members, **options).fit(frame, split=split, **roles)
    single = [Forecaster(**{**options, **each}).fit(frame, split=split, **roles) for each in members]
    assert made.score(split=split).mae < max(each.score(split=split).mae for each in single)
    made.save(tmp_path / "kept")
    again = Forecaster.load(tmp_path / "kept")
    before, after = made.predict(frame), again.predict(frame)
    assert np.array_equal(before.drop("unique_id", "ds").to_numpy(), after.drop("unique_id", "ds").to_numpy())


@pytest.mark.parametrize("size", [96, 720])
def test_every_line_up_of_the_sweep_can_be(size: int) -> None:
    recipes = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "recipes.py"))
    for members in recipes["LINE_UPS"].values():
        config = models.configure("ensemble", {"members": recipes["_within"](members, size)})
        ensemble = models.build("ensemble", config, replace(SPEC, input_size=size, seasonality=24))
        assert len(ensemble.members) == len(members)
        assert max(member.spec.input_size for member in ensemble.members) <= size


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([], "members takes a list such as"),
        ("gru", "members takes a list such as"),
        ([{"hidden_size": 3}], "members takes a list such as"),
        ([{"model": "gruu"}], "unknown model 'gruu'"),
        ([{"model": "gru", "hiden_size": 3}], "hidden_size"),
        ([{"model": "gru", "learning_rate": 0.1}], "learning_rate"),
        ([{"model": "gru", "input_size": 49}], "input_size=49; it must be 1..48"),
        ([{"model": "gru", "input_size": "24"}], "input_size='24'; it must be 1..48"),
        ([{"model": "gru", "input_size": True}], "input_size=True; it must be 1..48"),
        ([{"model": "gru"}, {"model": "bilstm_tagger"}], "'bilstm_tagger' is for the task 'along', not for 'ahead'"),
    ],
)
def test_a_line_up_that_cannot_be_is_refused(members: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        models.build("ensemble", models.configure("ensemble", {"members": members}), SPEC)
