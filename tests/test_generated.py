"""The generated backend against the reference loop in float64, and what it does where it cannot run."""

import copy
import ctypes
import io
from typing import Any

import pytest
import torch
from torch import Tensor

from tsrnn.cells import Cell, Gates, get
from tsrnn.errors import InputError
from tsrnn.recurrence import Recurrent, build, call, generated
from tsrnn.registry import names
from tsrnn.shapes import State

CELLS = [name for name in names("cells") if get(name)(1, 1).regular]
REFUSED = [name for name in names("cells") if name not in CELLS]
SMALL = [  # time, batch, hidden, input
    (1, 1, 1, 1),
    (2, 33, 7, 33),
    (63, 1, 16, 33),
    (100, 1, 1, 33),
    (2, 1, 100, 1),
]
LARGE = [(100, 33, 64, 1), (63, 33, 100, 3)]
RAGGED = [20, 1, 0, 19, 7, 2]
LEAST = 0.1
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}

pytestmark = pytest.mark.skipif(not build.available()[0], reason="no C++ compiler")
every_cell = pytest.mark.parametrize("name", CELLS)
every_dtype = pytest.mark.parametrize("dtype", list(TOLERANCE))


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def pair(
    name: str | type[Cell], inputs: int, hidden: int, dtype: torch.dtype = torch.float32, **options: Any
) -> list[Recurrent]:
    """A generated layer, and the reference in float64 with the same weights."""
    built, truth = (Recurrent(name, inputs, hidden, backend=each, **options) for each in ("generated", "reference"))
    truth.load_state_dict(built.to(dtype).state_dict())
    return [built, truth.double().requires_grad_()]


def loaded(name: str, built: Recurrent, dtype: torch.dtype = torch.float32) -> Recurrent:
    """The reference in the same floating type, with the same weights."""
    plain = Recurrent(
        name, built.input_size, built.hidden_size, built.num_layers, built.bidirectional, backend="reference"
    )
    plain.to(dtype).load_state_dict(built.state_dict())
    return plain


def cell_of(built: Recurrent) -> Cell:
    cell = built.cells[0]
    assert isinstance(cell, Cell)
    return cell


def first_states(built: Recurrent, batch: int) -> tuple[State, ...]:
    """A random state of the right form; a normaliser is above zero."""
    cells = [each for each in built.cells if isinstance(each, Cell)]
    drawn = [[(name, torch.randn(batch, built.hidden_size).mul(0.5)) for name in cell.states] for cell in cells]
    return tuple(tuple(part.abs() + 0.1 if name == "n" else part for name, part in each) for each in drawn)


def everything(
    built: Recurrent, x: Tensor, states: tuple[State, ...], lengths: Tensor | None = None
) -> dict[str, Tensor]:
    """Output, final states, and the gradients of all that went in, by name."""
    dtype = next(built.parameters()).dtype
    x = x.detach().to(dtype).requires_grad_()
    states = tuple(tuple(part.detach().to(dtype).requires_grad_() for part in each) for each in states)
    output, final = built(x, states, lengths)
    results = {"output": output} | {f"final {i} {k}": p for i, each in enumerate(final) for k, p in enumerate(each)}
    given = {"x": x} | {f"first {i} {k}": p for i, each in enumerate(states) for k, p in enumerate(each)}
    given |= dict(built.named_parameters())
    total = sum((torch.sin(torch.arange(p.numel()) + 1).to(dtype) * p.flatten()).sum() for p in results.values())
    slopes = torch.autograd.grad(total, list(given.values()), materialize_grads=True)
    return results | {f"gradient of {name}": slope for name, slope in zip(given, slopes, strict=True)}


def errors(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, float]:
    """Relative to the largest number in each tensor, or to LEAST: what a long way back has shrunk is all rounding."""
    assert list(found) == list(wanted)
    sizes = {name: max(float(each.detach().abs().max()), LEAST) for name, each in wanted.items()}
    apart = {name: (found[name].detach().double() - each.detach()).abs().max() for name, each in wanted.items()}
    return {name: float(apart[name]) / sizes[name] for name in wanted}


def compare(name: str, built: Recurrent, truth: Recurrent, *given: Any) -> dict[str, Tensor]:
    """Within the tolerance, or where rounding alone takes torch's own loop further, within thrice its error."""
    dtype = next(built.parameters()).dtype
    found, wanted = everything(built, *given), everything(truth, *given)
    worst = {key: error for key, error in errors(found, wanted).items() if not error < TOLERANCE[dtype]}
    if worst:
        plain = errors(everything(loaded(name, built, dtype), *given), wanted)
        assert all(error < min(3 * plain[key], 100 * TOLERANCE[dtype]) for key, error in worst.items()), worst
    return found


