"""Every backend against the float64 twin, and `Recurrent` against torch's own layers."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import pytest
import torch
from reference import slstm, twins
from torch import Tensor, nn

from tsrnn.cells import Cell, Gates, get
from tsrnn.cells.lstm import LSTM
from tsrnn.errors import InputError
from tsrnn.recurrence import Recurrent, build
from tsrnn.recurrence.layer import BACKENDS
from tsrnn.registry import names
from tsrnn.shapes import State

TWINS: dict[str, Callable[..., tuple[Tensor, State]]] = twins(list(names("cells")))
LAYERS: dict[str, Callable[..., nn.RNNBase]] = {"elman": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
ANSWERS: dict[Any, list[Tensor]] = {}  # what twins said
INPUT = 3
SHAPES = [(1, 1, 1), (2, 33, 7), (63, 1, 16), (100, 1, 7), (63, 3, 1)]  # time, batch, hidden

PAIRS = [(n, b) for n in TWINS for b in BACKENDS if b != "stock" or n in LAYERS]

every_cell = pytest.mark.parametrize("name", list(LAYERS))
every_pair = pytest.mark.parametrize(("name", "backend"), PAIRS)
every_backend = pytest.mark.parametrize("backend", list(BACKENDS))


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


class Peephole(Cell):
    """A cell that no library has, as a user would write it."""

    gates = ("a", "u")
    states = ("h", "c")
    options: ClassVar[dict[str, Any]] = {}

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        h, c = state
        a = torch.sigmoid(x[0] + r[0] + c)
        c = c + a * (torch.tanh(x[1] + r[1]) - c)
        return (0.5 * h + 0.5 * c, c), c


class Steeper(LSTM):
    """Derived from a cell that torch has, with other equations."""

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        following, output = super().step(x, r, state)
        return following, 2 * output


def flat(states: tuple[State, ...]) -> list[Tensor]:
    return [part for state in states for part in state]


def first_states(built: Recurrent, batch: int) -> tuple[State, ...]:
    """A random state of the right form, with gradients."""
    cells = [each for each in built.cells if isinstance(each, Cell)]
    return tuple(
        tuple(first_part(name, cell.weight_ih.new_empty(batch, cell.hidden_size)) for name in cell.states)
        for cell in cells
    )


def first_part(name: str, like: Tensor) -> Tensor:
    drawn = torch.randn_like(like).mul(0.5)
    return (drawn.abs() + 0.1 if name == "n" else drawn).requires_grad_()  # a normaliser is above zero


def twin_of(built: Recurrent, name: str, x: Tensor, states: tuple[State, ...], lengths: list[int]) -> list[Tensor]:
    """Output, final states and all gradients of one layer in float64, row by row and direction by direction."""
    x = x.detach().double().requires_grad_()
    weights = [{k: v.detach().double().requires_grad_() for k, v in cell.named_parameters()} for cell in built.cells]
    firsts = [tuple(part.detach().double().requires_grad_() for part in state) for state in states]
    output = x.new_zeros(*x.shape[:2], built.output_size)
    finals = [[torch.zeros_like(part) for part in first] for first in firsts]
    for row, length in enumerate(lengths):
        for side, (w, first) in enumerate(zip(weights, firsts, strict=True)):
            start = tuple(part[row] for part in first)
            stretch = x[row, :length].flip(0) if side else x[row, :length]
            outputs, last = TWINS[name](stretch, w, start) if length else (x.new_zeros(0, built.hidden_size), start)
            columns = slice(side * built.hidden_size, (side + 1) * built.hidden_size)
            output[row, :length, columns] = outputs.flip(0) if side else outputs
            for k, part in enumerate(last):
                finals[side][k][row] = part
    parts = [part for final in finals for part in final]
    given = [x, *(part for first in firsts for part in first), *(v for w in weights for v in w.values())]
    return [output, *parts, *torch.autograd.grad(score(output, parts), given, materialize_grads=True)]


def answer(built: Recurrent, name: str, x: Tensor, states: tuple[State, ...], lengths: list[int]) -> list[Tensor]:
    """What the twin says, who is asked once where several backends are given the same numbers."""
    numbers = [x, *flat(states), *built.parameters()]
    key = (TWINS[name], len(built.cells), *lengths, *(part.detach().numpy().tobytes() for part in numbers))
    if key not in ANSWERS:
        ANSWERS[key] = [part.detach() for part in twin_of(built, name, x, states, lengths)]
    return ANSWERS[key]


def skip_unsupported(built: Recurrent, x: Tensor) -> None:
    (cell, *_) = (each for each in built.cells if isinstance(each, Cell))
    able, reason = BACKENDS[built.backend].supports(cell, x, None)
    if not able:
        pytest.skip(reason)


def score(output: Tensor, final: list[Tensor]) -> Tensor:
    """A number in which every output and every part of the final state has a weight of its own."""
    each = [output, *final]
    return torch.stack([(torch.sin(torch.arange(t.numel()).to(t) + 1) * t.flatten()).sum() for t in each]).sum()


def compare(built: Recurrent, name: str, batch: int, time: int, lengths: list[int] | None) -> None:
    """Against the twin; a backend that has no kernel for the cell must say so."""
    dtype = next(built.parameters()).dtype
    x = torch.randn(batch, time, INPUT, dtype=dtype).requires_grad_()
    skip_unsupported(built, x)
    states = first_states(built, batch)
    output, final = built(x, states, None if lengths is None else torch.tensor(lengths))
    given = [x, *flat(states), *built.parameters()]
    found = [output, *flat(final), *torch.autograd.grad(score(output, flat(final)), given, materialize_grads=True)]
    expected = answer(built, name, x, states, [time] * batch if lengths is None else lengths)
    tolerance = 1e-10 if dtype is torch.float64 else 2e-5
    for index, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        size = max(1.0, float(theirs.abs().max()))
        error = float((ours.detach().double() - theirs).abs().max()) / size
        assert error < tolerance, f"tensor {index}: relative error {error:.1e}"


@every_pair
@pytest.mark.parametrize(("time", "batch", "hidden"), SHAPES)
def test_backends_answer_to_the_twin(name: str, backend: str, time: int, batch: int, hidden: int) -> None:
    compare(Recurrent(name, INPUT, hidden, backend=backend), name, batch, time, None)


@every_pair
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ragged_rows_in_both_directions_answer_to_the_twin(name: str, backend: str, dtype: torch.dtype) -> None:
    built = Recurrent(name, INPUT, 7, bidirectional=True, backend=backend).to(dtype)
    compare(built, name, 6, 40, [40, 1, 0, 17, 39, 2])


@every_pair
def test_padding_is_never_read(name: str, backend: str) -> None:
    built = Recurrent(name, INPUT, 4, num_layers=2, bidirectional=True, backend=backend)
    x, lengths = torch.randn(3, 70, INPUT), torch.tensor([70, 3, 31])
    skip_unsupported(built, x)
    spoilt = x.clone()
    spoilt[1, 3:], spoilt[2, 31:] = float("nan"), float("inf")
    clean, final = built(x, lengths=lengths)
    output, last = built(spoilt, lengths=lengths)
    assert torch.equal(clean, output)
    assert all(torch.equal(a, b) for a, b in zip(flat(final), flat(last), strict=True))
    assert not output[1, 3:].any()
    output.sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in built.parameters() if weight.grad is not None)


def test_every_cell_has_a_twin() -> None:
    assert set(TWINS) == set(names("cells"))


@pytest.mark.parametrize("time", [1, 63])
def test_the_exponential_forget_gate_answers_to_its_twin(time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TWINS, "slstm", partial(slstm.run, forget="exponential"))
    built = Recurrent("slstm", INPUT, 7, backend="reference", forget="exponential").double()
    compare(built, "slstm", 3, time, None)


@every_cell
@every_backend
@pytest.mark.parametrize("bidirectional", [False, True])
def test_layers_agree_with_torchs(name: str, backend: str, bidirectional: bool) -> None:
    built = Recurrent(name, INPUT, 6, num_layers=3, bidirectional=bidirectional, backend=backend)
    theirs = LAYERS[name](INPUT, 6, num_layers=3, bidirectional=bidirectional, batch_first=True)
    load(built, theirs)
    x = torch.randn(4, 20, INPUT)
    states = first_states(built, 4)
    stacked = [torch.stack(parts) for parts in zip(*states, strict=True)]
    output, final = built(x, states)
    wanted, last = theirs(x, tuple(stacked) if name == "lstm" else stacked[0])
    torch.testing.assert_close(output, wanted)
    for ours, part in zip(zip(*final, strict=True), last if name == "lstm" else (last,), strict=True):
        torch.testing.assert_close(torch.stack(ours), part)


def load(built: Recurrent, theirs: nn.RNNBase) -> None:
    """Torch's weights into ours: the same layout and order, cell by cell."""
    with torch.no_grad():
        for ours, other in zip(built.parameters(), theirs.parameters(), strict=True):
            ours.copy_(other)


