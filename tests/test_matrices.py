"""The matrix memories, mLSTM and SSD: compiled, step by step, in chunks, and their float64 twins."""

import math
from collections.abc import Callable

import pytest
import torch
from reference import matrices as twin
from torch import Tensor
from torch.nn import functional as F

from tsrnn.errors import InputError
from tsrnn.recurrence import build, matrices
from tsrnn.recurrence import mlstm as mlstm_room
from tsrnn.recurrence import ssd as ssd_room
from tsrnn.recurrence.chunks import cut, join, spans
from tsrnn.recurrence.mlstm import Memory, explain_mlstm, mlstm
from tsrnn.recurrence.scan import selective_scan
from tsrnn.recurrence.ssd import explain_ssd, ssd

HEADS, WIDTH, STATE = 2, 3, 4
COMPILER, _ = build.available()
with_compiler = pytest.mark.skipif(not COMPILER, reason="there is no C++ compiler")
METHODS = ("plain", "chunked", pytest.param("fused", marks=with_compiler))
TIMES = [1, 2, 16, 17, 31, 32, 33, 63, 100]

every_method = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def ssd_terms(
    batch: int, time: int, dtype: torch.dtype = torch.float64, keys: int = STATE, values: int = WIDTH
) -> list[Tensor]:
    """u, delta, A, B, C, D and a first state."""
    made = [
        torch.randn(batch, time, HEADS, values),
        torch.rand(batch, time, HEADS),
        -4 * torch.rand(HEADS),
        torch.randn(batch, time, keys),
        torch.randn(batch, time, keys),
        torch.randn(HEADS),
        torch.randn(batch, HEADS, values, keys),
    ]
    return [each.to(dtype).requires_grad_() for each in made]


def mlstm_terms(
    batch: int, time: int, dtype: torch.dtype = torch.float64, keys: int = STATE, values: int = WIDTH
) -> list[Tensor]:
    """q, k, v, log_i, log_f, and a first C, n and m."""
    made = [
        2 * torch.randn(batch, time, HEADS, keys),
        torch.randn(batch, time, HEADS, keys),
        torch.randn(batch, time, HEADS, values),
        torch.randn(batch, time, HEADS),
        F.logsigmoid(2 + 2 * torch.randn(batch, time, HEADS)),
        torch.randn(batch, HEADS, keys, values),
        torch.randn(batch, HEADS, keys),
        torch.randn(batch, HEADS),
    ]
    return [each.to(dtype).requires_grad_() for each in made]


def run_mlstm(given: list[Tensor], method: str) -> tuple[Tensor, Memory]:
    *terms, C, n, m = given
    return mlstm(*terms, (C, n, m), method)


def plain_memory(state: Memory) -> list[Tensor]:
    """C and n themselves."""
    C, n, m = state
    return [C * torch.exp(m)[..., None, None], n * torch.exp(m)[..., None]]


def ssd_results(given: list[Tensor], method: str) -> list[Tensor]:
    return list(ssd(*given, method))  # type: ignore[arg-type]  # all of them


def mlstm_results(given: list[Tensor], method: str) -> list[Tensor]:
    output, state = run_mlstm(given, method)
    return [output, *plain_memory(state)]


def ssd_twin(given: list[Tensor]) -> list[Tensor]:
    u, delta, A, B, C, D, h = given
    runs = [
        [twin.ssd(u[k, :, j], delta[k, :, j], A[j], B[k], C[k], D[j], h[k, j]) for j in range(HEADS)]
        for k in range(len(u))
    ]
    return stacked(runs)


def mlstm_twin(given: list[Tensor]) -> list[Tensor]:
    *terms, C, n, m = given
    C, n = plain_memory((C, n, m))
    runs = [
        [twin.mlstm(*(each[k, :, j] for each in terms), C[k, j], n[k, j]) for j in range(HEADS)] for k in range(len(C))
    ]
    return stacked(runs)


def stacked(runs: list[list[tuple[Tensor, ...]]]) -> list[Tensor]:
    """Rows of heads -> output [batch time head ...], and the parts of the state [batch head ...]."""
    count = len(runs[0][0])
    parts = [torch.stack([torch.stack([head[k] for head in row]) for row in runs]) for k in range(count)]
    return [parts[0].transpose(1, 2), *parts[1:]]


def with_gradients(results: list[Tensor], given: list[Tensor]) -> list[Tensor]:
    weighed = [(each * torch.cos(torch.arange(each.numel()).view_as(each))).sum() for each in results]
    return [*(each.detach() for each in results), *torch.autograd.grad(torch.stack(weighed).sum(), given)]


