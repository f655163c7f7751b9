"""A class per cell: one logit each, trained by their cross-entropy; a decision by probability or by expected penalty.

Targets hold the classes' numbers, 0, 1, 2..., unscaled, and nothing where there is no label. A class that was rare in
the training may be decided upon as if it had been commoner: probabilities move with the shares that they assume
(Saerens, Latinne & Decaestecker 2002, "Adjusting the outputs of a classifier to new a priori probabilities: a simple
procedure", Neural Computation 14).
"""

from collections.abc import Iterable, Sequence
from numbers import Real

import torch
from torch import Tensor
from torch.nn import functional as F

from tsrnn.errors import InputError
from tsrnn.heads._base import Head, mean


class ClassesHead(Head):
    """As many numbers per cell as there are classes.

    Args:
        count: classes, at least two.
        weights: [class] of each class's cells in the loss, 1 on average; None: all alike.
        penalty: [true class, decided class] what a decision costs: the one of least expected cost is taken; None: the
            most probable one.
        lift: [class] by what a class's probability is multiplied before the decision (`lifts`); None: all alike.
    """

    def __init__(
        self,
        count: int,
        weights: Sequence[float] | None = None,
        penalty: Sequence[Sequence[float]] | None = None,
        lift: Sequence[float] | None = None,
    ) -> None:
        if count < 2:
            raise InputError(f"a label needs at least two classes to choose from, and there is {count}")
        if weights is not None:
            numbers = list(weights) if isinstance(weights, Iterable) else []
            plain = all(isinstance(each, Real) and 0 <= each < float("inf") for each in numbers)
            if not plain or len(numbers) != count or not sum(numbers):
                raise InputError(
                    f"class_weights takes {count} numbers of at least 0 that are not all 0, one for each class in the "
                    f"order of `classes_`, not {weights!r}"
                )
        if lift is not None and len(lift) != count:
            raise InputError(f"lift takes {count} numbers, one for each class, not {len(lift)}")
        self.params = count
        self.weights = None if weights is None else torch.tensor(list(weights), dtype=torch.float32)
        self.penalty = None if penalty is None else torch.tensor(penalty, dtype=torch.float32)
        self.lift = None if lift is None else torch.tensor(list(lift), dtype=torch.float32)

    def loss(self, params: Tensor, target: Tensor, observed: Tensor | None) -> Tensor:
        """Cross-entropy over labelled cells, each by its class's weight."""
        codes = target.long().clamp(0, self.params - 1)
        cells = F.cross_entropy(params.movedim(-1, 1), codes, reduction="none")  # [batch time target]
        if self.weights is not None:
            by_class = self.weights.to(params)[codes]
            observed = by_class if observed is None else by_class * observed
        return mean(cells, observed)

    def probabilities(self, params: Tensor) -> Tensor:
        """[... class] -> [... class], adding up to 1."""
        return params.softmax(-1)

    def decide(self, probabilities: Tensor) -> Tensor:
        """The class to act on: [... class] -> [...]."""
        if self.lift is not None:
            probabilities = probabilities * self.lift.to(probabilities)
        if self.penalty is None:
            return probabilities.argmax(-1)
        return (probabilities @ self.penalty.to(probabilities)).argmin(-1)

    def point(self, params: Tensor) -> Tensor:
        return self.decide(self.probabilities(params)).to(params.dtype)

    def quantiles(self, params: Tensor, levels: Sequence[float]) -> Tensor:
        raise InputError("a label has no quantiles; ask for the probabilities of its classes")

    def of_samples(self, samples: Tensor) -> Tensor:
        """The logs of the shares, a class unseen counting as one in a thousand samples."""
        kinds = torch.arange(self.params, device=samples.device)
        counts = (samples.unsqueeze(-1) == kinds).sum(-2)
        return (counts / counts.sum(-1, keepdim=True).clamp(min=1)).clamp(min=1e-3).log()


def lifts(counts: Sequence[int], least_share: float) -> list[float]:
    """By what each class's probability is multiplied where none is to count as rarer than `least_share`.

    Args:
        counts: [class] labels of the training; a class without any was not learnt, and stays as it is.
        least_share: of all labels.
    """
    total = sum(counts)
    return [max(1.0, least_share * total / count) if count else 1.0 for count in counts]


HEAD = ClassesHead
