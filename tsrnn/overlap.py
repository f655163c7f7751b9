"""What a model says of each row of a series that is longer than what it reads at once.

Windows overlap by half, and a row's answers are averaged, those from the middle of a window weighing most: near an end
a model has not seen what lies on the other side.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from tsrnn import infer, windows
from tsrnn.arrays import Floats, Rows
from tsrnn.buffer import Buffer
from tsrnn.heads import Head
from tsrnn.heads.classes import ClassesHead
from tsrnn.models import Model
from tsrnn.scale import Affine
from tsrnn.shapes import Batch
from tsrnn.tasks import Task

Reading = Callable[[Tensor, Batch], Tensor]  # what a model says of windows -> [batch time number]


def answers(model: Model, head: Head, laid: Buffer, input_size: int, task: Task) -> Floats:
    """The classes' probabilities, or the targets as the model gives them: [row number] of every panel row."""

    def read(params: Tensor, _: Batch) -> Tensor:
        return head.probabilities(params[:, :, 0]) if isinstance(head, ClassesHead) else head.point(params)

    anchors = cover(laid, input_size, input_size // 2)
    return average(model, laid, anchors, input_size, task, read)


@torch.inference_mode()
def average(model: Model, laid: Buffer, anchors: Rows, input_size: int, task: Task, read: Reading) -> Floats:
    """What is read of each row, over the windows that hold it: [row number]; NaN where none does.

    Args:
        anchors: panel rows of the windows' last rows, rising.
    """
    cut = windows.Windows(laid, anchors, input_size, input_size, task)
    starts = np.maximum(anchors - input_size + 1, laid.begin[np.searchsorted(laid.begin, anchors, "right") - 1])
    share = np.minimum(np.arange(1, input_size + 1), np.arange(input_size, 0, -1))[:, None]  # of a window's rows
    total, weight = np.zeros((laid.arrays.rows, 1)), np.zeros((laid.arrays.rows, 1))
    done = 0
    for batch in cut.batches(infer.batch_size(model)):
        cells = read(model.eval()(batch), batch).double().numpy()  # [batch time number]
        total = total if done else np.zeros((laid.arrays.rows, cells.shape[2]))
        for first, anchor, answer in zip(starts[done:], anchors[done:], cells, strict=False):
            rows, real = slice(first, anchor + 1), first - anchor - 1  # the newest of the window
            total[rows] += answer[real:] * share[real:]
            weight[rows] += share[real:]
        done += len(cells)
    with np.errstate(invalid="ignore"):
        mean: Floats = total / weight
    return mean


def undone(scaled: Floats, scaling: Affine, laid: Buffer) -> Floats:
    """Values [row target] in the targets' own units; scaling [series channel]."""
    lengths, targets = np.diff(laid.arrays.offsets), scaled.shape[1]
    loc, scale = (np.repeat(each[:, :targets], lengths, axis=0) for each in (scaling.loc, scaling.scale))
    values: Floats = scaled * scale + loc
    for target in laid.undo.logs:
        values[:, target] = 10.0 ** values[:, target]
    return values


def cover(laid: Buffer, input_size: int, step: int) -> Rows:
    """Anchors of windows, `step` rows apart at most, that hold every row: rising panel rows."""
    step, anchors = max(1, step), []
    for begin, end in zip(laid.begin, laid.end, strict=True):
        last = end - 1
        anchors += [*range(min(begin + input_size - 1, last), last, step), last]
    return np.array(anchors, np.int64)
