"""What a person sees: tables, boards; and what a program reads: CSV, Parquet, JSON."""

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tsrnn import files, metrics
from tsrnn.errors import InputError


def show(rows: Any, as_json: bool, caption: str = "") -> None:
    """Print a list of records, and under a table what it needs to be read; as JSON, whatever there is."""
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
