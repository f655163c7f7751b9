"""What a person sees: tables, boards; and what a program reads: CSV, Parquet, JSON."""

import json
import re
import sys
from collections.abc import Iterable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from tsrnn import files
from tsrnn.errors import InputError

_NUMBER = re.compile(r"-?[\d.]*(e[-+]?\d+)?")  # or nothing; it is not folded
_SHORT = 8  # letters of a word that is not, either


def show(rows: Any, as_json: bool, caption: str = "", keys: int = 0) -> None:
    """Print a list of records, and under a table what it needs to be read; as JSON, whatever there is.

    `keys`: so many first columns stand again where the others have room in several tables alone; 0: cells are cut.
    """
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    console = Console()
    cells = {name: ["" if row.get(name) is None else str(row[name]) for row in rows] for name in rows[0]}
    for place, names in enumerate(_parts(cells, console.width, keys) if keys else [list(cells)]):
        table = Table(*names, box=None, header_style="bold")
        for row in zip(*(cells[name] for name in names), strict=True):
            table.add_row(*row)
        console.print(*[""] * bool(place), table)
    if caption:
        console.print(Text(caption, style="dim"))


def _parts(cells: dict[str, list[str]], width: int, keys: int) -> list[list[str]]:
    """The columns of each table: the first `keys`, and as many of the others as a screen has room for."""
    sizes = {name: max(len(cell) for cell in (name, *column)) + 2 for name, column in cells.items()}
    first, parts = list(cells)[:keys], list[list[str]]()
    for name in list(cells)[keys:]:
        if not parts or sum(sizes[each] for each in parts[-1]) + sizes[name] > width:
            parts.append([*first])
        parts[-1].append(name)
    return parts or [first]


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
        cells = {each: [_words(row[each]) for row in rows] for each in names}
        whole = {name for name, words in cells.items() if all(len(w) <= _SHORT or _NUMBER.fullmatch(w) for w in words)}
        columns = (Column(each, overflow="fold", no_wrap=each in whole) for each in names)
        table = Table(*columns, title=name.replace("_", " "), title_justify="left", box=None, header_style="bold")
        for row in rows:
            table.add_row(*(_words(row[each]) for each in names))
        Console().print(table, "")


def write(frame: pl.DataFrame, path: Path | None, as_json: bool = False) -> None:
    """Write a frame to a CSV or Parquet file, under a temporary name first, or as CSV to standard output."""
    stream([frame], path, as_json)


def stream(frames: Iterable[pl.DataFrame], path: Path | None, as_json: bool = False, silent: bool = False) -> None:
    """`write` of one frame that comes in pieces, which are not held together but as JSON.

    `silent`: nothing goes to standard output, which is for something else.
    """
    if path is not None:
        _save(frames, path)
        wrote(path)
    elif silent:
        for _ in frames:
            pass
    elif as_json:
        _emit(pl.concat(frames).write_json() + "\n")
    else:
        for place, frame in enumerate(frames):
            _emit(frame.write_csv(include_header=not place))


def wrote(*paths: Path) -> None:
    """A line on standard error that names what was written."""
    print(f"tsrnn: wrote {' and '.join(map(str, paths))}", file=sys.stderr)


def measures(usual: pl.DataFrame, grouped: pl.DataFrame | None = None, as_json: bool = False) -> None:
    """What forecasts are worth: a line per model and target on standard error, and groups as a table, or as JSON."""
    for row in usual.to_dicts():
        shares = {name: row[name] for name in row if name.startswith("coverage_") and row[name] is not None}
        held = "".join(f", {name[9:]} % interval holds {100 * share:.1f} %" for name, share in shares.items())
        errors = f"MAE {_figure(row['mae'])}, RMSE {_figure(row['rmse'])}"
        whose = f"{row['model']}, " if "model" in row else ""
        print(f"{whose}{row['target']}: {errors}{held}", file=sys.stderr)
    if grouped is not None and as_json:
        _emit(grouped.write_json() + "\n")
    elif grouped is not None:
        show([{name: _cell(value) for name, value in row.items()} for row in grouped.to_dicts()], as_json=False)


def _figure(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.4g}"


def _cell(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value


def _emit(text: str) -> None:
    """Text for programs on standard output: UTF-8, whatever the terminal's encoding."""
    sys.stdout.flush()
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        sys.stdout.write(text)
    else:
        binary.write(text.encode())
        binary.flush()


def _save(frames: Iterable[pl.DataFrame], path: Path) -> None:
    if path.suffix not in (".csv", ".parquet"):
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; write to a .csv or .parquet file")
    files.replaced(path, partial(_csv if path.suffix == ".csv" else _parquet, frames))


def _csv(frames: Iterable[pl.DataFrame], file: BinaryIO) -> None:
    for place, frame in enumerate(frames):
        frame.write_csv(file, include_header=not place)


def _parquet(frames: Iterable[pl.DataFrame], file: BinaryIO) -> None:
    import pyarrow.parquet as pq  # slow to import, and only a file of several pieces needs it

    tables = (frame.to_arrow() for frame in frames)
    first = next(tables)
    with pq.ParquetWriter(file, first.schema, compression="zstd") as writer:
        for table in chain([first], tables):
            writer.write_table(table)


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
