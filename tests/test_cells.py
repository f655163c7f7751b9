"""What every cell in `tsrnn/cells` keeps, found by itself."""

import math

import pytest
import torch
from torch import Tensor

from tsrnn.cells import Cell, get
from tsrnn.errors import InputError
from tsrnn.recurrence import Recurrent
from tsrnn.registry import names
from tsrnn.shapes import State

CELLS = list(names("cells"))
INPUT, HIDDEN = 3, 5

every_cell = pytest.mark.parametrize("name", CELLS)


def inputs(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def layer(name: str, hidden: int = HIDDEN) -> Recurrent:
    """A float64 layer whose numbers do not hang on the global seed."""
    built = Recurrent(name, INPUT, hidden, backend="reference").double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in built.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator, dtype=torch.float64) / math.sqrt(hidden))
    return built


def cell_of(built: Recurrent) -> Cell:
    (cell,) = built.cells
    assert isinstance(cell, Cell)
    return cell


def flat(states: tuple[State, ...]) -> list[Tensor]:
    return [part for state in states for part in state]


@every_cell
def test_a_cell_declares_what_it_is(name: str) -> None:
    kind = get(name)
    assert kind.__module__ == f"tsrnn.cells.{names('cells')[name]}"
    assert kind.gates
    assert kind.states
    assert len(set(kind.gates)) == len(kind.gates)
    cell = kind(INPUT, HIDDEN)
    rows = len(kind.gates) * HIDDEN
    assert cell.weight_ih.shape == (rows, INPUT)
    assert cell.weight_hh.shape == (rows, HIDDEN)
    assert cell.bias_ih.shape == cell.bias_hh.shape == (rows,)
    assert cell.project(torch.zeros(2, 4, INPUT)).shape == (2, 4, rows)
    assert all(torch.isfinite(weight).all() for weight in cell.parameters())


@every_cell
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_shapes_and_dtypes(name: str, dtype: torch.dtype) -> None:
    cell = get(name)(INPUT, HIDDEN).to(dtype)
    state = cell.initial(2)
    assert len(state) == len(cell.states)
    following, output = cell(inputs(2, INPUT).to(dtype), state)
    assert output.shape == (2, HIDDEN)
    assert output.dtype is dtype
    for part, first in zip(following, state, strict=True):
        assert part.shape == first.shape == (2, HIDDEN)
        assert part.dtype is first.dtype is dtype


@every_cell
def test_forward_is_the_step_repeated(name: str) -> None:
    built, x = layer(name), inputs(3, 9, INPUT)
    output, final = built(x)
    state, steps = None, []
    for row in x.unbind(1):
        one, state = built.step(row, state)
        steps.append(one)
    torch.testing.assert_close(output, torch.stack(steps, 1))
    torch.testing.assert_close(final, state)


@every_cell
@pytest.mark.parametrize("cut", [1, 4, 8])
def test_split_anywhere_and_go_on(name: str, cut: int) -> None:
    built, x = layer(name), inputs(3, 9, INPUT)
    whole, final = built(x)
    before, carried = built(x[:, :cut])
    after, last = built(x[:, cut:], carried)
    torch.testing.assert_close(torch.cat([before, after], 1), whole)
    torch.testing.assert_close(last, final)


@every_cell
def test_rows_do_not_know_of_each_other(name: str) -> None:
    built, x = layer(name), inputs(4, 7, INPUT)
    lengths = torch.tensor([7, 1, 4, 0])
    output, final = built(x, lengths=lengths)
    for row in range(3):
        alone, last = built(x[row : row + 1, : lengths[row]])
        torch.testing.assert_close(output[row : row + 1, : lengths[row]], alone)
        for part, single in zip(flat(final), flat(last), strict=True):
            torch.testing.assert_close(part[row : row + 1], single)
    assert not output[1, 1:].any()
    for part, first in zip(flat(final), cell_of(built).initial(1), strict=True):
        assert torch.equal(part[3:], first)


