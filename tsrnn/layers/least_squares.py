"""Ridge regression of a horizon on a window, by sums over windows; each step may have regressors of its own beside it.

    y_h = W_h x + B_h q_h + b_h        x: the window, the same for all steps; q_h: what is known ahead of step h

The normal equations of W take one eigendecomposition for all ridges, and each B_h a system as small as q_h (its Schur
complement, as Frisch & Waugh 1933 take one part of the regressors out of the other). All in float64.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

from tsrnn import metrics
from tsrnn.layers.ahead import lagged
from tsrnn.layers.centring import Centring, centre
from tsrnn.shapes import Batch, Spec

ALL = -1  # in place of a channel's number


@dataclass(frozen=True)
class Solution:
    """weight [horizon time], bias [horizon], known [horizon regressor] or None."""

    weight: Tensor
    bias: Tensor
    known: Tensor | None

    def forecast(self, x: Tensor, q: Tensor | None) -> Tensor:
        """x [row time], q [row horizon regressor] -> [row horizon]."""
        y = x @ self.weight.T + self.bias
        return y if q is None or self.known is None else y + (q * self.known).sum(-1)


@dataclass(frozen=True)
class Solved:
    """Each set's best solution: weight [set horizon time], bias [set horizon], known [set horizon regressor]."""

    squares: float  # sum of squared errors over validation; infinite without one
    weight: Tensor
    bias: Tensor
    known: Tensor | None

    @classmethod
    def joined(cls, parts: "Sequence[Solved]") -> Self:
        known = [part.known for part in parts if part.known is not None]
        weight, bias = (torch.cat([getattr(part, name) for part in parts]) for name in ("weight", "bias"))
        return cls(sum(part.squares for part in parts), weight, bias, torch.cat(known) if known else None)

    def expanded(self, sets: int) -> "Solved":
        """One set in place of many."""
        known = None if self.known is None else self.known.expand(sets, -1, -1)
        weight, bias = self.weight.expand(sets, -1, -1), self.bias.expand(sets, -1)
        return replace(self, weight=weight, bias=bias, known=known)


@dataclass(frozen=True)
class Rows:
    """x [row time], y [row horizon], q [window horizon regressor] or None, and each row's window and channel [row]."""

    x: Tensor
    y: Tensor
    q: Tensor | None
    window: Tensor
    channel: Tensor

    def of(self, channel: int) -> "Rows":
        """Those of one channel, or of all of them."""
        if channel == ALL:
            return self
        chosen = self.channel == channel
        return Rows(self.x[chosen], self.y[chosen], self.q, self.window[chosen], self.channel[chosen])


def regressors(batch: Batch, spec: Spec, centring: Centring) -> Tensor | None:
    """Known features at each step ahead and those before it, and where the window is centred: [batch horizon q]."""
    if not spec.known or batch.known is None:
        return None
    time = batch.past.shape[1]
    where = centre(batch.known[:, :time], centring, spec.seasonality).loc  # [batch 1 feature]
    return torch.cat([lagged(batch.known)[:, time:], where.expand(-1, spec.horizon, -1)], -1)


