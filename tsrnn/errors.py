"""What a user can mend: one exception, one sentence, the nearest names; and a word on what was chosen unasked."""

import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import wraps
from inspect import CO_VARKEYWORDS, signature
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
_INSIDE = ("tsrnn", "functools")  # functools: a cached property stands between
_CELL = 60  # characters of a cell, or of a name, that a message quotes
_NAMES = 40  # names that a message lists
_BEGUN = 3  # letters that are the beginning of a name
_SHORT = 3  # series that a refusal names
_thread = threading.local()
DUPLICATES = "duplicates='first' or duplicates='last'"  # as a mend names the treatments
QUOTED = r"(?<![\w=])(?:'[^']*'|\"[^\"]*\")(?!\w)"  # a name or a cell, whose words are not a sentence's own
_COUNTED = (
    "bin byte case cell channel column cost curve cutoff degree epoch error fault file fit folder hour label level "
    "line model month number place remark row second section seed sequence station step table target task time trial "
    "truth value well window word zero"
)
_ONE = re.compile(
    QUOTED + r"|(?<![\w.,:/\\-])1 ((?:backtest |test |blank |more |past |whole )?)"
    rf"({_COUNTED.replace(' ', '|')})s\b(?![./\\-]\w)( that (?:are|hold)\b)?"
)
_OF_ONE = {" that are": " that is", " that hold": " that holds", None: ""}


class InputError(ValueError):
    """Something the user gave is wrong and the user can mend it.

    The message is one sentence that names the file, row, column, option or value, and says the mend.
    The command line prints it and exits with 2; every other exception is our own fault and exits with 1.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(singular(message))


class Notice(UserWarning):
    """What was taken as it is, or chosen, and is worth a word: one sentence that says how to choose otherwise."""


@contextmanager
def kept(said: list[str]) -> Iterator[None]:
    """Notices of this thread are put into a list instead of being said; other threads are left alone."""
    before, _thread.said = getattr(_thread, "said", None), said
    try:
        yield
    finally:
        _thread.said = before


def notice(text: str) -> None:
    """Warn at the line outside tsrnn that led here; Python shows it once for each such line."""
    text = singular(text)
    if getattr(_thread, "said", None) is not None:
        _thread.said.append(text)
        return
    frame, depth = sys._getframe(), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).split(".")[0] in _INSIDE:
        frame, depth = frame.f_back, depth + 1
    warnings.warn(text, Notice, stacklevel=depth)


@contextmanager
def held() -> Iterator[Callable[[], None]]:
    """Notices of a block kept back; what it gives says them behind it, once nothing that follows was refused."""
    said: list[str] = []

    def say() -> None:
        for text in said:
            notice(text)

    with kept(said):
        yield say


def singular(text: str) -> str:
    """A sentence whose counts may be one; quoted names, and those of files, are left as they are.

    >>> singular("1 cells that hold 7, in 1 of 21 files")
    '1 cell that holds 7, in 1 of 21 files'
    """
    return _ONE.sub(lambda one: f"1 {one[1]}{one[2]}{_OF_ONE[one[3]]}" if one[2] else one[0], text)


def quoted(value: object) -> str:
    """A cell or a name in quotation marks for a message: cut to 60 characters, control characters escaped."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return repr(text if len(text) <= _CELL else text[:_CELL] + "…")


def listed(names: Iterable[str], most: int = 5) -> str:
    """'a', 'b' and 3 more."""
    every = list(names)
    rest = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(quoted(name) for name in every[:most]) + rest


def too_short(names: Sequence[str], rows: Sequence[int], need: int, has: str, have: str) -> str:
    """Which series have fewer rows than are needed: one by its name, several by their count and the shortest three.

    >>> too_short("abc", [9, 30, 30], 20, "has {} rows", "have too few rows")
    "series 'a' has 9 rows"
    >>> too_short("abc", [9, 3, 30], 20, "has {} rows", "have too few rows")
    "2 of 3 series have too few rows ('b' 3, 'a' 9)"
    """
    short = sorted((place for place, count in enumerate(rows) if count < need), key=lambda place: rows[place])
    if len(short) == 1:
        return f"series {quoted(names[short[0]])} {has.format(rows[short[0]])}"
    shown = ", ".join(f"{quoted(names[place])} {rows[place]}" for place in short[:_SHORT])
    rest = f" and {len(short) - _SHORT} more" if len(short) > _SHORT else ""
    return f"{len(short)} of {len(names)} series {have} ({shown}{rest})"


def named(names: Sequence[str], has: str, have: str) -> str:
    """A sentence's beginning about one series or several, of which three are named.

    >>> named(["b"], "has none", "have none"), named("abcd", "has none", "have none")
    ("series 'b' has none", "series 'a', 'b', 'c' and 1 more have none")
    """
    return f"series {listed(names, _SHORT)} {has if len(names) == 1 else have}"


def or_skip(some: int, every: int) -> str:
    """What else can be done about some series of several.

    >>> or_skip(1, 3), or_skip(3, 3)
    (", or leave it out with on_short='skip'", '')
    """
    return f", or leave {'it' if some == 1 else 'them'} out with on_short='skip'" if some < every else ""


@contextmanager
def unlisted(names: Iterable[str]) -> Iterator[None]:
    """`unknown` of this thread leaves these names out: columns that were added, which the user's file does not hold."""
    before, _thread.unlisted = getattr(_thread, "unlisted", ()), tuple(names)
    try:
        yield
    finally:
        _thread.unlisted = before


def only_known(otherwise: str) -> Callable[[Callable[Given, Answer]], Callable[Given, Answer]]:
    """Refuse a keyword that a function has not by a sentence: the nearest that it has, and what else may be meant."""

    def made(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
        every = signature(function).parameters
        known = [name for name, each in every.items() if each.kind is each.KEYWORD_ONLY]

        @wraps(function)
        def checked(*args: Given.args, **given: Given.kwargs) -> Answer:
            if strange := next((name for name in given if name not in every), None):
                raise InputError(f"{unknown('argument', strange, [*known, *_of_the_door()])}; {otherwise}")
            return function(*args, **given)

        return checked

    return made


def _of_the_door() -> list[str]:
    """The keywords of the outermost function of tsrnn that led here and hands on what it does not know."""
    frame, words = sys._getframe().f_back, list[str]()
    while frame is not None and (frame.f_globals.get("__name__", "").split(".")[0] in _INSIDE):
        code = frame.f_code
        if code.co_flags & CO_VARKEYWORDS and code.co_kwonlyargcount:
            words = list(code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount])
        frame = frame.f_back
    return words


def unknown(kind: str, name: object, known: Iterable[str]) -> InputError:
    """An `InputError` for a `name` that is none of the `known` ones, with the nearest of them.

    >>> str(unknown("model", "lstn", ["lstm", "gru"]))
    "unknown model 'lstn': did you mean 'lstm'? Known: gru, lstm"
    """
    names = sorted(set(known) - set(getattr(_thread, "unlisted", ())))
    lowered = {each.lower(): each for each in names if len(each) <= 2 * _CELL}
    asked = str(name).lower()[: 2 * _CELL]
    begun = [each for each in lowered if len(asked) >= _BEGUN and each.startswith(asked)]
    near = [lowered[each] for each in dict.fromkeys(begun + get_close_matches(asked, lowered, n=3, cutoff=0.5))][:3]
    hint = f"did you mean {' or '.join(quoted(each) for each in near)}? " if near else ""
    shown = ", ".join(quoted(each)[1:-1] for each in names[:_NAMES]) or "none"
    rest = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return InputError(f"unknown {kind} {quoted(name)}: {hint}Known: {shown}{rest}")
