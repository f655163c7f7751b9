"""The contract passes honest models and catches those that break it, one rule each; every cell keeps its own."""

import numpy as np
import pytest
import torch
from torch import nn

from tsrnn import testing
from tsrnn.layers.lengths import settled
from tsrnn.models._base import Model
from tsrnn.registry import names
from tsrnn.shapes import Batch


class Honest(Model):
    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.linear = nn.Linear(spec.input_size, spec.horizon * spec.params)

    def forward(self, batch):
        x = batch.past[..., : self.spec.targets].transpose(1, 2)
        return self.linear(x).view(len(x), self.spec.targets, self.spec.horizon, -1).transpose(1, 2)


class MixesRows(Honest):
    def forward(self, batch):
        return super().forward(batch) - batch.past.mean()


class MixesTargets(Honest):
    def forward(self, batch):
        rows = super().forward(batch)
        return rows + rows.mean(2, keepdim=True)


class Peeks(Honest):
    def forward(self, batch):
        return super().forward(batch) + (0 if batch.target is None else batch.target.unsqueeze(-1))


class Blind(Honest):
    """What a library does that reads outputs at the last `horizon` positions: only the last step sees everything."""

    def forward(self, batch):
        older = batch.past.clone()
        older[:, -1] = 0
        rows = super().forward(Batch(older))
        rows[:, -1] = super().forward(batch)[:, -1]
        return rows


class ReadsInSecret(Honest):
    """The past of what is known ahead, without a word."""

    def forward(self, batch):
        beside = 0 if batch.known is None else batch.known[:, : self.spec.input_size].mean((1, 2))[:, None, None, None]
        return super().forward(batch) + beside


class ReadsTheFirst(Honest):
    """One past covariate of two."""

    reads = frozenset({"past"})

    def forward(self, batch):
        first = batch.past[:, -1, self.spec.targets : self.spec.targets + 1].sum(1)
        return super().forward(batch) + first[:, None, None, None]


class ReadsTheFuture(Honest):
    """Of what is known ahead its future alone."""

    reads = frozenset({"known"})

    def forward(self, batch):
        beside = 0 if batch.known is None else batch.known[:, self.spec.input_size :].mean((1, 2))[:, None, None, None]
        return super().forward(batch) + beside


class HidesTheLevel(Honest):
    """Past covariates centred, as targets are."""

    reads = frozenset({"past"})

    def forward(self, batch):
        beside = batch.past[..., self.spec.targets :]
        return super().forward(batch) + (beside[:, -1] - beside[:, 0]).sum(1)[:, None, None, None]


class SaysMore(Honest):
    reads = frozenset({"mask"})


class SaysAnotherWord(Honest):
    reads = frozenset({"future"})


class Forgets(Honest):
    def weights(self):
        return {
            "linear.weight": super().weights()["linear.weight"],
            "linear.bias": np.zeros_like(self.linear.bias.detach()),
        }


class StartsAtNothing(Honest):
    """Two weights in a row, the second zero at first: what lies behind it learns from the second step on."""

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.inner, self.outer = nn.Parameter(torch.ones(())), nn.Parameter(torch.zeros(()))

    def forward(self, batch):
        newest = batch.past[:, -1:, : self.spec.targets, None]
        return super().forward(batch) + self.outer * self.inner * newest


class Idle(Honest):
    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.unused = nn.Parameter(torch.zeros(3))


class Random(Honest):
    def forward(self, batch):
        return super().forward(batch) + torch.rand(())


class InPlace(Honest):
    def forward(self, batch):
        batch.past -= batch.past.mean(1, keepdim=True)
        return super().forward(batch)


class ReadsPadding(Honest):
    reads_lengths = True


class CountsOthers(Honest):
    """Pads to the longest of the batch: a row's forecast hangs on its neighbours."""

    reads_lengths = True

    def forward(self, batch):
        batch = settled(batch)
        if batch.lengths is None:
            return super().forward(batch)
        return super().forward(batch) + (batch.lengths.max() - self.spec.input_size)


class DividesByDeviation(Honest):
    def forward(self, batch):
        return super().forward(batch) / batch.past[..., : self.spec.targets].std(1)[:, None, :, None]


@pytest.mark.parametrize("kind", [Honest, StartsAtNothing])
def test_an_honest_model_passes(kind):
    testing.check_model(kind)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (MixesRows, "know their neighbours"),
        (MixesTargets, "a target reads another"),
        (Peeks, "depends on what is to be forecast"),
        (Blind, "does not see the newest observation"),
        (ReadsInSecret, r"the past of known \(column 0\) is not among `reads` but moves"),
        (ReadsTheFuture, r"the past of known \(column 0\) does not move"),
        (HidesTheLevel, r"the level of past \(column 0\) does not move"),
        (ReadsTheFirst, r"past \(column 1\) does not move"),
        (SaysMore, r"mask \(column 0\) does not move"),
        (SaysAnotherWord, r"reads takes .*, not {'future'}"),
        (Forgets, "do not give the same forecasts"),
        (Idle, "the loss does not reach unused"),
        (Random, "forecasts differ"),
        (InPlace, "changes the batch"),
        (ReadsPadding, "the padding is read"),
        (CountsOthers, "know their neighbours"),
        (DividesByDeviation, "missing cells spoil"),
    ],
)
def test_the_contract_catches(kind, message):
    with pytest.raises(AssertionError, match=message):
        testing.check_model(kind)


@pytest.mark.parametrize("name", names("cells"))
def test_the_cells_contract(name):
    testing.check_cell(name)