Results = Callable[[list[Tensor], str], list[Tensor]]
KINDS = {"ssd": (ssd_terms, ssd_results, ssd_twin), "mlstm": (mlstm_terms, mlstm_results, mlstm_twin)}
every_kind = pytest.mark.parametrize("kind", list(KINDS))


@every_kind
@every_method
@pytest.mark.parametrize("time", TIMES)
def test_all_methods_answer_to_the_twin(kind: str, method: str, time: int) -> None:
    terms, run, slow = KINDS[kind]
    given = terms(2, time)
    expected = with_gradients(slow(given), given)
    for ours, theirs in zip(with_gradients(run(given, method), given), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9 * max(1.0, float(theirs.abs().max())))


@every_kind
@pytest.mark.parametrize("batch", [1, 33])
@pytest.mark.parametrize("method", METHODS[1:])
def test_methods_agree_to_rounding_in_float32(kind: str, batch: int, method: str) -> None:
    terms, run, _ = KINDS[kind]
    given = terms(batch, 100, torch.float32)
    close(with_gradients(run(given, method), given), with_gradients(run(given, "plain"), given))


@every_kind
@every_method
def test_it_can_be_cut_and_carried_on(kind: str, method: str) -> None:
    terms, _, _ = KINDS[kind]
    given = terms(2, 70)
    if kind == "ssd":
        u, delta, A, B, C, D, h = given
        whole = ssd_results(given, method)
        first, carried = ssd(u[:, :41], delta[:, :41], A, B[:, :41], C[:, :41], D, h, method)
        rest, last = ssd(u[:, 41:], delta[:, 41:], A, B[:, 41:], C[:, 41:], D, carried, method)
        pieces = [torch.cat([first, rest], 1), last]
    else:
        *sequences, C, n, m = given
        whole = mlstm_results(given, method)
        first, state = mlstm(*(each[:, :41] for each in sequences), (C, n, m), method)
        rest, final = mlstm(*(each[:, 41:] for each in sequences), state, method)
        pieces = [torch.cat([first, rest], 1), *plain_memory(final)]
    for one, other in zip(with_gradients(whole, given), with_gradients(pieces, given), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@every_method
def test_one_decay_for_every_state_is_the_selective_scan(method: str) -> None:
    u, delta, A, B, C, D, h = ssd_terms(2, 50)
    y, final = ssd(u, delta, A, B, C, D, h, method)
    for head in range(HEADS):
        rates, skip = A[head].expand(WIDTH, STATE), D[head].expand(WIDTH)
        steps = delta[:, :, head, None].expand(-1, -1, WIDTH)
        wanted, last = selective_scan(u[:, :, head], steps, rates, B, C, skip, h[:, head], "plain")
        torch.testing.assert_close(y[:, :, head], wanted)
        torch.testing.assert_close(final[:, head], last)


@every_method
def test_without_skip_and_first_state(method: str) -> None:
    u, delta, A, B, C, D, h = ssd_terms(2, 40)
    nothing = [u, delta, A, B, C, torch.zeros_like(D), torch.zeros_like(h)]
    torch.testing.assert_close(list(ssd(u, delta, A, B, C, method=method)), ssd_results(nothing, "plain"))


@every_method
@pytest.mark.parametrize("size", [0.0, 1e2, 1e4])
def test_extreme_decays_stay_right_in_float32(method: str, size: float) -> None:
    u, delta, A, *rest = ssd_terms(2, 70, torch.float32)
    large = size * (torch.arange(70) % 5 == 0).view(-1, 1)
    given = [u, (delta * large).detach().requires_grad_(), A, *rest]
    doubles = [each.detach().double().requires_grad_() for each in given]
    close(with_gradients(ssd_results(given, method), given), with_gradients(ssd_twin(doubles), doubles))


@every_method
@pytest.mark.parametrize(("enter", "forget"), [(-300.0, 0.0), (60.0, 0.0), (80.0, -1e3), (0.0, -1e4), (-1e3, -1e3)])
def test_extreme_gates_stay_right_in_float32(method: str, enter: float, forget: float) -> None:
    q, k, v, log_i, log_f, *_ = mlstm_terms(2, 70, torch.float32)
    some = (torch.arange(70) % 5 == 3).view(-1, 1)
    gates = [(log_i + enter * some).detach(), (log_f + forget * some).detach()]
    q, k = (each.detach().abs() for each in (q, k))  # no normaliser near zero, where the equations lose all digits
    given = [each.requires_grad_() for each in (q, k, v, *gates)]
    doubles = [each.detach().double().requires_grad_() for each in given]
    state = (torch.zeros(2, HEADS, STATE, WIDTH).double(), torch.zeros(2, HEADS, STATE).double())
    output, final = mlstm(*given, None, method)
    assert all(torch.isfinite(each).all() for each in final)
    wanted = mlstm_twin([*doubles, *state, torch.zeros(2, HEADS).double()])[:1]
    close(with_gradients([output], given), with_gradients(wanted, doubles), 1e-4)


def close(found: list[Tensor], expected: list[Tensor], tolerance: float = 2e-5) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.isfinite(ours).all()
        assert float((ours - theirs).abs().max()) / max(1.0, float(theirs.abs().max())) < tolerance


@every_method
def test_a_shut_forget_gate_and_nothing_seen_give_numbers(method: str) -> None:
    q, k, v, log_i, log_f, *_ = mlstm_terms(2, 40)
    shut = log_f.detach().clone()
    shut[:, ::7] = -torch.inf
    output, (C, n, m) = mlstm(q, k, v, log_i, shut, None, method)
    for each in with_gradients([output, C, n], [q, k, v, log_i]):
        assert torch.isfinite(each).all()
    alone, _ = mlstm(q[:, 35:], k[:, 35:], v[:, 35:], log_i[:, 35:], shut[:, 35:], None, method)
    torch.testing.assert_close(output[:, 35:], alone)
    assert torch.isfinite(m).all()


@every_kind
def test_gradients_of_the_chunks_agree_with_differences(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr({"ssd": ssd_room, "mlstm": mlstm_room}[kind], "_CHUNK", 2)
    terms, run, _ = KINDS[kind]
    given = terms(1, 5)
    assert torch.autograd.gradcheck(lambda *each: tuple(run(list(each), "chunked")), given)


def test_time_is_cut_and_joined() -> None:
    x = torch.randn(2, 7, 3)
    assert cut(x, 4).shape == (2, 2, 4, 3)
    assert not cut(x, 4)[:, 1, 3].any()
    assert (cut(x, 4, -1.0)[:, 1, 3] == -1).all()
    assert torch.equal(join(cut(x, 4), 7), x)
    assert torch.equal(cut(x, 7)[:, 0], x)


def test_spans_lose_no_digits_behind_a_large_one() -> None:
    logs = torch.tensor([0.0, -1e8, -0.25, -0.5])
    found = spans(logs)
    inf = torch.inf
    wanted = [[0, -inf, -inf, -inf], [-1e8, 0, -inf, -inf], [-1e8, -0.25, 0, -inf], [-1e8, -0.75, -0.5, 0]]
    assert torch.equal(found, torch.tensor(wanted))


@pytest.mark.parametrize("run", [ssd_results, mlstm_results])
def test_an_unknown_method_gets_one_sentence(run: Results) -> None:
    given = (ssd_terms if run is ssd_results else mlstm_terms)(1, 2)
    with pytest.raises(InputError, match="'chunk': did you mean 'chunked'"):
        run(given, "chunk")


@with_compiler
@every_kind
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("keys", "values"), [(1, 1), (8, 16), (7, 33), (16, 31), (33, 48), (40, 80)])
def test_kernels_take_all_sizes(kind: str, dtype: torch.dtype, keys: int, values: int) -> None:
    terms, run, _ = KINDS[kind]
    given = terms(2, 37, dtype, keys, values)
    doubles = [each.detach().double().requires_grad_() for each in given]
    wanted = with_gradients(run(doubles, "plain"), doubles)
    close(with_gradients(run(given, "fused"), given), wanted, 2e-5 if dtype == torch.float32 else 1e-11)


@with_compiler
@every_kind
def test_kernels_take_any_strides(kind: str) -> None:
    terms, run, _ = KINDS[kind]
    given = terms(3, 20)
    wanted = with_gradients(run(given, "fused"), given)
    turned = [each.detach().t().contiguous().t() if each.ndim == 2 else strange(each) for each in given]
    found = with_gradients(run([each.requires_grad_() for each in turned], "fused"), turned)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def strange(x: Tensor) -> Tensor:
    """The same numbers, every other place of a tensor that lies the other way round."""
    order = list(range(x.ndim))[::-1]
    wide = torch.stack([x, x + 1], -1).detach().permute(*order, x.ndim).contiguous()
    return wide[..., 0].permute(*order)


@with_compiler
@every_kind
def test_kernels_gradients_agree_with_differences(kind: str) -> None:
    terms, run, _ = KINDS[kind]
    given = terms(1, 18)
    assert torch.autograd.gradcheck(lambda *each: tuple(run(list(each), "fused")), given, fast_mode=True)


@with_compiler
@every_kind
def test_gradients_of_gradients_go_through_plain_steps(kind: str) -> None:
    terms, run, _ = KINDS[kind]
    given = terms(1, 3)
    assert torch.autograd.gradgradcheck(lambda *each: tuple(run(list(each), "fused")), given, fast_mode=True)


@with_compiler
@every_kind
def test_each_result_alone_has_its_gradient(kind: str) -> None:
    terms, run, _ = KINDS[kind]
    given = terms(2, 20)
    for k in range(len(run(given, "plain"))):
        ours = torch.autograd.grad(run(given, "fused")[k].sin().sum(), given, allow_unused=True)
        theirs = torch.autograd.grad(run(given, "plain")[k].sin().sum(), given, allow_unused=True)
        for one, other, each in zip(ours, theirs, given, strict=True):
            zeros = torch.zeros_like(each)
            torch.testing.assert_close(zeros if one is None else one, zeros if other is None else other)


@with_compiler
@every_kind
def test_without_gradients_the_numbers_are_the_same(kind: str) -> None:
    terms, run, _ = KINDS[kind]
    given = terms(2, 40)
    with torch.no_grad():
        found = run(given, "fused")
    assert all(torch.equal(one, other) for one, other in zip(found, run(given, "fused"), strict=True))


@with_compiler
@every_kind
def test_threads_share_the_heads(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    terms, run, _ = KINDS[kind]
    given = terms(5, 40)
    alone = with_gradients(run(given, "fused"), given)
    monkeypatch.setattr(matrices, "threads_for", lambda *sizes: 3)
    shared = with_gradients(run(given, "fused"), given)
    assert all(torch.equal(one, other) for one, other in zip(shared, alone, strict=True))


@with_compiler
@every_kind
@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("which", range(5))
def test_what_is_not_finite_stays_so(kind: str, which: int, value: float) -> None:
    terms, run, _ = KINDS[kind]
    given = [each.detach() for each in terms(2, 20)]
    given[which].view(-1)[-1] = -value if kind == "ssd" and which == 2 else value  # rates are at most zero
    for ours, theirs in zip(run(given, "fused"), run(given, "plain"), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9, equal_nan=True)


@with_compiler
def test_gates_shut_from_the_start_leave_nothing() -> None:
    q, k, v, log_i, log_f, *_ = mlstm_terms(2, 20)
    shut = log_i.detach().clone()
    shut[:, :5] = -torch.inf
    output, (C, n, _) = mlstm(q, k, v, shut.requires_grad_(), log_f, None, "fused")
    assert not output[:, :5].any()
    assert all(torch.isfinite(each).all() for each in with_gradients([output, C, n], [q, k, v, log_f]))
    alone, _ = mlstm(q[:, 5:], k[:, 5:], v[:, 5:], shut[:, 5:], log_f[:, 5:], None, "plain")
    torch.testing.assert_close(output[:, 5:], alone)


@with_compiler
@every_kind
def test_what_kernels_cannot_do_is_done_in_chunks_or_refused(kind: str) -> None:
    terms, run, _ = KINDS[kind]
    given = [each.detach() for each in terms(2, 20, torch.bfloat16)]
    assert run(given, "auto")[0].dtype == torch.bfloat16
    with pytest.raises(InputError, match=r"'fused' of the .* cannot run this: .*float32.*; choose method='auto'"):
        run(given, "fused")


def test_it_says_which_method_runs() -> None:
    given = ssd_terms(2, 20)
    assert explain_ssd(*given, method="plain") == "plain: as asked"
    assert explain_ssd(*given).startswith("fused: " if COMPILER else "chunked: not fused: ")
    *terms, C, n, m = mlstm_terms(2, 20)
    assert explain_mlstm(*terms, initial=(C, n, m)).startswith("fused: " if COMPILER else "chunked: not fused: ")
    assert "float32" in explain_mlstm(*(each.half() for each in terms))


@every_kind
def test_a_compiled_graph_stays_whole_and_takes_no_kernel(kind: str) -> None:
    terms, run, _ = KINDS[kind]
    given = [each.detach() for each in terms(2, 9)]
    whole = torch.compile(lambda *each: run(list(each), "auto"), fullgraph=True, backend="eager")
    torch.testing.assert_close(list(whole(*given)), run(given, "chunked"))