@every_cell
@every_dtype
@pytest.mark.parametrize("shapes", [SMALL, pytest.param(LARGE, marks=pytest.mark.slow)], ids=["small", "large"])
def test_every_cell_answers_to_the_loop(name: str, dtype: torch.dtype, shapes: list[tuple[int, ...]]) -> None:
    for time, batch, hidden, inputs in shapes:
        built, truth = pair(name, inputs, hidden, dtype)
        x, states = torch.randn(batch, time, inputs, dtype=dtype), first_states(built, batch)
        states = tuple(tuple(part.to(dtype) for part in each) for each in states)
        compare(name, built, truth, x, states)


@every_cell
@every_dtype
def test_ragged_rows_in_both_directions(name: str, dtype: torch.dtype) -> None:
    built, truth = pair(name, 3, 7, dtype, num_layers=2, bidirectional=True)
    x, lengths = torch.randn(len(RAGGED), 20, 3, dtype=dtype), torch.tensor(RAGGED)
    states = first_states(built, len(x))
    found = compare(name, built, truth, x, states, lengths)
    for k, part in enumerate(states[0]):
        assert torch.equal(found[f"final 0 {k}"][2], part[2].to(dtype))  # the row without a step
    alone = built(x[4:5, :7], tuple(tuple(part[4:5].to(dtype) for part in each) for each in states))
    torch.testing.assert_close(found["output"][4:5, :7], alone[0])
    assert not found["output"][4, 7:].any()


@every_cell
def test_rows_that_all_have_no_step(name: str) -> None:
    built, _ = pair(name, 3, 7)
    states = first_states(built, 2)
    found = everything(built, torch.randn(2, 5, 3), states, torch.tensor([0, 0]))
    assert not found["output"].any()
    assert not found["gradient of x"].any()
    assert all(torch.equal(found[f"final 0 {k}"], part) for k, part in enumerate(states[0]))


@every_cell
def test_gradients_agree_with_differences(name: str) -> None:
    built, _ = pair(name, 2, 3, torch.float64)
    (states,) = first_states(built, 2)
    x, parts = torch.randn(2, 3, 2).double().requires_grad_(), [each.double().requires_grad_() for each in states]
    weights = list(built.parameters())

    def run(x: Tensor, *rest: Tensor) -> list[Tensor]:
        output, (final,) = built(x, (rest[: len(parts)],), torch.tensor([3, 2]))
        return [output, *final]

    assert torch.autograd.gradcheck(run, (x, *parts, *weights))


@every_cell
def test_nan_and_infinity_come_out_where_the_loop_has_them(name: str) -> None:
    built, _ = pair(name, 3, 7)
    x = torch.randn(5, 12, 3)
    x[0, 4, 1], x[1, 3, 0], x[2, 5, 2], x[3, 2] = torch.nan, torch.inf, -torch.inf, torch.tensor([1e30, -1e30, 1e38])
    states = first_states(built, 5)
    found, wanted = everything(built, x, states), everything(loaded(name, built), x, states)
    assert found["output"][0, 4:].isnan().any()
    for key, theirs in wanted.items():
        assert torch.equal(found[key].isnan(), theirs.isnan()), key
        torch.testing.assert_close(found[key], theirs, equal_nan=True, rtol=1e-4, atol=1e-4)


@every_cell
def test_without_gradients_the_numbers_are_the_same(name: str) -> None:
    built, _ = pair(name, 3, 7)
    x, states = torch.randn(6, 20, 3), first_states(built, 6)
    for lengths in (None, torch.tensor(RAGGED)):
        output, final = built(x, states, lengths)
        for mode in (torch.no_grad, torch.inference_mode):
            with mode():
                again, last = built(x, states, lengths)
            assert torch.equal(again, output)
            assert all(torch.equal(one, other) for one, other in zip(last[0], final[0], strict=True))


@every_cell
def test_split_anywhere_and_go_on(name: str) -> None:
    built, _ = pair(name, 3, 7)
    x = torch.randn(3, 20, 3)
    whole, final = built(x)
    for cut in (1, 8, 19):
        before, carried = built(x[:, :cut])
        after, last = built(x[:, cut:], carried)
        torch.testing.assert_close(torch.cat([before, after], 1), whole)
        torch.testing.assert_close(last, final)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gru", "slstm", "peephole", "mgu", "rglru"])
