"""What a curve is by its mnemonic: a measurement, or a place, a depth, a code, or the bit: nobody's forecast."""

import re

_PLACE = re.compile(
    r"[XYZ]([_ ]?(LOC|COORD|POS|OFFSET|UTM)\w*)?|(UTM[_ ]?)?(EAST|NORTH)(INGS?)?(_\w+)?|UTM\w*"
    r"|LAT(I|ITUDE)|LONG(ITUDE)?"
)
_DEPTH = re.compile(r"DEP|DEPTH?([_ ]?\w+)?|MD|[BTV]DEP|DMEA|TVD[_ ]?\w*|ELEV\w*|[OT]WT|INDEX|MEASURED_TO")
_TIME = re.compile(r"(TIME|DATE)([_ ]\w+)?|ETIM|DATETIME|TIMESTAMP")
_CODE = re.compile(
    r"\w*(LITHO(?!_?DEN)|FACIES|CONFIDENCE)\w*|LITH|\w*FLA?G(S|\[\d+\])?(_\w+)?"
    r"|(\w+_)?(ZONE|CLASS|CODE|FORMATION)S?(_(ID|NO|NUM\w*|CODE|NAME|TOPS?))?"
)
_BIT = re.compile(r"BS|BIT(_?SIZE)?")  # of the tool that drilled, by plan
_CLOCKED = {"S", "SEC", "SECOND", "SECONDS", "MS", "MSEC", "MIN", "MINUTES", "H", "HR", "HRS", "HOURS", "HHMMSS"}


def is_place(mnemonic: str) -> bool:
    """A coordinate, or a depth by any name."""
    name = mnemonic.strip().upper()
    return bool(_PLACE.fullmatch(name) or _DEPTH.fullmatch(name))


def is_measured(mnemonic: str) -> bool:
    """Whether a curve is a measurement: no place, no time, no code and no bit."""
    name = mnemonic.strip().upper()
    return not (is_place(name) or _TIME.fullmatch(name) or _CODE.fullmatch(name) or _BIT.fullmatch(name))


def is_timed(mnemonic: str, unit: str) -> bool:
    """Whether an index curve runs over time, not over depth."""
    return bool(_TIME.fullmatch(mnemonic.strip().upper())) or unit.strip().upper() in _CLOCKED
