"""From what a reader gave to a panel: what `load` was asked to do with the columns on the way, and what is said of it.

Reading --one unit per curve, families, ranges, washout--> Reading --`Panel.of`--> Panel with units and notes
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

from tsrnn import families, frequency, labels, missing, physical, units, wind
from tsrnn.errors import InputError, notice, unknown
from tsrnn.options import check_types
from tsrnn.panel import Panel
from tsrnn.reading import MEND, Column, Note, Reading, line
from tsrnn.resample import resampled
from tsrnn.roles import is_flag, several

LOADED = {"depth_unit": str, "families": bool | str, "clip": bool, "washout": bool, "resample": float | str}
WORDS = (*LOADED, "labels", "wanted")  # of `load`, beside the roles
ROWS = {"sort": bool, "rows_as_they_stand": bool, "fill": int, "flags": Any, "transforms": Any}  # of `Panel.of`
ASKED = (*LOADED, "labels", *ROWS, "maps")  # what `--load` takes
_OF_PANEL = tuple(signature(Panel.of).parameters)
_TREATED = ("missing", "flags", "wind", "fill", "duplicates", "sort", "date_format", "rows_as_they_stand")


def panel(reading: Reading, arguments: Mapping[str, Any], aloud: bool = True) -> Panel:
    """The panel of a reading; what was met in the columns that count is said in one line.

    Args:
        reading: as a reader gives it.
        arguments: what `Panel.of` takes, and of `WORDS` what was asked:
            depth_unit "m" or "ft": the depths of all wells are brought to it (`tsrnn.units`)
            families   True, or a TOML file of families: curves get the names and units of theirs (`tsrnn.families`)
            clip       True: values beyond what a quantity can be become null (`tsrnn.physical`)
            resample   a step such as 0.5 or "1h": rows are averaged over bins of that length (`tsrnn.resample`)
            labels     True: words or truth values in the target's column become the numbers of `classes`
            washout    True: a column `washout` of flags, 1 where the caliper is 2 in wider than the bit
            wanted     columns that a saved model reads: the targets, where none is named, are those that are there
        aloud: say the line; the catalogue's own data are known.

    Raises:
        InputError: what `Panel.of` refuses, or a word is asked for as it cannot be, or of columns that are not there.
    """
    asked = {word: arguments[word] for word in WORDS if word in arguments}
    roles = {word: value for word, value in arguments.items() if word not in WORDS}
    if strange := next((word for word in roles if word not in _OF_PANEL), None):
        raise unknown("argument", strange, {*_OF_PANEL, *ASKED} - {"frame", "source"})
    check_types(asked, {"clip": bool, "washout": bool, "labels": bool})
    classes, source = None, roles.get("source", "the frame")
    if asked.get("labels"):
        reading, classes = labels.of_reading(reading, roles.get("target"), source, roles)
    reading = reading.spelt(asked.get("wanted", ()))
    reading = _in_one_unit(reading, asked.get("depth_unit"), source)
    kin, id = families.named(asked.get("families")), roles.get("id") or "well"
    reading = _by_families(reading, asked, kin, id, source)
    unasked = not roles.get("target")
    if unasked and (wanted := [name for name in asked.get("wanted", ()) if _holds_numbers(reading, name)]):
        roles["target"] = wanted
        unasked = False
    roles = reading.roles(roles)
    if chosen := roles.get("target") if unasked else None:  # by the reader: what is none of its format's measurements
        roles["target"] = [name for name in chosen if not is_flag(reading.frame, name)] or chosen
    given = roles.get("missing")
    if classes is not None:
        roles["missing"] = labels.spared(given, labels.the_one(several(roles["target"])), reading.frame.columns)
    made = Panel.of(reading.frame, **roles)
    made = made if classes is None else replace(made, missing=missing.plain(given))
    circles = []
    if chosen and made.wind is None and made.frame.schema[made.roles.index].is_temporal():
        circles = wind.told(made.frame, made.roles.targets, {note.column for note in made.notes if note.loud})
    if asked.get("resample") is not None:
        made = resampled(replace(made, columns=reading.columns), asked["resample"])
    counts = {
        made.roles.index,
        *made.roles.targets,
        *(name for kind in made.roles.covariates.values() for name in kind),
    }
    unread = {*reading.frame.columns} - counts
    told = _once((*reading.notes, *circles), unread, made)
    columns = {**reading.columns, **wind.columns(made.wind, reading.columns)}
    made = replace(made, columns=columns, notes=(*told, *made.notes), classes=classes, loaded=_plain(asked))
    if aloud and (said := line(told)):
        notice(f"{made.source}: {said}; `tsrnn describe` and panel.notes tell all")
    return made


def _by_families(reading: Reading, asked: Mapping[str, Any], kin: families.Families, id: str, source: str) -> Reading:
    """The reading after what is done with curves by the families they are of.

    Raises:
        InputError: it is asked for, and there is no such curve.
    """
    if asked.get("families"):
        if not any(families.of(name, kin) for name in reading.frame.columns):
            said = f"families={str(asked['families'])!r}" if asked["families"] is not True else "families=True"
            raise InputError(f"{source} has no column that is called as a curve of some family; leave out {said}")
        reading = families.applied(reading, kin, id)
    if asked.get("clip") and not physical.judged(reading, kin):
        raise InputError(f"{source} has no column whose quantity and unit tell its range; leave out clip=True")
    reading = physical.checked(reading, kin, id, asked.get("clip", False))
    reading = physical.washed_out(reading, kin, id, asked.get("washout", False))
    if asked.get("washout") and physical.WASHED_OUT not in reading.frame.columns:
        raise InputError(f"{source} has no caliper beside a bit size (CALI, BS) in known units; leave out washout=True")
    return reading


def _holds_numbers(reading: Reading, name: str) -> bool:
    return name in reading.frame.columns and reading.frame.schema[name].is_numeric()


def _once(notes: Iterable[Note], unread: Collection[str], made: Panel) -> tuple[Note, ...]:
    """The reader's notes: quiet of columns that nobody reads; nulls of other writers, where the panel tells of them.

    Those that `missing` took are no longer kept, and not told of a second time.
    """
    told, loud = [], {(note.column, mend) for note in made.notes if note.loud for mend in MEND.findall(note.what)}
    for note in notes:
        mends = [float(number) for number in MEND.findall(note.what)]
        asked = made.missing.get(note.column, ()) if isinstance(made.missing, Mapping) else made.missing or ()
        if note.column not in unread and any(number in asked for number in mends):
            continue
        twice = any((note.column, number) in loud for number in MEND.findall(note.what))
        told.append(replace(note, loud=note.loud and not twice and note.column not in unread))
    return tuple(told)


def _plain(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, as a saved model keeps it; labels are known by its classes."""
    made = {word: value for word, value in asked.items() if word in LOADED and value}
    made |= {"resample": frequency.plain(made["resample"])} if "resample" in made else {}
    return made | ({"families": str(made["families"])} if isinstance(made.get("families"), Path) else {})


