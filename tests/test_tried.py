"""What was tried beside the straight line, at sizes that take no time; no figure is asserted."""

import sys
from pathlib import Path

import pytest
import torch

from tsrnn import Forecaster, heads
from tsrnn.simulate import transformer

FOLDER = Path(__file__).parent.parent / "benchmarks" / "tried"
MODULES = ("maps", "neighbours", "networks", "run", "trial")
SMALL = {"input_size": 48, "horizon": 24, "centring": "last"}
TRAINED = {**SMALL, "segment": 12, "hidden_size": 8, "batch_size": 16, "max_steps": 4, "progress": False}


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    yield
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def frame():
    return transformer(rows=600).select("date", "OT")


def windows_of(forecaster):
    from tsrnn import split, windows

    laid = forecaster.laid()
    return windows.cut(laid, split.whole(laid.arrays), forecaster.input_size, forecaster.horizon)


def test_a_ridge_between_orthogonal_maps_is_the_ridge(frame):
    from networks import eigenvectors

    from tsrnn.layers.least_squares import Moments

    train = windows_of(Forecaster("ridge", **SMALL).fit(frame, target="OT"))
    front, behind = eigenvectors(train, "last", 24)
    batch = next(train.batches(64))
    x, y = batch.past[..., 0].double(), batch.target[..., 0].double()
    plain, mapped = Moments(48, 24, 0), Moments(48, 24, 0)
    plain.add(x, y)
    mapped.add(x @ front, y @ behind)
    line, between = (each.solutions((1e-2,))[0] for each in (plain, mapped))
    told = between.forecast(x @ front, None) @ behind.T
    assert torch.allclose(told, line.forecast(x, None), atol=1e-8)
    assert torch.allclose(front.T @ front, torch.eye(48).double(), atol=1e-9)


def test_one_ridge_for_all_steps_is_among_those_of_each(frame):
    from maps import with_own_ridges

    line = Forecaster("ridge", **SMALL).fit(frame, target="OT")
    train = windows_of(line)
    batch = train.gather(torch.arange(len(train)))
    with torch.no_grad():
        plain = (line.model_(batch)[..., 0] - batch.target).square().mean()
    for turned in (False, True):
        own, _ = with_own_ridges(line, train, train, train, turned)
        assert (own - batch.target).square().mean() <= plain


def test_the_nearest_of_a_training_window_is_itself(frame):
    from neighbours import Neighbours, Setting

    train = windows_of(Forecaster("ridge", **SMALL).fit(frame, target="OT"))
    known = Neighbours(train, "last", 24)
    told = known.forecast(known.of(train.only(torch.arange(70))), Setting(1, 0.1, True))
    assert torch.allclose(told, train.gather(torch.arange(70)).target, atol=1e-4)


def test_weights_of_an_average_find_the_forecast_that_is_true():
    from run import least

    noise = torch.Generator().manual_seed(0)
    true, wrong = (torch.randn(2, 30, 4, 3, generator=noise) for _ in range(2))
    for apart in (False, True):
        first, second = least([tuple(wrong), tuple(true)], tuple(true), apart)
        assert torch.allclose(torch.stack([first, second]), true, atol=1e-3)


def test_a_step_of_no_length_uphill_is_the_plain_gradient(frame):
    from networks import Sharp, SharpConfig

    fitted = Forecaster(Sharp, skip="ridge", **TRAINED).fit(frame, target="OT")
    batch, head = next(windows_of(fitted).batches(8)), heads.of(fitted.spec_)
    for rho, same in ((0.0, True), (0.5, False)):
        model = Sharp(SharpConfig(segment=12, hidden_size=8, dropout=0.0, rho=rho), fitted.spec_).train()
        weights = [*model.parameters()]
        plain = torch.autograd.grad(head.loss(model(batch), batch.target, None), weights)
        uphill = torch.autograd.grad(model.loss(batch, head), weights)
        near = [torch.allclose(one, other, atol=1e-6) for one, other in zip(plain, uphill, strict=True)]
        assert all(near) is same


def test_a_mapped_recurrence_begins_at_the_ridge(frame):
    from networks import Mapped, MappedConfig

    line = Forecaster("ridge", **SMALL).fit(frame, target="OT")
    train = windows_of(line)
    model = Mapped(MappedConfig(segment=12, hidden_size=8, skip="ridge", centring="last"), line.spec_).eval()
    assert model.solve(train, train) is False
    ridge = Forecaster("ridge", **SMALL).clone().fit(frame, target="OT").model_
    ridge.solve(train, train)
    batch = next(train.batches(8))
    with torch.no_grad():
        assert torch.allclose(model(batch), ridge(batch), atol=1e-4)


def test_each_trial_says_what_came_of_it(frame, monkeypatch, capsys):
    import run
    import trial

    from tsrnn import Panel

    ground = trial.Ground((24, 48), {"centring": "last"}, {**TRAINED, "horizon": 12}, (400, 480, 560), 24, 12)
    monkeypatch.setitem(trial.GROUNDS, "transformer", ground)
    tried = trial.Trial("transformer", 12, {"ridge_segrnn": "ridge"})
    tried.__dict__["panel"] = Panel.of(frame, target="OT")
    for what in run.TRIED:
        run.TRIED[what](tried)
        lines = capsys.readouterr().out.splitlines()
        assert lines[0].startswith("transformer 12 | ")
        assert any("% of " in line for line in lines)
