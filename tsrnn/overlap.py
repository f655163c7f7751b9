"""What a model says of each row of a series that is longer than what it reads at once.

Windows overlap by half, and a row's answers are averaged, those from the middle of a window weighing most: near an end
a model has not seen what lies on the other side.
"""

import numpy as np
import torch

from tsrnn import infer, windows
from tsrnn.arrays import Floats
from tsrnn.buffer import Buffer
from tsrnn.heads import Head
from tsrnn.heads.classes import ClassesHead
from tsrnn.models import Model
from tsrnn.scale import Affine
from tsrnn.tasks import Task


@torch.inference_mode()
def answers(model: Model, head: Head, laid: Buffer, input_size: int, task: Task) -> Floats:
    """The classes' probabilities, or the value as the model gives it: [row number] of every panel row."""
    anchors = _cover(laid, input_size)
    cut = windows.Windows(laid, anchors, input_size, input_size, task)
    starts = np.maximum(anchors - input_size + 1, laid.begin[np.searchsorted(laid.begin, anchors, "right") - 1])
    total, weight = np.zeros((laid.arrays.rows, head.params)), np.zeros((laid.arrays.rows, 1))
    share = np.minimum(np.arange(1, input_size + 1), np.arange(input_size, 0, -1))[:, None]  # of a window's rows
    done = 0
    for batch in cut.batches(infer.batch_size(model)):
        params = model.eval()(batch)[:, :, 0]  # [batch time params]
        cells = (head.probabilities(params) if isinstance(head, ClassesHead) else params).double().numpy()
        for first, anchor, answer in zip(starts[done:], anchors[done:], cells, strict=False):
            rows, real = slice(first, anchor + 1), first - anchor - 1  # the newest of the window
            total[rows] += answer[real:] * share[real:]
            weight[rows] += share[real:]
        done += len(cells)
    average: Floats = total / weight
    return average


def undone(scaled: Floats, scaling: Affine, laid: Buffer) -> Floats:
    """Values [row 1] in the target's own unit; scaling [series channel]."""
    lengths = np.diff(laid.arrays.offsets)
    loc, scale = (np.repeat(each[:, :1], lengths, axis=0) for each in (scaling.loc, scaling.scale))
    values: Floats = scaled * scale + loc
    return values


def _cover(laid: Buffer, input_size: int) -> np.ndarray:
    """Anchors of windows that hold every row: rising panel rows."""
    step, anchors = max(1, input_size // 2), []
    for begin, end in zip(laid.begin, laid.end, strict=True):
        last = end - 1
        anchors += [*range(min(begin + input_size - 1, last), last, step), last]
    return np.array(anchors, np.int64)
