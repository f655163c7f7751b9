"""What every cell in `tsrnn/cells` keeps, found by itself."""

import math

import pytest
import torch
from torch import Tensor

from tsrnn.cells import Cell, Gates, LinearCell, get
from tsrnn.errors import InputError
from tsrnn.recurrence import Recurrent
from tsrnn.recurrence.scan import linear_scan
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


def state_of(cell: Cell, batch: int) -> State:
    """A random state such as the cell may come to; a normaliser is above zero."""
    parts = [inputs(batch, cell.hidden_size, seed=k) for k in range(len(cell.states))]
    return tuple(part.abs() + 0.1 if name == "n" else part for name, part in zip(cell.states, parts, strict=True))


def flat(states: tuple[State, ...]) -> list[Tensor]:
    return [part for state in states for part in state]


@every_cell
def test_a_cell_declares_what_it_is(name: str) -> None:
    kind = get(name)
    assert kind.__module__ == names("cells")[name]
    assert kind.gates
    assert kind.states
    assert len(set(kind.gates)) == len(kind.gates)
    cell = kind(INPUT, HIDDEN)
    fed = kind.gates if kind.recurrent is None else kind.recurrent
    assert fed == tuple(gate for gate in kind.gates if gate in fed)
    assert 0 <= kind.second <= len(kind.gates)
    rows, recurrent = len(kind.gates) * HIDDEN, len(fed) * HIDDEN
    assert cell.weight_ih.shape == (rows, INPUT)
    assert cell.weight_hh.shape == (recurrent, HIDDEN)
    assert cell.bias_ih.shape == (rows,)
    assert cell.bias_hh.shape == (recurrent,)
    assert all(weight.numel() for weight in cell.parameters())
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
    states = tuple(part.requires_grad_() for part in state_of(cell_of(built), 2))
    weights = list(built.parameters())

    def run(x: Tensor, *rest: Tensor) -> list[Tensor]:
        output, final = built(x, (rest[: len(states)],))
        return [output, *flat(final)]

    assert torch.autograd.gradcheck(run, (x, *states, *weights))


@every_cell
def test_the_step_is_element_wise_and_pure(name: str) -> None:
    cell = get(name)(INPUT, HIDDEN).double()
    n = len(cell.gates)
    terms = [*(inputs(2, HIDDEN, seed=k) for k in range(2 * n)), *state_of(cell, 2)]

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


@every_cell
def test_what_the_second_products_act_on_is_element_wise_and_pure(name: str) -> None:
    cell = get(name)(INPUT, HIDDEN).double()
    if not cell.second:
        with pytest.raises(NotImplementedError, match="second = 0"):
            cell.gated((), (), ())
        return
    n, first = len(cell.gates), len(cell.gates) - cell.second
    terms = [*(inputs(2, HIDDEN, seed=k) for k in range(n + first)), *state_of(cell, 2)]

    def gated(parts: list[Tensor]) -> Tensor:
        return cell.gated(tuple(parts[:n]), tuple(parts[n : n + first]), tuple(parts[n + first :]))

    kept = [each.clone() for each in terms]
    before = gated(terms)
    assert all(torch.equal(one, other) for one, other in zip(kept, terms, strict=True))
    after = gated([each + torch.eye(HIDDEN, dtype=each.dtype)[2] for each in terms])
    others = [0, 1, 3, 4]
    assert torch.equal(before[:, others], after[:, others])
    assert (before[:, 2] != after[:, 2]).all()


class Mixed(Cell):
    """Four gates: two fed by h, of which one has no product, and two by the gated state, of which one has none."""

    gates = ("a", "b", "c", "d")
    states = ("h",)
    recurrent = ("b", "c")
    second = 2

    def gated(self, x: Gates, r: Gates, state: State) -> Tensor:
        assert len(x) == 4
        assert len(r) == 2
        return torch.sigmoid(x[3] + r[1]) * state[0]

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        h = torch.tanh(x[0] + 2 * x[1] + 3 * x[2] + x[3] + r[0] + r[1] + r[2] + r[3])
        return (h,), h


