"""One step of a cell of someone else's, taken before a layer is built on it: its faults are named, not met later."""

from typing import Any

import torch
from torch import Tensor

from tsrnn import seeding
from tsrnn.cells._base import Cell
from tsrnn.errors import InputError

_ROWS, _WIDTH = 2, 64  # a width that heads and groups divide


def hold(kind: type[Cell]) -> None:
    """Hold a class to the contract of `Cell`; nothing is drawn from the generators of others.

    Raises:
        InputError: it lacks a part, cannot be built, or its step gives something else than the next state and the
            output, each [batch hidden].
    """
    name = kind.__name__
    if kind.__module__ == Cell.__module__:
        raise InputError(f"tsrnn.cells.{name} is what cells derive from, and no cell; derive one, or take a name")
    for part in ("gates", "states"):
        names = getattr(kind, part, None)
        if not isinstance(names, tuple) or not names or not all(isinstance(each, str) for each in names):
            raise InputError(f'cell {name} must say its {part}, a tuple of names such as ("h",)')
    if missing := sorted(kind.__abstractmethods__):
        raise InputError(f"cell {name} has no {' and no '.join(missing)}; see tsrnn.cells.Cell")
    wanted = f"({', '.join(kind.states)}), output: each a tensor [batch hidden]"
    with torch.no_grad(), seeding.untouched(), torch.device("cpu"):
        try:
            cell = kind(_WIDTH, _WIDTH)
        except (TypeError, AttributeError) as fault:
            raise InputError(
                f"cell {name} cannot be built as {name}(input_size, hidden_size) ({type(fault).__name__}: {fault})"
            ) from fault
        except Exception:  # it may ask for other sizes
            return
        state = cell.initial(_ROWS)
        try:
            result = cell(torch.zeros(_ROWS, _WIDTH, dtype=state[0].dtype), state)
        except Exception as fault:
            raise InputError(f"cell {name}: step fails ({type(fault).__name__}: {fault}); it gives {wanted}") from fault
    _hold_result(kind, result, wanted)


def _hold_result(kind: type[Cell], result: Any, wanted: str) -> None:
    name = kind.__name__
    if not isinstance(result, tuple) or len(result) != 2 or not isinstance(result[0], tuple):
        raise InputError(f"cell {name}: step gives a {type(result).__name__}, but must give {wanted}")
    following, output = result
    if len(following) != len(kind.states):
        raise InputError(f"cell {name}: step gives a state of {len(following)} parts, but must give {wanted}")
    for part, value in zip((*kind.states, "output"), (*following, output), strict=True):
        shape = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
        if shape != [_ROWS, _WIDTH]:
            raise InputError(
                f"cell {name}: {part} of step is {shape} where batch is {_ROWS} and hidden {_WIDTH}; "
                f"it must give {wanted}"
            )
