"""Forecasts that learn from what has come true since: a corrector over any model, of class O.

A forecast issued at an origin may be moved by truths of rows before that origin alone, and is final: what comes later
moves later forecasts. (Test-time adaptation that rewrites windows which are partly past, as TAFAS does, is not of this
kind.) There are two correctors,

    level     residuals from the mean of the newest ones (`tsrnn.online.level`); the usual one
    fourier   residuals from the slow waves of the look-back (`tsrnn.online.fourier`); on request

and two guards stand before them. How much of a correction is issued follows from forecasts that came true
(`tsrnn.online.guard`). And validation chooses which one it is, and how fast it forgets or how strong its ridge is, by
running all in the same way: where none is better than no correction by `GAIN`, in all and in three of four quarters
of each series' windows, the level's waits until it would have taken off `EVIDENT` of the squared errors that came true:
a level that moved does that, chance does not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from tsrnn import infer
from tsrnn.arrays import Floats, Rows
from tsrnn.conformal import Calibration
from tsrnn.errors import InputError, unknown
from tsrnn.heads import Head
from tsrnn.models import Model
from tsrnn.models._base import device_of
from tsrnn.online import fourier, guard, level
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

Kind = Literal["level", "fourier"]
USUAL: tuple[Kind, ...] = ("level",)
SEASONS = (7, 28, 112)  # half-lives of the level that validation chooses among
RIDGES = (10.0, 50.0, 200.0)  # forecasts that the ridge of slow waves counts as
GAIN, EVIDENT = 0.005, 0.2  # shares of the squared errors
_QUARTERS, _ENOUGH = 4, 3


@dataclass(frozen=True)
class Past:
    """What came true of origins, and what each had seen."""

    residual: Floats  # [origin horizon target] truth minus point, scaled, NaN where nothing was measured
    waves: Floats  # [origin feature target] of the look-back (`tsrnn.online.fourier.slow`)
    places: Rows  # [2 origin] the series and the row of each; where one does not follow another, all is forgotten


@dataclass(frozen=True)
class Corrector:
    """A corrector and what it takes.

    Args:
        half_life: in origins, of the level's regression and of what the guard remembers.
        ridge: forecasts that the ridge of slow waves counts as; 0: the level is what is corrected.
        gain: share of the squared errors that came true which must have been taken off before anything is issued.
    """

    half_life: float
    ridge: float = 0.0
    gain: float = 0.0

    def corrections(self, past: Past, season: int) -> Floats:
        """[origin horizon target], each from rows before its origin."""
        moved, places = np.zeros_like(past.residual), past.places
        breaks = np.flatnonzero((np.diff(places[0]) != 0) | (np.diff(places[1]) != 1)) + 1
        for begin, end in zip([0, *breaks], [*breaks, len(moved)], strict=True):
            residual = past.residual[begin:end]
            if self.ridge:
                proposed, known = fourier.proposed(residual, past.waves[begin:end], self.ridge)
            else:
                proposed, known = level.proposed(residual, self.half_life, season)
            moved[begin:end] = guard.guarded(proposed, residual, known, self.half_life, self.gain)
        return moved


@dataclass(frozen=True)
class Followed:
    """Corrections of two parts, [window horizon target] float32 in scaled units, added to the point."""

    corrector: Corrector
    val: Floats
    asked: Floats


def follow(model: Model, head: Head, val: Windows, asked: Windows, kinds: Sequence[Kind] = USUAL) -> Followed:
    """Corrections of the forecasts of `asked`, each from truths before it.

    What is learnt from begins at the part's first origin, as behind any gap: windows whose targets lie on both sides of
    the border between validation and the part are neither's. At a horizon of 1 there are none, and one series goes on.

    Args:
        val: origins by which the corrector is chosen, of rows that the model was not fitted on.
        asked: origins behind them.
        kinds: correctors that validation chooses among.
    """
    before, after = past(model, head, val), past(model, head, asked)
    season = model.spec.seasonality
    corrector = choose(before, season, kinds)
    together = Past(
        np.concatenate([before.residual, after.residual]),
        np.concatenate([before.waves, after.waves]),
        np.concatenate([before.places, after.places], 1),
    )
    moved, count = corrector.corrections(together, season), len(before.residual)
    return Followed(corrector, moved[:count], moved[count:])


def choose(past: Past, season: int, kinds: Sequence[Kind] = USUAL) -> Corrector:
    """The corrector that is best over validation; where nothing is better, the level's middle one, on guard."""
    quarters = _quarters(past.places[0])
    plain = np.array([np.nansum(past.residual[quarter] ** 2) for quarter in quarters])
    middle = float(season * SEASONS[1])
    best, least = Corrector(middle, gain=EVIDENT), plain.sum()
    tried = {
        "level": [Corrector(float(season * many)) for many in SEASONS],
        "fourier": [Corrector(middle, ridge) for ridge in RIDGES],
    }
    for each in [each for kind in kinds for each in tried[kind]]:
        left = past.residual - each.corrections(past, season)
        errors = np.array([np.nansum(left[quarter] ** 2) for quarter in quarters])
        holds = errors.sum() < (1 - GAIN) * plain.sum() and (errors <= plain).sum() >= _ENOUGH
        if holds and errors.sum() < least:
            best, least = each, errors.sum()
    return best


