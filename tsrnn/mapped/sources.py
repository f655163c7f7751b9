"""Which Parquet files are meant, what they hold, and whether they are those of an earlier call."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from tsrnn import stacked
from tsrnn.errors import InputError, quoted
from tsrnn.readers import parquet
from tsrnn.roles import ID_NAMES

Stamp = dict[str, Any]  # name, size, time of a file, and its sha256 once it was read
_SILENCE = 20  # seconds without a byte after which a web server is given up


@dataclass(frozen=True)
class Listing:
    """Files by name, before any of them is opened. `system`: fsspec's, of files that lie elsewhere."""

    name: str
    paths: tuple[str, ...]
    stamps: tuple[Stamp, ...]
    system: Any = None
    one: bool = False  # a file was named, not a folder or several

    def key(self, id: str | None) -> str:
        """What tells these files' maps from those of others, whatever the files hold."""
        return sha256("\0".join([self.name, *self.paths, id or ""]).encode()).hexdigest()[:16]

    def same(self, before: Sequence[Stamp]) -> bool:
        """Whether an earlier call met the same files: by sizes and times, or else by checksums."""
        if [(each["name"], each["size"]) for each in before] != [(each["name"], each["size"]) for each in self.stamps]:
            return False
        if all(now["time"] == then["time"] for now, then in zip(self.stamps, before, strict=True)):
            return True
        return self.system is None and all(
            digest(Path(path)) == then["sha256"] for path, then in zip(self.paths, before, strict=True)
        )

    @contextmanager
    def at_hand(self, room: Path) -> Iterator[tuple[Path, ...]]:
        """The files on this machine; those from elsewhere lie in `room` until the block ends."""
        if self.system is None:
            yield tuple(map(Path, self.paths))
            return
        room.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=room, prefix=".fetched-") as folder:
            fetched = []
            for path in self.paths:
                fetched.append(Path(folder) / path.rpartition("/")[2])
                with fetched[-1].open("wb") as here:
                    here.writelines(_blocks(self.system, path))
            yield tuple(fetched)


@dataclass(frozen=True)
class File:
    path: Path
    series: str  # its name without the ending
    rows: int


@dataclass(frozen=True)
class Sources:
    """Opened as far as their ends, which say what they hold."""

    files: tuple[File, ...]
    schema: pl.Schema
    id: str | None  # the column that tells series apart; one that no file has holds the files' names


def listed(place: str | Path | Sequence[str | Path]) -> Listing:
    """The files of a folder, those named, or those at an address.

    Raises:
        InputError: there is none, or one is no Parquet by its ending.
    """
    if isinstance(place, str) and "://" in place:
        return _elsewhere(place)
    if isinstance(place, str | Path):
        folder = Path(place)
        if not folder.exists():
            raise InputError(f"{folder} is not there; maps= reads a Parquet file, a folder of them or an address")
        paths = stacked.tables(folder) if folder.is_dir() else [folder]
        name = os.fsencode(place).decode(errors="replace")
    else:
        paths, name = [Path(each) for each in place], f"{len(place)} files"
    _check(name, [str(path) for path in paths])
    try:
        stats = [path.stat() for path in paths]
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read ({error.strerror}); check the path") from None
    whole = [str(path.resolve()) for path in paths]
    stamps = [
        {"name": path.name, "size": stat.st_size, "time": stat.st_mtime_ns}
        for path, stat in zip(paths, stats, strict=True)
    ]
    return Listing(name, tuple(whole), tuple(stamps), one=isinstance(place, str | Path) and not Path(place).is_dir())


