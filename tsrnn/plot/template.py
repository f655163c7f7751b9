"""How curves of logs are drawn: the tracks of `tracks.toml`, or of a copy that somebody edited."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tsrnn import families, units
from tsrnn.errors import InputError, quoted, unknown

Scale = tuple[float, float]  # at the left and the right edge of the track

_OWN = Path(__file__).with_name("tracks.toml")
_PALETTE = ("#1f4fbf", "#b2182b", "#1b6b2f", "#6a1b9a", "#8d5524", "#00838f")  # of curves that no track knows
_STYLES = ("-", "--", "-.", ":")
_SIDES = ("", "left", "right")
_PROBABILITY = "_p_"  # in the name of a column: <target>_p_<class>
_ROUND = 1, 2, 2.5, 5, 10  # what a division of a scale may be, times a power of ten
_SHARE = (2.0, 98.0)  # percents of a curve's values between which a scale of its own lies


@dataclass(frozen=True)
class Trace:
    """How one kind of curve is drawn."""

    names: tuple[str, ...]
    scale: Scale | None  # None: of its own numbers
    colour: str
    style: str = "-"
    fill: str = ""
    unit: str = ""  # of the scale; "": whatever the curve's is

    def scaled(self, unit: str) -> Scale | None:
        """The scale in a curve's unit; None where there is none."""
        if self.scale is None or not unit or not self.unit:
            return self.scale
        way = units.conversion(unit, self.unit)
        if way is None:
            return None
        left, right = (float(f"{(edge - way.offset) / way.factor:.3g}") for edge in self.scale)
        return left, right


@dataclass(frozen=True)
class Track:
    """Curves that share a column of the page."""

    traces: tuple[Trace, ...]
    log: bool = False
    single: bool = False  # left out where wells stand side by side


def read(path: str | Path | None = None) -> list[Track]:
    """The tracks of a template.

    Raises:
        InputError: the file cannot be read, or says what cannot be drawn.
    """
    place = _OWN if path is None else Path(path)
    try:
        text = tomllib.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{place} is not there; check the path of the template") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{place} cannot be read as TOML: {error}") from None
    try:
        return [_track(entry) for entry in _tables(text.get("track"), "[[track]]")]
    except InputError as error:
        raise InputError(f"{place}: {error}") from None


def alone(name: str, place: int) -> Track:
    """A track for a curve that no other has a place for; one of probabilities, as taggers call them, from 0 to 1."""
    scale = (0.0, 1.0) if _PROBABILITY in name else None
    return Track((Trace((name,), scale, _PALETTE[place % len(_PALETTE)]),))


def fitted(values: np.ndarray, log: bool) -> Scale:
    """A scale that holds most of the values, between round numbers, small ones at the left: [row], NaN for holes."""
    known = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not len(known):
        return (1.0, 10.0) if log else (0.0, 1.0)
    low, high = (float(value) for value in np.percentile(known, _SHARE))
    if log:
        low, high = 10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high))
        return (float(low), float(high if high > low else 10 * low))
    if low == high:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    division = (high - low) / 8
    tens = 10 ** np.floor(np.log10(division))
    division = next(tens * step for step in _ROUND if tens * step >= division * (1 - 1e-9))
    low = np.floor(low / division) * division
    if known.min() >= 0 and known.max() <= 1 < low + 10 * division:  # a share ends at the whole
        return 0.0, 1.0
    return float(low), float(low + 10 * division)


def _track(entry: Mapping[str, Any]) -> Track:
    _known(entry, ("curves", "log", "single"), "a track")
    log, curves = bool(entry.get("log", False)), _tables(entry.get("curves"), "curves of a track")
    return Track(tuple(_trace(curve, log) for curve in curves), log, bool(entry.get("single", False)))


def _trace(entry: Mapping[str, Any], log: bool) -> Trace:
    from matplotlib.colors import is_color_like

    _known(entry, ("family", "names", "scale", "colour", "style", "fill"), "a curve")
    if "family" in entry:
        kin = families.named(None)
        if entry["family"] not in kin:
            raise unknown("family", str(entry["family"]), kin)
        family = kin[entry["family"]]
        names, unit = (family.name, *(name for name in family.aliases if name != family.name)), family.unit
    else:
        names, unit = _words(entry.get("names")), ""
    colour, style, fill = entry.get("colour", _PALETTE[0]), entry.get("style", "-"), entry.get("fill", "")
    if not is_color_like(colour):
        raise InputError(f"{names[0]} has the colour {quoted(colour)}, which is none; write one such as '#1b6b2f'")
    if style not in _STYLES:
        raise unknown(f"style of {names[0]}", str(style), _STYLES)
    if fill not in _SIDES:
        raise unknown(f"fill of {names[0]}", str(fill), _SIDES[1:])
    scale = _scale(entry["scale"], names[0], log) if "scale" in entry else None
    return Trace(names, scale, colour, style, fill, unit)


def _scale(value: Any, name: str, log: bool) -> Scale:
    numbers = isinstance(value, list) and all(isinstance(edge, int | float) for edge in value)
    if not numbers or len(value) != 2 or value[0] == value[1] or (log and min(value) <= 0):
        least = " above 0" if log else ""
        raise InputError(
            f"{name} has the scale {quoted(value)}; write two different numbers{least}, such as [0.2, 150]"
        )
    return float(value[0]), float(value[1])


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(word, str) for word in value):
        raise InputError(f'names of a curve is a list such as ["GR", "ECGR"], not {quoted(value)}; or name its family')
    return tuple(value)


def _tables(value: Any, what: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(table, dict) for table in value):
        raise InputError(f"{what} is missing or no list of tables; see tracks.toml in tsrnn/plot")
    return value


def _known(entry: Mapping[str, Any], words: Sequence[str], what: str) -> None:
    for word in entry:
        if word not in words:
            raise unknown(f"word of {what}", str(word), words)
