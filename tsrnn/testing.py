"""The contracts of models and cells as plain functions with asserts: run them over your own in your own tests.

    check_model("lstm", hidden_size=8)           a file of tsrnn/models, by its name
    check_model(Mine, hidden_size=8)             a class of yours, with options of its Config
    check_cell("gru"), check_cell(MyCell)

A broken promise is an AssertionError that names it, and the task on which it was broken.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tsrnn import buffer, cells, heads, infer, models, scale, split, store, windows
from tsrnn.arrays import Arrays
from tsrnn.errors import InputError
from tsrnn.models._base import READABLE, Model
from tsrnn.recurrence import Recurrent
from tsrnn.shapes import Batch, Spec

Build = Callable[[Spec], Model]
_RAISED, _ROUNDED = 1_000.0, 1e-2  # scaled units: by how much a level is moved; what rounding makes of it

TASKS = (
    Spec(input_size=48, horizon=12, channels=1, targets=1, seasonality=8),
    Spec(input_size=48, horizon=13, channels=3, targets=3, params=4, seasonality=8, levels=(0.1, 0.5, 0.9)),
    Spec(input_size=48, horizon=13, channels=5, targets=3, known=4, static=2, seasonality=8),
)


def check_model(model: str | type[Model], config: Any = None, tasks: Sequence[Spec] = TASKS, **options: Any) -> None:
    """Hold a model to every promise below: a name or a class, with its `options` or a `config` made of them.

    Raises:
        InputError: both are given, or an option is none of the model's.
    """
    if config is not None and options:
        raise InputError(f"check_model takes a config or options, not both; put {', '.join(options)} into the config")
    config = models.configure(model, options) if config is None else config
    plain = config
    if is_dataclass(config) and "centring" in {each.name for each in fields(config)}:
        plain = replace(config, centring="none")  # type: ignore[type-var]  # centring alone would show the newest value
    for task in tasks:
        for check in (
            shapes,
            determinism,
            no_peeking,
            rows_apart,
            inputs_declared,
            weights_kept,
            learnable,
            gaps_filled,
            padding_unread,
        ):
            check(partial(build, model, config), task)
        for horizon in {1, task.horizon - 1, task.horizon}:
            newest_seen(partial(build, model, plain), replace(task, horizon=horizon))


def build(model: str | type[Model], config: Any, spec: Spec) -> Model:
    """The untrained model, always with the same weights; torch's own generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return models.build(model, config, spec) if isinstance(model, str) else model(config, spec)


def shapes(make: Build, spec: Spec) -> None:
    """[batch horizon target params], finite, whatever the head asks for; the batch is left as it was."""
    batch, model = _batch(spec), make(spec)
    before, wanted = batch.past.clone(), (len(batch.past), spec.horizon, spec.targets, spec.params)
    for params in (model.train()(batch), model.eval()(batch)):
        assert tuple(params.shape) == wanted, f"forward gives {tuple(params.shape)}, not {wanted}: {spec}"
        assert torch.isfinite(params).all(), f"forward gives numbers that are not finite: {spec}"
    assert torch.equal(before, batch.past), f"forward changes the batch it was given: {spec}"


def determinism(make: Build, spec: Spec) -> None:
    """One seed, one model: the same weights, the same forecasts, the same dropout."""
    batch, first, second = _batch(spec), make(spec), make(spec)
    for name, weight in first.weights().items():
        assert np.array_equal(weight, second.weights()[name]), f"{name} differs under one seed: {spec}"
    for training in (False, True):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(2)
            one = first.train(training)(batch)
            torch.manual_seed(2 if training else 3)  # when evaluated, nothing is drawn
            other = second.train(training)(batch)
        assert torch.equal(one, other), f"forecasts differ under one seed (training={training}): {spec}"


def rows_apart(make: Build, spec: Spec) -> None:
    """When evaluated, a row does not depend on its neighbours, nor, with shared channels, a target on the others."""
    model, batch = make(spec).eval(), _batch(spec)
    together = model(batch)
    for rows in ([0], [4, 1], [5, 4, 3, 2, 1, 0]):
        alone = model(_rows(batch, rows))
        assert torch.allclose(alone, together[rows], atol=1e-5), f"rows {rows} know their neighbours: {spec}"
    if model.channels_shared and getattr(model.config, "shared", True):
        batch.past[:, :, 0] = batch.past[:, :, 0].flip(1) + 1
        after = model(batch)
        assert torch.allclose(after[:, :, 1:], together[:, :, 1:], atol=1e-5), f"a target reads another: {spec}"


def no_peeking(make: Build, spec: Spec) -> None:
    """When evaluated, the truth in the batch is not looked at, nor is its absence noticed."""
    model, batch = make(spec).eval(), _batch(spec)
    forecast = model(batch)
    for batch.target in (None, torch.full_like(forecast[..., 0], 1e6)):
        assert torch.equal(model(batch), forecast), f"the forecast depends on what is to be forecast: {spec}"


