"""Torch's own fused layers (oneDNN, cuDNN, native) on a cell's weights: `torch._VF.lstm`, `gru`, `rnn_tanh`...

Ragged rows run padded, which costs nothing like packing does (oneDNN has no packed form): what an ended row would
still compute is masked, its last output is picked, and an LSTM's cell state is held by gates driven into saturation.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from tsrnn.cells import Cell
from tsrnn.shapes import State

_HOLD = 1e4  # a pre-activation at which the sigmoid is exactly 0 or 1 in every floating type, float16 too


def supports(cell: Cell, x: Tensor, lengths: Tensor | None) -> tuple[bool, str]:
    """Whether torch has a kernel for this cell on this input, and why."""
    name = type(cell).__name__
    if cell.stock is None or "stock" not in vars(type(cell)):
        return False, f"torch has no kernel for {name}"
    if x.device.type not in ("cpu", "cuda"):
        return False, f"torch's kernels are not used on {x.device.type}"
    if x.dtype != cell.weight_ih.dtype and not torch.is_autocast_enabled(x.device.type):
        return False, f"the input is {x.dtype} and the weights are {cell.weight_ih.dtype}"
    if not x.numel():
        return False, "the batch is empty"
    return True, f"torch._VF.{cell.stock} runs the equations of {name}"


def faster(cell: Cell, x: Tensor, lengths: Tensor | None) -> bool:
    """Whether torch's kernel beats a generated one on the CPU, which only oneDNN's LSTM does.

    Measured with hidden sizes from 8 to 512 and 1 to 256 rows on one AMD core with 512-bit vectors; where the two are
    within some per cent of each other, torch's. Under autocast oneDNN computes in bfloat16, 1.5 to 2.2 times as fast as
    in float32 on a processor that has products of it.
    """
    if cell.stock != "lstm" or lengths is not None:
        return False
    if torch.is_autocast_enabled("cpu"):
        return torch.get_autocast_dtype("cpu") is torch.bfloat16 and _has_bfloat16()
    if x.dtype != torch.float32:
        return False
    hidden, rows = cell.hidden_size, len(x)
    if not (torch.is_grad_enabled() and (x.requires_grad or cell.weight_hh.requires_grad)):
        return hidden >= 256 or hidden * rows >= (256 if hidden >= 32 else 2048)
    if rows < 12:
        return hidden >= (112 if rows > 4 else 144)
    return hidden >= (176 if rows >= 128 else 384)


@cache
def _has_bfloat16() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def run(cell: Cell, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
    """As `tsrnn.recurrence.reference.run`, for a cell that `supports` accepts."""
    weight_ih: Tensor = cell.weight_ih
    if lengths is not None:
        ended = torch.arange(x.shape[1], device=x.device) >= lengths[:, None]  # [batch time]
        if len(cell.states) > 1:
            x = torch.cat([x, ended[..., None].to(x.dtype)], -1)  # [batch time input+1]
            weight_ih = torch.cat([weight_ih, _hold(cell)], 1)  # [gates*hidden input+1]
    weights = _contiguous([weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh])
    hidden = tuple(each[None].contiguous() for each in state)  # each [1 batch hidden]
    kernel: Any = getattr(torch._VF, cell.stock or "")
    # Training mode without dropout changes no number, and cuDNN has no backward pass outside it.
    output, *last = kernel(
        x, hidden if len(hidden) > 1 else hidden[0], weights, True, 1, 0.0, torch.is_grad_enabled(), False, True
    )
    final = tuple(each[0] for each in last)
    if lengths is not None:
        final = (_at(output, state[0], lengths), *final[1:])
        output = output.masked_fill(ended[..., None], 0.0)
    return output, final


def _hold(cell: Cell) -> Tensor:
    """Weights of an input that is 1 where a row has ended: i shut and f open keep c as it is; [gates*hidden 1]."""
    drive = {"i": -_HOLD, "f": _HOLD}
    column = cell.weight_ih.new_tensor([drive.get(gate, 0.0) for gate in cell.gates])  # [gates]
    return column.repeat_interleave(cell.hidden_size)[:, None]


def _at(output: Tensor, first: Tensor, lengths: Tensor) -> Tensor:
    """Each row's output at its last step, or its first state where it has none: [batch hidden]."""
    last = (lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, output.shape[2])  # [batch 1 hidden]
    return torch.where((lengths > 0)[:, None], output.gather(1, last)[:, 0], first)


def _contiguous(weights: list[Tensor]) -> list[Tensor]:
    """The weights as pieces of one block where cuDNN wants them so."""
    if weights[0].device.type != "cuda":
        return weights
    block = torch.cat([each.reshape(-1) for each in weights])
    pieces = torch.split(block, [each.numel() for each in weights])
    return [piece.view_as(each) for piece, each in zip(pieces, weights, strict=True)]
