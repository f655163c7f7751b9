"""What the header of a LAS file says: the well, its curves with their units, and what stands for nothing.

lasio reads the lines, which is where the dialects live. Sections that say nothing of the numbers are not shown to it,
so that a broken one spoils no log.
"""

import logging
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from tsrnn.errors import InputError
from tsrnn.logs import kinds
from tsrnn.logs import sections as cutting
from tsrnn.logs.sections import Section

_USUAL = "-999.25"  # where the header names no NULL
_NULL = re.compile(r"^[ \t]*NULL[ \t]*\.(?:\w*[ \t]+)?([^:\n]*?)[ \t]*(?::|$)", re.MULTILINE | re.IGNORECASE)
_LINE = r"(?im)^[ \t]*%s[ \t]*\.[ \t]*%s\b"
_FAR = 0.005  # share of NULL that half a unit of its last digit may be: NULL 0 or -9 is that number alone
_DELIMITERS = {"COMMA": ",", "TAB": "\t", "SEMICOLON": ";"}
_NO_UNIT = {"", "_", "-", "--", "NONE", "UNITLESS", "DIMENSIONLESS"}
_METRES = {"M", "METER", "METERS", "METRE", "METRES", "М", "МЕТР", "МЕТЕР"}  # noqa: RUF001  the last ones are Cyrillic
_FEET = {"F", "FT", "FEET", "FOOT"}
_TENTHS = {".1IN", "0.1IN", ".1INCH", "0.1INCH", "0.1 IN"}


@dataclass(frozen=True)
class Curve:
    """A line of the ~Curve section."""

    mnemonic: str
    unit: str
    description: str


@dataclass(frozen=True)
class Null:
    """What stands for a missing cell: the header's number, within half a unit of its last digit, or its text."""

    text: str
    value: float | None = None
    tolerance: float = 0.0
    named: bool = True  # by the header

    @classmethod
    def of(cls, text: str, named: bool = True) -> "Null":
        """Of the text that the header has."""
        first = text.split()[0] if text.split() else ""  # before a description without a colon
        try:
            number = Decimal(first.replace(",", "."))
        except InvalidOperation:
            return cls(text, named=named)
        value = float(number)
        if not np.isfinite(value):
            return cls(text, named=named)
        half = float(Decimal(5).scaleb(int(number.as_tuple().exponent) - 1))
        return cls(first, value, 0.999 * min(half, _FAR * abs(value)), named)

    def hits(self, values: np.ndarray) -> np.ndarray:
        """Where numbers stand for nothing: [row]."""
        if self.value is None:
            return np.zeros(len(values), bool)
        return np.asarray(np.abs(values - self.value) <= self.tolerance)


@dataclass(frozen=True)
class Header:
    """What is asked of a header."""

    well: str  # "": it names none
    curves: tuple[Curve, ...]
    null: Null
    delimiter: str | None  # None: blanks, or nothing is said
    wrapped: bool
    start_unit: str  # of STRT
    strange: int  # lines of the ~Curve section that are no curve
    titled: bool  # the curves are those of the ~A line, for there is no ~Curve section


def read(path: Path, sections: list[Section]) -> Header:
    """The header of a file's sections.

    Raises:
        InputError: lasio is not installed, or finds no header in them.
    """
    named = cutting.curves(sections)[:1]
    version, about = (_text(sections, letter) for letter in "VW")
    text = f"~V\nVERS. {'1.2' if cutting.version(version) == 1 else '2.0'} :\n~W\n{about}\n"  # they order values apart
    text += "".join(f"~C\n{section.text.rstrip()}\n" for section in named)
    answer = _lasio(path, text)
    curves = [Curve(*_words(item)) for item in answer.curves]
    strange = len(mnemonics(named[0])) - len(curves) if named else 0
    if not named and (data := cutting.data(sections)):
        names = re.sub(r"^A\b", "", data[0].title).split()
        is_row = names and (kinds.is_place(names[0]) or kinds.is_timed(names[0], ""))
        curves = [Curve(name, "", "") for name in names] if is_row else []
    null = _NULL.search(about)
    nothing = null[1] if null else _value(answer.well, "NULL")
    return Header(
        well=" ".join(_value(answer.well, "WELL").split()),
        curves=tuple(curves),
        null=Null.of(nothing) if nothing else Null.of(_USUAL, named=False),
        delimiter=next((mark for word, mark in _DELIMITERS.items() if re.search(_LINE % ("DLM", word), version)), None),
        wrapped=re.search(_LINE % ("WRAP", "YES"), version) is not None,
        start_unit=unit(str(answer.well["STRT"].unit)) if "STRT" in answer.well else "",
        strange=max(strange, 0),
        titled=not named,
    )


def mnemonics(section: Section) -> list[str]:
    """What the lines of a ~Curve section begin with, in capitals."""
    lines = (line.strip() for line in section.text.split("\n"))
    return [line.partition(".")[0].strip().upper() for line in lines if line and not line.startswith("#")]


def unit(text: str) -> str:
    """A unit without blanks and brackets around it; "" for the words that mean none."""
    bare = text.strip().strip("[](){}").strip()
    return "" if bare.upper() in _NO_UNIT else bare


def depth_unit(text: str) -> str:
    """The unit of an index: m, ft and 0.1in in one spelling, others as the file has them."""
    upper = text.upper()
    return "m" if upper in _METRES else "ft" if upper in _FEET else "0.1in" if upper in _TENTHS else text


def _lasio(path: Path, text: str) -> Any:
    try:
        import lasio
    except ImportError:
        raise InputError(f'reading {path} needs lasio: pip install "tsrnn[wells]"') from None
    log = logging.getLogger("lasio")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        return lasio.read(StringIO(text), ignore_data=True, ignore_header_errors=True, mnemonic_case="preserve")
    except Exception as error:  # lasio answers to a broken header with exceptions of many kinds
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{path} has a header that lasio cannot read ({reason}); check the file") from None
    finally:
        log.setLevel(before)


def _text(sections: list[Section], letter: str) -> str:
    return next((section.text.rstrip() for section in sections if section.is_a(letter)), "")


def _words(item: Any) -> tuple[str, str, str]:
    return str(item.original_mnemonic).strip() or "UNKNOWN", unit(str(item.unit)), " ".join(str(item.descr).split())


def _value(section: Any, mnemonic: str) -> str:
    return str(section[mnemonic].value).strip() if mnemonic in section else ""
