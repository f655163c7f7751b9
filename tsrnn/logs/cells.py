"""The cells of one curve: numbers, nulls, and what was none of these, counted.

Text where numbers belong is never taken as it is: such a cell is null. A curve without any number is one of text.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tsrnn.arrays import Floats
from tsrnn.errors import quoted
from tsrnn.logs.header import Null
from tsrnn.reading import mend

# What stands for nothing in the logs of many writers; beside the header's own it is only pointed at.
SENTINELS = (
    *(-999.25, -999.0, -9999.0, -9999.25, -99999.0, -999999.0, -32767.0, -32768.0, -2147483648.0, -2147483647.0),
    *(999.25, 9999.0, 9999.25, 99999.0, 999999.0, 32767.0, 2147483647.0, 1e30),
)
_LEAST = min(abs(value) for value in SENTINELS)
_NOTHING = r"(?i)^([-*#?.~]+|\(?null\)?|#?n/?a|#n/a|nan|none|missing|absent|err(or)?|-?1\.#\w*|[-+]?inf(inity)?)$"
_FORTRAN = r"^([-+]?(?:\d+\.?\d*|\.\d+))[dD]([-+]?\d+)$"


@dataclass
class Told:
    """What was met in a curve: what, how often, and whether it is worth the line that is said unasked."""

    notes: list[tuple[str, int, bool]]

    def add(self, what: str, count: int, loud: bool = True) -> None:
        if count:
            self.notes.append((what, int(count), loud))


def curve(column: pl.Series, null: Null, unit: str, told: Told, sentinels: bool = True) -> pl.Series:
    """A curve as numbers where it holds any, what stands for nothing made null: [row] -> [row].

    Args:
        column: its cells, numbers or text.
        null: the header's.
        unit: the curve's; "": none. What has a unit is a number.
        told: takes what is met.
        sentinels: other writers' nulls are looked for.
    """
    if column.dtype != pl.String:
        return _floats(column.to_numpy(), np.zeros(len(column), bool), null, told, sentinels)
    text = column.str.strip_chars().str.strip_chars('"')
    values = text.cast(pl.Float64, strict=False).to_numpy().copy()
    blank, wrong = (text == "").to_numpy(), ~np.isfinite(values)
    if wrong.any():
        values[wrong] = text.filter(wrong).str.replace(_FORTRAN, "${1}e$2").cast(pl.Float64, strict=False).to_numpy()
        wrong = ~np.isfinite(values)
        values[wrong] = np.nan
    named = wrong & (text.str.to_lowercase() == null.text.lower()).to_numpy()
    strange = wrong & ~blank & ~named
    worded = strange.copy()
    worded[strange] = ~text.filter(strange).str.contains(_NOTHING).to_numpy()
    hits = null.hits(values)
    measured = int((~wrong & ~hits).sum())
    holds_words = worded.any() and (not measured or (not unit and worded.sum() > measured))
    told.add("blank cells", blank.sum(), loud=False)
    told.add(f"cells of the header's NULL {null.text}", named.sum() + hits.sum() * holds_words, loud=False)
    if holds_words:
        strange &= ~worded
        told.add("cells of numbers in a curve of text, kept as text", measured)
        told.add("cells of text, for the curve holds words", worded.sum(), loud=False)
    if strange.any():
        told.add(f"cells that are no number ({quoted(text.filter(strange)[0])}), taken as missing", strange.sum())
    if holds_words:
        return text.set(pl.Series((wrong & ~worded) | hits), None)
    return _floats(values, wrong, null, told, sentinels)


def _floats(values: Floats, missing: np.ndarray, null: Null, told: Told, sentinels: bool) -> pl.Series:
    hits = null.hits(values) & ~missing
    told.add(f"cells of the header's NULL {null.text}" if null.named else _unnamed(null), hits.sum(), not null.named)
    column = np.where(missing | hits, np.nan, values)
    if sentinels and np.nanmax(np.abs(column), initial=0.0) >= _LEAST:
        beside = f"beside NULL {null.text}" if null.named else "where the header names no NULL"
        for value in SENTINELS:
            told.add(
                f"cells of {value:.10g} {beside}, kept as numbers ({mend(value)} drops them)",
                (column == value).sum(),
            )
    return pl.Series(column).fill_nan(None)


def _unnamed(null: Null) -> str:
    return f"cells of {null.text}, taken as missing though the header names no NULL"
