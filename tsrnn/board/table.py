"""Rows -> table: what was measured here, among what others published, honestly ordered.

Scores are means over seeds; a mean over horizons exists only where every horizon does. Lines of ours that cannot be
told apart share a group (`board/ties.py`), and a line is marked as the winner only where it is alone in the first one.
"""

import json
from collections.abc import Mapping, Sequence
from math import isfinite, nan
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from tsrnn.board import ties
from tsrnn.board.difference import LEAST_APART, LEAST_TASKS
from tsrnn.board.rows import existing
from tsrnn.errors import InputError, unknown

_PUBLISHED = Path(__file__).with_name("published.csv")
_LINE = ("model", "track", "input_size", "config", "sha256")  # what makes rows one line of the board
_CLASSES = "ABCZ"


def read(folder: Path, dataset: str | None = None) -> pl.DataFrame:
    """The rows of every results file in `folder` and in the folders directly in it, of one data set if named.

    Raises:
        InputError: there are none, or a file is damaged.
    """
    rows = existing(folder)
    if rows is not None and dataset is not None:
        rows = rows.filter(pl.col("dataset") == dataset)
    if rows is None or not rows.height:
        of = f" of {dataset}" if dataset else ""
        raise InputError(
            f"{folder} holds no result rows{of}; run `tsrnn bench {dataset or 'ETTh1'}` or name another folder"
        )
    return rows


def published(dataset: str, classes: Sequence[str] = ("A", "B")) -> pl.DataFrame:
    """Other people's numbers: one row per model, setting and horizon, with class and source.

    Raises:
        InputError: a class that there is not.
    """
    for name in classes:
        if name not in set(_CLASSES):
            raise unknown("class of published numbers", name, _CLASSES)
    table = pl.read_csv(_PUBLISHED, infer_schema_length=None)
    return table.filter((pl.col("dataset") == dataset) & pl.col("class").is_in(list(classes)))


def board(
    rows: pl.DataFrame, horizons: Sequence[int], others: pl.DataFrame | None = None, folder: Path | None = None
) -> pl.DataFrame:
    """One line per model, track and configuration, lowest mean MSE first; lines without every horizon come last.

    Columns: group (null for published lines, for those without every horizon, and where there is nothing to judge by),
    model, options (what tells lines of one model and track apart), track, class ("" for ours), seeds, `mse_<h>`,
    `mae_<h>`, `spread_<h>` (deviation of the MSE over seeds, null for one) per horizon, mse, mae (means over horizons),
    spread (deviation of the mean MSE over the seeds that have every horizon), parameters, seconds (mean per fit).

    Args:
        folder: where the rows come from, and the losses of their windows; None: the seeds alone make the groups.
    """
    ours = _lines(rows)
    options = _options(ours)
    lines = [_ours(line, horizons) | {"options": text} for line, text in zip(ours, options, strict=True)]
    whole = _whole(lines)
    compared = ties.pairs([ours[which] for which in whole], horizons, folder)
    if any(pair.known for pair in compared):
        for which, group in zip(whole, ties.groups(len(whole), compared), strict=True):
            lines[which]["group"] = group
    if others is not None:
        by = ("model", "input_size", "setting", "class")
        lines += [_theirs(line, horizons) for _, line in others.group_by(by, maintain_order=True)]
    table = pl.DataFrame([line for line in lines if line], infer_schema_length=None)
    return table.sort("mse", *(f"mse_{horizon}" for horizon in horizons), nulls_last=True)


def comparisons(rows: pl.DataFrame, horizons: Sequence[int], folder: Path | None = None) -> list[dict[str, Any]]:
    """Every two lines of ours that have every horizon, best lines first: what `tsrnn.board.ties.named` says of each."""
    ours = _lines(rows)
    lines = [_ours(line, horizons) for line in ours]
    whole = _whole(lines)
    tracks = {lines[which]["track"] for which in whole}
    names = [
        " ".join(filter(None, (line["model"], text, f"({line['track']})" if len(tracks) > 1 else None)))
        for line, text in zip(lines, _options(ours), strict=True)
    ]
    compared = ties.pairs([ours[which] for which in whole], horizons, folder)
    return [dict(ties.named(pair, [names[which] for which in whole])) for pair in compared]