class Moments:
    """Sums of squares and products, a batch at a time: of windows of `size` numbers, with `regressors` of each step."""

    def __init__(self, size: int, horizon: int, regressors: int) -> None:
        def zeros(*shape: int) -> Tensor:
            return torch.zeros(*shape, dtype=torch.float64)

        self.xx, self.xy, self.x, self.y = zeros(size, size), zeros(size, horizon), zeros(size), zeros(horizon)
        self.qq, self.xq = zeros(horizon, regressors, regressors), zeros(size, horizon, regressors)
        self.qy, self.q = zeros(horizon, regressors), zeros(horizon, regressors)
        self.yy, self.rows = zeros(horizon), 0

    @classmethod
    def sum(cls, parts: "Sequence[Moments]") -> Self:
        """Of all rows together."""
        first = parts[0]
        total = cls(len(first.x), len(first.y), first.q.shape[1])
        for name in ("xx", "xy", "yy", "x", "y", "qq", "xq", "qy", "q"):
            setattr(total, name, torch.stack([getattr(part, name) for part in parts]).sum(0))
        total.rows = sum(part.rows for part in parts)
        return total

    def add(self, x: Tensor, y: Tensor) -> None:
        """x [row time], y [row horizon]."""
        self.xx += x.T @ x
        self.xy += x.T @ y
        self.yy += y.square().sum(0)
        self.x += x.sum(0)
        self.y += y.sum(0)
        self.rows += len(x)

    def add_known(self, x: Tensor, y: Tensor, q: Tensor, window: Tensor) -> None:
        """The same rows as `add`, of the windows [row], whose regressors are q [window horizon q]."""
        counts = torch.bincount(window, minlength=len(q)).double()  # [window]
        x_sums = x.new_zeros(len(q), x.shape[1]).index_add_(0, window, x)
        y_sums = y.new_zeros(len(q), y.shape[1]).index_add_(0, window, y)
        weighted = q * counts[:, None, None]
        self.qq += weighted.permute(1, 2, 0) @ q.transpose(0, 1)
        self.xq += (x_sums.T @ q.flatten(1)).view_as(self.xq)
        self.qy += (q * y_sums.unsqueeze(-1)).sum(0)
        self.q += weighted.sum(0)

    def squares(self, solution: Solution) -> float:
        """Sum of squared errors of a solution without regressors over the rows."""
        weight, bias = solution.weight, solution.bias
        apart = self.yy.sum() - 2 * (weight.T * self.xy).sum() + ((weight @ self.xx) * weight).sum()
        return float(apart + (bias * (2 * (weight @ self.x - self.y) + self.rows * bias)).sum())

    def solutions(self, ridges: tuple[float, ...]) -> list[Solution]:
        """One per ridge, a share of the mean eigenvalue."""
        rows = max(self.rows, 1)
        x_mean, y_mean, q_mean = self.x / rows, self.y / rows, self.q / rows
        xx = self.xx - rows * torch.outer(x_mean, x_mean)
        xy = self.xy - rows * torch.outer(x_mean, y_mean)
        values, vectors = torch.linalg.eigh(xx)
        rotated, unit, solved = vectors.T @ xy, values.mean().clamp(min=1e-12), []
        for ridge in ridges:
            shrunk = (values.clamp(min=0) + ridge * unit)[:, None]
            weight, known, bias = (vectors @ (rotated / shrunk)).T, None, y_mean
            if self.qq.shape[-1]:
                weight, known = self._known(weight, vectors, shrunk, ridge)
                bias = y_mean - (known * q_mean).sum(-1)
            solved.append(Solution(weight, bias - weight @ x_mean, known))
        return solved

    def _known(self, alone: Tensor, vectors: Tensor, shrunk: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
        """W and B from `alone`, which is W [horizon time] without regressors."""
        rows = max(self.rows, 1)
        qq = self.qq - self.q.unsqueeze(-1) * self.q.unsqueeze(1) / rows  # [horizon q q]
        xq = (self.xq - self.x[:, None, None] * self.q / rows).transpose(0, 1)  # [horizon time q]
        qy = self.qy - self.q * self.y[:, None] / rows  # [horizon q]
        gain = vectors @ ((vectors.T @ xq) / shrunk)  # [horizon time q]
        left = qq - xq.transpose(1, 2) @ gain
        unit = qq.diagonal(dim1=1, dim2=2).mean().clamp(min=1e-12)
        left = left + ridge * unit * torch.eye(qq.shape[-1], dtype=qq.dtype)
        right = qy.unsqueeze(-1) - xq.transpose(1, 2) @ alone.unsqueeze(-1)  # [horizon q 1]
        known = torch.linalg.pinv(left, hermitian=True) @ right
        return alone - (gain @ known).squeeze(-1), known.squeeze(-1)


def best_of(
    moments: Sequence[Moments], ridges: tuple[float, ...], judged: Iterable[Sequence[Rows]] | Sequence[Moments]
) -> Solved:
    """Of each set of weights the ridge with the lowest error over the rows of validation; the first without any.

    Args:
        moments: of the training rows of each set.
        ridges: shares of the mean eigenvalue.
        judged: rows of validation, a batch at a time, those of each set; or the moments of each set's.
    """
    solutions, rows = [each.solutions(ridges) for each in moments], 0
    squares = torch.zeros(len(moments), len(ridges), dtype=torch.float64)
    for place, each in enumerate(judged):
        parts: Any = [each] if isinstance(each, Moments) else each
        for k, part in enumerate(parts, place if isinstance(each, Moments) else 0):
            squares[k] += torch.tensor([_squares(part, solution) for solution in solutions[k]], dtype=torch.float64)
            rows += part.rows if isinstance(part, Moments) else len(part.y)
    best = [own[j] for own, j in zip(solutions, squares.argmin(1).tolist(), strict=True)]
    known = [each.known for each in best if each.known is not None]
    return Solved(
        float(squares.amin(1).sum()) if rows else math.inf,
        torch.stack([each.weight for each in best]),
        torch.stack([each.bias for each in best]),
        torch.stack(known) if known else None,
    )


def _squares(part: Rows | Moments, solution: Solution) -> float:
    """Sum of squared errors over rows."""
    if isinstance(part, Moments):
        return part.squares(solution)
    q = None if part.q is None else part.q[part.window]
    return float(metrics.mse.cells(part.y, solution.forecast(part.x, q)).sum())
