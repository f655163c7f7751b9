"""Generated kernels inside compiled and exported graphs."""

import pytest
import torch

from tsrnn.recurrence import Recurrent, build, generated, operators

pytestmark = pytest.mark.skipif(not build.available()[0], reason="no C++ compiler here")
LENGTHS = torch.tensor([9, 3, 0, 5])


def slopes(output, layer):
    return torch.autograd.grad(output.square().sum(), list(layer.parameters()))


@pytest.mark.slow
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize(("cell", "bidirectional"), [("gru", True), ("slstm", False), ("gru_before", False)])
def test_a_compiled_layer_is_one_graph(cell, bidirectional, ragged):
    torch._dynamo.reset()
    torch.manual_seed(0)
    layer = Recurrent(cell, 3, 7, num_layers=2, bidirectional=bidirectional, backend="generated")
    x, lengths = torch.randn(4, 9, 3), LENGTHS if ragged else None
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    (found, last), (wanted, end) = compiled(x, None, lengths), layer(x, None, lengths)
    assert torch.equal(found, wanted)
    assert all(torch.equal(one, other) for a, b in zip(last, end, strict=True) for one, other in zip(a, b, strict=True))
    for one, other in zip(slopes(found, layer), slopes(wanted, layer), strict=True):
        torch.testing.assert_close(one, other)


def test_an_exported_layer_names_its_kernels():
    layer = Recurrent("gru", 3, 7, num_layers=2, backend="generated")
    x = torch.randn(4, 9, 3)
    exported = torch.export.export(layer, (x,))
    operators = [node for node in exported.graph.nodes if str(node.target).startswith("tsrnn.recurrence")]
    assert len(operators) == 2
    torch.testing.assert_close(exported.module()(x)[0], layer(x)[0])


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["gru", "peephole", "gru_before"])
@pytest.mark.parametrize("lengths", [None, torch.tensor([9, 5, 3, 0])], ids=["full", "ragged"])
def test_the_operator_keeps_torchs_contract(cell, lengths):
    layer = Recurrent(cell, 3, 7)
    made = layer.cells[0]
    key, names = generated.kept(made, torch.float32)
    weights = [each.detach().requires_grad_() for each in (made.weight_ih, made.weight_hh, made.bias_ih, made.bias_hh)]
    own = [made.get_parameter(name).detach().requires_grad_() for name in names]
    first = [torch.randn(4, 7, requires_grad=True) for _ in made.states]
    given = (torch.randn(4, 9, 3, requires_grad=True), weights, own, first, lengths, key, True)
    checks = ["test_schema", "test_autograd_registration", "test_faketensor"]
    checks += ["test_aot_dispatch_dynamic"] if lengths is None else []  # it would compare what no padded step writes
    torch.library.opcheck(torch.ops.tsrnn.recurrence.default, given, test_utils=checks)


def test_a_kernel_that_this_process_has_not_built():
    with pytest.raises(RuntimeError, match="kernel nobody is not built in this process"):
        operators.run("nobody", None, torch.zeros(1, 2, 3), [torch.zeros(1)] * 4, [], [torch.zeros(1, 2)], keep=False)


@pytest.mark.skipif(not torch.ops.mkldnn._is_mkldnn_bf16_supported(), reason="this processor has no bfloat16")
def test_autocast_takes_an_lstm_to_bfloat16():
    layer = Recurrent("lstm", 3, 32)
    x = torch.randn(8, 9, 3)
    wanted, _ = layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer.explain(x).startswith("stock")
        found, _ = layer(x)
        found.sum().backward()
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), wanted, rtol=0.02, atol=0.02)
    assert all(each.grad is not None and each.grad.dtype == torch.float32 for each in layer.parameters())


def test_autocast_leaves_a_kernel_in_its_weights_type():
    layer = Recurrent("gru", 3, 7, backend="generated")
    x = torch.randn(4, 9, 3)
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = layer(x.bfloat16())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, layer(x.bfloat16().float())[0])