def winner(table: pl.DataFrame) -> int | None:
    """The place on the board of the line of ours that is told apart from every other; None where there is none."""
    groups = table["group"].drop_nulls()
    if len(groups) < 2 or (groups == 1).sum() != 1:
        return None
    return int((table["group"] == 1).arg_true()[0])


def notes(table: pl.DataFrame) -> list[str]:
    """What a reader of the column `group` must know."""
    ours = table.filter(pl.col("group").is_not_null())
    if ours.height < 2:
        return []
    lone = ["With one seed each, groups compare these fits, not the models."] if ours["seeds"].max() == 1 else []
    return ["Lines of one group cannot be told apart from its first.", *lone]


def shortened(table: pl.DataFrame, others: int) -> pl.DataFrame:
    """Every line of ours, and the best `others` of the published ones."""
    published = table.with_row_index("place").filter(pl.col("class") != "")["place"].to_list()
    return table.with_row_index("place").filter(~pl.col("place").is_in(published[others:])).drop("place")


def render(table: pl.DataFrame, title: str | None = None, narrow: bool = False) -> Table:
    """The board for a terminal. Published lines are dim and carry their class; ours have no class.

    `narrow` leaves out what a terminal of 80 columns has no room for: track, seeds, parameters, the mean. A table
    without the column `group`, of a benchmark that still runs, has no winner.
    """
    horizons = [name.removeprefix("mse_") for name in table.columns if name.startswith("mse_")]
    spread = ["±"] if table["spread"].is_not_null().any() else []
    shown = Table(title=title, box=None, header_style="bold")
    best = winner(table) if "group" in table.columns else None
    optional = [name for name in ("group", "options") if name in table.columns and table[name].is_not_null().any()]
    for place, line in enumerate(table.iter_rows(named=True)):
        ours = not line["class"]
        digits = 4 if ours else 3
        said = {name: "" if line[name] is None else str(line[name]) for name in optional}
        cells = {"group": said.get("group", ""), "model": line["model"], "options": said.get("options", "")}
        cells = {name: cell for name, cell in cells.items() if name in ("model", *optional)}
        cells |= {"track": line["track"], "class": line["class"]}
        cells |= {f"{each} MSE  MAE": _pair(line[f"mse_{each}"], line[f"mae_{each}"], digits) for each in horizons}
        cells |= {"mean MSE  MAE": _pair(line["mse"], line["mae"], digits)}
        cells |= dict.fromkeys(spread, "" if line["spread"] is None else f"{line['spread']:.4f}")
        cells |= {"seeds": "" if line["seeds"] is None else str(line["seeds"])}
        cells |= {"parameters": "" if line["parameters"] is None else f"{line['parameters']:,}"}
        cells |= {"s/fit": "" if line["seconds"] is None else f"{line['seconds']:.0f}"}
        if narrow:
            cells = {name: cell for name, cell in cells.items() if name not in _WIDE}
        if not shown.columns:
            for name in cells:
                left = name in ("model", "options", "track", "class")
                shown.add_column(name, justify="left" if left else "right", no_wrap=name != "options", overflow="fold")
        shown.add_row(*cells.values(), style=("bold" if place == best else "") if ours else "dim")
    return shown


_WIDE = ("track", "seeds", "parameters", "mean MSE  MAE")
PAIRS = (
    "MSE: first minus second, mean over horizons, with its 95 % interval; by test windows that do not overlap, at "
    f"horizons that have {LEAST_APART} of them, or else by seeds. p: the larger of windows' and seeds', Holm's over "
    "all pairs."
)
RANKS = (
    "rank: mean over data sets, with the 95 % interval of resampled data sets. p: signed ranks against the first line, "
    f"Holm's. Groups and p need {LEAST_TASKS} data sets."
)
CAPTION = (
    "Lines with a class are published numbers, not run here. A: every test window, one configuration. "
    "B: every test window, best of a search that saw the test."
)


