"""What later rows say: a sentence, a frame, a picture and JSON; and how far apart old and new values are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tsrnn import plot
from tsrnn.drift.innovations import EDGES, Floats

GUARANTEE = (
    "where rows are like the reference's once season and memory are taken out, the chance that ever an alarm comes, in "
    "all looks at all rows since the fit together, is at most alpha; a look at the newest rows alone starts anew"
)
_DECILES = np.linspace(0, 1, 11)[1:-1]


@dataclass(frozen=True)
class Drift:
    """`found`: whether the evidence of all streams together passed 1/alpha, and with it the row `alarm`.

    `frame` has one row per stream: series, column, kind (input, or error of the forecasts), rows, shift of the mean in
    deviations of the reference, ratio of the deviations (of errors: of the means), Kolmogorov-Smirnov distance,
    population stability index, share of rows outside the reference's range, highest evidence, what it needs to be drift
    by itself, what drifted so, and the index at which. `str` is one sentence.
    """

    found: bool
    alpha: float
    evidence: float
    alarm: Any
    rows: int
    remarks: tuple[str, ...]
    table: pl.DataFrame
    frame: Any  # the table, of the library that the rows came in
    curves: dict[str, Floats]
    moments: list[Any]

    def __bool__(self) -> bool:
        return self.found

    def __str__(self) -> str:
        said = f"evidence {self.evidence:.3g} of {1 / self.alpha:.3g} in {self.rows} rows"
        return f"drift at {self.alarm}: {said}" if self.found else f"no drift: {said}"

    def json(self) -> dict[str, Any]:
        """All but the curves, as plain values."""
        records = [{name: _plain(value) for name, value in row.items()} for row in self.table.to_dicts()]
        head = {"drift": self.found, "alpha": self.alpha, "evidence": self.evidence, "needed": 1 / self.alpha}
        where = {"alarm": _plain(self.alarm), "rows": self.rows, "guarantee": GUARANTEE, "remarks": list(self.remarks)}
        return {**head, **where, "streams": records}

    def plot(self, path: str | Path) -> None:
        """Draw the evidence by row, of all and of the five streams that have the most, into a png, svg or pdf file."""
        plot.evidence(self.moments, self.curves, 1 / self.alpha, Path(path))


def sizes(old: Floats, new: Floats, centre: Floats, kind: str) -> dict[str, float | None]:
    """How far apart old and new values are; nothing here raises an alarm by itself.

    Args:
        old: [EDGES] order statistics of the reference.
        new: [row]; NaN where a value is missing.
        centre: mean and deviation of the reference.
        kind: input or error.
    """
    new = new[np.isfinite(new)]
    grid = np.concatenate([old, new])
    below = np.searchsorted(np.sort(new), grid, side="right") / len(new)
    distance = float(np.abs(below - np.searchsorted(old, grid, side="right") / EDGES).max())
    edges = np.unique(np.quantile(old, _DECILES))
    expected, actual = (_shares(np.searchsorted(edges, each, side="left"), len(edges) + 1) for each in (old, new))
    stability = float(((actual - expected) * np.log(actual / expected)).sum())
    outside = float(((new < old[0]) | (new > old[-1])).mean())
    if kind == "error":
        shift, ratio = None, float(new.mean() / old.mean()) if old.mean() else None
    else:
        shift, ratio = float((new.mean() - centre[0]) / centre[1]), float(new.std() / centre[1])
    return {"shift": shift, "ratio": ratio, "ks": distance, "psi": stability, "outside": outside}


def _shares(bins: npt.NDArray[np.int64], count: int) -> Floats:
    held = np.bincount(bins, minlength=count) + 0.5
    shares: Floats = held / held.sum()
    return shares


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
