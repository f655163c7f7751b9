"""What a saved model says of how its training's frame was read, held against what can be said of one."""

from typing import Any, get_type_hints

from tsrnn import levels as words
from tsrnn import masks, refine, station, transforms
from tsrnn.errors import InputError, unknown
from tsrnn.intake import TREATMENT
from tsrnn.options import check_types
from tsrnn.panel import Panel
from tsrnn.steps import is_zone

_COLUMNS = ("targets", "past", "future", "static")  # of a reading
_LEARNT = ("numbered", "levels", "holes", "zone", "units", "loaded")  # beside the treatment of rows


def ids(saved: Any) -> tuple[str, ...]:
    """Names of the series.

    Raises:
        InputError: they are no text, or one stands twice.
    """
    if not isinstance(saved, list) or not saved or not all(isinstance(name, str) for name in saved):
        raise InputError("ids must be a list of the series' names")
    if len(set(saved)) < len(saved):
        raise InputError("ids name a series twice")
    return tuple(saved)


def reading(saved: Any) -> dict[str, Any]:
    """Roles, the treatment of rows, and what was learnt of the columns.

    Raises:
        InputError: it is no reading.
    """
    _check_columns(saved)
    treatment = {key: value for key, value in saved.items() if key not in (*_COLUMNS, "index", "id")}
    hints = {name: hint for name, hint in get_type_hints(Panel.of).items() if name in TREATMENT}
    known = (*hints, *_LEARNT)
    if strange := next((key for key in treatment if key not in known), None):
        raise unknown("word of reading", strange, known)
    check_types(treatment, {**hints, "numbered": bool, "zone": str | None}, "reading")
    if (zone := saved.get("zone")) is not None and not is_zone(zone):
        raise InputError(f"zone of reading must be a time zone's name, not {zone!r}")
    words.plain(treatment.get("levels"))
    station.plain({**TREATMENT, **treatment})
    transforms.plain(treatment.get("transforms"))
    refine.remembered(saved)
    named = saved.get("units", {})
    if not isinstance(named, dict) or not all(isinstance(unit, str) for unit in named.values()):
        raise InputError("units of reading must name a unit for each of some columns")
    made = dict(saved)
    if "holes" in saved:
        holes = saved["holes"]
        channels = masks.plain(holes["channels"], len(saved["targets"]) + len(saved["past"]))
        known_ahead = masks.plain([holes["known"]], 1 << 16)[0] if holes["known"] else ()
        made["holes"] = {"channels": channels, "known": list(known_ahead)}
    return made


def _check_columns(saved: Any) -> None:
    """Every column has a name and one role."""
    if not isinstance(saved, dict) or not all(isinstance(saved.get(key), list) for key in _COLUMNS):
        raise InputError(f"reading must list the columns of {', '.join(_COLUMNS)}")
    columns = [name for key in _COLUMNS for name in saved[key]]
    if "id" not in saved:
        raise InputError("reading must say which column is the id, or that none is")
    named = [saved.get("index"), *columns, *([] if saved.get("id") is None else [saved["id"]])]
    if not saved["targets"] or not all(isinstance(name, str) for name in named):
        raise InputError("reading must name columns by text, and at least one target")
    if len(set(named)) < len(named) - (saved.get("id") in saved["static"]):
        raise InputError("reading gives a column two roles")
