"""A forecast tried before it is trusted: a model of someone else's gives what its contract says, or is refused by name.

A loss broadcasts a forecast of another shape over the targets in silence, so the shape is held against the task once,
before training and after reading a saved model. tsrnn's own models are held to it by tests and are not tried.
"""

import torch
from torch import Tensor

from tsrnn import seeding
from tsrnn.errors import InputError
from tsrnn.models import Model, is_own
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_ROWS = 32


def on_windows(model: Model, windows: Windows) -> None:
    """Try each model in `model` that is not tsrnn's own on some of the windows; nothing is drawn and nothing learnt.

    Raises:
        InputError: its forward fails, or gives no [batch horizon target params].
    """
    if _strangers(model):
        rows = torch.arange(_rows(model.spec)) % len(windows)  # more than one, also where there is one window
        _hold(model, windows.gather(rows))


def on_zeros(model: Model) -> None:
    """`on_windows` without data."""
    if not _strangers(model):
        return
    spec, rows = model.spec, _rows(model.spec)
    batch = Batch(torch.zeros(rows, spec.input_size, spec.channels), phase=torch.arange(rows))
    batch.known = torch.zeros(rows, spec.input_size + spec.horizon, spec.known) if spec.known else None
    batch.static = torch.zeros(rows, spec.static) if spec.static else None
    _hold(model, batch)


def _strangers(model: Model) -> list[Model]:
    """The models of others: `model` itself, or those in an ensemble."""
    return [part for part in model.modules() if isinstance(part, Model) and not is_own(type(part))]


def _rows(spec: Spec) -> int:
    """A number of windows that no other axis has, so that swapped axes show."""
    others = (spec.horizon, spec.targets, spec.params)
    return next(rows for rows in range(_ROWS, _ROWS + len(others) + 1) if rows not in others)


def _hold(model: Model, batch: Batch) -> None:
    training = {layer: layer.training for layer in model.modules()}
    try:
        with torch.no_grad(), seeding.untouched():
            for part in _strangers(model.eval()):
                _hold_one(part, batch.newest(part.spec.input_size))
    finally:
        for layer, mode in training.items():
            layer.training = mode


def _hold_one(model: Model, batch: Batch) -> None:
    name, spec = type(model).__name__, model.spec
    axes = ("batch", "horizon", "target", "params")
    sizes = (len(batch.past), spec.horizon, spec.targets, spec.params)
    wanted = f"[{', '.join(f'{axis} {size}' for axis, size in zip(axes, sizes, strict=True))}]"
    try:
        params = model(batch)
    except InputError:
        raise
    except Exception as fault:
        raise InputError(
            f"model {name}: forward fails on a batch whose past is {list(batch.past.shape)} "
            f"({type(fault).__name__}: {fault}); it must give {wanted}"
        ) from fault
    if not isinstance(params, Tensor):
        raise InputError(f"model {name}: forward gave a {type(params).__name__}, but must give a tensor {wanted}")
    if tuple(params.shape) != sizes:
        raise InputError(f"model {name}: forward gave {list(params.shape)}, but must give {wanted}")
