"""What made sequences are like, as the scores of other faces are: values, and beside each what real ones are like."""

from collections.abc import Sequence

import numpy as np

from tsrnn import synthesis
from tsrnn.arrays import Floats
from tsrnn.errors import unknown
from tsrnn.infer import Score

_ROWS = ("its spread over critics", "real against real", "spread of that")  # of a table


def refuse_unknown(measures: Sequence[str]) -> None:
    """Refuse a word that is no measure of made sequences, before any is made."""
    for word in measures:
        if word not in (known := [*synthesis.JUDGES, synthesis.NEAREST]):
            raise unknown("measure", word, known)


def score(real: Floats, held: Floats, made: Floats, measures: Sequence[str], number: int, most: int | None) -> Score:
    """Measures of made sequences, by so many critics of so many steps at `most`.

    Args:
        real: [sequence step channel] those that were learnt from.
        held: those held out, for `nearest`.
        made: as they were drawn.

    Returns:
        `by_lead` is a table of each measure: its spread over critics, real against real, the spread of that, the value.

    Raises:
        InputError: too few sequences are there, or they cannot be held against one another.
    """
    values, tables = {}, {}
    judged = [word for word in measures if word != synthesis.NEAREST]
    for word, verdict in synthesis.judge(real, made, judged, number, most=most).items():
        values[word] = verdict.value
        tables[word] = np.array([[verdict.spread], [verdict.floor], [verdict.floor_spread], [verdict.value]])
    if synthesis.NEAREST in measures:
        near = synthesis.nearness(real, held, made)
        values[synthesis.NEAREST], tables[synthesis.NEAREST] = near, np.array([[0.0], [1.0], [0.0], [near]])
    return Score({word: values[word] for word in measures}, len(made), {}, tables, _ROWS)