def test_products_follow_the_gates_that_have_one() -> None:
    cell, x, (h,) = Mixed(INPUT, HIDDEN).double(), inputs(2, INPUT), state_of(Mixed(INPUT, HIDDEN), 2)
    a, b, c, d = cell.products(cell.project(x).chunk(4, -1), (h,))
    assert not a.any()
    assert not d.any()
    torch.testing.assert_close(b, h @ cell.weight_hh[:HIDDEN].T + cell.bias_hh[:HIDDEN])
    gated = torch.sigmoid(x @ cell.weight_ih[-HIDDEN:].T + cell.bias_ih[-HIDDEN:] + b) * h
    torch.testing.assert_close(c, gated @ cell.weight_hh[HIDDEN:].T + cell.bias_hh[HIDDEN:])


def test_only_cells_without_products_of_their_own_are_regular() -> None:
    assert [name for name in CELLS if not get(name)(INPUT, HIDDEN).regular] == ["lstm_fgr", "mut3"]


@pytest.mark.parametrize("name", [name for name in CELLS if issubclass(get(name), LinearCell)])
def test_a_linear_cell_may_be_scanned(name: str) -> None:
    built, x = layer(name), inputs(3, 40, INPUT)
    cell = cell_of(built)
    assert isinstance(cell, LinearCell)
    gates = cell.project(x).chunk(len(cell.gates), -1)
    a, b = cell.terms(gates)
    first = inputs(3, HIDDEN, seed=1)
    h = linear_scan(a, b, first)
    output, final = built(x, ((first,),))
    torch.testing.assert_close(cell.emit(h, gates), output)
    torch.testing.assert_close(h[:, -1], final[0][0])
    assert (a >= 0).all()
    assert (a <= 1).all()


@every_cell
@pytest.mark.parametrize("size", [1e2, 1e4])
def test_extreme_inputs_give_finite_outputs_and_gradients(name: str, size: float) -> None:
    built = layer(name).float()
    x = (size * inputs(2, 40, INPUT).sign()).float().requires_grad_()
    output, final = built(x)
    (output.sum() + sum(part.sum() for part in flat(final))).backward()
    for each in (output, *flat(final), x.grad, *(weight.grad for weight in built.parameters())):
        assert each is not None
        assert torch.isfinite(each).all()


def test_a_variant_is_one_class_with_its_file_for_home() -> None:
    assert get("lstm_nig") is get("lstm_nig")
    assert get("lstm_nig").gates == ("f", "g", "o")
    assert get("lstm_cifg")(INPUT, HIDDEN, forget_bias=2.0).bias_ih[:HIDDEN].eq(-2).all()
    assert get("peephole_only")(INPUT, HIDDEN).weight_hh.shape == (0, HIDDEN)
    assert "weight_hh" not in get("peephole_only")(INPUT, HIDDEN).state_dict()


def test_the_normaliser_starts_from_nothing() -> None:
    built = layer("slstm")
    x = inputs(2, 1, INPUT)
    _, ((_, _, n, m),) = built(x)
    cell = cell_of(built)
    first = cell.project(x[:, 0])[:, :HIDDEN] + cell.bias_hh[:HIDDEN]
    torch.testing.assert_close(m, first)
    assert (n == 1).all()


def test_decays_start_where_the_paper_has_them() -> None:
    cell = get("rglru")(INPUT, 500)
    decay = torch.exp(-8 * torch.nn.functional.softplus(cell.get_parameter("rate").detach()))
    assert 0.9 - 1e-4 <= float(decay.min()) < 0.91
    assert 0.99 < float(decay.max()) <= 0.999 + 1e-4


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
        (lambda: get("slstm")(INPUT, HIDDEN, forget="exp"), "unknown forget gate of an SLSTM cell 'exp'"),
        (lambda: get("lstm_cig")(INPUT, HIDDEN), "did you mean 'lstm_cifg'"),
        (lambda: get("lstm_nig")(INPUT, HIDDEN, bias=1), "unknown option of the lstm_nig cell 'bias'"),
        (lambda: get("gru")(INPUT, 0), "hidden_size of a GRU cell must be at least 1, not 0"),
    ],
)
def test_mistakes_get_one_sentence(build: object, words: str) -> None:
    assert callable(build)
    with pytest.raises(InputError, match=words):
        build()
