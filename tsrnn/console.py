"""What a person sees: tables, progress, boards; and what a program reads: CSV, Parquet, JSON."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Any, Self

import polars as pl
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tsrnn import bench, files, metrics
from tsrnn.board import text
from tsrnn.board.rows import COLUMNS, KEY, existing
from tsrnn.errors import InputError
from tsrnn.execute import Outcome

_REFRESH = 2  # times a second


class Screen:
    """The board of a benchmark as it fills, with progress and the time left; without a terminal, a line per fit.

    `quiet` leaves standard output to a program: nothing but a line per fit on standard error.
    """

    def __init__(self, jobs: Sequence[bench.Job], folder: Path, workers: int, quiet: bool = False) -> None:
        self.jobs, self.folder, self.workers, self.quiet = jobs, folder, max(1, workers), quiet
        self.fresh = bench.pending(jobs, folder)
        self.ended = False
        self.done: list[Outcome] = []
        self.began = monotonic()
        self.out, self.err = Console(), Console(stderr=True)
        live = self.out.is_terminal and not quiet
        self.live = Live(console=self.out, refresh_per_second=_REFRESH, get_renderable=self._view) if live else None

    def __enter__(self) -> Self:
        if len(self.fresh) < len(self.jobs):
            self.err.print(f"{len(self.jobs) - len(self.fresh)} of {len(self.jobs)} rows are in {self.folder} already")
        if self.live is not None:
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.ended = True
        if self.live is not None:
            self.live.stop()
        elif not self.quiet and (rows := self.rows()):
            self.out.print(self._board(rows))
        if not self.quiet and self.rows():
            self.out.print(f"Rows: {self.folder}. Again: tsrnn leaderboard {self.jobs[0].source.name}", soft_wrap=True)

    def finished(self, outcome: Outcome) -> None:
        """A job has ended."""
        self.done.append(outcome)
        if self.live is None:
            self.err.print(self._line(outcome), soft_wrap=True, highlight=False)

    def rows(self) -> list[dict[str, Any]]:
        """The stored rows of this benchmark's jobs."""
        keys = {job.key for job in self.jobs}
        found = existing(self.folder)
        rows = [] if found is None else found.to_dicts()
        return [row for row in rows if tuple(row[name] for name in KEY) in keys]

    def _line(self, outcome: Outcome) -> str:
        job, result = outcome.job, outcome.result
        what = f"{job.model:<15} horizon {job.horizon:<4} seed {job.seed}"
        if result is None:
            return f"{what}  failed: {outcome.error}"
        scores = f"MSE {result['mse']:.4f}  MAE {result['mae']:.4f}  {outcome.seconds:6.1f} s"
        return f"{what}  {scores}   {self._progress()}"

    def _progress(self) -> str:
        left = bench.seconds_left(self.fresh, self.done, self.workers)
        left_text = "" if left is None or len(self.done) == len(self.fresh) else f", about {_minutes(left)} left"
        return f"{len(self.done)} of {len(self.fresh)} fits, {_minutes(monotonic() - self.began)}{left_text}"

    def _view(self) -> Group:
        rows = self.rows()
        return Group(*([self._board(rows)] if rows else []), Text(self._progress(), style="dim"))

    def _board(self, rows: list[dict[str, Any]]) -> Group:
        table, name = pl.DataFrame(rows, schema=COLUMNS), self.jobs[0].source.name
        return text.board(table, name, self.out.width, folder=self.folder if self.ended else None)


class Trials:
    """One line per trial of a sweep."""

    def __init__(self, trials: int | None, quiet: bool = False) -> None:
        self.trials = trials
        self.err, self.out = Console(stderr=True, quiet=quiet), Console()
        self.lowest = float("inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def ended(self, trial: Any, ended: int) -> None:
        state = trial.state.name.lower()
        score = "" if trial.value is None or state != "complete" else f" {trial.value:.4f}"
        self.lowest = min(self.lowest, trial.value if score else self.lowest)
        why = f" ({trial.user_attrs['error']})" if "error" in trial.user_attrs else ""
        best = f", best {self.lowest:.4f}" if self.lowest < float("inf") else ""
        seconds = f" in {trial.duration.total_seconds():.0f} s" if trial.duration else ""
        line = f"trial {trial.number}: {state}{score}{seconds}{why}   {ended} of {self.trials}{best}"
        self.err.print(line, soft_wrap=True, highlight=False)

    def best(self, params: dict[str, Any], path: Path, as_json: bool) -> None:
        """Print the best configuration and where it was written."""
        if as_json:
            print(json.dumps(params, indent=2))
            return
        for name, value in params.items():
            if name != "chosen":
                self.out.print(f"{name} = {json.dumps(value)}", highlight=False)
        chosen = params["chosen"]
        self.out.print(f"{chosen['by']} {chosen['value']:.4f}, written to {path}", soft_wrap=True, highlight=False)


def show(rows: list[dict[str, Any]], as_json: bool) -> None:
    """Print a list of records."""
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table(*(name for name in rows[0]), box=None, header_style="bold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console().print(table)


def facts(found: dict[str, Any], as_json: bool) -> None:
    """Print what is known by name; what is nested, in words."""
    if as_json:
        print(json.dumps(found, indent=2))
        return
    table = Table(show_header=False, box=None)
    for name, value in found.items():
        table.add_row(Text(name, style="bold"), Text(_words(value)))
    Console().print(table)


def sections(found: dict[str, list[dict[str, Any]]], as_json: bool) -> None:
    """Print a table of records per section, without the lists in them; an empty section is left out."""
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for name, rows in found.items():
        if not rows:
            continue
        names = [each for each, value in rows[0].items() if not isinstance(value, list)]
        table = Table(*names, title=name.replace("_", " "), title_justify="left", box=None, header_style="bold")
        for row in rows:
            table.add_row(*(_words(row[each]) for each in names))
        Console().print(table, "")


def write(frame: pl.DataFrame, path: Path | None, as_json: bool = False, scored: bool = False) -> None:
    """Write a frame to a CSV or Parquet file, under a temporary name first, or as CSV to standard output.

    With `scored`, MAE and RMSE of a backtest's forecasts follow on standard error.
    """
    if as_json:
        print(frame.write_json())
    elif path is None:
        sys.stdout.write(frame.write_csv())
    else:
        _save(frame, path)
    if scored:
        for (target,), rows in frame.group_by("target", maintain_order=True):
            y, forecast = rows["y"].to_numpy(), rows["forecast"].to_numpy()
            print(
                f"{target}: MAE {metrics.mae(y, forecast):.4g}, RMSE {metrics.rmse(y, forecast):.4g}", file=sys.stderr
            )


def _save(frame: pl.DataFrame, path: Path) -> None:
    if path.suffix not in (".csv", ".parquet"):
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; write to a .csv or .parquet file")
    files.replaced(path, frame.write_csv if path.suffix == ".csv" else frame.write_parquet)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{each}: {_words(word)}" for each, word in value.items())
    if isinstance(value, list):
        return "\n".join(_words(each) for each in value)
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value in (None, "") else str(value)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
