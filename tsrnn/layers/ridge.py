"""Least squares with a ridge, by as many rows as columns at most; the ridge is chosen by leaving each row out in turn.

What a row left out would have been told is had in closed form, from its residual and its leverage (Allen 1974,
Technometrics 16, PRESS).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

RIDGES = tuple(10.0 ** (k / 2) for k in range(-8, 5))  # shares of the mean eigenvalue
_SHARPER = tuple(2.0 ** (k / 2) for k in range(-2, 13))  # by which scores are multiplied before they are shares


@dataclass(frozen=True)
class Fitted:
    """weight [column answer], bias [answer], and the loss of rows left out."""

    weight: Tensor
    bias: Tensor
    loss: float


def fit(x: Tensor, y: Tensor, classes: bool, ridges: Sequence[float] = RIDGES) -> Fitted:
    """The linear map from x [row column] to y [row answer], both float64, whose rows left out are told best.

    Args:
        classes: answers are marks of classes, 1 and 0; then what is told are logits, made as sharp as they should be.
    """
    centre, mean = x.mean(0), y.mean(0)
    x, y = x - centre, y - mean
    gram = x @ x.mT  # [row row]
    values, vectors = torch.linalg.eigh(gram)
    values = values.clamp(min=0)
    mean_value = values.mean().clamp(min=torch.finfo(x.dtype).eps)  # of columns that are all constant it is 0
    turned, best = vectors.mT @ y, None
    for ridge in ridges:
        shrunk = values / (values + ridge * mean_value)  # [row]
        leverage = (vectors.square() @ shrunk + 1 / len(x))[:, None]
        residual = (y - vectors @ (shrunk[:, None] * turned)) / (1 - leverage).clamp(min=1e-9)
        loss, sharper = _told(y + mean - residual, y + mean, classes)
        if best is None or loss < best[0]:
            best = loss, sharper, ridge
    assert best is not None
    loss, sharper, ridge = best
    weight = sharper * (x.mT @ (vectors @ (turned / (values + ridge * mean_value)[:, None])))
    return Fitted(weight, sharper * mean - centre @ weight, loss)


def _told(scores: Tensor, y: Tensor, classes: bool) -> tuple[float, float]:
    """The loss of scores, and what they have to be multiplied by.

    Of n rows one in n + 1 is counted as told wrong, or, where all are told right, no answer would be sharp enough.
    """
    if not classes:
        return float((scores - y).square().mean()), 1.0
    doubt = 1 / (len(y) + 1)
    losses = [float(F.cross_entropy(sharper * scores, y, label_smoothing=doubt)) for sharper in _SHARPER]
    best = losses.index(min(losses))
    return losses[best], _SHARPER[best]
