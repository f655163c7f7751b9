"""The board of a benchmark as it fills: what a person sees of a run, on standard output and standard error."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tsrnn import spoken
from tsrnn.errors import singular

if TYPE_CHECKING:
    from rich.console import Group

    from tsrnn.bench import Job
    from tsrnn.execute import Outcome

OUT = Path("tsrnn-results")  # where results go unless told otherwise
_REFRESH = 2  # times a second


class Screen:
    """The board of a benchmark as it fills, with progress and the time left; without a terminal, a line per fit.

    `quiet` leaves standard output to a program: nothing but a line per fit on standard error.
    """

    def __init__(self, jobs: Sequence["Job"], folder: Path, workers: int | None, quiet: bool = False) -> None:
        from rich.console import Console
        from rich.live import Live

        from tsrnn.bench import pending

        self.jobs, self.folder, self.workers, self.quiet = jobs, folder, workers, quiet
        self.fresh = pending(jobs, folder)
        self.ended = self.others = False
        self.done: list[Outcome] = []
        self.began = monotonic()
        self.out, self.err = Console(), Console(stderr=True)
        live = self.out.is_terminal and not quiet
        self.live = Live(console=self.out, refresh_per_second=_REFRESH, get_renderable=self._view) if live else None

    def __enter__(self) -> Self:
        if len(self.fresh) < len(self.jobs):
            done = len(self.jobs) - len(self.fresh)
            self.err.print(singular(f"{done} of {len(self.jobs)} rows already in {self.folder}"))
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
            elsewhere = "" if self.folder.parent == OUT else f" --out {shlex.quote(str(self.folder.parent))}"
            again = f"tsrnn leaderboard {shlex.quote(self.jobs[0].source.place)}{elsewhere}"
            self.out.print(f"Rows: {self.folder}. Again: {again}", soft_wrap=True)

    def finished(self, outcome: "Outcome") -> None:
        """A job has ended."""
        self.done.append(outcome)
        if self.live is None:
            self.err.print(self._line(outcome), soft_wrap=True, highlight=False)

    def waits(self, jobs: int) -> None:
        """Only jobs are left that other runs do."""
        self.others = True
        if self.live is None:
            waits = singular(f"waiting for {jobs} fits of other runs into {self.folder}")
            self.err.print(waits, soft_wrap=True, highlight=False)

    def rows(self) -> list[dict[str, Any]]:
        """The stored rows of this benchmark's jobs."""
        from tsrnn.board.rows import KEY, existing

        keys = {job.key for job in self.jobs}
        stored = existing(self.folder)
        rows = [] if stored is None else stored.to_dicts()
        return [row for row in rows if tuple(row[name] for name in KEY) in keys]

    def _line(self, outcome: "Outcome") -> str:
        job, result = outcome.job, outcome.result
        what = str(job)
        if result is None:
            return f"{what}  failed: {spoken.worded(str(outcome.error))}"
        scores = "  ".join(f"{name.replace('_', ' ').upper()} {value:.4f}" for name, value in self._scores(result))
        return f"{what}  {scores}  {outcome.seconds:6.1f} s   {self._progress()}"

    def _scores(self, row: dict[str, Any]) -> list[tuple[str, float]]:
        """The suite's measures of a row, the first one and those that are its columns; over all leads."""
        import polars as pl

        from tsrnn.board.lines import measured
        from tsrnn.board.rows import COLUMNS

        measures = self.jobs[0].source.suite.measures
        found = measured(pl.DataFrame([row], schema=COLUMNS), measures, self.folder).row(0, named=True)
        return [(name, found[name]) for name in measures[:2] if found[name] is not None]

    def _progress(self) -> str:
        from tsrnn.bench import pending

        failed = {outcome.job.key for outcome in self.done if outcome.error}
        left = [job for job in pending(self.fresh, self.folder) if job.key not in failed]
        seconds = seconds_left(left, self.done, self._side_by_side())
        left_text = "" if seconds is None or not left else f", about {_minutes(seconds)} left"
        others = ", waiting for other runs" if self.others and left else ""
        ended = len(self.fresh) - len(left)
        fits = singular(f"{ended} of {len(self.fresh)} fits")
        return f"{fits}, {_minutes(monotonic() - self.began)}{left_text}{others}"

    def _side_by_side(self) -> float:
        """How many fits go at a time; on a cluster, how many have gone."""
        busy = sum(outcome.seconds for outcome in self.done) / max(1.0, monotonic() - self.began)
        return max(1, busy if self.workers is None else self.workers)

    def _view(self) -> "Group":
        from rich.console import Group
        from rich.text import Text

        rows = self.rows()
        return Group(*([self._board(rows)] if rows else []), Text(self._progress(), style="dim"))

    def _board(self, rows: list[dict[str, Any]]) -> "Group":
        import polars as pl

        from tsrnn.board import text
        from tsrnn.board.rows import COLUMNS

        table, suite = pl.DataFrame(rows, schema=COLUMNS), self.jobs[0].source.suite
        return text.board(table, suite, self.out.width, self.folder, groups=self.ended)


def seconds_left(jobs: Sequence["Job"], done: Sequence["Outcome"], workers: float) -> float | None:
    """A guess from the fits that are through: the same model's mean, else the mean of all that trained."""
    finished = {outcome.job.key for outcome in done}
    left = [job for job in jobs if job.key not in finished]
    trained = [outcome.seconds for outcome in done if outcome.result and outcome.result["epochs"]]
    if not trained:
        return None
    by_model: dict[str | type, list[float]] = {}
    for outcome in done:
        by_model.setdefault(outcome.job.model, []).append(outcome.seconds)
    return sum(mean(by_model.get(job.model, trained)) for job in left) / max(1, workers)


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
