"""What columns are measured in: one spelling per unit, the factors between units, and wells read into one frame.

The table below is all that is known: a unit that is not in it is kept as the file has it, and is never converted.
Factors are exact by definition (BIPM, The International System of Units; NIST Special Publication 811, appendix B).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tsrnn.errors import InputError, quoted
from tsrnn.reading import Column, Note, Reading

if TYPE_CHECKING:
    import polars as pl

# quantity -> unit -> (how many of the quantity's first unit one is, other spellings, without blanks, in lower case)
_TABLE: dict[str, dict[str, tuple[float, str]]] = {
    "density": {
        "g/cm3": (1.0, "g/c3 g/cc gm/cc gm/cm3 gr/cc gr/cm3 g.cm-3 gcm-3 g/ml gcc gr/c3"),
        "kg/m3": (1e-3, "k/m3 kg.m-3 kgm-3 kgm3"),
    },
    "share": {
        "v/v": (1.0, "vv dec decp decimal frac fraction m3/m3 ft3/ft3 cfcf cf/cf v/v_decimal vol/vol"),
        "%": (0.01, "pu p.u. percent pct perc pc"),
    },
    "slowness": {
        "us/ft": (1.0, "us/f usec/ft usec/f uspf mus/ft microsec/ft us.ft-1"),
        "us/m": (0.3048, "usec/m uspm mus/m microsec/m us.m-1"),
    },
    "gamma ray": {"gAPI": (1.0, "api gapi api-gr aapi")},
    "resistivity": {"ohm.m": (1.0, "ohmm ohm-m ohm_m ohm/m ohmmeter ohmmetre ohm.meter ohmsm")},
    "conductivity": {"mS/m": (1.0, "mmho/m mmo/m mmho ms.m-1"), "S/m": (1000.0, "mho/m")},
    "photoelectric factor": {"b/e": (1.0, "barn/e barns/e b/elec be barn/electron b/elc")},
    "length": {
        "m": (1.0, "meter meters metre metres"),
        "ft": (0.3048, "f feet foot"),
        "in": (0.0254, "inch inches ins"),
        "0.1 in": (0.00254, ".1in 0.1in"),
        "cm": (0.01, "centimeter centimetre"),
        "mm": (0.001, "millimeter millimetre"),
        "km": (1000.0, "kilometer kilometre"),
    },
    "temperature": {"degC": (1.0, "c celsius"), "K": (1.0, "kelvin degk"), "degF": (5 / 9, "fahrenheit")},
    "pressure": {
        "hPa": (1.0, "mbar mb millibar"),
        "Pa": (0.01, "pascal"),
        "kPa": (10.0, "kpaa"),
        "MPa": (10_000.0, ""),
        "bar": (1000.0, "bars"),
        "psi": (68.947572931783, "psia psig lbf/in2"),
        "atm": (1013.25, ""),
        "mmHg": (1.33322387415, "torr"),
    },
    "speed": {
        "m/s": (1.0, "ms-1 m.s-1 mps m/sec"),
        "km/h": (1 / 3.6, "kph kmh km/hr kmh-1"),
        "kn": (1852 / 3600, "kt kts knot knots"),
        "mph": (0.44704, "mi/h"),
        "ft/s": (0.3048, "fps ft/sec"),
        "m/h": (1 / 3600, "m/hr mh-1"),
        "ft/h": (0.3048 / 3600, "ft/hr f/hr f/h"),
    },
    "force": {
        "kN": (1.0, ""),
        "N": (0.001, "newton"),
        "lbf": (0.0044482216152605, "lb lbs"),
        "klbf": (4.4482216152605, "klb klbs"),
    },
    "voltage": {"mV": (1.0, "millivolt millivolts"), "V": (1000.0, "volt volts")},
    "irradiance": {"W/m2": (1.0, "wm-2 w.m-2 watt/m2"), "kW/m2": (1000.0, "")},
    "angle": {"deg": (1.0, "degree degrees dega"), "rad": (57.29577951308232, "radian radians")},
}
_NONE = frozenset(("", "-", "--", "none", "n/a", "na", "unkn", "unknown", "unitless", "dimensionless"))
_ZERO = {"K": -273.15, "degF": -160 / 9}  # of a temperature's scale, in degC
_AFTER = {"^": "", "**": "", "³": "3", "²": "2", "⁻¹": "-1", "⁻²": "-2", "µ": "u", "μ": "u", "°": "deg", "Ω": "ohm"}
_NAMES = {
    spelling.lower(): unit
    for units in _TABLE.values()
    for unit, (_, others) in units.items()
    for spelling in (unit.replace(" ", ""), *others.split())
}
_QUANTITY = {unit: quantity for quantity, units in _TABLE.items() for unit in units}


@dataclass(frozen=True)
class Conversion:
    """value * factor + offset."""

    factor: float
    offset: float = 0.0

    def of(self, column: "pl.Series") -> "pl.Series":
        """A column in the other unit; missing cells stay missing."""
        return (column * self.factor + self.offset).alias(column.name)


def spelling(text: str) -> str:
    """A unit as this table spells it; one that it does not know as it came, "" where it says that there is none."""
    bare = text.strip().strip("[]()").strip()
    for sign, plain in _AFTER.items():
        bare = bare.replace(sign, plain)
    plain = re.sub(r"\s+", "", bare).lower()
    return "" if plain in _NONE else _NAMES.get(plain, text.strip())


def conversion(unit: str, wanted: str) -> Conversion | None:
    """From one unit to another, in any spelling; None where the table does not lead from one to the other."""
    one, other = spelling(unit), spelling(wanted)
    if one == other:
        return Conversion(1.0)
    quantity = _QUANTITY.get(one)
    if quantity is None or quantity != _QUANTITY.get(other):
        return None
    table = _TABLE[quantity]
    factor = table[one][0] / table[other][0]
    return Conversion(factor, (_ZERO.get(one, 0.0) - _ZERO.get(other, 0.0)) / table[other][0])


def united(
    readings: Sequence[Reading], depth_unit: str | None = None, id: str = "well", index: str = "depth"
) -> Reading:
    """Readings of one well each as one, every curve in one unit: the one that most wells name, else the first.

    Args:
        readings: of frames with a column `id` that names the well; `columns` say the units, "" where a file names none.
        depth_unit: "m" or "ft": depths are converted to it; None: they stay, and all must be in one unit.
        id: the column that names the well.
        index: the column of depths.

    Returns:
        The rows of all, curves that a well does not have null; a `Note` for every well and curve that was converted, or
        that names no unit where others do. Where two units are none of the table's, nothing tells whether they are one:
        the curve of the fewer wells stands under a name of its own, such as `TENS:KGF`, which is said.

    Raises:
        InputError: a curve has units in two wells between which no factor is known, or depths have two units.
    """
    import polars as pl

    wells = {str(reading.frame[id][0]): reading for reading in readings}
    notes, columns = [note for reading in readings for note in reading.notes], dict[str, Column]()
    names = dict.fromkeys(name for reading in readings for name in reading.frame.columns if name != id)
    for name in names:
        units = {well: spelling(its.columns.get(name, Column()).unit) for well, its in wells.items() if _has(its, name)}
        wanted = _depth_unit(units, depth_unit) if name == index else _most(units)
        for well, unit in units.items():
            if unit != wanted:
                wells[well], note = _in_unit(wells[well], name, well, (unit, wanted), units)
                notes += [note] * (name != index or bool(unit))
    for reading in wells.values():
        columns = {**reading.columns, **columns}
    frames = [reading.frame for reading in wells.values()]
    frame = pl.concat(frames, how="diagonal_relaxed") if len(frames) > 1 else frames[0]
    told = {name: columns[name] for name in frame.columns if name in columns}
    return Reading(frame, {name: replace(its, unit=spelling(its.unit)) for name, its in told.items()}, tuple(notes))


def _has(reading: Reading, name: str) -> bool:
    return name in reading.frame.columns


def _most(units: Mapping[str, str]) -> str:
    """The unit that most wells name; of several as common, the first's."""
    named = [unit for unit in units.values() if unit]
    return max(dict.fromkeys(named), key=named.count, default="")