def test_two_threads_make_the_same_numbers(name: str) -> None:
    built, _ = pair(name, 33, 64)
    x, states = torch.randn(33, 100, 33), first_states(built, 33)
    lengths = torch.randint(0, 101, (33,))
    assert call._threads(33, 100, 64 * 64) == 1
    for given in (None, lengths):
        alone = everything(built, x, states, given)
        torch.set_num_threads(2)
        try:
            assert call._threads(33, 100, 64 * 64) == 2
            both = everything(built, x, states, given)
        finally:
            torch.set_num_threads(1)
        for key, one in alone.items():
            assert torch.equal(one, both[key]) or key.startswith("gradient of cells"), key
            torch.testing.assert_close(both[key], one, rtol=1e-4, atol=1e-5 * float(one.detach().abs().max()))


@pytest.mark.parametrize("name", ["lstm", "rglru"])
def test_gradients_that_nobody_asks_for(name: str) -> None:
    built, _ = pair(name, 3, 7)
    x = torch.randn(4, 9, 3)
    built(x)[0].sum().backward()
    wanted = [weight.grad for weight in built.parameters()]
    x.requires_grad_()
    found = torch.autograd.grad(built(x)[0].sum(), [*built.parameters(), x])
    assert all(torch.equal(one, other) for one, other in zip(wanted, found, strict=False) if one is not None)
    built.requires_grad_(False)
    torch.testing.assert_close(torch.autograd.grad(built(x)[0].sum(), x)[0], found[-1])
    assert not built(x.detach())[0].requires_grad


def test_any_layout_of_the_input() -> None:
    built, _ = pair("gru", 3, 7)
    x = torch.randn(4, 9, 3)
    wanted = built(x)[0]
    layouts = [
        x.transpose(0, 1).contiguous().transpose(0, 1),
        x.permute(2, 1, 0).contiguous().permute(2, 1, 0),
        torch.randn(4, 18, 6)[:, ::2, ::2].copy_(x),
    ]
    for each in layouts:
        assert not each.is_contiguous()
        assert torch.equal(built(each)[0], wanted)
    row = x[:1, :1].expand(4, 9, 3).clone(memory_format=torch.contiguous_format)
    spread = x[:1, :1].requires_grad_()
    torch.testing.assert_close(built(spread.expand(4, 9, 3))[0], built(row)[0])
    (slope,) = torch.autograd.grad(built(spread.expand(4, 9, 3))[0].sum(), spread)
    (apart,) = torch.autograd.grad(built(row.requires_grad_())[0].sum(), row)
    torch.testing.assert_close(slope, apart.sum((0, 1), keepdim=True))


def test_weights_of_any_layout() -> None:
    built, truth = pair("gru", 3, 7)
    cell = cell_of(built)
    cell.weight_hh.data = cell.weight_hh.data.T.contiguous().T
    x = torch.randn(2, 9, 3)
    compare("gru", built, truth, x, first_states(built, 2))


