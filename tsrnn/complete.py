"""A curve's values count only on rows where other curves were measured, too.

What a tool read before the others were run may be no property of a rock: a sonic log in casing reads steel, one above
the sea floor reads water, and no other curve is there to say so.
"""

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from tsrnn.errors import InputError, listed, unknown
from tsrnn.panel import Panel


def counted(panel: Panel, columns: Sequence[str]) -> Panel:
    """A panel whose targets are empty on rows where one of the columns is: such rows are read, not learnt or scored.

    Args:
        panel: of any number of series and targets.
        columns: of it, no targets.

    Raises:
        InputError: there is no such column, it is a target, or no value of a target is left.
    """
    for name in columns:
        if name not in panel.frame.columns:
            raise unknown(f"column of {panel.source}", name, panel.frame.columns)
        if name in panel.roles.targets:
            raise InputError(f"complete names {name!r}, which is the target itself; name curves beside it")
    whole = pl.all_horizontal(pl.col(*columns).is_not_null())
    frame = panel.frame.with_columns(pl.when(whole).then(pl.col(name)).alias(name) for name in panel.roles.targets)
    lost = [name for name in panel.roles.targets if frame[name].null_count() == len(frame)]
    if lost:
        raise InputError(f"{panel.source}: no row holds {listed(columns)} and {lost[0]!r}; complete counts no row so")
    return replace(panel, frame=frame)
