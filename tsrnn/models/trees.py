"""Boosted trees on each step and the means about it, by scikit-learn's HistGradientBoosting (extra `trees`).

What people take for labels and curves of wells: Ke et al. 2017, "LightGBM", whose histograms it has. The trees are
trained on rows, each once and by its weight, and no further than the rows that validate gain from it; they know no
order beyond the means. They lie in no file: a saved one would have to be unpickled.
"""

from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tsrnn.errors import InputError
from tsrnn.layers.apart import apart
from tsrnn.layers.scales import features
from tsrnn.models._base import COVARIATES, Model
from tsrnn.options import choice, span
from tsrnn.shapes import Batch, Spec
from tsrnn.windows import Windows

_CHUNK = 64
_LEAST = 1e-4  # of a probability, whose log is taken

TASKS = ("along",)


@dataclass(frozen=True)
class Config:
    rounds: int = 300  # at most; fewer where ten in a row do no good to the rows that validate
    learning_rate: float = span(0.05, 0.02, 0.3, log=True)
    leaves: int = choice(15, 7, 15, 31)
    ridge: float = choice(10.0, 0.0, 1.0, 10.0)  # scikit-learn's l2_regularization
    least: int = choice(50, 20, 50, 200)  # rows in a leaf
    widths: tuple[int, ...] = (11, 41)  # steps of the means about each step
    # Of the past, the first so many that are read, or their places from 0; None: all, what tells of holes among them.
    channels: int | tuple[int, ...] | None = None
    most: int = 60_000  # rows that are learnt from, evenly spread
    seed: int = 0
    options: dict[str, Any] = field(default_factory=dict)  # others of scikit-learn's

    def __post_init__(self) -> None:
        given = self.channels
        places = given if isinstance(given, list | tuple) else () if given is None else (given,)
        if given in ((), []) or any(isinstance(each, bool) or not isinstance(each, Integral) for each in places):
            raise InputError(f"channels of model 'trees' takes a whole number or a list of places, not {given!r}")
        if isinstance(given, list | tuple):
            object.__setattr__(self, "channels", tuple(given))

    def read(self, channels: int) -> list[int]:
        """The places of the channels that are read, of so many.

        Raises:
            InputError: there is no such place, or no such number of channels.
        """
        if isinstance(self.channels, tuple):
            if len(set(self.channels)) < len(self.channels) or any(not 0 <= each < channels for each in self.channels):
                raise InputError(
                    f"channels of model 'trees' names places of {channels} channels, each once and from 0, "
                    f"not {list(self.channels)}"
                )
            return list(self.channels)
        count = channels if self.channels is None else self.channels
        if not 0 < count <= channels:
            raise InputError(f"channels={count} of model 'trees', but the past has {channels}; give 1 to {channels}")
        return list(range(count))


class Trees(Model):
    tasks = frozenset(TASKS)
    by_steps = False
    by_chance = False
    reads = COVARIATES
    reads_lengths = True
    one_graph = False

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.trees: Any = None
        self._read = config.read(spec.channels)

    def forward(self, batch: Batch) -> Tensor:
        """[batch time target params]: logs of the classes' probabilities, or values."""
        rows = self._features(batch)
        answers = batch.past.new_full((*rows.shape[:2], self.spec.params), float(np.log(_LEAST)))
        flat = rows.flatten(0, 1).numpy()
        if self.spec.params == 1:
            answers = torch.from_numpy(self.trees.predict(flat)).to(batch.past).view(*rows.shape[:2], 1)
        else:
            known = self.trees.classes_.astype(np.int64)
            told = self.trees.predict_proba(flat)[:, : len(known)]  # of one class it has two columns, the first its own
            shares = torch.from_numpy(told).to(batch.past).clamp(min=_LEAST).log()
            answers[..., known] = shares.view(*rows.shape[:2], -1)
        return answers.unsqueeze(2)

    def solve(self, train: Windows, val: Windows | None) -> bool:
        try:
            from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
        except ImportError:
            raise InputError("model 'trees' needs scikit-learn; install tsrnn[trees]") from None
        config = self.config
        options = {
            "max_iter": config.rounds,
            "learning_rate": config.learning_rate,
            "max_leaf_nodes": config.leaves,
            "l2_regularization": config.ridge,
            "min_samples_leaf": config.least,
        }
        rows, answers, weights = self._rows(train)
        against: dict[str, Any] = {}
        if val is not None and len(val):
            told = dict(zip(("X_val", "y_val", "sample_weight_val"), self._rows(val), strict=True))
            known = np.isin(told["y_val"], answers) if self.spec.params > 1 else np.ones(len(told["y_val"]), bool)
            against = {name: values[known] for name, values in told.items()} if known.any() else {}
        kind = HistGradientBoostingRegressor if self.spec.params == 1 else HistGradientBoostingClassifier
        trees = kind(random_state=config.seed, early_stopping=bool(against), **{**options, **config.options})
        self.trees = trees.fit(rows, answers, sample_weight=weights, **against)
        return True

    @classmethod
    def unfiled(cls, config: Any) -> str | None:
        return "model 'trees' is a yardstick"

    def _features(self, batch: Batch) -> Tensor:
        return features(replace(batch, past=batch.past[..., self._read]), self.spec, self.config.widths)

    def _rows(self, train: Windows) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
        """Labelled rows, [row feature], their targets [row] and what each counts [row]."""
        rows, answers, weights = [], [], []
        for which in apart(train).split(_CHUNK):  # type: ignore[no-untyped-call]
            batch = train.gather(which)
            assert batch.target is not None
            weight = torch.ones_like(batch.target) if batch.target_observed is None else batch.target_observed
            seen = weight > 0
            if batch.lengths is not None:
                time = batch.past.shape[1]
                seen = seen & (torch.arange(time) >= time - batch.lengths[:, None])[..., None]
            rows.append(self._features(batch)[seen[..., 0]])
            answers.append(batch.target[..., 0][seen[..., 0]])
            weights.append(weight[..., 0][seen[..., 0]])
        x, y, counts = (torch.cat(parts).numpy() for parts in (rows, answers, weights))
        keep = np.linspace(0, len(x) - 1, min(len(x), self.config.most)).round().astype(np.int64)
        return x[keep], y[keep], counts[keep]


FAMILY = "mixed"
MODEL = Trees
