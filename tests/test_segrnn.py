"""The segment RNN is the slow one of its paper, with every cell, tied or not, in parallel or step by step."""

from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from reference import segrnn as slow_segrnn
from small_models import SPEC, batch_of, made

from tsrnn.cells import Cell
from tsrnn.registry import names


@pytest.mark.parametrize("cell", ["gru", "lstm", "mgu", "slstm"])
@pytest.mark.parametrize("options", [{}, {"channel_embedding": False}, {"tied": True}, {"decoding": "recurrent"}])
@pytest.mark.parametrize("horizon", [16, 13, 8])
def test_segrnn_is_the_slow_one(cell, options, horizon):
    spec = replace(SPEC, input_size=50, horizon=horizon)
    model = made("segrnn", spec, cell=cell, centring="last", hidden_size=6, **options).double()
    same_as_the_slow_one(model, spec)


def test_segrnn_recurrent_with_the_encoders_weights_is_the_slow_one():
    spec = replace(SPEC, input_size=50)
    same_as_the_slow_one(made("segrnn", spec, decoding="recurrent", tied=True, centring="last").double(), spec)


def same_as_the_slow_one(model, spec):
    batch, cell = batch_of(spec, dtype=torch.float64), model.config.cell
    weights = {name: each.detach().clone().requires_grad_() for name, each in model.state_dict().items()}
    fast = model(batch)[..., 0]
    rows = []
    for row in range(4):
        for target in range(2):
            last = batch.past[row, -1, target]
            x = batch.past[row, :, target] - last
            rows.append(last + slow_segrnn.run(x, weights, cell, 8, spec.horizon, target))
    slow = torch.stack(rows).view(4, 2, spec.horizon).transpose(1, 2)
    torch.testing.assert_close(fast, slow)
    seen = torch.randn(fast.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    (fast * seen).sum().backward()
    (slow * seen).sum().backward()
    for name, weight in model.named_parameters():
        torch.testing.assert_close(weight.grad, weights[name].grad, msg=name)


@pytest.mark.parametrize("decoding", ["parallel", "recurrent"])
@pytest.mark.parametrize("cell", names("cells"))
def test_segrnn_runs_every_cell(cell, decoding):
    model, batch = made("segrnn", cell=cell, decoding=decoding, centring="none"), batch_of()
    assert type(model.decoder) is type(model.encoder.cells[0])
    model(batch).square().sum().backward()
    unreached = {name for name, weight in model.named_parameters() if not weight.grad.any()}
    handed_on = cell != "peephole_only" or decoding == "recurrent"  # whether the encoder's output is: there c alone is
    assert unreached == (set() if handed_on else {"encoder.cells.0.peephole_o"})


def test_segrnn_tied_is_untied_with_equal_weights():
    for decoding in ("parallel", "recurrent"):
        tied, untied = (made("segrnn", decoding=decoding, tied=each) for each in (True, False))
        weights = tied.state_dict()
        cell = {name: each for name, each in weights.items() if name.startswith("encoder.cells.0.")}
        copies = {name.replace("encoder.cells.0", "decoder"): each for name, each in cell.items()}
        untied.load_state_dict(weights | copies)
        torch.testing.assert_close(tied(batch_of()), untied(batch_of()))


def test_a_recurrent_segrnn_feeds_back_the_middle_quantile():
    spec = replace(SPEC, params=3)
    model, batch = made("segrnn", spec, decoding="recurrent", centring="none"), batch_of(spec)
    seen, step = [], model.decoder.forward
    model.decoder.forward = lambda x, state: (seen.append(x), step(x, state))[1]
    forecast = model(batch)  # [batch horizon target params]
    middle = forecast[:, :8, :, 1].transpose(1, 2).reshape(8, 8)
    assert len(seen) == 1
    torch.testing.assert_close(seen[0], model.embed(middle))


def test_a_recurrent_segrnn_of_one_segment_has_no_decoder():
    spec = replace(SPEC, horizon=8)
    assert made("segrnn", spec, decoding="recurrent").decoder is None
    assert made("segrnn", spec, decoding="parallel").decoder is not None


class Forgetful(Cell):
    """Reads its input alone, or its state alone."""

    gates = ("a",)
    states = ("h",)
    options: ClassVar = {"reads": "x"}
    reads: str

    def step(self, x, r, state):
        h = torch.tanh(x[0]) if self.reads == "x" else 0.5 * state[0] + 1
        return (h,), h


@pytest.mark.parametrize("reads", ["x", "state"])
def test_a_cell_may_leave_its_state_or_its_input_unread(reads):
    spec = replace(SPEC, input_size=50)
    params = made("segrnn", spec, cell=Forgetful, cell_options={"reads": reads})(batch_of(spec))
    assert params.shape == (4, spec.horizon, spec.targets, 1)
