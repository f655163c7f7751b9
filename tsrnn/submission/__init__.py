"""Rows of another person, held against the protocol before they stand on a board: `check` says what is wrong with each.

    faults   what one row says, and what several say together
    truth    what the data say: their checksum, how many windows the test has, and a row run again

A fault is a reason to refuse a row; a remark is what a reader should know. Nothing here can see an honest-looking row
whose model had read the test: `rerun` runs some of them again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import SystemRandom
from typing import Any

import polars as pl

from tsrnn.board import beside as tables
from tsrnn.board import rows as results
from tsrnn.errors import InputError, singular
from tsrnn.submission import faults, truth
from tsrnn.submission.faults import Row, Said


@dataclass
class Found:
    """What a check has found; a row without a fault may stand on a board."""

    rows: int = 0
    faults: list[Said] = field(default_factory=list)
    remarks: list[Said] = field(default_factory=list)
    rerun: list[Said] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """As values of JSON."""
        lists = {name: [asdict(said) for said in getattr(self, name)] for name in ("faults", "remarks", "rerun")}
        return {"rows": self.rows, "accepted": not self.faults, **lists}

    def lines(self) -> Iterator[str]:
        """For a terminal: faults, what was run again, remarks, and the sum."""
        yield from (f"refused  {said.where}: {said.what}" for said in self.faults)
        yield from (f"run again  {said.where}: {said.what}" for said in self.rerun)
        for what in dict.fromkeys(said.what for said in self.remarks):
            where = [said.where for said in self.remarks if said.what == what]
            yield f"remark  {where[0] if len(where) == 1 else f'{len(where)} files'}: {what}"
        yield singular(f"{self.rows} rows, {len(self.faults)} faults")


def check(folder: Path, rerun: int = 0, tell: Callable[[str], None] = lambda _: None) -> Found:
    """Hold every row of a folder, and of the folders directly in it, against the protocol.

    Args:
        rerun: so many rows, drawn at random among those that can be, are run again and compared.
        tell: called with a word on what takes long.

    Raises:
        InputError: there is no file of rows, or no row in one.
    """
    found = Found()
    rows = list(_read(folder, found))
    if not rows and not found.faults:
        raise InputError(f"the files of {folder} hold no result row; name a folder that holds some")
    found.rows = len(rows)
    knows = truth.Truth()
    for row in rows:
        found.faults += faults.of_row(row, knows)
        found.remarks += faults.remarks(row, knows)
    found.faults += faults.together(rows, knows)
    found.faults += faults.beside(rows)
    refused = {said.where for said in found.faults}
    _run_again(found, [row for row in rows if row.where not in refused], rerun, knows, tell)
    found.remarks = list(dict.fromkeys(found.remarks))
    return found


def _read(folder: Path, found: Found) -> Iterator[Row]:
    """Every row with the place where it stands; a file that cannot be read is a fault."""
    paths = sorted(path for pattern in ("*.csv", "*/*.csv") for path in folder.glob(pattern))
    if not paths:
        raise InputError(f"{folder} holds no file of result rows; name the folder that holds <model>.csv")
    for path in paths:
        try:
            table = results.load(path)
        except InputError as error:
            found.faults.append(Said(str(path), str(error)))
            continue
        yield from _rows_of(path, table)


def _rows_of(path: Path, table: pl.DataFrame) -> Iterator[Row]:
    for place, row in enumerate(table.iter_rows(named=True), 1):
        yield Row(f"{path}, row {place}", path, row)


def _run_again(found: Found, rows: Sequence[Row], wanted: int, knows: truth.Truth, tell: Callable[[str], None]) -> None:
    """Run some rows again; whatever differs is a fault."""
    able = [row for row in rows if knows.can_run(row.cells)] if wanted else []
    if wanted and not able:
        found.remarks.append(Said("--rerun", "no row can be run again here: its data or its model is not at hand"))
    for row in SystemRandom().sample(able, min(wanted, len(able))):
        tell(f"running {row.where} again: {row.cells['model']}, {row.cells['seconds'] or 0:.0f} s when it was made")
        beside = tables.read(row.path.parent, "measures", results.stem(row.cells))
        agrees, what = knows.again(row.cells, truth.scores({} if beside is None else beside.to_dict(as_series=False)))
        (found.rerun if agrees else found.faults).append(Said(row.where, what))