def kept(panel: Panel) -> dict[str, Any]:
    """Words of a saved model's reading, where there are: units of columns, and what `load` did with them."""
    words = {"units": units_of(panel), "loaded": dict(panel.loaded)}
    return {word: value for word, value in words.items() if value}


def remembered(reading: Mapping[str, Any]) -> dict[str, Any]:
    """What `load` did with the training's columns, as a saved model's reading has it; empty where that was nothing.

    Raises:
        InputError: the reading asks for what `load` cannot do.
    """
    loaded = reading.get("loaded", {})
    if not isinstance(loaded, Mapping):
        raise InputError("loaded of reading must be a table of what load was asked to do")
    for word in loaded:
        if word not in LOADED:
            raise unknown("word of loaded in reading", str(word), LOADED)
    check_types(dict(loaded), LOADED, "loaded in reading")
    return dict(loaded)


def again(reading: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """All that `load` is told of a file for a saved model: what it is asked to do, index, id, the treatment of rows."""
    told = {word: reading[word] for word in _TREATED if reading.get(word)}
    told |= {} if reading.get("numbered") else {"time": reading["index"]}
    told["wanted"] = [name for kind in ("targets", "past", "future") for name in reading[kind]]
    return {**told, **({} if reading["id"] is None else {"id": reading["id"]}), **asked}


def units_of(panel: Panel) -> dict[str, str]:
    """The units of the columns that count, where they are known."""
    names = (
        panel.roles.index,
        *panel.roles.targets,
        *(name for kind in panel.roles.covariates.values() for name in kind),
    )
    return {name: unit for name in names if (unit := units.spelling(panel.columns.get(name, Column()).unit))}


def in_roles(panel: Panel, wanted: Mapping[str, Any]) -> Panel:
    """The panel with its columns in the roles of a reading: read again where it was made with others.

    What a data set offers by itself was asked for by nobody, and stays.

    Raises:
        InputError: a column is missing, or cannot be used in its role.
    """
    targets, *rest = (tuple(wanted[kind]) for kind in ("targets", "past", "future", "static"))
    roles = panel.roles
    if roles.targets == targets and (panel.offers or [roles.past, roles.future, roles.static] == rest):
        return panel
    done = {"numbered": panel.numbered and wanted["index"] not in panel.frame.columns, "wind": None, "flags": None}
    made = Panel.again(panel.frame, {**wanted, **done}, panel.source)
    kept = {name: getattr(panel, name) for name in ("columns", "origin", "sha256", "split", "seasonality")}
    return replace(made, notes=panel.notes, wind=panel.wind, flags=panel.flags, **kept)


def in_units(panel: Panel, wanted: Mapping[str, str]) -> Panel:
    """The panel with its columns in these units, which is said; those whose unit is not known stay as they are.

    Raises:
        InputError: no factor leads from a column's unit to the one that is wanted.
    """
    changed, told = [], []
    for name, unit in units_of(panel).items():
        if unit == wanted.get(name, unit):
            continue
        way = units.conversion(unit, wanted[name])
        if way is None:
            raise InputError(
                f"{panel.source}: column {name!r} is in {unit!r} and the training's was in {wanted[name]!r}, between "
                "which no factor is known; convert it, or fit again"
            )
        changed.append(way.of(panel.frame[name]))
        told.append(f"{name} from {unit} to {wanted[name]}")
    if not told:
        return panel
    notice(f"{panel.source}: converted {', '.join(told)}, the training's")
    columns = {name: replace(its, unit=wanted.get(name, its.unit)) for name, its in panel.columns.items()}
    return replace(panel, frame=panel.frame.with_columns(changed), columns=columns)


def together(reading: Reading) -> Reading:
    """A reading as `panel` takes it, before roles: every curve in one unit."""
    return _in_one_unit(reading, None, "the reading")


def _in_one_unit(reading: Reading, depth_unit: Any, source: str) -> Reading:
    """The reading with every curve in one unit, where its series have units of their own."""
    check_types({"depth_unit": depth_unit}, {"depth_unit": str | None})
    if not reading.series:
        if depth_unit is not None:
            raise InputError(f"{source} holds no well logs, whose depths depth_unit is for; leave out {depth_unit=}")
        return reading
    apart = [
        Reading(reading.frame.filter(reading.frame[reading.id] == name).select(reading.id, *columns), columns)
        for name, columns in reading.series.items()
    ]
    made = units.united(apart, depth_unit, reading.id, reading.index)
    order = [name for name in reading.frame.columns if name in made.frame.columns]
    frame = made.frame.select(*order, *(name for name in made.frame.columns if name not in order))
    return replace(reading, frame=frame, columns=made.columns, notes=(*reading.notes, *made.notes))
