"""Suite x models x horizons x seeds x folds -> rows: choices on validation, and each row reads the test once.

A fit is a job; a finished job is a row on disk. Rows that are there are not run again, so a benchmark that was stopped
goes on where it stopped.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import nan
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from tsrnn import claims, execute, models, progress
from tsrnn.allocator import threads, tune_allocator
from tsrnn.bench import shown
from tsrnn.bench.data import SHARES as SHARES
from tsrnn.bench.data import opened as opened
from tsrnn.bench.data import settled as settled
from tsrnn.bench.jobs import DEFAULT_INPUT as DEFAULT_INPUT
from tsrnn.bench.jobs import Job as Job
from tsrnn.bench.jobs import Wishes as Wishes
from tsrnn.bench.jobs import plan as plan
from tsrnn.board import beside, own, rows
from tsrnn.errors import InputError, Notice
from tsrnn.estimator import Estimator
from tsrnn.infer import parameters
from tsrnn.metrics import USUAL
from tsrnn.panel import Panel
from tsrnn.provenance import stamp
from tsrnn.suites import Source as Source


def run(
    jobs: Sequence[Job],
    folder: Path,
    workers: int | execute.Place | None = None,
    on_done: Callable[[execute.Outcome], None] | None = None,
    on_wait: Callable[[int], None] | None = None,
) -> list[execute.Outcome]:
    """Do the jobs that have no row in `folder` yet; store each row, and its windows' losses, the moment it is there.

    Other runs may work in the same folder: each job is done by one of them, and waited for by all (`tsrnn/claims.py`).

    Args:
        workers: fits side by side; by default as many as the cores have threads for. 0: in this process. Or a place
            such as a Ray cluster (`execute.at`); its nodes need the data, not the folder.
        on_done: called after each job that was done here, once its row is on disk.
        on_wait: called when only jobs are left that others do, with their number.

    Returns:
        What became of each job that was done here; its result is the row.

    Raises:
        InputError: the folder cannot be written, or holds rows of the same name, of another task or target.
    """
    fresh = pending(jobs, folder)
    if fresh:
        own.refuse_others(folder, fresh[0].source.suite, own.several(fresh[0].source.columns.get("target")))
    rows.prepare(folder)

    def store(outcome: execute.Outcome) -> None:
        if outcome.result is not None:
            rows.append(folder, *outcome.result)
        if on_done is not None:
            on_done(_with_row(outcome))

    if workers is None:
        workers = min(len(fresh), max(1, execute.cores() // max((job.threads for job in fresh), default=1)))
    left = partial(pending, folder=folder)
    done = claims.run(measure, fresh, folder, attrgetter("stem"), left, workers, store, on_wait)
    return [_with_row(outcome) for outcome in done]


def pending(jobs: Iterable[Job], folder: Path) -> list[Job]:
    """The jobs whose rows are not in `folder`, each once."""
    seen = rows.seen(folder)
    return [job for key, job in {job.key: job for job in jobs}.items() if key not in seen]


def chosen(jobs: Sequence[Job], names: Sequence[str]) -> list[Job]:
    """Some of a plan's jobs, each once: by their place in it, from 0, or by `stem`, which is the same in every plan.

    Raises:
        InputError: there is no such job, or none was named.
    """
    if not names:
        raise InputError("no fit was named; give numbers or ids, as --list shows them for the same words")
    known = {job.stem: job for job in jobs} | {str(number): job for number, job in enumerate(jobs)}
    for name in names:
        if name not in known:
            raise InputError(
                f"no fit of this benchmark is called {name!r}; take a number from 0 to {len(jobs) - 1} or an id, as "
                "--list shows them for the same words"
            )
    return list({known[name].stem: known[name] for name in names}.values())


class Measured(NamedTuple):
    """What a fit leaves: its result row, and what lies beside it (`tsrnn/board/beside.py`)."""

    row: dict[str, Any]
    windows: Mapping[str, Any]
    measures: Mapping[str, Any]
    shown: Mapping[str, Mapping[str, Any]]


def run_one(job: Job) -> dict[str, Any]:
    """Fit on training, choose on validation, read the test once: one result row."""
    return measure(job).row


def measure(job: Job) -> Measured:
    """`run_one`, with the losses of every test window and the measures that the suite names."""
    tune_allocator()
    with threads(job.threads):
        return _measured(job)


def _measured(job: Job) -> Measured:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)  # said by `plan`, and each worker would say them again
        (panel, splits), suite = opened(job.source), job.source.suite
    split = splits[job.fold]
    estimator: Any = job.estimator()
    with progress.hidden():  # a benchmark shows its own
        estimator.fit(offered(panel, estimator), split=split)
        if suite.calibrate is not None:
            estimator.calibrate(levels=[suite.calibrate])
    measures = tuple(dict.fromkeys((*(USUAL if job.asks.forecasts else ()), *suite.measures)))
    scores = estimator.followed if suite.online else estimator.scores
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)  # of every fit the same
        val, test = scores(None, split, ("val", "test"), measures).values()
    report = estimator.report_
    row = {
        **job.task,
        **{name: test.values.get(name, nan) for name in USUAL},
        "windows": test.windows,
        "parameters": parameters(estimator.model_),
        "seconds": round(report.seconds, 2),
        **{f"val_{name}": val.values.get(name, nan) for name in USUAL},
        "epochs": report.epochs,
        "threads": job.threads,
        "seen": models.seen(job.model),
        **stamp(report.device),
    }
    table = beside.long(val.values, test.by_lead, test.series, suite.leads) if suite.beside else {}
    by_window = job.asks.forecasts and not (job.fold or suite.leads)  # folds are compared by what was held out
    pictured: dict[str, Any] = {}
    if job.asks.forecasts:
        pictured = shown.of(estimator, split, test, measures, suite.online)
    if test.agreements and suite.beside:
        pictured["confusion"] = beside.confusion(test.agreements, test.series, estimator.classes_)
    return Measured(row, test.by_window if by_window else {}, table, pictured)


def _with_row(outcome: execute.Outcome) -> execute.Outcome:
    return outcome if outcome.result is None else replace(outcome, result=outcome.result.row)


def offered(panel: Panel, estimator: Estimator) -> Panel:
    """A benchmark's panel with the covariates that a model reads: a baseline may read fewer than others."""
    reads = models.reads(estimator.model, estimator.configs()[0])
    return replace(panel, roles=panel.roles.reading(reads))
