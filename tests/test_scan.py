"""The scans: plain, chunked and the number-by-number twin; then the block around them."""

import math

import pytest
import torch
from reference import selective as twin
from torch import Tensor

from tsrnn.errors import InputError
from tsrnn.layers.selective import SelectiveBlock
from tsrnn.recurrence.scan import linear_scan, selective_scan

METHODS = ("plain", "chunked", "auto")
CHANNELS, STATES = 3, 2


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def terms(batch: int, time: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """u, delta, A, B, C, D and a first state."""
    made = [
        torch.randn(batch, time, CHANNELS),
        torch.rand(batch, time, CHANNELS),
        -4 * torch.rand(CHANNELS, STATES),
        torch.randn(batch, time, STATES),
        torch.randn(batch, time, STATES),
        torch.randn(CHANNELS),
        torch.randn(batch, CHANNELS, STATES),
    ]
    return [each.to(dtype).requires_grad_() for each in made]


def scan(given: list[Tensor], method: str) -> tuple[Tensor, Tensor]:
    u, delta, A, B, C, D, initial = given
    return selective_scan(u, delta, A, B, C, D, initial, method)


def with_gradients(results: tuple[Tensor, Tensor], given: list[Tensor]) -> list[Tensor]:
    y, final = results
    total = (y * torch.cos(torch.arange(y.numel()).view_as(y))).sum() + final.square().sum()
    return [y.detach(), final.detach(), *torch.autograd.grad(total, given)]


def twin_scan(u: Tensor, delta: Tensor, A: Tensor, *rest: Tensor) -> tuple[Tensor, Tensor]:
    B, C, D, initial = rest
    rows = [twin.scan(u[k], delta[k], A, B[k], C[k], D, initial[k]) for k in range(len(u))]
    return torch.stack([row[0] for row in rows]), torch.stack([row[1] for row in rows])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("time", [1, 2, 3, 16, 63, 100])
def test_the_selective_scan_answers_to_the_twin(method: str, time: int) -> None:
    given = terms(2, time)
    found = with_gradients(scan(given, method), given)
    expected = with_gradients(twin_scan(*given), given)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("batch", [1, 33])
def test_both_methods_agree_to_rounding_in_float32(batch: int) -> None:
    given = terms(batch, 100, torch.float32)
    plain = with_gradients(scan(given, "plain"), given)
    chunked = with_gradients(scan(given, "chunked"), given)
    for one, other in zip(plain, chunked, strict=True):
        scale = max(1.0, float(one.abs().max()))
        assert float((one - other).abs().max()) / scale < 1e-5


@pytest.mark.parametrize(("batch", "chosen", "other"), [(1, "chunked", "plain"), (1024, "plain", "chunked")])
def test_auto_goes_by_the_width_of_a_step(batch: int, chosen: str, other: str) -> None:
    given = terms(batch, 50, torch.float32)
    assert torch.equal(scan(given, "auto")[0], scan(given, chosen)[0])
    assert not torch.equal(scan(given, "auto")[0], scan(given, other)[0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("steps", ["large", "zero", "mixed"])
def test_extreme_decays_stay_finite(method: str, steps: str) -> None:
    u, delta, A, *rest = terms(2, 63, torch.float32)
    size = {"large": torch.tensor(1e4), "zero": torch.tensor(0.0), "mixed": 1e4 * (torch.arange(63) % 5 == 0)}[steps]
    given = [u, (delta * size.view(-1, 1)).detach().requires_grad_(), (1e3 * A).detach().requires_grad_(), *rest]
    doubles = [each.detach().double().requires_grad_() for each in given]
    expected = with_gradients(twin_scan(*doubles), doubles)
    for ours, theirs in zip(with_gradients(scan(given, method), given), expected, strict=True):
        assert torch.isfinite(ours).all()
        scale = max(1.0, float(theirs.abs().max()))
        assert float((ours - theirs).abs().max()) / scale < 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_a_scan_can_be_cut_and_carried_on(method: str) -> None:
    u, delta, A, B, C, D, initial = terms(2, 40)
    whole, final = selective_scan(u, delta, A, B, C, D, initial, method)
    cut = 13
    first, carried = selective_scan(u[:, :cut], delta[:, :cut], A, B[:, :cut], C[:, :cut], D, initial, method)
    second, last = selective_scan(u[:, cut:], delta[:, cut:], A, B[:, cut:], C[:, cut:], D, carried, method)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)
    torch.testing.assert_close(last, final)


@pytest.mark.parametrize("method", METHODS)
def test_without_skip_and_first_state(method: str) -> None:
    u, delta, A, B, C, D, initial = terms(2, 10)
    y, final = selective_scan(u, delta, A, B, C, method=method)
    zeros = [torch.zeros_like(D), torch.zeros_like(initial)]
    torch.testing.assert_close((y, final), scan([u, delta, A, B, C, *zeros], "plain"))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("time", [1, 2, 63, 100])
def test_the_linear_scan_is_the_recurrence(method: str, time: int) -> None:
    a = (2 * torch.rand(3, time, 4, dtype=torch.float64) - 1) * (torch.rand(3, time, 4) > 0.2)  # signs and zeros
    a, b = a.requires_grad_(), torch.randn(3, time, 4, dtype=torch.float64, requires_grad=True)
    initial = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    h, rows = initial, []
    for t in range(time):
        h = a[:, t] * h + b[:, t]
        rows.append(h)
    given = [a, b, initial]
    found = linear_scan(a, b, initial, method)
    for ours, theirs in zip(
        with_gradients((found, found[:, -1]), given), with_gradients((torch.stack(rows, 1), h), given), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)


def test_gradients_of_the_chunks_agree_with_differences() -> None:
    given = terms(1, 5)
    assert torch.autograd.gradcheck(lambda *each: scan(list(each), "chunked"), given)


def test_an_unknown_method_gets_one_sentence() -> None:
    with pytest.raises(InputError, match="unknown scan method 'chunk': did you mean 'chunked'"):
        linear_scan(torch.zeros(1, 1, 1), torch.zeros(1, 1, 1), method="chunk")


@pytest.mark.parametrize("time", [1, 3, 20])
@pytest.mark.parametrize("conv", [1, 4])
def test_the_block_answers_to_the_twin(time: int, conv: int) -> None:
    block = SelectiveBlock(4, state_size=3, expand=2, conv=conv, dt_rank=2).double()
    x = torch.randn(2, time, 4, dtype=torch.float64, requires_grad=True)
    weights: dict[str, Tensor] = dict(block.named_parameters())
    expected = torch.stack([twin.block(row, weights, rank=2, states=3) for row in x])
    output = block(x)
    torch.testing.assert_close(output, expected, rtol=1e-10, atol=1e-10)
    given = [x, *weights.values()]
    ours = torch.autograd.grad(output.sin().sum(), given)
    torch.testing.assert_close(ours, torch.autograd.grad(expected.sin().sum(), given), rtol=1e-8, atol=1e-10)


def test_the_block_starts_as_the_paper_says() -> None:
    block = SelectiveBlock(32, state_size=5)
    sizes = torch.nn.functional.softplus(block.delta.bias.detach())
    assert 0.999e-3 <= float(sizes.min()) < 5e-3
    assert 2e-2 < float(sizes.max()) <= 1.001e-1
    torch.testing.assert_close(torch.exp(block.log_rate), torch.arange(1.0, 6.0).expand(64, 5))
    assert (block.skip == 1).all()
    assert block.delta.in_features == math.ceil(32 / 16)


def test_the_block_is_causal_and_sees_the_newest_step() -> None:
    block = SelectiveBlock(4)
    x = torch.randn(2, 12, 4, requires_grad=True)
    block(x)[:, 6].sum().backward()
    assert x.grad is not None
    assert x.grad[:, :7].abs().sum(-1).gt(0).all()
    assert not x.grad[:, 7:].any()


def test_blocks_rows_do_not_know_of_each_other() -> None:
    block = SelectiveBlock(4).double()
    x = torch.randn(5, 9, 4, dtype=torch.float64)
    torch.testing.assert_close(block(x)[2:3], block(x[2:3]))


def test_a_block_of_no_width_gets_one_sentence() -> None:
    with pytest.raises(InputError, match="state_size of a selective block must be at least 1, not 0"):
        SelectiveBlock(4, state_size=0)
