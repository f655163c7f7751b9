"""Leads as a field says them: "1.06 m" of a depth, "6 h" of a time, or a number of steps."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tsrnn import catalog
from tsrnn.errors import InputError
from tsrnn.frequency import steps_of

LENGTHS = ("m", "ft")  # units that a depth may be said in


def step_of(data: str, roles: Mapping[str, Any]) -> str | float | None:
    """The step of a suite's data as its roles or the catalogue name it; None where neither does."""
    if (word := next((word for word in ("freq", "resample") if word in roles), None)) is not None:
        return roles[word]  # type: ignore[no-any-return]  # TOML's own
    return catalog.row(data).freq if data in catalog.names() else None


def steps(leads: Sequence[int | str], freq: str | float | None, word: str = "leads") -> tuple[int, ...]:
    """How many steps each lead is, at least one: of a depth the nearest number, of a time a whole one.

    Raises:
        InputError: a lead is no such length, is below half a step or as many steps as another, or no step is known.
    """
    counted: dict[int, int | str] = {}
    for lead in leads:
        count = lead if isinstance(lead, int) else _counted(lead, freq, word)
        if count in counted:
            raise InputError(f"leads {counted[count]!r} and {lead!r} are the same {count} steps; name one of them")
        counted[count] = lead
    return tuple(counted)


def unit(leads: Sequence[int | str]) -> str | None:
    """The unit of depth that leads are said in; None where they are steps or times."""
    words = (str(lead).split()[-1] for lead in leads if isinstance(lead, str))
    return next((word for word in words if word in LENGTHS), None)


def _counted(lead: str, freq: str | float | None, word: str) -> int:
    if freq is None:
        raise InputError(
            f"{word} has {lead!r}, but no step of the data is known; say how far apart rows are, roles.freq = 0.152 of "
            'a depth or roles.freq = "10min" of a time, or write a number of rows'
        )
    if isinstance(freq, str):
        count = steps_of(lead, freq)
        if count < 1 or count % 1:
            raise InputError(f"{word} has {lead!r}, which is no whole number of steps of {freq!r}")
        return int(count)
    length = re.fullmatch(rf"(\d+(?:\.\d+)?|\.\d+)\s*({'|'.join(LENGTHS)})", lead)
    if length is None:
        raise InputError(f'{word} has {lead!r}; along a depth write a length such as "1.06 m", or a number of steps')
    count = round(float(length[1]) / freq)
    if count < 1:
        raise InputError(f"{word} has {lead!r}, which is less than half a step of {freq:g}")
    return count
