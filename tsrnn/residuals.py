"""How far each row is from what a model says of it, and what of that is usual.

    errors       of forecasts from rows before, at every lead; or of a window told again: [row lead target]
    Usual        the size of such errors, by lead and target, over rows in which all was well
    parts        errors in that size, averaged over the leads: [row target]
    scores       the largest of a row's parts, averaged over the rows around it: [row]

Sources: errors of forecasts by a recurrent network, Malhotra et al. 2015, "Long short term memory networks for anomaly
detection in time series" (ESANN); of an autoencoder, Malhotra et al. 2016 (arXiv 1607.00148). They fit a Gaussian to
the errors; ours are only measured, and a threshold of stated false alarms is conformal (Laxhammar & Falkman 2010).
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from tsrnn import infer, overlap, tasks, windows
from tsrnn.arrays import Floats, Rows
from tsrnn.buffer import Buffer
from tsrnn.errors import InputError
from tsrnn.heads import Head
from tsrnn.models import Model
from tsrnn.shapes import Batch
from tsrnn.split import Part

_STEPS = 8  # windows told again that hold a row
_LEAST = 1e-6  # of a usual error, in scaled units: where a target never moved, a move is told of


@torch.inference_mode()
def of_forecasts(model: Model, head: Head, laid: Buffer, part: Part) -> Floats:
    """Sizes of errors of the forecasts of a part's rows: [row lead target] float32, NaN where there is none."""
    sizes = model.spec.input_size, model.spec.horizon
    cut = windows.cut(laid, part, *sizes)
    errors = np.full((laid.arrays.rows, sizes[1], laid.targets), np.nan, np.float32)
    done = 0
    for batch in cut.batches(infer.batch_size(model)) if len(cut) else ():
        missed = _sizes(head.at(batch.undo).point(model.eval()(batch)), batch).numpy()  # [batch horizon target]
        at = cut.targets_at[done : done + len(missed)]
        for lead in range(sizes[1]):
            errors[at + lead, lead] = missed[:, lead]
        done += len(missed)
    return errors


@torch.inference_mode()
def of_windows(model: Model, head: Head, laid: Buffer, part: Part) -> Floats:
    """Sizes of errors of a part's rows told again, averaged over the windows that hold them: [row 1 target].

    Windows may reach back before the part, and hold no row behind it.
    """
    size = model.spec.input_size
    last = part.end[part.end > part.begin] - 1
    anchors = np.unique(np.concatenate([overlap.cover(laid, size, size // _STEPS), last]))
    anchors = anchors[inside(part, laid.arrays.rows)[anchors]]

    def read(params: Tensor, batch: Batch) -> Tensor:
        return _sizes(head.point(params), batch)

    if not len(anchors):
        return np.full((laid.arrays.rows, 1, laid.targets), np.nan, np.float32)
    errors = overlap.average(model, laid, anchors, size, tasks.find("reconstruct"), read)
    errors[~inside(part, laid.arrays.rows)] = np.nan
    return errors[:, None]


def _sizes(point: Tensor, batch: Batch) -> Tensor:
    assert batch.target is not None
    missed = (point - batch.target).abs()
    return missed if batch.target_observed is None else missed.masked_fill(~batch.target_observed.bool(), torch.nan)


def inside(part: Part, rows: int) -> np.ndarray:
    """Which rows lie in a part: [row] bool."""
    held = np.zeros(rows, bool)
    for begin, end in zip(part.begin, part.end, strict=True):
        held[begin:end] = True
    return held


@dataclass(frozen=True)
class Usual:
    """What errors are like where all is well."""

    size: Floats  # [lead target] root of their mean square
    smooth: int  # rows that a score is a mean over
    scores: Floats  # [row] of those rows, rising

    @classmethod
    def learn(cls, errors: Floats, offsets: Rows, smooth: int = 1) -> "Usual":
        """From errors [row lead target] of sound rows, NaN in all others.

        Args:
            offsets: [series+1] first rows of the series.

        Raises:
            InputError: there is no such row.
        """
        seen = np.isfinite(errors)
        if not seen.any():
            raise InputError(
                "no row that all was well in was told by the model, so that nothing says which errors are usual; fit "
                "with a larger val_size=, or pass sound="
            )
        squares = np.where(seen, errors, 0.0).astype(np.float64) ** 2
        size = np.sqrt(squares.sum(0) / np.maximum(seen.sum(0), 1)).clip(_LEAST)
        learnt = cls(size, smooth, np.zeros(0))
        scores = learnt.score(learnt.parts(errors), offsets)
        return cls(size, smooth, np.sort(scores[np.isfinite(scores)]))

    def parts(self, errors: Floats) -> Floats:
        """What each target adds to a row's score, 1 being usual: [row lead target] -> [row target], NaN: nothing."""
        seen = np.isfinite(errors)
        total = np.where(seen, errors / self.size, 0.0).sum(1)
        with np.errstate(invalid="ignore"):
            mean: Floats = total / seen.sum(1)
        return mean

    def score(self, parts: Floats, offsets: Rows) -> Floats:
        """The largest part of each row, averaged over the `smooth` rows around it: [row]; NaN: there is none."""
        seen = np.isfinite(parts).sum(1) > 0
        largest: Floats = np.where(seen, np.nan_to_num(parts, nan=-np.inf).max(1, initial=-np.inf), 0.0)
        if self.smooth == 1:
            return np.where(seen, largest, np.nan)
        before, scores = self.smooth // 2, np.full(len(parts), np.nan)
        for begin, end in pairwise(offsets.tolist()):
            rows = np.arange(end - begin)
            low, high = np.maximum(rows - before, 0), np.minimum(rows - before + self.smooth, end - begin)
            total = np.append(0.0, np.cumsum(largest[begin:end]))
            count = np.append(0.0, np.cumsum(seen[begin:end]))
            scores[begin:end] = (total[high] - total[low]) / np.maximum(count[high] - count[low], 1)
        scores[~seen] = np.nan
        return scores

    def threshold(self, alpha: float) -> float:
        """The score that a sound row exceeds with a chance of at most alpha, where rows are exchangeable.

        Raises:
            InputError: alpha is no share, or takes more sound rows than there are.
        """
        if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not 0 < alpha < 1:
            raise InputError(f"alpha is the chance of a false alarm, a share between 0 and 1, not {alpha!r}")
        count = len(self.scores)
        place = math.ceil((count + 1) * (1 - alpha))
        if place > count:
            raise InputError(
                f"alpha={alpha:g} takes at least {math.ceil(1 / alpha) - 1:,} sound rows, and there are {count:,}; "
                "take a larger alpha, or fit with a larger val_size="
            )
        return float(self.scores[place - 1])