def _depth_unit(units: Mapping[str, str], asked: str | None) -> str:
    """What depths are brought to: what was asked, else what all wells have."""
    if asked is not None:
        if conversion(asked, "m") is None:
            raise InputError(f"depth_unit is a length such as 'm' or 'ft', not {asked!r}")
        return spelling(asked)
    first = _most(units)
    for well, unit in units.items():
        if unit and unit != first:
            other = next(name for name, named in units.items() if named == first)
            raise InputError(
                f"well {quoted(other)} measures depth in {first!r} and well {quoted(well)} in {unit!r}; pass "
                "depth_unit='m' to convert them, or read them apart"
            )
    return first


def _in_unit(
    reading: Reading, name: str, well: str, change: tuple[str, str], units: Mapping[str, str]
) -> tuple[Reading, Note]:
    """One well's reading with a curve in the wanted unit, and the note of it; `units`: of the curve in every well."""
    unit, wanted = change
    column, frame = reading.columns.get(name, Column()), reading.frame
    values = frame[name].count()
    if not unit:
        columns = {**reading.columns, name: replace(column, unit=wanted)}
        return replace(reading, columns=columns), Note(
            f"values without a unit, taken as {wanted}", values, name, well, loud=False
        )
    if unit not in _QUANTITY and wanted not in _QUANTITY:
        apart = f"{name}:{unit}"
        columns = {new: its for new, its in reading.columns.items() if new != name} | {apart: column}
        note = Note(f"values in {unit} where others are in {wanted}, kept apart as {apart}", values, name, well)
        return replace(reading, frame=frame.rename({name: apart}), columns=columns), note
    way = conversion(unit, wanted)
    if way is None or not frame.schema[name].is_numeric():
        other = next(each for each, named in units.items() if named == wanted)
        raise InputError(
            f"curve {quoted(name)} is in {wanted!r} in well {quoted(other)} and in {unit!r} in well {quoted(well)}, "
            "and no factor between the two is known; mend the unit in one header, or leave that well out"
        )
    columns = {**reading.columns, name: replace(column, unit=wanted)}
    note = Note(f"values converted from {unit} to {wanted}", values, name, well)
    return replace(reading, frame=frame.with_columns(way.of(frame[name])), columns=columns), note