def _quarters(series: Rows) -> list[Rows]:
    """The origins of each quarter: of every series its first, its second and so on."""
    every = [np.array_split(np.flatnonzero(series == each), _QUARTERS) for each in np.unique(series)]
    return [np.concatenate(parts) for parts in zip(*every, strict=True)]


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
        params = _params(model.eval(), batch) + torch.from_numpy(moved[here]).to(device).unsqueeze(-1)
        wider = None if shift is None or not levels else shift(levels, here)
        yield windows.targets_at[here], *infer.values(head, params, batch.undo, levels, wider)
        done = here.stop


def _params(model: Model, batch: Batch) -> Tensor:
    """What the model says of a batch, as it would in a full one.

    In how many windows a kernel is at once, the order of its sums follows, and with it the last bits: a forecast that
    was issued must not move by how many came after it.
    """
    params: Tensor = model(batch.filled(infer.batch_size(model)))
    return params[: len(batch.past)]


def named(correctors: Sequence[Kind] | Kind) -> tuple[Kind, ...]:
    """One corrector or several, by their names.

    Raises:
        InputError: there is no such corrector, or none is named.
    """
    if not isinstance(correctors, Sequence):
        raise InputError(f"correctors takes some of {', '.join(get_args(Kind))}, not {correctors!r}")
    kinds = (correctors,) if isinstance(correctors, str) else tuple(correctors)
    if wrong := [each for each in kinds if each not in get_args(Kind)]:
        raise unknown("corrector", str(wrong[0]), get_args(Kind))
    if not kinds:
        raise InputError(f"correctors names none; name some of {', '.join(get_args(Kind))}")
    return kinds


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
    check_head(model.spec, model.spec.loss, f"{panel}: follow corrects")


def check_head(said: Spec | Head, loss: str, who: str) -> None:
    """Refuse the parameters of a distribution, which no correction moves.

    Args:
        said: has `params` and `levels`, before a model is built or after.
        who: begins the sentence.

    Raises:
        InputError: they are those of `loss`.
    """
    if said.params > max(1, len(said.levels) + 1):
        raise InputError(f"{who} points and quantiles, not the loss {loss!r}; take another")


@torch.inference_mode()
def past(model: Model, head: Head, windows: Windows) -> Past:
    """What became of the forecasts of these windows."""
    model.eval()
    device, season, errors, waves = device_of(model), model.spec.seasonality, [], []
    for batch in windows.batches(infer.batch_size(model)):
        batch = batch.to(device)
        assert batch.target is not None
        error = batch.target - head.at(batch.undo).point(_params(model, batch))
        if batch.target_observed is not None:
            error = error.masked_fill(~batch.target_observed, torch.nan)
        errors.append(error.cpu().numpy())
        waves.append(fourier.slow(batch.past[..., : model.spec.targets].cpu().numpy(), season))
    rows = windows.targets_at
    places = np.stack([windows.buffer.series_of(rows), rows])
    return Past(np.concatenate(errors), np.concatenate(waves), places)