@every_backend
def test_the_rectifier_agrees_with_torchs(backend: str) -> None:
    built = Recurrent("elman", INPUT, 6, backend=backend, nonlinearity="relu")
    theirs = nn.RNN(INPUT, 6, nonlinearity="relu", batch_first=True)
    load(built, theirs)
    x = torch.randn(4, 20, INPUT)
    torch.testing.assert_close(built(x)[0], theirs(x)[0])


@every_cell
def test_backends_agree_where_they_meet(name: str) -> None:
    x, lengths = torch.randn(5, 30, INPUT), torch.tensor([30, 4, 9, 0, 12])
    pair = [Recurrent(name, INPUT, 6, num_layers=2, bidirectional=True, backend=each) for each in BACKENDS]
    pair[1].load_state_dict(pair[0].state_dict())
    for each in (None, lengths):
        torch.testing.assert_close(pair[0](x, lengths=each), pair[1](x, lengths=each))


@every_cell
def test_stock_learns_in_eval_mode_and_without_gradients(name: str) -> None:
    built = Recurrent(name, INPUT, 4, backend="stock").eval()
    x = torch.randn(2, 5, INPUT)
    output, _ = built(x)
    output.sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in built.parameters())
    with torch.inference_mode():
        torch.testing.assert_close(built(x)[0], output.detach())