def test_second_derivatives_are_refused_here_and_taken_in_the_reference() -> None:
    built, truth = pair("gru", 3, 4)
    x = torch.randn(2, 5, 3, requires_grad=True)
    (slope,) = torch.autograd.grad(built(x)[0].square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        torch.autograd.backward(slope.sum())
    (slope,) = torch.autograd.grad(truth(x.double())[0].square().sum(), x, create_graph=True)
    assert torch.autograd.grad(slope.sum(), x)[0].any()


def test_a_graph_used_twice() -> None:
    built, _ = pair("lstm", 3, 4)
    output, _ = built(torch.randn(2, 5, 3))
    output.sum().backward(retain_graph=True)
    once = [weight.grad.clone() for weight in built.parameters() if weight.grad is not None]
    output.sum().backward()
    twice = [weight.grad for weight in built.parameters() if weight.grad is not None]
    assert all(torch.equal(2 * one, other) for one, other in zip(once, twice, strict=True))
    with pytest.raises(RuntimeError, match="second time"):
        output.sum().backward()


def test_a_weight_changed_between_the_ways_is_noticed() -> None:
    built, _ = pair("lstm", 3, 4)
    output, _ = built(torch.randn(2, 5, 3))
    with torch.no_grad():
        next(built.parameters()).add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


def test_copies_of_a_layer_that_ran() -> None:
    built, _ = pair("peephole", 3, 4)
    x = torch.randn(2, 5, 3)
    wanted = built(x)[0]
    copied = copy.deepcopy(built)
    assert torch.equal(copied(x)[0], wanted)
    file = io.BytesIO()
    torch.save(built, file)
    file.seek(0)
    assert torch.equal(torch.load(file, weights_only=False)(x)[0], wanted)


class Centred(Cell):
    """Not element-wise: each unit sees the mean of all."""

    gates = ("u",)
    states = ("h",)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        h = torch.tanh(x[0] + r[0])
        return (h - h.mean(-1, keepdim=True),), h


class Noisy(Cell):
    """Not pure: each step draws noise."""

    gates = ("u",)
    states = ("h",)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        h = torch.tanh(x[0] + r[0]) * (1 + torch.rand_like(r[0]))
        return (h,), h


class Branching(Cell):
    """Looks at the numbers to choose its equations."""

    gates = ("u",)
    states = ("h",)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        h = torch.tanh(x[0] + r[0]) if bool((state[0] > 0).all()) else x[0] + r[0]
        return (h,), h


@pytest.mark.parametrize("cell", [*REFUSED, Centred, Noisy, Branching])
def test_a_cell_that_is_refused_says_why_and_runs_in_the_reference(cell: str | type[Cell]) -> None:
    built, x = Recurrent(cell, 3, 5), torch.randn(2, 6, 3)
    able, reason = generated.supports(cell_of(built), x, None)
    assert not able
    assert reason
    assert "\n" not in reason
    assert built.explain(x).startswith("reference: ")
    assert f"not generated: {reason}" in built.explain(x)
    built(x)[0].sum().backward()
    with pytest.raises(InputError, match="backend 'generated' cannot run this"):
        Recurrent(cell, 3, 5, backend="generated")(x)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.zeros(2, 4, 3, dtype=torch.bfloat16), "float32 and float64"),
        (torch.zeros(2, 4, 3, dtype=torch.float64), "float32 and float64"),
        (torch.zeros(0, 4, 3), "empty"),
    ],
)
def test_inputs_that_are_refused(x: Tensor, words: str) -> None:
    able, reason = generated.supports(cell_of(Recurrent("gru", 3, 5)), x, None)
    assert not able
    assert words in reason


FUNCTIONS = {
    "exp_": torch.exp,
    "tanh_": torch.tanh,
    "sigmoid_": torch.sigmoid,
    "log1p_": torch.log1p,
    "abs_": torch.abs,
}
EDGES = [0.0, -0.0, 1e-45, -1e-45, 1e-38, -1e-38, 1e-20, 0.625, -0.625, 9.02, -9.02, 87.0, -87.0, 88.0, -88.0, 88.71]
EDGES += [88.722, 88.73, 89.0, 103.0, -103.0, -104.0, -200.0, 1e30, -1e30, 3e38, -3e38]
EDGES += [torch.inf, -torch.inf, torch.nan]


def probe(dtype: torch.dtype) -> ctypes.CDLL:
    loop = "for (long i = 0; i < n; i += LANES) store(y + i, {}(load(x + i)));"
    calls = [
        f'extern "C" void {name}probe(const REAL* x, REAL* y, long n) {{ {loop.format(name)} }}' for name in FUNCTIONS
    ]
    text = "\n".join([f"#define SINGLE {build.SINGLE[dtype]}", '#include "vectors.hpp"', *calls])
    return build.library(text)[1]


@every_dtype
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_elementary_functions(name: str, dtype: torch.dtype) -> None:
    x = torch.cat([torch.tensor(EDGES), torch.linspace(-110, 110, 200_000), torch.linspace(-1, 1, 50_000)]).to(dtype)
    x = torch.cat([x, x.new_zeros(-len(x) % 16)])
    y = torch.empty_like(x)
    function = getattr(probe(dtype), f"{name}probe")
    function(ctypes.c_void_p(x.data_ptr()), ctypes.c_void_p(y.data_ptr()), ctypes.c_long(len(x)))
    wanted = FUNCTIONS[name](x.double()).to(dtype)
    assert torch.equal(y.isnan(), wanted.isnan())
    assert torch.equal(y.isinf(), wanted.isinf())
    finite = wanted.isfinite()
    epsilon, least = torch.finfo(dtype).eps, 1.3e-38
    error = (y.double() - wanted.double())[finite].abs() - least
    assert float((error / wanted[finite].double().abs().clamp(min=least)).max()) < 4 * epsilon
