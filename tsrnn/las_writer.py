"""Well logs written: LAS 2.0, one well per file, numbers as short as they can be and still be the same when read again.

lasio's writer gives all cells of a curve one number of digits, which rounds some and spells out the noise of others; so
the few lines that a log is made of are written here. Standard: Canadian Well Logging Society, LAS version 2.0 (2017).
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl

from tsrnn import files
from tsrnn.answer import MEASURED_TO
from tsrnn.errors import InputError, listed, notice, quoted
from tsrnn.frames import to_polars
from tsrnn.reading import Column

SUFFIX = ".las"
NULLS = ("-999.25", "-9999.25", "-99999.25")  # the first, where no curve holds it
_DIGITS = 8  # behind the point, of depths
_EVEN = 1e-4  # of a step: what depths may be off and still be evenly spaced
_QUANTILE = re.compile(r"(.+)_q(0?\.\d+)")
_EMPTY = ("COMP", "FLD", "LOC", "PROV", "SRVC", "DATE", "UWI")  # lines that the standard asks for
Line = tuple[str, str, str, str]  # mnemonic, unit, value, description


def write(
    frame: Any,
    path: str | Path,
    *,
    id: str | None = "well",
    index: str = "depth",
    columns: Mapping[str, Column] | None = None,
) -> list[Path]:
    """Write logs, or a forecast of some.

    Args:
        frame: pandas, polars or pyarrow: a column of depths and one per curve, such as `Forecaster.predict` gives. A
            quantile `GR_q0.1` is written as the curve GR_Q10, since a mnemonic has no points.
        path: a file that ends in .las, for one well; a folder, for a file per well, called after it.
        id: the column that names the well; None, or one that is not there: there is one, called as the file is.
        index: the column of depths.
        columns: units and words of the columns, such as `Panel.columns`; a quantile has those of its curve.

    Returns:
        The files written.

    Raises:
        InputError: the index is of dates; a file would hold several wells, or two wells one file; a place cannot be
            written.
    """
    path, table = Path(path), to_polars(frame, "the log")[0]
    _refuse(table, index)
    named = id if id in table.columns else None
    wells = {path.stem: table} if named is None else _apart(table, named)
    curves = [name for name, kind in table.schema.items() if kind.is_numeric() and name not in (index, named)]
    left = [name for name in table.columns if name not in (*curves, index, named)]
    words = f"{listed(left)} {'holds' if len(left) == 1 else 'hold'} words, which LAS 2.0 has no place for"
    if path.suffix.lower() == SUFFIX and len(wells) > 1:
        unwritten = f"; {words}: a .csv or .parquet file has" if left else ""
        raise InputError(
            f"{path} would hold {len(wells)} wells and a LAS file holds one; name a folder, such as --out "
            f"{path.with_suffix('')}, for a file per well{unwritten}"
        )
    if left:
        notice(
            f"{path}: {words}; {'it is' if len(left) == 1 else 'they are'} not written, a .csv or .parquet file has all"
        )
    places = {path: next(iter(wells))} if path.suffix.lower() == SUFFIX else _places(path, wells)
    for place, well in places.items():
        text = _text(well, wells[well].select(index, *curves), columns or {})
        files.replaced(place, partial(_put, text.encode()))
    return list(places)


def asked(path: Path, frame: pl.DataFrame, index: str) -> bool:
    """Whether a place is one for logs: a LAS file, or, for what is indexed by depths, a folder."""
    return path.suffix.lower() == SUFFIX or (not path.suffix and frame.schema[index].is_float())


def _put(content: bytes, file: BinaryIO) -> None:
    file.write(content)


def _refuse(table: pl.DataFrame, index: str) -> None:
    if index not in table.columns:
        raise InputError(
            f"the log has no column {quoted(index)} of depths among {listed(table.columns)}; name its index"
        )
    if not table.schema[index].is_numeric():
        raise InputError(
            f"a LAS file is indexed by depths and {quoted(index)} holds dates or words; write a .csv or .parquet file"
        )


def _apart(table: pl.DataFrame, id: str) -> dict[str, pl.DataFrame]:
    """The rows of each well, by its name."""
    return {str(rows[id][0]): rows for rows in table.partition_by(id, maintain_order=True)}


def _places(folder: Path, wells: Mapping[str, Any]) -> dict[Path, str]:
    """A file per well in a folder: 31/2-10 -> 31_2-10.las."""
    places: dict[Path, str] = {}
    for well in wells:
        place = folder / (re.sub(r"[^\w.+-]+", "_", well).strip(".") + SUFFIX)
        if place in places:
            raise InputError(f"wells {quoted(places[place])} and {quoted(well)} would both be {place}; rename one")
        places[place] = well
    return places


def _text(well: str, table: pl.DataFrame, columns: Mapping[str, Column]) -> str:
    """A log: its first column the depths."""
    index, *curves = table.columns
    known, null = columns.get(index, Column()), _null(table)
    columns = {MEASURED_TO: replace(known, description="depth of the last measurement"), **columns}
    unit, steps = known.unit or "M", _step(table[index].cast(pl.Float64).to_numpy())
    cells = [_cells(column, null) for column in (_plain(table[index]), *table.get_columns()[1:])]
    ends = {"STRT": cells[0][0], "STOP": cells[0][-1], "STEP": f"{steps:.9g}"}
    heads: list[Line] = [(name, unit, value, "") for name, value in ends.items()]
    heads += [("NULL", "", null, "no value"), ("WELL", "", " ".join(well.split()), "well")]
    sections: dict[str, list[Line]] = {
        "~Version": [("VERS", "", "2.0", "CWLS log ASCII Standard"), ("WRAP", "", "NO", "one line per depth")],
        "~Well": [*heads, *((name, "", "", "") for name in _EMPTY)],
        "~Curve": [("DEPT", unit, "", known.description or "depth"), *(_curve(name, columns) for name in curves)],
    }
    head = [line for name, part in sections.items() for line in (name, *map(_line, part))]
    widths = [max(map(len, column)) for column in cells]
    rows = zip(
        *([cell.rjust(width) for cell in column] for column, width in zip(cells, widths, strict=True)), strict=True
    )
    return "\n".join([*head, "~ASCII", *map(" ".join, rows), ""])


def _line(line: Line) -> str:
    mnemonic, unit, value, description = line
    return f"{mnemonic:<8}.{''.join(unit.split()):<8} {value:<24} : {description}".rstrip()


def _curve(name: str, columns: Mapping[str, Column]) -> Line:
    """A curve's line: a quantile is called by its percents and described in words."""
    quantile = _QUANTILE.fullmatch(name)
    curve = quantile[1] if quantile and name not in columns else name
    known = columns.get(curve, Column())
    words = known.description or curve
    if quantile and curve != name:
        percents = f"{100 * float(quantile[2]):.10g}".replace(".", "_")
        return f"{_mnemonic(curve)}_Q{percents}", known.unit, "", f"quantile {quantile[2]} of the forecast of {words}"
    return _mnemonic(name), known.unit, "", words