def test_dropout_acts_between_layers_and_only_in_training() -> None:
    built = Recurrent("gru", INPUT, 8, num_layers=2, dropout=0.5)
    x = torch.randn(4, 10, INPUT)
    assert not torch.equal(built(x)[0], built(x)[0])
    built.eval()
    assert torch.equal(built(x)[0], built(x)[0])
    single = Recurrent("gru", INPUT, 8, dropout=0.5)
    assert torch.equal(single(x)[0], single(x)[0])
    built.train()
    first_layer = built(x)[1][0][0], built(x)[1][0][0]
    assert torch.equal(*first_layer)


@every_cell
@every_backend
def test_the_first_state_can_be_learned(name: str, backend: str) -> None:
    built = Recurrent(name, INPUT, 4, num_layers=2, bidirectional=True, learn_initial=True, backend=backend)
    x, lengths = torch.randn(3, 6, INPUT), torch.tensor([6, 2, 0])
    parts = len(get(name).states)
    assert len(built.first) == 4 * parts
    assert all(each.shape == (4,) and not each.any() for each in built.first)
    with torch.no_grad():
        for k, each in enumerate(built.first):
            each.fill_(0.1 * (k + 1))
    given = tuple(
        tuple(built.first[cell * parts + part].detach().expand(3, 4) for part in range(parts)) for cell in range(4)
    )
    torch.testing.assert_close(built(x, lengths=lengths), built(x, given, lengths))
    built(x)[0].sum().backward()
    assert all(each.grad is not None and each.grad.any() for each in built.first)


@every_pair
def test_truncated_backpropagation_carries_the_state_and_no_gradient(name: str, backend: str) -> None:
    built = Recurrent(name, INPUT, 5, num_layers=2, backend=backend)
    x = torch.randn(2, 12, INPUT, requires_grad=True)
    skip_unsupported(built, x)
    whole, _ = built(x)
    _, carried = built(x[:, :7])
    detached = tuple(tuple(part.detach() for part in state) for state in carried)
    rest, _ = built(x[:, 7:], detached)
    torch.testing.assert_close(rest, whole[:, 7:])
    rest.sum().backward()
    assert x.grad is not None
    assert not x.grad[:, :7].any()
    assert x.grad[:, 7:].any()


@pytest.mark.parametrize("rows", [3, 300])
@every_cell
def test_step_by_step_is_the_layer(name: str, rows: int) -> None:
    built = Recurrent(name, INPUT, 5, num_layers=2, dropout=0.3, learn_initial=True).eval()
    x = torch.randn(rows, 8, INPUT)
    output, final = built(x)
    state, steps = None, []
    for row in x.unbind(1):
        one, state = built.step(row, state)
        steps.append(one)
    torch.testing.assert_close(torch.stack(steps, 1), output)
    torch.testing.assert_close(state, final)


@every_cell
def test_many_rows_step_as_each_would_alone(name: str) -> None:
    x, found = torch.randn(300, 4, INPUT), []
    built = Recurrent(name, INPUT, 5, num_layers=2)
    for size in (300, 100):
        built.zero_grad()
        outputs = []
        for rows in x.split(size):
            state = None
            for step in rows.unbind(1):
                output, state = built.step(step, state)
            outputs.append(output)
        torch.cat(outputs).square().sum().backward()
        found.append(
            [torch.cat(outputs), *(weight.grad.clone() for weight in built.parameters() if weight.grad is not None)]
        )
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_output_size_and_state_order() -> None:
    built = Recurrent("lstm", INPUT, 5, num_layers=2, bidirectional=True)
    output, final = built(torch.randn(3, 8, INPUT))
    assert built.output_size == output.shape[-1] == 10
    assert len(final) == 4
    assert all(part.shape == (3, 5) for part in flat(final))
    torch.testing.assert_close(final[2][0], output[:, -1, :5])
    torch.testing.assert_close(final[3][0], output[:, 0, 5:])


