"""What is new in a row: a column without its season, its memory and its changing spread.

values [row] --`learn`, `innovations`--> innovations [row], which are near to exchangeable where nothing has drifted

In order: location and spread by harmonics of the season, both by least squares; an autoregression with seasonal lags,
whose errors are divided by what their own uncertainty adds (a row of the reference is predicted without itself); a
spread that follows the logarithm of the errors before it. Everything is linear algebra on a few columns.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EDGES = 127  # order statistics of the reference that are kept
LEAST, LEAST_ERRORS = 400, 150  # innovations that a reference needs: of inputs, on which more is bet, and of errors
_NEAR, _FEW = 4, 2  # newest values that a value is regressed on; where rows are few
_WAVES = 3  # pairs of harmonics; one where rows are few
_WIDEST = 1 << 12  # steps of the longest season that is looked for
_FLOOR = 0.1  # share of the mean size below which a size counts no further
_LOOSE = 2.0  # standard errors by which the long-run deviation may be larger than it was measured
_LEAST_FREE = 0.05  # share of a row's own error that its influence must leave


@dataclass(frozen=True)
class Design:
    """The columns that a value is regressed on: pairs of harmonics of a season of so many steps, and lags.

    Errors are learnt of on the validation part alone, so they get fewer.
    """

    season: int
    phased: bool  # it is known where in the season a row stands
    few: bool = False

    @classmethod
    def of(cls, season: int, phased: bool) -> Self:
        """For a season of so many steps, none where it is too long to be learnt."""
        return cls(season if season <= _WIDEST else 1, phased)

    @property
    def harmonics(self) -> int:
        return min(1 if self.few else _WAVES, self.season // 2) if self.phased else 0

    @property
    def lags(self) -> tuple[int, ...]:
        near = _FEW if self.few else _NEAR
        seasonal = (self.season,) if self.few else (self.season, self.season + 1)
        return (*range(1, near + 1), *(lag for lag in seasonal if lag > near))

    @property
    def least(self) -> int:
        """Innovations that a reference needs."""
        return LEAST_ERRORS if self.few else LEAST

    @property
    def memory(self) -> tuple[int, int]:
        """Rows over which the newest sizes of errors are averaged."""
        return 6, max(24, 2 * self.season)

    def phases(self, numbers: npt.NDArray[np.int64]) -> Floats:
        """One, and pairs of harmonics at these step numbers: [row 1+2*harmonics]."""
        angle = 2 * np.pi * (numbers % self.season) / self.season
        waves = [wave(k * angle) for k in range(1, self.harmonics + 1) for wave in (np.cos, np.sin)]
        return np.stack([np.ones(len(numbers)), *waves], 1)


@dataclass(frozen=True)
class Whitener:
    """What was learnt of one column: a few hundred numbers."""

    design: Design
    centre: Floats  # [2] mean and deviation
    season: Floats  # [1+2*harmonics] of the location
    spread: Floats  # [1+2*harmonics] of the logarithm of the size
    memory: Floats  # [1+2*harmonics+lags] of the autoregression
    inverse: Floats  # [.. ..] of its normal equations
    volatility: Floats  # [1+2*harmonics+2] of the logarithm of an error's size
    floors: Floats  # [3] of a size, of an error's size, and the mean logarithm of the latter
    loose: Floats  # [2] how much larger the long-run deviation of innovations, and of their sizes, may be
    count: Floats  # [1] innovations of the reference
    edges: Floats  # [EDGES] order statistics of them

    @classmethod
    def learn(cls, values: Floats, numbers: npt.NDArray[np.int64], design: Design) -> Self | None:
        """From the reference; NaN where a value is missing or a gap in the index lies. None: too few rows.

        Args:
            values: [row].
            numbers: [row] the absolute step number of each, by which the season is told.
        """
        seen = np.isfinite(values)
        if seen.sum() < design.least:
            return None
        centre = np.array([values[seen].mean(), values[seen].std() or 1.0])
        x, waves = (values - centre[0]) / centre[1], design.phases(numbers)
        season, _, _ = _solve(waves, x)
        rest = x - waves @ season
        floors = np.array([_floor(rest), 0.0, 0.0])
        spread, _, _ = _solve(waves, np.log(np.abs(rest) + floors[0]))
        x = rest / np.exp(waves @ spread)
        rows = np.concatenate([waves, _lagged(x, design.lags)], 1)
        memory, inverse, influence = _solve(rows, x)
        errors = x - rows @ memory
        loose = [_looseness(memory, inverse, len(design.lags), errors)]
        errors = errors / np.sqrt(np.maximum(1 - influence, _LEAST_FREE))
        if np.isfinite(errors).sum() < design.least:
            return None
        floors[1] = _floor(errors)
        size = np.log(np.abs(errors) + floors[1])
        floors[2] = np.nanmean(size)
        behind = np.concatenate([waves, _averaged(size, design.memory, floors[2])], 1)
        volatility, inner, influence = _solve(behind, size)
        left = size - behind @ volatility
        loose += [_looseness(volatility, inner, 2, left)]
        new = np.sort(_scaled(errors, size, left / np.maximum(1 - influence, _LEAST_FREE)))
        new = new[np.isfinite(new)]
        count, kept = np.array([float(len(new))]), new[ranks(len(new)) - 1]
        known = 1 + _LOOSE * np.array(loose)
        made = cls(design, centre, season, spread, memory, inverse, volatility, floors, known, count, kept)
        return made if np.isfinite(made.numbers()).all() else None

    def innovations(self, values: Floats, numbers: npt.NDArray[np.int64]) -> Floats:
        """Of later rows, in units of the reference's; NaN where the rows before do not reach far enough: [row]."""
        waves = self.design.phases(numbers)
        x = ((values - self.centre[0]) / self.centre[1] - waves @ self.season) / np.exp(waves @ self.spread)
        rows = np.concatenate([waves, _lagged(x, self.design.lags)], 1)
        uncertain = 1 + np.einsum("ti,ij,tj->t", rows, self.inverse, rows, optimize=True)
        errors = (x - rows @ self.memory) / np.sqrt(uncertain)
        size = np.log(np.abs(errors) + self.floors[1])
        behind = np.concatenate([waves, _averaged(size, self.design.memory, self.floors[2])], 1)
        return _scaled(errors, size, size - behind @ self.volatility)

    def numbers(self) -> Floats:
        """All of it, in one row, as long whatever the design's `few`."""
        held = np.concatenate([np.ravel(value) for name, value in vars(self).items() if name != "design"])
        return np.pad(held, (0, self.width(replace(self.design, few=False)) - len(held)))

    @classmethod
    def restored(cls, numbers: Floats, design: Design) -> Self:
        """Of `numbers`."""
        shapes = cls.shapes(design)
        parts = np.split(numbers, np.cumsum([int(np.prod(shape)) for shape in shapes.values()]))
        return cls(design, **{name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=False)})

    @classmethod
    def width(cls, design: Design) -> int:
        """How many `numbers` there are."""
        return sum(int(np.prod(shape)) for shape in cls.shapes(design).values())

    @staticmethod
    def shapes(design: Design) -> dict[str, tuple[int, ...]]:
        waves = 1 + 2 * design.harmonics
        rows = waves + len(design.lags)
        sizes = {"centre": (2,), "season": (waves,), "spread": (waves,), "memory": (rows,), "inverse": (rows, rows)}
        return {**sizes, "volatility": (waves + 2,), "floors": (3,), "loose": (2,), "count": (1,), "edges": (EDGES,)}