def inputs_declared(make: Build, spec: Spec) -> None:
    """Each input that `reads` names moves the forecast; no other one does.

    So does each part of it: the level of a past covariate, the past and the future of one known ahead.
    """
    model, batch = make(spec).eval(), _batch(spec)
    assert model.reads <= set(READABLE), f"reads takes {READABLE}, not {set(model.reads)}"
    draw = torch.Generator().manual_seed(4)
    for weight in model.parameters():  # one that starts at zero would hide what it reads
        weight.data += 0.1 * torch.randn(weight.shape, generator=draw)
    forecast = model(batch)
    columns = {"past": spec.channels - spec.targets, "known": spec.known, "static": spec.static, "mask": 1}
    for name in READABLE:
        wrong = "does not move" if name in model.reads else "is not among `reads` but moves"
        for column in range(columns[name]):
            for part, changed in _moved(batch, spec, name, column):
                near = _ROUNDED if part.startswith("the level") else 0.0
                moved = float((model(changed) - forecast).detach().abs().max()) > near
                assert moved == (name in model.reads), f"{part} (column {column}) {wrong} the forecast: {spec}"


def newest_seen(make: Build, spec: Spec) -> None:
    """Every forecast step of every target depends on the newest observation of that target."""
    model, batch = make(spec).eval(), _batch(spec)
    batch.past.requires_grad_()
    params = model(batch)  # [batch horizon target params]
    for step in range(spec.horizon if model.sees_newest else 0):
        for target in range(spec.targets):
            (slope,) = torch.autograd.grad(params[:, step, target].sum(), batch.past, retain_graph=True)
            seen = slope[:, -1, target].any()
            assert seen, f"step {step + 1} of target {target} does not see the newest observation: {spec}"


def weights_kept(make: Build, spec: Spec) -> None:
    """What `weights` gives, saved and read back into another model, gives the same forecasts bit for bit."""
    batch, first, second = _batch(spec), make(spec).eval(), make(spec).eval()
    for weight in second.parameters():
        weight.data.fill_(0.5)
    with tempfile.TemporaryDirectory() as folder:
        store.write(f"{folder}/model", {}, first.weights())
        second.set_weights(store.read(f"{folder}/model")[1])
    assert torch.equal(first(batch), second(batch)), f"saved weights do not give the same forecasts: {spec}"


def learnable(make: Build, spec: Spec) -> None:
    """Every parameter is among the saved weights, and the loss reaches every one that is trained."""
    model, batch = make(spec).train(), _batch(spec)
    named = dict(model.named_parameters())
    saved = sum(each.size for name, each in model.weights().items() if name in named)
    assert infer.parameters(model) == saved, f"{infer.parameters(model)} parameters, but {saved} saved: {spec}"
    trained = {name: weight for name, weight in named.items() if weight.requires_grad}
    for _ in range(2):  # what lies behind a weight that starts at zero is reached once that one has moved
        if not all(_reached(weight) for weight in trained.values()):
            _one_step(model, batch)
    for name, weight in trained.items():
        assert _reached(weight), f"the loss does not reach {name}: {spec}"


def gaps_filled(make: Build, spec: Spec) -> None:
    """Missing cells, and a channel missing for a whole window, give finite forecasts, losses and gradients."""
    cut = _with_gaps(spec)
    model, head = make(spec), heads.of(spec)
    solved, batch = model.solve(cut, None), cut.gather(torch.arange(len(cut)))
    params = model(batch)
    assert torch.isfinite(params).all(), f"missing cells spoil the forecast: {spec}"
    if not solved and batch.target is not None:
        torch.autograd.backward(head.loss(params, batch.target, batch.target_observed))
    for name, weight in model.named_parameters():
        assert weight.grad is None or torch.isfinite(weight.grad).all(), f"missing cells spoil {name}: {spec}"


