"""Several seeds of one estimator, trained at once in one process, each to the bits of a training that runs alone.

A small network leaves most of a machine idle: its kernels are too short to be cut among cores. Each seed is trained in
a thread with one core, and draws from a generator of its own (`tsrnn.seeding`). Data are shared, and nothing is sent to
other processes, so that models and cells of one's own need not be importable.

`mean` makes one forecaster of several: what seeds get wrong in different ways cancels (Lakshminarayanan, Pritzel &
Blundell 2017, "Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles", NeurIPS).
"""

import math
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from copy import copy
from dataclasses import fields
from numbers import Integral
from typing import Any, TypeVar

import torch

from tsrnn import models, progress
from tsrnn.allocator import threads as with_threads
from tsrnn.errors import InputError
from tsrnn.estimator import Estimator
from tsrnn.forecaster import Forecaster
from tsrnn.seeding import Apart
from tsrnn.trained import Report
from tsrnn.workers import cores

_MEAN = "ensemble"  # the model whose forecast is its members' mean
_LEARNT = {"head_", "spec_", "preparation_", "panel_", "split_", "skipped_", "unread_", "lesson_", "parts_", "stamp_"}

Face = TypeVar("Face", bound=Estimator)


def fit_seeds(
    estimator: Face, frame: Any, seeds: int | Sequence[int], *, workers: int | None = None, threads: int = 1, **how: Any
) -> list[Face]:
    """Fit the same estimator once for each seed.

    Args:
        estimator: a `Forecaster`, `Tagger` or another face, not fitted; it is left as it is.
        frame: what its `fit` takes. A `Panel` is shared by all; any other frame is read once for each seed.
        seeds: numbers in the place of its `random_state`; a count n: those from 0 to n-1.
        workers: trainings at once; None: as many as there are cores for. 1: one after another.
        threads: of each training. The last bits follow their number, and nothing else that is said here.
        how: what else `fit` takes: `split`, roles of columns...

    Returns:
        A fitted estimator for each seed, in their order.

    Raises:
        InputError: what `fit` raises, with the seed; a training that is no CPU's, or that draws from torch's shared
            generator out of Python's sight, is refused beside others.
    """
    lots = {seed: estimator.clone().set_params(random_state=seed) for seed in _numbers(seeds)}
    check_count("threads", threads)
    check_count("workers", workers)
    count = min(max(1, cores() // threads) if workers is None else workers, len(lots))
    shown = progress.bar("training seeds", len(lots), _shown(estimator))
    with with_threads(threads), shown as bar:
        if count > 1:
            return _at_once(lots, frame, count, how, bar)
        for seed, each in lots.items():
            _fit(seed, each, frame, how)
            bar.advance()
    return list(lots.values())


def mean(fitted: Sequence[Forecaster]) -> Forecaster:
    """One forecaster of the mean of several, as `fit_seeds` gives them: an `ensemble`, saved like any other.

    Points are the mean of theirs; of quantiles and distributions the parameters are. Calibrations are not taken over:
    `calibrate` the mean.

    Raises:
        InputError: they are not fitted, or differ in more than their seed.
    """
    if not fitted:
        raise InputError("mean takes forecasters, as fit_seeds gives them, and got none")
    first = fitted[0]
    for each in fitted:
        each._check_fitted()
        if _asked(each) != _asked(first) or each.spec_ != first.spec_:
            raise InputError("mean takes forecasters that differ in their seed alone; fit them together by fit_seeds")
    if issubclass(models.find(first.model).kind, models.Naive):
        raise InputError(f"seeds of model {models.find(first.model).name!r} are all the same, and so is their mean")
    own = {field.name for field in fields(models.find(first.model).config)}
    member = {"model": first.model, **{name: value for name, value in first.options.items() if name in own}}
    params = {name: value for name, value in first.get_params().items() if name not in own}
    made = Forecaster(**{**params, "model": _MEAN, "members": [member] * len(fitted)})
    for name in _LEARNT & set(vars(first)):
        setattr(made, name, copy(getattr(first, name)))
    made.model_ = models.build(_MEAN, made.configs()[0], first.spec_)
    for part, each in zip(made.model_.members, fitted, strict=True):  # type: ignore[arg-type]  # a ModuleList
        part.load_state_dict(each.model_.state_dict())
    made.model_.eval()
    made.report_ = _together([each.report_ for each in fitted])
    made.calibration_, made.facts_, made.reference_ = None, None, None
    return made


def check_count(name: str, count: Any) -> None:
    """Refuse what is no whole number above 0, nor None."""
    if count is not None and (isinstance(count, bool) or not isinstance(count, Integral) or int(count) < 1):
        raise InputError(f"{name} must be a whole number above 0, not {count!r}")


def _at_once(lots: dict[int, Face], frame: Any, count: int, how: dict[str, Any], bar: progress.Bar) -> list[Face]:
    from tsrnn.fit.manners import quiet  # Lightning is slow to import, and only training needs it

    for each in lots.values():
        _, config = each.configs()
        if config.accelerator != "cpu" or config.devices > 1:
            raise InputError(
                "seeds are trained at once on one CPU; leave accelerator and devices out, or take workers=1"
            )
    ended, before = threading.Event(), torch.get_rng_state()

    def work(seed: int) -> None:
        with Apart(ended), progress.hidden():
            _fit(seed, lots[seed], frame, how)

    with quiet(), ThreadPoolExecutor(count, "tsrnn-seed") as team:  # quiet, since filters of warnings are all threads'
        try:
            for done in as_completed([team.submit(work, seed) for seed in lots]):
                done.result()
                if not torch.equal(before, torch.get_rng_state()):
                    raise InputError(
                        f"model {models.find(next(iter(lots.values())).model).name!r} draws from torch's shared "
                        "generator, so that seeds trained at once would disturb each other; take workers=1"
                    )
                bar.advance()
        except BaseException:
            ended.set()
            team.shutdown(cancel_futures=True)
            raise
    return list(lots.values())


def _fit(seed: int, estimator: Estimator, frame: Any, how: dict[str, Any]) -> None:
    try:
        estimator.fit(frame, **how)
    except InputError as error:
        raise InputError(f"seed {seed}: {error}") from error


def _numbers(seeds: Any) -> Iterable[int]:
    if isinstance(seeds, Integral) and not isinstance(seeds, bool) and int(seeds) > 0:
        return range(int(seeds))
    numbers = list(seeds) if isinstance(seeds, list | tuple | range) else []
    if not numbers or len({*numbers}) < len(numbers):
        raise InputError(f"seeds takes a count above 0, or numbers that differ, such as [0, 1, 2], not {seeds!r}")
    return numbers


def _shown(estimator: Estimator) -> bool | str:
    shown: bool | str = estimator.options.get("progress", progress.AUTO)
    return shown


def _asked(forecaster: Forecaster) -> dict[str, Any]:
    return {name: value for name, value in forecaster.get_params().items() if name != "random_state"}


def _together(reports: Sequence[Report]) -> Report:
    """What several trainings did; no loss, since nobody looked at the mean's."""
    epochs, best = max(each.epochs for each in reports), max(each.best_epoch for each in reports)
    return Report(epochs, best, math.nan, sum(each.seconds for each in reports), reports[0].device)
