"""What a person sees: tables, boards; and what a program reads: CSV, Parquet, JSON."""

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from tsrnn import files, leaderboard, metrics, ties
from tsrnn.errors import InputError

_PUBLISHED = 8  # lines of other people's numbers on a board
_ROOM = 91  # columns that a board takes beside its horizons


def stored(dataset: str, folder: Path, as_json: bool, published: int) -> None:
    """Print the rows in `folder` (or in one folder per data set there) among the best `published` of others."""
    rows = leaderboard.read(folder, dataset)
    if as_json:
        print(json.dumps(rows.to_dicts(), indent=2))
    else:
        console = Console()
        console.print(_board(rows, dataset, console.width, published, folder))


def compared(dataset: str, folder: Path, as_json: bool) -> None:
    """Print every two lines of a board: by how much they differ, and how sure that is."""
    rows = leaderboard.read(folder, dataset)
    found = leaderboard.comparisons(rows, _horizons(rows), folder)
    if not found:
        raise InputError(f"{folder} holds fewer than two models with every horizon of {dataset}; run `tsrnn bench`")
    _records(found, [_pair(each) for each in found], leaderboard.PAIRS, as_json)


def standings(folder: Path, as_json: bool) -> None:
    """Print mean ranks over every data set that has rows in `folder`."""
    found = ties.standings(leaderboard.read(folder)).to_dicts()
    shown = [{name: "" if value is None else _words(value) for name, value in row.items()} for row in found]
    _records(found, shown, leaderboard.RANKS, as_json)


def show(rows: list[dict[str, Any]], as_json: bool, caption: str = "") -> None:
    """Print a list of records, and under a table what it needs to be read."""
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table(*(name for name in rows[0]), box=None, header_style="bold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console().print(table, *([Text(caption, style="dim")] if caption else []))


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
        _emit(frame.write_json() + "\n")
    elif path is None:
        _emit(frame.write_csv())
    else:
        _save(frame, path)
    if scored:
        for (target,), rows in frame.group_by("target", maintain_order=True):
            y, forecast = rows["y"].cast(pl.Float64).to_numpy(), rows["forecast"].to_numpy()
            print(
                f"{target}: MAE {metrics.mae(y, forecast):.4g}, RMSE {metrics.rmse(y, forecast):.4g}", file=sys.stderr
            )


def _emit(text: str) -> None:
    """Text for programs on standard output: UTF-8, whatever the terminal's encoding."""
    sys.stdout.flush()
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        sys.stdout.write(text)
    else:
        binary.write(text.encode())
        binary.flush()


def _save(frame: pl.DataFrame, path: Path) -> None:
    if path.suffix not in (".csv", ".parquet"):
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; write to a .csv or .parquet file")
    files.replaced(path, frame.write_csv if path.suffix == ".csv" else frame.write_parquet)


def _board(
    rows: pl.DataFrame, dataset: str, width: int, published: int = _PUBLISHED, folder: Path | None = None
) -> Group:
    """The board, with tie groups where the rows' folder is given: their tests are too slow for a board that fills."""
    horizons, others = _horizons(rows), leaderboard.published(dataset)
    table = leaderboard.shortened(leaderboard.board(rows, horizons, others, folder), published)
    table = table.drop("group") if folder is None else table
    notes = [] if folder is None else leaderboard.notes(table)
    said = " ".join([*notes, leaderboard.CAPTION] if others.height else notes)
    caption = [Text(said, style="dim")] if said else []
    return Group(leaderboard.render(table, narrow=width < _ROOM + 16 * len(horizons)), *caption)


def _horizons(rows: pl.DataFrame) -> list[int]:
    return sorted(rows["horizon"].unique().to_list())


def _records(rows: list[dict[str, Any]], shown: list[dict[str, Any]], caption: str, as_json: bool) -> None:
    """JSON of `rows`, or else the table `shown`, without empty columns, and a word on the others."""
    if as_json:
        show(rows, as_json=True)
        return
    filled = [name for name in shown[0] if any(row[name] not in ("", None) for row in shown)]
    show([{name: row[name] for name in filled} for row in shown], as_json=False)
    Console().print(Text(caption, style="dim"))


def _pair(pair: dict[str, Any]) -> dict[str, Any]:
    mean, low, high, p = (pair[name] for name in ("difference", "low", "high", "p"))
    measured = {"MSE": "", "95 %": ""} if mean is None else {"MSE": f"{mean:.4f}", "95 %": f"{low:.3f} to {high:.3f}"}
    sure = {"p": "<0.001" if p < 0.001 else f"{p:.3f}", "windows": pair["windows"], "seeds": pair["seeds"]}
    return {"first": pair["first"], "second": pair["second"], **measured, **sure}


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