def padding_unread(make: Build, spec: Spec) -> None:
    """A short row's forecast is the same alone, among others and under any padding, where the model reads lengths."""
    model, batch = make(spec).eval(), _batch(spec)
    if not model.reads_lengths:
        return
    whole, time = model(batch), spec.input_size
    batch.lengths = torch.full((6,), time)
    assert torch.allclose(model(batch), whole, atol=1e-5), f"whole rows are forecast otherwise beside lengths: {spec}"
    batch.lengths = torch.tensor([time, 1, 5, time - 1, time // 2, 2])
    together = model(batch)
    for rows in ([1], [4, 1, 0], [2]):
        alone = model(_rows(batch, rows))
        assert torch.allclose(alone, together[rows], atol=1e-5), f"short rows {rows} know their neighbours: {spec}"
    padding = (torch.arange(time) < time - batch.lengths[:, None]).unsqueeze(-1)  # [batch time 1]
    for value in (7.0, -1e6, torch.nan):
        spoilt = replace(batch, past=batch.past.masked_fill(padding, value))
        if batch.known is not None:
            behind, ahead = batch.known[:, :time], batch.known[:, time:]
            spoilt.known = torch.cat([behind.masked_fill(padding, value), ahead], 1)
        assert torch.allclose(model(spoilt), together, atol=1e-5), f"the padding is read ({value}): {spec}"
    torch.autograd.backward(model(spoilt).sum())
    for name, weight in model.named_parameters():
        assert weight.grad is None or torch.isfinite(weight.grad).all(), f"the padding spoils {name}: {spec}"


def check_cell(cell: str | type[cells.Cell], **options: Any) -> None:
    """Hold a cell to its promises: steps make the loop, no row and no future is looked at, every weight is learnt."""
    x = torch.randn(4, 9, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        loop, fast = (Recurrent(cell, 3, 5, backend=each, **options).double() for each in ("reference", "auto"))
    fast.load_state_dict(loop.state_dict())
    output, final = loop(x)
    steps, state = [], None
    for row in x.unbind(1):
        one, state = loop.step(row, state)
        steps.append(one)
    torch.testing.assert_close(torch.stack(steps, 1), output, msg="the loop is not the step repeated")
    torch.testing.assert_close(fast(x), (output, final), msg=f"backends differ: {fast.explain(x)}")
    torch.testing.assert_close(loop(x[2:3])[0], output[2:3], msg="a row knows its neighbours")
    torch.testing.assert_close(loop(x[:, :5])[0], output[:, :5], msg="a step knows what follows")
    (slope,) = torch.autograd.grad(loop(x.requires_grad_())[0][:, -1].sum(), x)
    assert slope.any(-1).all(), "the last output does not see every input before it"
    loop(x)[0].square().sum().backward()
    for name, weight in loop.named_parameters():
        assert _reached(weight), f"the loss does not reach {name}"


def _one_step(model: Model, batch: Batch) -> None:
    """Gradients of the squared error, and a small step down it."""
    assert batch.target is not None
    model.zero_grad()
    (model(batch) - batch.target.unsqueeze(-1)).square().mean().backward()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.grad is not None:
                weight.sub_(weight.grad, alpha=0.01)


def _reached(weight: Tensor) -> bool:
    return weight.grad is not None and bool(weight.grad.isfinite().all() and weight.grad.any())


def _batch(spec: Spec, rows: int = 6) -> Batch:
    """Windows of unit variance in which every cell is measured."""
    draw = partial(torch.randn, generator=torch.Generator().manual_seed(1))
    batch = Batch(draw(rows, spec.input_size, spec.channels), draw(rows, spec.horizon, spec.targets))
    batch.known = draw(rows, spec.input_size + spec.horizon, spec.known) if spec.known else None
    batch.static = draw(rows, spec.static) if spec.static else None
    batch.phase = 1000 - 37 * torch.arange(rows)
    return batch


def _moved(batch: Batch, spec: Spec, name: str, column: int) -> Iterator[tuple[str, Batch]]:
    """The parts of an input, and the batch with other values in a column of each alone."""
    draw = torch.Generator().manual_seed(5)
    if name == "mask":
        yield name, replace(batch, observed=torch.rand(batch.past.shape, generator=draw) > 0.5)
        return
    at, time = column + (spec.targets if name == "past" else 0), spec.input_size
    parts = {"known": {"known": slice(time, None), "the past of known": slice(time)}}.get(name, {name: slice(None)})
    for part, steps in parts.items():
        values = getattr(batch, name).clone()
        rows = values if name == "static" else values[:, steps]
        rows[..., at] = torch.randn(rows.shape[:-1], generator=draw)
        yield part, replace(batch, **{name: values})
    if name == "past":
        raised = batch.past.clone()
        raised[..., at] += _RAISED
        yield "the level of past", replace(batch, past=raised)


def _rows(batch: Batch, rows: list[int]) -> Batch:
    parts = {name: getattr(batch, name) for name in ("known", "static", "lengths", "phase")}
    cut: dict[str, Any] = {name: None if part is None else part[rows] for name, part in parts.items()}
    return Batch(batch.past[rows], **cut)


def _with_gaps(spec: Spec) -> windows.Windows:
    values = np.random.default_rng(0).standard_normal((4 * spec.input_size, spec.channels))
    values[::5] = values[spec.input_size : 3 * spec.input_size, -1] = values[:7] = np.nan
    names, offsets = tuple(f"c{k}" for k in range(spec.channels)), np.array([0, len(values)])
    breaks, first = np.zeros(0, np.int64), np.array([5])
    arrays = Arrays(tuple(values.T), names, spec.targets, ("s",), offsets, breaks, first=first)
    known, static = np.ones((len(values), spec.known), np.float32), np.ones((1, spec.static), np.float32)
    arrays = replace(arrays, known=known if spec.known else None, static=static if spec.static else None)
    part = split.whole(arrays)
    laid = buffer.lay(arrays, scale.fit("standard", arrays, part), padding=spec.input_size - 1)
    return windows.cut(laid, part, spec.input_size, spec.horizon)
