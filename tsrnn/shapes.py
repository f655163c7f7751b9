"""The page of shapes.

Axis names, in the order in which they stand in every tensor:

    batch      windows, each from one series
    time       steps of the past, oldest first; the newest observation is the last
    horizon    steps of the future, nearest first
    channel    measured quantities: the targets first, then past covariates
    feature    covariates known ahead of time, or of a whole series
    hidden     width of a state
    quantile   levels of a forecast distribution
    params     numbers per forecast cell that a head asks of a model's last layer
"""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from tsrnn import usual
from tsrnn.scale import Affine

State = tuple[Tensor, ...]  # each [batch hidden]


@dataclass(slots=True)
class Batch:
    """Windows gathered together, all on one device, in scaled units."""

    past: Tensor  # [batch time channel]; a missing cell holds the last value before it
    target: Tensor | None = None  # [batch horizon target]; None when forecasting
    observed: Tensor | None = None  # [batch time channel] bool; None: every cell was measured
    target_observed: Tensor | None = None  # [batch horizon target] bool, or weights; None: every cell was measured
    known: Tensor | None = None  # [batch time+horizon feature]
    static: Tensor | None = None  # [batch feature]
    lengths: Tensor | None = None  # [batch] int64: how many of the newest steps are real; None: all of them
    phase: Tensor | None = None  # [batch] int64: absolute number of the first horizon step; `% cycle`: its place there
    undo: Affine | None = None  # loc, scale: [batch-or-1 1 target] float64, from scaled units back to the panel's
    share: float = 1.0  # of its loss in a step that several processes take together: its windows by their mean

    def newest(self, steps: int) -> "Batch":
        """The same batch with the newest `steps` of the past alone."""
        cut = self.past.shape[1] - steps
        if not cut:
            return self
        return replace(
            self,
            past=self.past[:, cut:],
            observed=None if self.observed is None else self.observed[:, cut:],
            known=None if self.known is None else self.known[:, cut:],
            lengths=None if self.lengths is None else self.lengths.clamp(max=steps),
        )

    def filled(self, size: int) -> "Batch":
        """So many windows, the last one again and again where there are fewer."""
        last = len(self.past) - 1
        return self.rows(torch.arange(size, device=self.past.device).clamp(max=last)) if size > last + 1 else self

    def rows(self, which: slice | Tensor) -> "Batch":
        """Some of the windows; of a slice without a copy."""
        cut = Batch(self.past)
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Tensor):
                value = value[which]
            elif isinstance(value, Affine) and len(value.loc) > 1:
                value = value.mapped(lambda part: part[which])
            setattr(cut, each.name, value)
        return cut

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Batch":
        """The same batch on another device; itself where it is there already."""
        if self.past.device == torch.device(device):
            return self
        moved = Batch(self.past)
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Tensor):
                value = value.to(device, non_blocking=non_blocking)
            elif isinstance(value, Affine):
                value = value.mapped(lambda part: part.to(device))
            setattr(moved, each.name, value)
        return moved

    def double(self) -> "Batch":
        """The same batch in double precision."""
        tensors = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "undo"}
        made = replace(self)
        for name, each in tensors.items():
            if isinstance(each, Tensor) and each.is_floating_point():
                setattr(made, name, each.double())
        return made


@dataclass(frozen=True)
class Spec:
    """What a model must know of the task to build its layers."""

    input_size: int  # time
    horizon: int
    channels: int  # targets and past covariates
    targets: int
    known: int = 0  # features known ahead
    static: int = 0
    params: int = 1  # numbers per forecast cell, asked by the head
    seasonality: int = 24  # steps of the shortest season, for seasonal models and last-season centring
    levels: tuple[float, ...] = ()  # of the quantiles that the params are; empty where they are none
    loss: str = "mse"  # the head's
    placed: tuple[int, ...] = ()  # which known features say where a row lies along the index, and bend no forecast
    segment: int | None = None  # steps read at once by a model whose Config leaves it open; None: the usual

    def __post_init__(self) -> None:
        if self.segment is None:
            object.__setattr__(self, "segment", usual.segment(self.seasonality, self.input_size))
        object.__setattr__(self, "placed", tuple(self.placed))
        object.__setattr__(self, "levels", tuple(self.levels))  # a list where it was read from a file