def _lines(rows: pl.DataFrame) -> list[pl.DataFrame]:
    return [line for _, line in rows.group_by(_LINE, maintain_order=True)]


def _whole(lines: Sequence[Mapping[str, Any]]) -> list[int]:
    """The lines that have every horizon, and numbers there, lowest mean MSE first."""
    means = [nan if line["mse"] is None else line["mse"] for line in lines]
    return sorted((which for which, mean in enumerate(means) if isfinite(mean)), key=means.__getitem__)


def _options(lines: Sequence[pl.DataFrame]) -> list[str | None]:
    """What is set in each line and not the same in all lines of its model and track, such as "hidden_size=8"."""
    first = [line.row(0, named=True) for line in lines]
    extra = [{"input_size": row["input_size"], "data": row["sha256"][:8]} for row in first]
    settings = [{**json.loads(row["config"]), **more} for row, more in zip(first, extra, strict=True)]
    found: list[str | None] = []
    for row, own in zip(first, settings, strict=True):
        kin = [each for other, each in zip(first, settings, strict=True) if _alike(other, row)]
        differing = [name for name in own if any(each.get(name, _ABSENT) != own[name] for each in kin)]
        found.append(" ".join(f"{name}={_short(own[name])}" for name in differing) or None)
    return found


_ABSENT = object()


def _alike(row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (row["model"], row["track"]) == (other["model"], other["track"])


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _ours(line: pl.DataFrame, horizons: Sequence[int]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "group": None,
        "model": line["model"][0],
        "options": None,
        "track": line["track"][0],
        "class": "",
        "seeds": line["seed"].n_unique(),
    }
    for horizon in horizons:
        at = line.filter(pl.col("horizon") == horizon)
        found |= {f"mse_{horizon}": at["mse"].mean(), f"mae_{horizon}": at["mae"].mean()}
        found |= {f"spread_{horizon}": at["mse"].std() if at.height > 1 else None}
    by_seed = line.filter(pl.col("horizon").is_in(list(horizons))).group_by("seed").agg(pl.col("mse").mean(), pl.len())
    whole = by_seed.filter(pl.col("len") == len(horizons))
    found |= _means(found, horizons)
    found |= {"spread": whole["mse"].std(), "parameters": line["parameters"].max()}
    return found | {"seconds": line["seconds"].mean()}


def _theirs(line: pl.DataFrame, horizons: Sequence[int]) -> dict[str, Any]:
    size, setting = line["input_size"][0], line["setting"][0].replace("searched", "L searched")
    found: dict[str, Any] = {
        "group": None,
        "model": line["model"][0],
        "options": None,
        "track": f"L={size}" if size else setting,
        "class": line["class"][0],
        "seeds": line["seeds"][0],
    }
    for horizon in horizons:
        at = line.filter(pl.col("horizon") == horizon)
        mse, mae = (at[name][0] if at.height else None for name in ("mse", "mae"))
        found |= {f"mse_{horizon}": mse, f"mae_{horizon}": mae, f"spread_{horizon}": None}
    if all(found[f"mse_{horizon}"] is None for horizon in horizons):
        return {}
    return found | _means(found, horizons) | {"spread": None, "parameters": None, "seconds": None}


def _means(found: dict[str, Any], horizons: Sequence[int]) -> dict[str, Any]:
    means: dict[str, Any] = {}
    for metric in ("mse", "mae"):
        values = [found[f"{metric}_{horizon}"] for horizon in horizons]
        known = [value for value in values if isinstance(value, float)]
        means[metric] = sum(known) / len(known) if len(known) == len(values) else None
    return means


def _pair(mse: float | None, mae: float | None, digits: int) -> str:
    return "  ".join("-" if value is None else f"{value:.{digits}f}" for value in (mse, mae))
