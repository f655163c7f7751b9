"""What stands around the names of a text table: remarks above them, units in them or in a row below.

# Jena, 220 m                     remarks: a sign, or free text that is cut otherwise than the rows
date,T (degC),p [hPa],wind        a unit in brackets behind a name
,degC,hPa,m/s                     a row of units: every cell is one, or is blank
2020-01-01 00:00,1.5,1013,4
"""

import csv
import re
from collections.abc import Sequence

_UNITS = """
    m cm mm km um nm ft feet in inch inches mi nmi s sec secs seconds h hr hrs hour hours min minutes ms us d day days
    deg degC degF degK degT degrees degree C F K celsius kelvin fahrenheit rad sr % percent
    hPa Pa kPa MPa mbar mb bar psi inHg mmHg atm W kW J kJ MJ Wh kWh mol mmol umol g kg mg ug l L ml
    V mV kV A mA Hz kHz S mS uS kt kts kn knot knots mph kph cfs cms lux lx dBZ dB DU okta oktas octas
    volt volts amp amps meter meters metre metres
    ppm ppmv ppb ppt psu PSU NTU pH gAPI API ohmm ohm b e B E v dimensionless unitless fraction"""
_TIMES = "yr mo dy hh mn mm ss utc gmt local lst ts rn time date iso8601 yyyy yyyy-mm-dd hh:mm hh:mm:ss"
_DONE = "avg smp tot max min std wvc med"  # the third row of a TOA5 table: what a logger did
_LONG = frozenset(symbol.lower() for symbol in _UNITS.split() if len(symbol) > 2)  # whatever case they have
_SYMBOLS, _OF_TIME, _OF_A_LOGGER = (frozenset(words.split()) for words in (_UNITS, _TIMES, _DONE))
_SIGNS = {"µ": "u", "μ": "u", "²": "2", "³": "3", "°": "deg", "⁻": "-", "¹": "1", "**": "", "^": ""}
_LOST = (("\ufffdmol", "umol"), ("\ufffdg", "ug"), ("m\ufffd", "m2"), ("\ufffdC", "degC"), ("\ufffd", "deg"))
_BRACKETED = re.compile(r".*\S\s*(?:\((?P<round>[^()]+)\)|\[(?P<square>[^\[\]]+)\])\s*")
_REMARK = re.compile(r'\s*$|"?(?:#|//|%|!|TOA5\b)|sep=.$')
_VALUE = re.compile(r"[-+]?\.?\d[\d.,:/TZ+\-eE ]*")


def is_value(name: str) -> bool:
    """Whether a cell is a number or a date, as no column is called."""
    return bool(_VALUE.fullmatch(name.strip()))


def is_remark(line: str) -> bool:
    """Whether a line above the names is blank, begins with a sign of remarks, or tells a spreadsheet the separator."""
    return bool(_REMARK.match(line.rstrip("\r\n")))


def bare(name: str) -> str:
    """A name without the sign of remarks in front of it."""
    return re.sub(r"^(?:#|//|%|!)+\s*", "", name)


def unit_of(name: str) -> str:
    """The unit in brackets at the end of a name, such as "T (degC)"; "": there is none."""
    shape = _BRACKETED.fullmatch(name)
    return "" if shape is None else unit(shape["round"] or shape["square"])


def unit(text: str) -> str:
    """A cell that is a unit, without brackets; signs that an encoding lost are put back. "": it is none."""
    shown = re.sub(r"^[\[({]\s*|\s*[\])}]$", "", text.strip())
    for lost, sign in _LOST:
        shown = shown.replace(lost, sign)
    plain = shown
    for sign, letters in _SIGNS.items():
        plain = plain.replace(sign, letters)
    parts = [part for part in re.split(r"[\s/*·.]+", plain) if part]
    shapes = [re.fullmatch(r"([A-Za-z%]+?)(-?\d)?|\(?-?\d\)?", part) for part in parts]
    known = all(shape and (shape[1] is None or shape[1] in _SYMBOLS or shape[1].lower() in _LONG) for shape in shapes)
    return shown if known and any(shape and shape[1] for shape in shapes) else ""


def is_toa5(lines: Sequence[str]) -> bool:
    """Whether a table is a Campbell Scientific logger's, with units and what was done in two rows below the names."""
    return bool(lines) and lines[0].lstrip('\ufeff" ').startswith("TOA5")


def unit_rows(rows: Sequence[Sequence[str]], toa5: bool = False) -> int:
    """How many of the first rows below the names tell of units, or what a logger did, alone; `toa5`: whatever these."""
    count = 0
    while count < min(2, len(rows) - 1) and (
        _is_of_units(rows[count], count) or (toa5 and not any(map(is_value, rows[count])))
    ):
        count += 1
    return count


def _is_of_units(cells: Sequence[str], place: int) -> bool:
    words = [re.sub(r"^#\s*", "", cell.strip()) for cell in cells]
    told = [word for word in words if word not in ("", "-", "--", "1")]
    second = _OF_A_LOGGER if place else frozenset()
    if told and all(re.fullmatch(r"\d+[sdn]", word) for word in told):  # widths and types, as the USGS writes them
        return True
    kinds = [bool(unit(word)) or word.lower() in second for word in told]
    others = [re.sub(r"[\[\]() ]", "", word).lower() in _OF_TIME for word in told]
    return any(kinds) and all(kind or other for kind, other in zip(kinds, others, strict=True))


def remarks(lines: list[str], mark: str) -> int:
    """How many lines stand above the names, which may be a remark themselves; `mark` cuts the rows into cells."""
    skipped = next((place for place, line in enumerate(lines) if not is_remark(line)), None)
    if skipped is None:
        return 0
    first = _cells(lines[skipped], mark)
    above = skipped > 0 and first != [] and is_value(first[0])  # a word such as MM may stand for a missing value
    if not above and not all(is_value(cell) or not cell.strip() for cell in first):
        return skipped + _free_text(lines[skipped:], mark)
    names = skipped
    for place in range(skipped - 1, -1, -1):  # the names are a remark, under which units may be another
        cells = _cells(lines[place], mark)
        if not lines[place].strip():
            continue
        if len(cells) != len(first) or len(cells) < 2:
            break
        names = place
        if not _is_of_units(cells, 0):
            break
    return names


def _free_text(lines: list[str], mark: str) -> int:
    """Lines of text above the names that are cut into another number of cells than all from the names on are."""
    cut = [_cells(line, mark) if line.strip() else [] for line in lines]
    width = len(cut[-1]) or (len(cut[-2]) if len(cut) > 1 else 0)
    last = max((place for place, cells in enumerate(cut) if cells and len(cells) != width), default=-1)
    place = next((place for place in range(last + 1, len(cut)) if cut[place]), len(cut))
    if last < 0 and len(cut) > 2 and width > 1:  # a line about the station, which happens to be as wide
        about, names, first = (any(map(is_value, cells)) for cells in cut[:3])
        return int(about and first and not names and all(cut[1]))
    if width < 2 or len(cut) < place + 2:
        return 0
    named = not any(is_value(cell) or not cell.strip() for cell in cut[place])
    data = any(is_value(cell) for cells in cut[place + 1 : place + 4] for cell in cells)
    above = any(len(cells) == width and is_value(cells[0]) for cells in cut[:place])
    return place if named and data and not above else 0


def _cells(line: str, mark: str) -> list[str]:
    try:
        return next(iter(csv.reader([line], delimiter=mark)), [])
    except csv.Error:  # a cell longer than any name or value
        return []