def ranks(count: int) -> npt.NDArray[np.int64]:
    """Which of so many order statistics are kept, counted from 1: [EDGES]."""
    return np.linspace(1, count, EDGES).round().astype(np.int64)


def _solve(rows: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Least squares over the rows that are whole: coefficients, the inverse of X'X, and each row's influence [row]."""
    whole = np.isfinite(rows).all(1) & np.isfinite(y)
    x = rows[whole]
    normal: Floats = x.T @ x
    normal += 1e-9 * (float(np.trace(normal)) / len(normal) + 1e-300) * np.eye(len(normal))
    inverse = np.asarray(np.linalg.pinv(normal, hermitian=True), np.float64)
    influence = np.full(len(y), np.nan)
    influence[whole] = np.einsum("ti,ij,tj->t", x, inverse, x, optimize=True)
    coefficients: Floats = inverse @ (x.T @ y[whole])
    return coefficients, inverse, influence


def _looseness(weights: Floats, inverse: Floats, lags: int, errors: Floats) -> float:
    """Standard error of 1 - the sum of the lags' weights, as a share of it: so well is the long-run deviation known."""
    chosen = np.zeros(len(weights))
    chosen[-lags:] = 1
    error = float(np.sqrt(max(0.0, float(chosen @ inverse @ chosen)) * float(np.nanmean(errors**2))))
    return error / max(1 - float(weights[-lags:].sum()), error) if error else 0.0


def _lagged(x: Floats, lags: tuple[int, ...]) -> Floats:
    """The values so many rows before, where one is missing the newest before it: [row lag]; NaN before the first."""
    filled = _carried(x)
    columns = np.full((len(x), len(lags)), np.nan)
    for k, lag in enumerate(lags):
        columns[lag:, k] = filled[: max(0, len(x) - lag)]
    return columns


def _carried(x: Floats) -> Floats:
    """Each missing value as the newest before it, over as few rows as a day's night has none of."""
    place = np.maximum.accumulate(np.where(np.isfinite(x), np.arange(len(x)), -1))
    near = (place >= 0) & (np.arange(len(x)) - place < _NEAR)
    return np.where(near, x[place], np.nan)


def _averaged(size: Floats, spans: tuple[int, ...], usual: float) -> Floats:
    """Means over the rows before, missing ones left out, `usual` where there is none: [row span]."""
    seen = np.isfinite(size)
    total = np.concatenate([[0.0], np.cumsum(np.where(seen, size, 0.0))])
    count = np.concatenate([[0], np.cumsum(seen)])
    at = np.arange(len(size))
    columns = []
    for span in spans:
        before = np.maximum(at - span, 0)
        many = count[at] - count[before]
        mean = (total[at] - total[before]) / np.maximum(many, 1)
        columns.append(np.where(at >= span, np.where(many > 0, mean, usual), usual))
    return np.stack(columns, 1)


def _scaled(errors: Floats, size: Floats, left: Floats) -> Floats:
    """Errors over what their size was expected to be, of which `left` is the logarithm."""
    scaled: Floats = errors * np.exp(left - size)
    return scaled


def _floor(x: Floats) -> float:
    return _FLOOR * float(np.nanmean(np.abs(x))) or 1e-12