COMPILED = build.available()[0]


def test_a_cell_of_ones_own_runs_compiled_or_in_the_reference() -> None:
    built = Recurrent(Peephole, INPUT, 5, num_layers=2, bidirectional=True)
    x = torch.randn(2, 9, INPUT)
    assert built(x)[0].shape == (2, 9, 10)
    assert built.explain(x).startswith("generated: " if COMPILED else "reference: ")
    built.backend = "stock"
    with pytest.raises(InputError, match="torch has no kernel for Peephole"):
        built(x)


def test_a_derived_cell_does_not_inherit_the_kernel() -> None:
    built, parent = Recurrent(Steeper, INPUT, 5), Recurrent("lstm", INPUT, 5, backend="reference")
    parent.load_state_dict(built.state_dict())
    x = torch.randn(2, 1, INPUT)
    torch.testing.assert_close(built(x)[0], 2 * parent(x)[0])
    with pytest.raises(InputError, match="backend 'stock' cannot run this: torch has no kernel for Steeper"):
        Recurrent(Steeper, INPUT, 5, backend="stock")(x)


def test_explain_names_the_backend_and_the_reason() -> None:
    x = torch.randn(2, 4, INPUT)
    chosen = "generated: the equations of LSTM, compiled" if COMPILED else "stock: torch._VF.lstm runs the equations"
    assert Recurrent("lstm", INPUT, 5).explain(x).startswith(chosen)
    relu = Recurrent("elman", INPUT, 5, nonlinearity="relu", backend="stock")
    assert relu.explain(x).startswith("stock, as asked: torch._VF.rnn_relu")
    asked = Recurrent("lstm", INPUT, 5, backend="reference").explain(x, torch.tensor([4, 2]))
    assert asked.startswith("reference, as asked: ")
    assert "the input is torch.float64" in Recurrent("gru", INPUT, 5).explain(x.double())
    with torch.no_grad():  # without a gradient oneDNN's LSTM is the faster one
        assert Recurrent("lstm", INPUT, 512).explain(x).startswith("stock: ")


def test_second_derivatives_in_the_reference() -> None:
    built = Recurrent("gru", 2, 2, backend="reference").double()
    x = torch.randn(1, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: built(x)[0], (x,))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: Recurrent("gruu", 3, 4), "unknown cell 'gruu': did you mean 'gru'"),
        (lambda x: Recurrent("gru", 3, 4, backend="stok"), "unknown backend 'stok': did you mean 'stock'"),
        (lambda x: Recurrent("gru", 3, 4, num_layers=0), "num_layers must be a whole number of at least 1, not 0"),
        (lambda x: Recurrent("gru", "3", 4), "input_size must be a whole number of at least 1, not '3'"),
        (lambda x: Recurrent("gru", 3, 0), "hidden_size must be a whole number of at least 1, not 0"),
        (lambda x: Recurrent("gru", 3, 4)(x.double()), r"convert it with x.to\(torch.float32\)"),
        (lambda x: Recurrent("gru", 3, 4, dropout=1.0), "dropout must be at least 0 and below 1, not 1.0"),
        (lambda x: Recurrent("gru", 3, 4, forget_bias=1), "unknown option of the GRU cell 'forget_bias'"),
        (lambda x: Recurrent("gru", 2, 4)(x), r"must be \[batch time 2\] with at least one step, not \[2, 5, 3\]"),
        (lambda x: Recurrent("gru", 3, 4)(x[:, :0]), "at least one step"),
        (lambda x: Recurrent("gru", 3, 4)(x, lengths=torch.tensor([5, 6])), "between 0 and the input's 5 steps"),
        (lambda x: Recurrent("gru", 3, 4)(x, lengths=torch.tensor([5])), r"one number per row \(2\), not \[1\]"),
        (lambda x: Recurrent("lstm", 3, 4)(x, ((torch.zeros(2, 4),),)), "the state given has shapes"),
        (lambda x: Recurrent("gru", 3, 4, bidirectional=True).step(x[:, 0]), "cannot go step by step"),
    ],
)
def test_mistakes_get_one_sentence(call: Callable[[Tensor], object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        call(torch.randn(2, 5, 3))
