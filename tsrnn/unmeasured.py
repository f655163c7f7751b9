"""Columns that were measured, but in no row of the training: nothing can be learnt of them, so nothing reads them.

A log that was run in the blind well alone, or a sensor that was set up in the days held out, would reach the model as
numbers that no weight was ever trained on.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tsrnn.arrays import Arrays
from tsrnn.errors import InputError, listed, named, notice, quoted
from tsrnn.panel import Panel
from tsrnn.prepare import Preparation
from tsrnn.split import Part


def without_unmeasured(
    prepared: Preparation, panel: Panel, arrays: Arrays, train: Part, alone: bool = False
) -> tuple[Panel, Arrays]:
    """The panel and its numbers without the covariates that no row of the training measured, which is said.

    Args:
        prepared: makes the numbers of a panel.
        panel: in which every column was measured somewhere.
        arrays: its numbers.
        train: the training part.
        alone: covariates are all that is read.

    Raises:
        InputError: they are all that is read and none is left, or one of several targets is such a column.
    """
    roles = panel.roles
    spans = [
        (first, last) for first, last in zip(train.begin.tolist(), train.end.tolist(), strict=True) if first < last
    ]
    columns = [*roles.past, *roles.future, *roles.static, *(roles.targets if len(roles.targets) > 1 else ())]
    holed = [name for name in columns if panel.frame[name].null_count()]
    empty = [name for name in holed if spans and not _heard(panel, name, spans)]
    if not empty:
        return panel, arrays
    where = f"{panel.source}: no row of the training holds a value of"
    for name in empty:
        if name in roles.targets:
            raise InputError(
                f"{where} {quoted(name)}, a target that is measured in others; give a split whose training does, or "
                "leave it out"
            )
    past, future, static = (
        tuple(name for name in names if name not in empty) for names in (roles.past, roles.future, roles.static)
    )
    if alone and not (past or future or static):
        raise InputError(
            f"{where} {listed(empty)}, and nothing else is read; give a split whose training does, or name inputs="
        )
    notice(f"{where} {listed(empty)}, measured in others: left out, for nothing can be learnt of it")
    panel = replace(panel, roles=replace(roles, past=past, future=future, static=static)).transformed(panel.transforms)
    return panel, prepared.arrays(panel)


def _heard(panel: Panel, name: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a column holds a value in some of these rows."""
    seen = panel.frame[name].is_not_null().to_numpy()
    return any(seen[first:last].any() for first, last in spans)


def refuse_blank(panel: Panel, names: Sequence[str]) -> None:
    """Refuse a series that holds no value of the columns that are read: of nothing, nothing can be told.

    Raises:
        InputError: names the series and the columns.
    """
    if not names or not all(panel.frame[name].null_count() for name in names):
        return
    seen = np.logical_or.reduce([panel.frame[name].is_not_null().to_numpy() for name in names])
    if not (heard := np.logical_or.reduceat(seen, panel.offsets[:-1])).all():
        silent = [name for name, some in zip(panel.ids, heard.tolist(), strict=True) if not some]
        who = "holds" if panel.roles.id is None else named(silent, "holds", "hold")
        where = panel.source if panel.roles.id is None else f"{panel.source}:"
        them = "it" if len(silent) == 1 else "them"
        raise InputError(f"{where} {who} no value of {listed(names)}, and nothing else is read; leave {them} out")