def _mnemonic(name: str) -> str:
    """A name without what would end it in a header."""
    return re.sub(r"[\s.:~#]+", "_", name)


def _cells(column: pl.Series, null: str) -> list[str]:
    """Numbers in the fewest digits that are the same number again."""
    return column.cast(pl.String).fill_null(null).to_list()


def _plain(depths: pl.Series) -> pl.Series:
    """Depths without the noise of their last digits, where steps were added up: 1903.2659999999962 is 1903.266."""
    rounded = depths.round(_DIGITS)
    apart = float(np.abs((depths - rounded).to_numpy()).max(initial=0.0))
    return rounded if apart < 10.0 ** -(_DIGITS + 2) else depths


def _null(table: pl.DataFrame) -> str:
    """What stands for a missing cell: -999.25, or a larger one where a curve holds that."""
    values = [column.cast(pl.Float64).to_numpy() for column in table.get_columns()]
    return next((null for null in NULLS if not any((value == float(null)).any() for value in values)), NULLS[-1])


def _step(depth: np.ndarray) -> float:
    """What rows are apart, if they are evenly so; 0, as the standard says it, if they are not."""
    if len(depth) < 2:
        return 0.0
    steps = np.diff(depth)
    step = (depth[-1] - depth[0]) / len(steps)
    return float(f"{step:.9g}") if (np.abs(steps - step) <= _EVEN * abs(step)).all() else 0.0
