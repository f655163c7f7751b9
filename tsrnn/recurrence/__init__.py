"""The loop over time, written once for every cell: `Recurrent`, its backends, and the scans of linear recurrences.

A backend is a file with two functions. `supports(cell, x, lengths)` says whether it can run, and in a few words why
or why not; `run(cell, x, state, lengths)` runs one cell over one direction. Every backend answers to `reference`.
"""

from tsrnn.recurrence.layer import Recurrent

__all__ = ["Recurrent"]
