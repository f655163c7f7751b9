"""Rows -> table: what was measured here, among what others published, honestly ordered.

Scores are means over seeds; a mean over horizons exists only where every horizon does. Lines of ours whose seeds
overlap are not told apart: a winner is marked only when its worst seed beats every other line's mean.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from rich.table import Table

from tsrnn import results
from tsrnn.errors import InputError

_PUBLISHED = Path(__file__).with_name("published.csv")
_LINE = ("model", "track", "input_size", "config", "sha256")  # what makes rows one line of the board


def read(folder: Path, dataset: str | None = None) -> pl.DataFrame:
    """The rows of every results file in `folder` and in the folders directly in it, of one data set if named.

    Raises:
        InputError: there are none, or a file is damaged.
    """
    rows = results.existing(folder)
    if rows is not None and dataset is not None:
        rows = rows.filter(pl.col("dataset") == dataset)
    if rows is None or not rows.height:
        of = f" of {dataset}" if dataset else ""
        raise InputError(
            f"{folder} holds no result rows{of}; run `tsrnn bench {dataset or 'ETTh1'}` or name another folder"
        )
    return rows


def published(dataset: str, classes: Sequence[str] = ("A", "B")) -> pl.DataFrame:
    """Other people's numbers: one row per model, setting and horizon, with class and source."""
    table = pl.read_csv(_PUBLISHED, infer_schema_length=None)
    return table.filter((pl.col("dataset") == dataset) & pl.col("class").is_in(list(classes)))


def board(rows: pl.DataFrame, horizons: Sequence[int], others: pl.DataFrame | None = None) -> pl.DataFrame:
    """One line per model and track, lowest mean MSE first; lines without every horizon come last.

    Columns: model, track, class ("" for ours), seeds, `mse_<h>`, `mae_<h>`, `spread_<h>` (deviation of the MSE over
    seeds, null for one) per horizon, mse, mae (means over horizons), spread and worst (deviation of the mean MSE over
    seeds and its highest value, of the seeds that have every horizon), parameters, seconds (mean per fit).
    """
    lines = [_ours(line, horizons) for _, line in rows.group_by(_LINE, maintain_order=True)]
    if others is not None:
        by = ("model", "input_size", "setting", "class")
        lines += [_theirs(line, horizons) for _, line in others.group_by(by, maintain_order=True)]
    table = pl.DataFrame([line for line in lines if line], infer_schema_length=None)
    return table.sort("mse", *(f"mse_{horizon}" for horizon in horizons), nulls_last=True)


def clear_winner(table: pl.DataFrame) -> str | None:
    """Our model whose worst seed beats every other line of ours on average; None where none does."""
    ours = table.filter((pl.col("class") == "") & pl.col("mse").is_not_null())
    if ours.height < 2 or ours["spread"][0] is None or ours["worst"][0] >= ours["mse"][1]:
        return None
    return str(ours["model"][0])


def shortened(table: pl.DataFrame, others: int) -> pl.DataFrame:
    """Every line of ours, and the best `others` of the published ones."""
    published = table.with_row_index("place").filter(pl.col("class") != "")["place"].to_list()
    return table.with_row_index("place").filter(~pl.col("place").is_in(published[others:])).drop("place")


def render(table: pl.DataFrame, title: str | None = None, narrow: bool = False) -> Table:
    """The board for a terminal. Published lines are dim and carry their class; ours have no class.

    `narrow` leaves out what a terminal of 80 columns has no room for: track, seeds, parameters, the mean.
    """
    horizons = [name.removeprefix("mse_") for name in table.columns if name.startswith("mse_")]
    spread = ["±"] if table["spread"].is_not_null().any() else []
    shown = Table(title=title, box=None, header_style="bold")
    winner = clear_winner(table)
    for line in table.iter_rows(named=True):
        ours = not line["class"]
        digits = 4 if ours else 3
        cells = {"model": line["model"], "track": line["track"], "class": line["class"]}
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
                shown.add_column(name, justify="left" if name in ("model", "track", "class") else "right", no_wrap=True)
        shown.add_row(*cells.values(), style=("bold" if winner else "") if ours else "dim")
        winner = None if ours else winner  # our first line alone can be the winner's
    return shown


_WIDE = ("track", "seeds", "parameters", "mean MSE  MAE")
CAPTION = (
    "Lines with a class are published numbers, not run here. A: every test window, one configuration. "
    "B: every test window, best of a search that saw the test."
)


def _ours(line: pl.DataFrame, horizons: Sequence[int]) -> dict[str, object]:
    found: dict[str, object] = {
        "model": line["model"][0],
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
    found |= {"spread": whole["mse"].std(), "worst": whole["mse"].max(), "parameters": line["parameters"].max()}
    return found | {"seconds": line["seconds"].mean()}


def _theirs(line: pl.DataFrame, horizons: Sequence[int]) -> dict[str, object]:
    size, setting = line["input_size"][0], line["setting"][0].replace("searched", "L searched")
    found: dict[str, object] = {
        "model": line["model"][0],
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
    return found | _means(found, horizons) | {"spread": None, "worst": None, "parameters": None, "seconds": None}


def _means(found: dict[str, object], horizons: Sequence[int]) -> dict[str, object]:
    means: dict[str, object] = {}
    for metric in ("mse", "mae"):
        values = [found[f"{metric}_{horizon}"] for horizon in horizons]
        known = [value for value in values if isinstance(value, float)]
        means[metric] = sum(known) / len(known) if len(known) == len(values) else None
    return means


def _pair(mse: float | None, mae: float | None, digits: int) -> str:
    return "  ".join("-" if value is None else f"{value:.{digits}f}" for value in (mse, mae))
