"""Families of curves: many mnemonics for one quantity, in the order in which they are taken (`families.toml`).

Nothing is renamed unless it is asked for. Then each well's first curve of a family that holds a value takes the
family's name and unit; the others stay beside it under their own names, and all of it is noted.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tsrnn import settings
from tsrnn.errors import InputError, quoted, unknown
from tsrnn.reading import Column, Note, Reading
from tsrnn.units import Conversion, conversion, spelling

if TYPE_CHECKING:
    import polars as pl

_OWN = Path(__file__).with_name("families.toml")
_WORDS = ("aliases", "unit", "range", "log")


@dataclass(frozen=True)
class Family:
    """What `families.toml` says of a quantity.

    Args:
        name: of the curve that the family becomes.
        aliases: mnemonics, the first wins; the family's own name is the first.
        unit: of the family's curve and its range; "": whatever the curve's is.
        range: values that the quantity can have.
        log: it spans decades.
    """

    name: str
    aliases: tuple[str, ...]
    unit: str = ""
    range: tuple[float, float] | None = None
    log: bool = False


Families = Mapping[str, Family]


def named(families: bool | str | Path | None) -> Families:
    """The families by name: those of tsrnn, the project's over them, and a file's over both.

    Args:
        families: a TOML file; else no file of the user's.

    Raises:
        InputError: a file is missing, is not TOML, or says what is no family.
    """
    table = dict(_read(_OWN))
    if project := settings.named("families"):
        path, said = project
        if not isinstance(said, str):
            raise InputError(f"{path}: families in [tool.tsrnn] takes the path of a TOML file, not {quoted(said)}")
        table |= _read(path.parent / said)
    if families is not None and not isinstance(families, bool):
        table |= _read(Path(families))
    return table


def of(name: str, families: Families) -> Family | None:
    """The family that a curve belongs to by its mnemonic, if any; the second of two alike is `GR:2`."""
    mnemonic = name.partition(":")[0].upper()
    return next((family for family in families.values() if mnemonic in family.aliases), None)


def applied(reading: Reading, families: Families, id: str | None = "well") -> Reading:
    """A reading whose curves have the names and units of their families.

    Args:
        reading: as a reader gives it.
        families: as of `named`.
        id: the column that tells wells apart, if there is one.

    Returns:
        The reading with one curve per family; a `Note` says for every well which curve it is, and a loud one where
        there were several, or where one was left out because its unit cannot be converted.
    """
    id = id if id in reading.frame.columns else None
    for family in families.values():
        curves = [name for alias in family.aliases for name in _called(alias, reading.frame.columns)]
        if curves:
            reading = _joined(reading, family, curves, id)
    return reading


def _called(alias: str, columns: Sequence[str]) -> list[str]:
    return [name for name in columns if name.partition(":")[0].upper() == alias]


def _joined(reading: Reading, family: Family, curves: Sequence[str], id: str | None) -> Reading:
    """One family's curve out of several mnemonics: in each well the first that holds a value."""
    import polars as pl

    frame, notes = reading.frame, list(reading.notes)
    ways: dict[str, Conversion] = {}
    for name in curves:
        unit = reading.columns.get(name, Column()).unit
        way = conversion(unit, family.unit) if unit and family.unit else Conversion(1.0)
        if way is None or not frame.schema[name].is_numeric():
            what = f"values not taken as {family.name}, since {quoted(unit)} is no unit of it"
            notes.append(Note(what, frame[name].count(), name))
        else:
            ways[name] = way
    winners = _winners(frame, list(ways), id)
    if not winners:
        return replace(reading, notes=tuple(notes))
    wells = {name: [well for well, (won, _) in winners.items() if won == name] for name in ways}
    holds = {name: _among(id, wells[name]) for name in ways}
    parts = [pl.when(holds[name]).then(pl.col(name) * way.factor + way.offset) for name, way in ways.items()]
    joined = frame.select(pl.coalesce(parts).alias(family.name))[family.name]
    rest = frame.with_columns(pl.when(~holds[name]).then(pl.col(name)).alias(name) for name in ways)
    notes += _told(frame, family, winners, id)
    emptied = [name for name in ways if rest[name].null_count() == len(rest) and wells[name]]
    taken = [name for name in ways if wells[name]]
    first = frame.columns.index(taken[0])
    names = [family.name if place == first else name for place, name in enumerate(frame.columns)]
    if taken[0] not in emptied:
        names.insert(first + 1, taken[0])
    names = [name for name in dict.fromkeys(names) if name == family.name or name not in emptied]
    described = reading.columns.get(taken[0], Column())
    described = replace(described, unit=spelling(family.unit or described.unit), original=", ".join(taken))
    columns = {**reading.columns, family.name: described}
    table = rest.with_columns(joined).select(names)
    kept = {name: columns[name] for name in table.columns if name in columns}
    return replace(reading, frame=table, columns=kept, notes=tuple(notes))