def opened(paths: Sequence[Path], id: str | None) -> Sources:
    """What the files hold, by their ends.

    Raises:
        InputError: one is cut off or damaged, two differ in their columns, or there is no column `id`.
    """
    names = [path.stem for path in paths]
    if len({*names}) < len(names):
        twin = next(name for name in names if names.count(name) > 1)
        raise InputError(f"two files are called {quoted(twin)}, by which their series are told apart; rename one")
    files, first = [], None
    for path in paths:
        parquet.check(path)
        file = File(path, path.stem, 0)
        try:
            schema = pl.read_parquet_schema(path)
            rows = pl.scan_parquet(path).select(pl.len()).collect().item()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise damaged(file, error) from None
        first = schema if first is None else first
        _check_schema(paths[0], first, path, schema)
        files.append(replace(file, rows=rows))
    assert first is not None
    columns = pl.Schema(first)
    if id is not None and id not in columns:
        id = None  # a column that is not there is refused where roles are found
    id = id or next((name for name in columns if name.lower() in ID_NAMES), None)
    if id is None and len(files) > 1:
        id = stacked.free(list(columns))
    return Sources(tuple(files), columns, id)


def whole(stamps: Sequence[Mapping[str, Any]], one: bool) -> str:
    """The sha256 of a file, or of a folder: that of its files' sums by name, as `tsrnn.catalog.digest` has it."""
    if one:
        return str(stamps[0]["sha256"])
    return sha256("".join(f"{each['sha256']}  {each['name']}\n" for each in stamps).encode()).hexdigest()


def digest(path: Path) -> str:
    """The sha256 of a file."""
    total = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def damaged(file: File, error: Exception) -> InputError:
    reason = str(error).splitlines()[0]
    return InputError(f"{file.path} is damaged and cannot be read as parquet ({reason}); copy or write it again")


def _blocks(system: Any, path: str) -> Iterator[bytes]:
    try:
        with system.open(path, "rb") as there:
            while block := there.read(1 << 20):
                yield block
    except Exception as error:  # each system has errors of its own
        raise InputError(f"{path} cannot be fetched ({_reason(error)}); check the connection, and try again") from None


def _reason(error: BaseException) -> str:
    """What lies behind an error of fsspec's, which often names the address alone."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return (str(error) or type(error).__name__).splitlines()[0]


def _told(address: str) -> dict[str, Any]:
    """What a system is told beside an address: a web server is given up after a silence, however long a file takes."""
    if not address.startswith(("http://", "https://")):
        return {}
    try:
        from aiohttp import ClientTimeout
    except ImportError:  # fsspec says it of web addresses in its own words
        return {}
    return {"client_kwargs": {"timeout": ClientTimeout(total=None, sock_connect=_SILENCE, sock_read=_SILENCE)}}


def _elsewhere(address: str) -> Listing:
    import fsspec

    try:
        system, place = fsspec.core.url_to_fs(address, **_told(address))
        paths = system.glob(place) if "*" in place else [place]
        if len(paths) == 1 and system.isdir(paths[0]):
            paths = [each for each in system.ls(paths[0], detail=False) if each.endswith(parquet.SUFFIXES)]
        facts = [system.info(path) for path in sorted(paths)]
    except Exception as error:  # each system has errors of its own
        raise InputError(f"{address} cannot be read ({_reason(error)}); check the address") from None
    _check(address, paths)
    stamps = [
        {
            "name": path.rpartition("/")[2],
            "size": fact["size"],
            "time": str(
                next((fact[key] for key in ("ETag", "etag", "mtime", "LastModified", "created") if key in fact), "")
            ),
        }
        for path, fact in zip(sorted(paths), facts, strict=True)
    ]
    return Listing(address, tuple(sorted(paths)), tuple(stamps), system)


def _check(name: str, paths: Sequence[str]) -> None:
    if not paths:
        raise InputError(f"{name} holds no Parquet files, which maps= streams; check the path")
    for path in paths:
        if not path.lower().endswith(parquet.SUFFIXES):
            raise InputError(f"{path} is no Parquet by its ending, which maps= streams alone; write it as .parquet")


def _check_schema(first: Path, columns: Mapping[str, Any], file: Path, here: Mapping[str, Any]) -> None:
    stacked.check_columns(first, list(columns), file, list(here))
    for name, kind in columns.items():
        if here[name] != kind:
            raise InputError(
                f"{file}: column {quoted(name)} is of type {here[name]}, and in {first} of type {kind}; write it alike"
            )
