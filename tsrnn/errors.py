"""What a user can mend: one exception, one clear sentence, the nearest names."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Something the user gave is wrong and the user can mend it.

    The message is one sentence that names the file, row, column, option or value, and says the mend.
    The command line prints it and exits with 2; every other exception is our own fault and exits with 1.
    """


class Notice(UserWarning):
    """Something was taken in one of several ways, or will not be used, and the user should know; in one sentence."""


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """An `InputError` for a `name` that is none of the `known` ones, with the nearest of them.

    >>> str(unknown("model", "lstn", ["lstm", "gru"]))
    "unknown model 'lstn': did you mean 'lstm'? Known: gru, lstm"
    """
    names = sorted(known)
    lowered = {each.lower(): each for each in names}
    near = [lowered[each] for each in get_close_matches(name.lower(), lowered, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(repr(each) for each in near)}? " if near else ""
    return InputError(f"unknown {kind} {name!r}: {hint}Known: {', '.join(names) or 'none'}")