def _told(
    frame: "pl.DataFrame", family: Family, winners: Mapping[Any, tuple[str, list[str]]], id: str | None
) -> list[Note]:
    """Which curve each well's is; loud where there was a choice, or where it is not the same in all."""
    several, notes = len({name for name, _ in winners.values()}) > 1, []
    for well, (won, others) in winners.items():
        if others or won != family.name:
            before = f" before {', '.join(others)}" if others else ""
            count = frame.filter(_among(id, [well]))[won].count()
            what = f"values of {won} taken as {family.name}{before}"
            notes.append(Note(what, count, family.name, str(well), loud=bool(others) or several))
    return notes


def _among(id: str | None, wells: Sequence[Any]) -> "pl.Expr":
    import polars as pl

    return pl.lit(bool(wells)) if id is None else pl.col(id).is_in(list(wells))


def _winners(frame: "pl.DataFrame", curves: Sequence[str], id: str | None) -> dict[Any, tuple[str, list[str]]]:
    """The first of the curves that holds a value in each well, and the others that hold some."""
    import polars as pl

    counts = pl.col(curves).count()
    table = frame.select(counts) if id is None else frame.group_by(id, maintain_order=True).agg(counts)
    winners = {}
    for row in table.to_dicts():
        held = [name for name in curves if row[name]]
        if held:
            winners["" if id is None else row[id]] = (held[0], held[1:])
    return winners


def _read(path: Path) -> dict[str, Family]:
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"there is no file {path} of families; check the path") from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as TOML: {error}") from None
    return {name: _family(path, name, entry) for name, entry in entries.items()}


def _family(path: Path, name: str, entry: Any) -> Family:
    if not isinstance(entry, dict):
        raise InputError(f'{path}: {name} is no table such as [{name}] with aliases = ["{name}"]')
    for word in entry:
        if word not in _WORDS:
            raise unknown(f"word of family {name} in {path}", word, _WORDS)
    aliases, unit, bounds = entry.get("aliases", []), entry.get("unit", ""), entry.get("range")
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        raise InputError(f'{path}: aliases of {name} is a list of mnemonics such as ["{name}"], not {quoted(aliases)}')
    if not isinstance(unit, str) or not isinstance(entry.get("log", False), bool):
        raise InputError(f"{path}: unit of {name} is text, and log is true or false")
    low, high = _bounds(bounds) or (0.0, 0.0)
    if bounds is not None and not low < high:
        raise InputError(f"{path}: range of {name} is two rising numbers such as [0, 300], not {quoted(bounds)}")
    ordered = tuple(dict.fromkeys([name.upper(), *(alias.upper() for alias in aliases)]))
    return Family(name, ordered, spelling(unit), None if bounds is None else (low, high), entry.get("log", False))


def _bounds(bounds: Any) -> tuple[float, float] | None:
    two = isinstance(bounds, list) and len(bounds) == 2
    if not two or not all(isinstance(end, int | float) and not isinstance(end, bool) for end in bounds):
        return None
    return float(bounds[0]), float(bounds[1])
