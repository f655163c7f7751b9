"""The scans: fused, plain, chunked and the number-by-number twin."""

import math
from collections.abc import Iterator

import pytest
import torch
from reference import selective as twin
from torch import Tensor

from tsrnn.errors import InputError
from tsrnn.recurrence import build, native
from tsrnn.recurrence.scan import explain_linear, explain_selective, linear_scan, selective_scan

COMPILER, _ = build.available()
with_compiler = pytest.mark.skipif(not COMPILER, reason="there is no C++ compiler")
METHODS = (pytest.param("fused", marks=with_compiler), "plain", "chunked", "auto")
CHANNELS, STATES = 3, 2


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(source: str) -> None:
        raise build.Unavailable("no C++ compiler was found")

    monkeypatch.setattr(build, "library", refuse)
    native._library.cache_clear()
    yield
    native._library.cache_clear()


@pytest.fixture
def threads() -> Iterator[None]:
    count = torch.get_num_threads()
    yield
    torch.set_num_threads(count)


def terms(
    batch: int, time: int, dtype: torch.dtype = torch.float64, channels: int = CHANNELS, states: int = STATES
) -> list[Tensor]:
    """u, delta, A, B, C, D and a first state."""
    made = [
        torch.randn(batch, time, channels),
        torch.rand(batch, time, channels),
        -4 * torch.rand(channels, states),
        torch.randn(batch, time, states),
        torch.randn(batch, time, states),
        torch.randn(channels),
        torch.randn(batch, channels, states),
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


def assert_near(found: list[Tensor], expected: list[Tensor], bound: float) -> None:
    """Each within a bound of the other, as a share of its largest number."""
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        scale = max(1.0, float(other.abs().max()))
        assert float((one - other).abs().max()) / scale < bound


def doubles_of(given: list[Tensor]) -> list[Tensor]:
    return [each.detach().double().requires_grad_() for each in given]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("batch", [1, 33])
def test_all_methods_agree_to_rounding_in_float32(method: str, batch: int) -> None:
    given = terms(batch, 100, torch.float32)
    doubles = doubles_of(given)
    expected = with_gradients(scan(doubles, "plain"), doubles)
    assert_near(with_gradients(scan(given, method), given), expected, 1e-5)


@with_compiler
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("time", [1, 2, 63, 100])
@pytest.mark.parametrize(("channels", "states"), [(1, 1), (7, 5), (16, 16), (33, 5), (33, 64)])
def test_kernels_of_all_sizes(dtype: torch.dtype, time: int, channels: int, states: int) -> None:
    given = terms(2, time, dtype, channels, states)
    doubles = doubles_of(given)
    found = with_gradients(scan(given, "fused"), given)
    assert_near(found, with_gradients(scan(doubles, "plain"), doubles), 1e-5 if dtype == torch.float32 else 1e-12)


@with_compiler
@pytest.mark.parametrize("channels", [1, 7, 16, 33])
def test_linear_kernels_of_all_sizes(channels: int) -> None:
    a, b, initial = torch.rand(3, 63, channels), torch.randn(3, 63, channels), torch.randn(3, channels)
    given = [each.requires_grad_() for each in (a, b, initial)]
    doubles = doubles_of(given)
    found, expected = linear_scan(a, b, initial, "fused"), linear_scan(*doubles, "plain")
    assert_near(
        with_gradients((found, found[:, -1]), given), with_gradients((expected, expected[:, -1]), doubles), 1e-6
    )


@with_compiler
def test_kernels_take_tensors_however_they_lie() -> None:
    u, delta, A, B, C, D, initial = terms(2, 20, channels=7, states=5)
    both = torch.stack([B, C], -2).detach()  # [batch time 2 state]
    apart = [
        u.detach().permute(1, 2, 0).contiguous().permute(2, 0, 1),
        delta.detach()[..., :1].expand(-1, -1, 7),
        A.detach().t().contiguous().t(),
        *both.unbind(2),
        D.detach().repeat_interleave(2)[::2],
        initial.detach().transpose(0, 2).contiguous().transpose(0, 2),
    ]
    found = [each.requires_grad_() for each in apart]
    whole = [each.detach().clone(memory_format=torch.contiguous_format).requires_grad_() for each in apart]
    assert not any(each.is_contiguous() for each in found)
    expected = with_gradients(scan(whole, "plain"), whole)
    assert_near(with_gradients(scan(found, "fused"), found), expected, 1e-12)
    a, b = delta.transpose(0, 1), u.transpose(0, 1)
    torch.testing.assert_close(linear_scan(a, b, method="fused"), linear_scan(a, b, method="plain"))


@with_compiler
def test_threads_share_the_rows(threads: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_WORTH_A_THREAD", 1)
    given = terms(5, 40, channels=7)
    a, b = given[1], given[0]
    found = []
    for count in (1, 2, 3):
        torch.set_num_threads(count)
        assert native.threads_for(5, 40) == count
        h = linear_scan(a, b, method="fused")
        found.append(with_gradients(scan(given, "fused"), given) + with_gradients((h, h[:, -1]), [a, b]))
    assert_near(found[1], found[0], 1e-13)
    assert_near(found[2], found[0], 1e-13)


@with_compiler
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("which", [0, 1, 2, 3, 4, 6])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_stays_so(dtype: torch.dtype, which: int, value: float) -> None:
    given = [each.detach() for each in terms(2, 20, dtype, 7, 5)]
    given[which].view(-1)[3] = value
    for ours, theirs in zip(scan(given, "fused"), scan(given, "plain"), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5, equal_nan=True)


@with_compiler
@pytest.mark.parametrize("columns", [2048, 2047])  # the latter's rows do not lie on whole vectors
def test_results_too_large_for_the_cache_are_right(columns: int) -> None:
    given = [make(3, 400, columns).requires_grad_() for make in (torch.rand, torch.randn)]
    found, expected = (linear_scan(*given, method=method) for method in ("fused", "plain"))
    torch.testing.assert_close(found, expected)
    gradient = torch.randn_like(expected)
    ours, theirs = (torch.autograd.grad(h, given, gradient) for h in (found, expected))
    torch.testing.assert_close(ours, theirs)


@with_compiler
def test_growing_states_are_kernels_too() -> None:
    given = terms(2, 20)
    given[2] = (-given[2]).detach().requires_grad_()
    expected = with_gradients(scan(given, "plain"), given)
    for ours, theirs in zip(with_gradients(scan(given, "fused"), given), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


@with_compiler
def test_each_result_alone_has_its_gradient() -> None:
    given = terms(2, 20)
    for k in (0, 1):
        ours = torch.autograd.grad(scan(given, "fused")[k].sin().sum(), given, allow_unused=True)
        theirs = torch.autograd.grad(scan(given, "plain")[k].sin().sum(), given, allow_unused=True)
        for one, other in zip(ours, theirs, strict=True):
            assert one is not None
            torch.testing.assert_close(one, torch.zeros_like(one) if other is None else other)


@with_compiler
def test_kernels_gradients_agree_with_differences() -> None:
    given = terms(1, 18)
    assert torch.autograd.gradcheck(lambda *each: scan(list(each), "fused"), given, fast_mode=True)
    a, b, initial = given[1], given[0], given[6][..., 0].detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda *each: linear_scan(*each, method="fused"), (a, b, initial), fast_mode=True)


@with_compiler
def test_gradients_of_gradients_go_through_the_plain_scan() -> None:
    given = terms(1, 4)
    assert torch.autograd.gradgradcheck(lambda *each: scan(list(each), "fused"), given, fast_mode=True)
    a, b = given[1], given[0]
    assert torch.autograd.gradgradcheck(lambda *each: linear_scan(*each, method="fused"), (a, b), fast_mode=True)


@with_compiler
def test_what_kernels_cannot_do_is_said_and_done_otherwise() -> None:
    given = [each.detach() for each in terms(2, 20)]
    assert explain_selective(*given).startswith("fused: ")
    halves = [each.half() for each in given]
    assert explain_selective(*halves).startswith("chunked: 12 numbers in one step")
    assert "float32 or all float64" in explain_selective(*halves)
    assert scan(halves, "auto")[0].dtype == torch.float16
    a, b = given[1], given[0]
    assert explain_linear(a, b).startswith("fused: ")
    assert "broadcasting" in explain_linear(a[..., :1], b)
    torch.testing.assert_close(linear_scan(a[..., :1], b), linear_scan(a[..., :1].expand_as(b), b, method="plain"))
    with pytest.raises(InputError, match=r"'fused' cannot run this: .* choose method='auto'"):
        scan(halves, "fused")
    jacobian = torch.func.jacrev(lambda x: linear_scan(a, x))(b)
    assert jacobian.shape == (*b.shape, *b.shape)
    _, tangent = torch.func.jvp(lambda x: linear_scan(a, x), (b,), (b,))
    torch.testing.assert_close(tangent, linear_scan(a, b))


def test_a_compiled_graph_stays_whole_and_takes_no_kernel() -> None:
    given = [each.detach() for each in terms(2, 9)]
    whole = torch.compile(lambda *each: scan(list(each), "auto"), fullgraph=True, backend="eager")
    torch.testing.assert_close(whole(*given), scan(given, "auto"))


def test_without_a_compiler_the_results_are_the_same(no_compiler: None) -> None:
    given = terms(2, 40)
    assert explain_selective(*given).endswith("not fused: no C++ compiler was found")
    assert_near(with_gradients(scan(given, "auto"), given), with_gradients(scan(given, "plain"), given), 1e-12)
    assert torch.equal(linear_scan(given[1], given[0]), linear_scan(given[1], given[0], method="chunked"))
    with pytest.raises(InputError, match="no C\\+\\+ compiler was found"):
        scan(given, "fused")


@pytest.mark.usefixtures("no_compiler")
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
