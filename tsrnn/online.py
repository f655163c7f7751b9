"""Forecasts that learn from what has come true since: a corrector over any model, of class O.

A forecast issued at an origin may be moved by truths of rows before that origin alone, and is final: what comes later
moves later forecasts. (Test-time adaptation that rewrites windows which are partly past, as TAFAS does, is not of this
kind.) With e the residual of each step h and target, in scaled units, and f the mean residual over the newest season
that has come true of one forecast,

    c_h = s (a_h + b_h f)

a_h and b_h are a ridge regression of e_h on f over all origins whose step h has come true, older ones forgotten at a
half-life. The ridge counts as so many unbroken forecasts of that length, since residuals of neighbours overlap. Two
guards stand before it. s is between 0 and 1: nothing until forecasts that came true say that more than half of the
correction would have been right, all of it where they say that it would have been too small. And where validation, run
in the same way, is not better by `GAIN` in all and in three of its four quarters, the correction waits until it would
have taken off `EVIDENT` of the squared errors that came true: a level that moved does that, chance does not.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from tsrnn import infer
from tsrnn.arrays import Floats, Rows
from tsrnn.conformal import Calibration
from tsrnn.errors import InputError
from tsrnn.heads import Head
from tsrnn.models import Model
from tsrnn.models._base import device_of
from tsrnn.windows import Windows

SEASONS = (7, 28, 112)  # half-lives that validation chooses among
_PRIOR = 4.0  # forecasts that the ridge counts as
GAIN, EVIDENT = 0.005, 0.2  # shares of the squared errors
_QUARTERS, _ENOUGH = 4, 3


@dataclass(frozen=True)
class Corrector:
    """What validation chose: half-life in origins, the gain waited for; squared errors there without and with it."""

    half_life: float
    gain: float
    plain: float
    corrected: float


@dataclass(frozen=True)
class Followed:
    """Corrections of two parts, [window horizon target] float32 in scaled units, added to the point."""

    corrector: Corrector
    val: Floats
    asked: Floats


def follow(model: Model, head: Head, val: Windows, asked: Windows) -> Followed:
    """Corrections of the forecasts of `asked`, each from truths before it, from those of validation on.

    Args:
        val: origins by which half-life and guard are chosen, of rows that the model was not fitted on.
        asked: origins behind them.
    """
    before, after = residuals(model, head, val), residuals(model, head, asked)
    season, places = model.spec.seasonality, [_places(val), _places(asked)]
    corrector = choose(before, places[0], season)
    together = np.concatenate(places, 1)
    moved = corrections(np.concatenate([before, after]), together, corrector.half_life, season, corrector.gain)
    return Followed(corrector, moved[: len(before)], moved[len(before) :])


def choose(residual: Floats, places: Rows, season: int) -> Corrector:
    """The half-life that is best over validation; where none is better than no correction, the middle one, on guard."""
    quarters = np.array_split(np.arange(len(residual)), _QUARTERS)
    plain = np.array([np.nansum(residual[quarter] ** 2) for quarter in quarters])
    best = Corrector(float(season * SEASONS[1]), EVIDENT, float(plain.sum()), float(plain.sum()))
    for half_life in (float(season * many) for many in SEASONS):
        left = residual - corrections(residual, places, half_life, season)
        errors = np.array([np.nansum(left[quarter] ** 2) for quarter in quarters])
        holds = errors.sum() < (1 - GAIN) * plain.sum() and (errors <= plain).sum() >= _ENOUGH
        if holds and errors.sum() < best.corrected:
            best = Corrector(half_life, 0.0, best.plain, float(errors.sum()))
    return best


def corrections(residual: Floats, places: Rows, half_life: float, season: int, gain: float = 0.0) -> Floats:
    """Corrections [origin horizon target], each from residuals of rows before its origin.

    Args:
        residual: [origin horizon target], NaN where nothing was measured.
        places: [2 origin] the series and the row of each origin; where one does not follow the one before, all that
            was learnt is forgotten.
        half_life: in origins.
        season: steps of the newest errors that are averaged, at most a horizon.
        gain: share of the squared errors that came true which the correction must have taken off before it is issued.
    """
    moved = np.zeros_like(residual)
    breaks = np.flatnonzero((np.diff(places[0]) != 0) | (np.diff(places[1]) != 1)) + 1
    for begin, end in zip([0, *breaks], [*breaks, len(residual)], strict=True):
        moved[begin:end] = _unbroken(residual[begin:end], half_life, season, gain)
    return moved


def _unbroken(residual: Floats, half_life: float, season: int, gain: float) -> Floats:
    """`corrections` of origins one step apart."""
    count, horizon, targets = residual.shape
    newest = _newest(residual, min(season, horizon))  # [origin target]
    known, level = np.isfinite(newest), np.nan_to_num(newest)
    moved = np.zeros_like(residual)
    right, size, missed, pairs = (np.zeros((count, targets)) for _ in range(4))
    summed = partial(_forgetting, 0.5 ** (1 / half_life))
    for h in range(horizon):
        error = np.nan_to_num(residual[:, h].astype(np.float64))
        pair = np.isfinite(residual[:, h]) & known
        matured = partial(_delayed, summed, h + 1)
        n, x, xx = matured(pair), matured(pair * level), matured(pair * level**2)
        y, xy = matured(pair * error), matured(pair * level * error)
        prior = _PRIOR * (h + 1)
        left, below = n + prior, xx * (1 + prior / np.maximum(n, 1)) + 1e-9
        determinant = left * below - x**2
        a, b = (below * y - x * xy) / determinant, (left * xy - x * y) / determinant
        moved[:, h] = np.where(known, a + b * level, 0.0)
        right += matured(pair * error * moved[:, h])
        size += matured(pair * moved[:, h].astype(np.float64) ** 2)
        missed += matured(pair * error**2)
        pairs += n
    share = np.clip(2 * right / np.maximum(size, 1e-12) - 1, 0, 1)
    early = 1 + _PRIOR * horizon**2 / np.maximum(pairs, 1)  # little has come true yet: more is asked for
    share[2 * right - size < gain * missed * early] = 0
    moved *= share[:, None].astype(moved.dtype)
    return moved


def _newest(residual: Floats, steps: int) -> Floats:
    """The mean residual over so many steps of the forecast that they have just become true of: [origin target]."""
    newest = np.full((len(residual), residual.shape[2]), np.nan)
    whole = residual[: max(0, len(residual) - steps), :steps]
    seen = np.isfinite(whole).sum(1)
    sums = np.nan_to_num(whole).astype(np.float64).sum(1)
    newest[steps:] = np.where(seen > 0, sums / np.maximum(seen, 1), np.nan)
    return newest


def _forgetting(factor: float, values: npt.NDArray[Any]) -> Floats:
    """Running sums over origins, the older the less: [origin target]."""
    from scipy.signal import lfilter  # scipy is slow to import

    summed: Floats = lfilter([1.0], [1.0, -factor], values.astype(np.float64), axis=0)
    return summed


def _delayed(summed: Callable[[Floats], Floats], steps: int, values: npt.NDArray[Any]) -> Floats:
    """Running sums of what was known so many origins ago, nothing before that."""
    late = np.zeros(values.shape)
    late[steps:] = summed(values)[: max(0, len(values) - steps)]
    return late


@torch.inference_mode()
def forecasts(
    model: Model,
    head: Head,
    windows: Windows,
    moved: Floats,
    levels: Sequence[float] = (),
    shift: infer.Shift | None = None,
) -> Iterator[tuple[Rows, Floats, Floats | None]]:
    """As `infer.hindcasts`: the panel rows of first targets, points and quantiles, moved by corrections."""
    done, device = 0, device_of(model)
    for batch in windows.batches(infer.batch_size(model)):
        here = slice(done, done + len(batch.past))
        batch = batch.to(device)
        params = model.eval()(batch) + torch.from_numpy(moved[here]).to(device).unsqueeze(-1)
        wider = None if shift is None or not levels else shift(levels, here)
        yield windows.targets_at[here], *infer.values(head, params, batch.undo, levels, wider)
        done = here.stop


def check(model: Model, calibration: Calibration | None, panel: str) -> None:
    """Refuse a forecast that no correction moves as it stands.

    Raises:
        InputError: it is the parameters of a distribution, or its intervals are moved by what came true already.
    """
    if calibration is not None and calibration.memory:
        raise InputError(
            f"{panel}: follow and an adaptive calibration would both move intervals by what came true; call calibrate "
            "with adaptive=False"
        )
    if model.spec.params > max(1, len(model.spec.levels) + 1):
        raise InputError(
            f"{panel}: follow corrects points and quantiles, not the loss {model.spec.loss!r}; take another"
        )


@torch.inference_mode()
def residuals(model: Model, head: Head, windows: Windows) -> Floats:
    """Truth minus point: [window horizon target] float32, scaled, NaN where nothing was measured."""
    model.eval()
    device, parts = device_of(model), []
    for batch in windows.batches(infer.batch_size(model)):
        batch = batch.to(device)
        assert batch.target is not None
        error = batch.target - head.at(batch.undo).point(model(batch))
        if batch.target_observed is not None:
            error = error.masked_fill(~batch.target_observed, torch.nan)
        parts.append(error.cpu().numpy())
    return np.concatenate(parts)


def _places(windows: Windows) -> Rows:
    """The series and the row of each origin: [2 origin]."""
    rows = windows.targets_at
    return np.stack([windows.buffer.series_of(rows), rows])