@every_cell
def test_the_future_does_not_move_the_past(name: str) -> None:
    built, x = layer(name), inputs(2, 8, INPUT)
    changed = x.clone()
    changed[:, 5:] += 1
    first, second = built(x)[0], built(changed)[0]
    assert torch.equal(first[:, :5], second[:, :5])
    assert (first[:, 5:] != second[:, 5:]).any(-1).all()


@every_cell
def test_every_output_sees_the_newest_input(name: str) -> None:
    x = inputs(1, 6, INPUT).requires_grad_()
    layer(name)(x)[0][:, 3].sum().backward()
    assert x.grad is not None
    assert x.grad[:, :4].abs().sum(-1).gt(0).all()
    assert not x.grad[:, 4:].any()


@every_cell
@pytest.mark.parametrize("time", [1, 2, 63])
def test_gradients_are_finite_and_reach_every_weight(name: str, time: int) -> None:
    built, x = layer(name), inputs(2, time, INPUT).requires_grad_()
    output, final = built(x)
    (output.square().sum() + sum(part.sum() for part in flat(final))).backward()
    for key, weight in [("x", x), *built.named_parameters()]:
        assert weight.grad is not None, key
        assert torch.isfinite(weight.grad).all(), key
        if time > 1:
            assert weight.grad.any(), key


@every_cell
def test_gradients_agree_with_differences(name: str) -> None:
    built, x = layer(name, hidden=2), inputs(2, 3, INPUT).requires_grad_()
    states = tuple(inputs(2, 2, seed=k).requires_grad_() for k in range(len(cell_of(built).states)))
    weights = list(built.parameters())

    def run(x: Tensor, *rest: Tensor) -> list[Tensor]:
        output, final = built(x, (rest[: len(states)],))
        return [output, *flat(final)]

    assert torch.autograd.gradcheck(run, (x, *states, *weights))


@every_cell
def test_the_step_is_element_wise_and_pure(name: str) -> None:
    cell = get(name)(INPUT, HIDDEN).double()
    n, m = len(cell.gates), len(cell.states)
    terms = [inputs(2, HIDDEN, seed=k) for k in range(2 * n + m)]

    def step(parts: list[Tensor]) -> list[Tensor]:
        state, output = cell.step(tuple(parts[:n]), tuple(parts[n : 2 * n]), tuple(parts[2 * n :]))
        return [*state, output]

    kept = [each.clone() for each in terms]
    results = step(terms)
    assert all(torch.equal(before, after) for before, after in zip(kept, terms, strict=True))
    moved = step([each + torch.eye(HIDDEN, dtype=each.dtype)[2] for each in terms])
    others = [0, 1, 3, 4]
    for before, after in zip(results, moved, strict=True):
        assert torch.equal(before[:, others], after[:, others])
        assert (before[:, 2] != after[:, 2]).all()


def test_the_forget_gate_starts_open() -> None:
    forget, rest = slice(HIDDEN, 2 * HIDDEN), slice(2 * HIDDEN, None)
    cell = get("lstm")(INPUT, HIDDEN)
    assert (cell.bias_ih[forget] == 1).all()
    assert (cell.bias_hh[forget] == 0).all()
    assert (cell.bias_ih[rest] != 1).all()
    assert (get("lstm")(INPUT, HIDDEN, forget_bias=2.5).bias_ih[forget] == 2.5).all()
    plain = get("lstm")(INPUT, HIDDEN, forget_bias=None)
    assert plain.bias_ih[forget].abs().max() <= HIDDEN**-0.5
    assert (plain.bias_hh[forget] != 0).any()


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: get("lstn"), "did you mean 'lstm'"),
        (lambda: get("gru")(INPUT, HIDDEN, forget_bias=1.0), "unknown option of the GRU cell 'forget_bias'"),
        (lambda: get("elman")(INPUT, HIDDEN, nonlinearity="tan"), "unknown nonlinearity 'tan'"),
        (lambda: get("gru")(INPUT, 0), "hidden_size of a GRU cell must be at least 1, not 0"),
    ],
)
def test_mistakes_get_one_sentence(build: object, words: str) -> None:
    assert callable(build)
    with pytest.raises(InputError, match=words):
        build()
