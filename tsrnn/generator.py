"""New sequences like those of a frame: learnt from all its windows of one length, and made of noise alone."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from numbers import Integral
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from tsrnn import asked as asked_of
from tsrnn import (
    ends,
    heads,
    infer,
    made,
    metrics,
    models,
    parameters,
    rebuild,
    split,
    store,
    synthesis,
    tasks,
    windows,
)
from tsrnn.arrays import Floats
from tsrnn.buffer import Buffer
from tsrnn.errors import InputError
from tsrnn.infer import Score
from tsrnn.kept import Making
from tsrnn.panel import Panel
from tsrnn.prepare import Preparation
from tsrnn.scale import Affine
from tsrnn.shapes import Spec
from tsrnn.synthesis import scored
from tsrnn.unmeasured import without_unmeasured
from tsrnn.version import VERSION
from tsrnn.windows import Windows

_KIND = "generator"
_TASK = tasks.find("generate")
_MADE = 2_000  # sequences made at once
_SEEDS = 1 << 63


class Generator(Making):
    """A model that makes sequences as likely as those it has seen, in the data's own units.

    Args:
        model: a name of `tsrnn models --task generate`, or a class derived from `tsrnn.models.Generative`.
        input_size: steps of a sequence.
        scaler: standard, robust, mean_abs or none, fitted on the training rows.
        judging_steps: that each critic of `scores` learns for, at most; None: those that its measure is published with.
            With fewer, scores are those of a trial run.
        options: fields of the model's Config and of `FitConfig` (`learning_rate`, `batch_size`, `max_minutes`,
            `progress`, `random_state`...). A model that is trained in phases has steps in its Config; `max_epochs`
            bounds those of each phase.

    After `fit`: `model_`, `report_`, and `names_`, the channels.
    """

    def __init__(
        self,
        model: str | type = "rtsgan",
        *,
        input_size: int = 24,
        scaler: str = "standard",
        judging_steps: int | None = None,
        **options: Any,
    ) -> None:
        self.model = model
        self.input_size = input_size
        self.scaler = scaler
        self.judging_steps = judging_steps
        self.options = options

    calendar = False
    model_: models.Generative
    names_: tuple[str, ...]
    library_: str

    def configs(self) -> tuple[Any, parameters.FitConfig]:
        """The model's Config and how to train it; errors as of `Forecaster.configs`."""
        if not _is_whole(self.input_size) or not 1 < self.input_size <= models.MOST:
            raise InputError(f"input_size must be a whole number of steps, at least 2, not {self.input_size!r}")
        if (steps := self.judging_steps) is not None and (not _is_whole(steps) or steps < 1):
            raise InputError(f"judging_steps must be a whole number of at least 1, or None, not {steps!r}")
        models.check_task(self.model, _TASK.name)
        return parameters.sort(self.model, self.options, self._own())

    def fit(
        self, frame: Any, *, split: Mapping[str, Any] | str | None = None, on_epoch: Any = None, **roles: Any
    ) -> Self:
        """Learn from every window of `input_size` rows that has no hole and no gap.

        Args:
            frame: a `Panel`, or a pandas, polars or pyarrow frame; many series, or one long one.
            split: None learns from all rows; "standard" takes the data set's own, a mapping such as
                {"ratios": [0.8, 0.1, 0.1]} that one. What is held out is not looked at.
            on_epoch: of models that are trained by epochs, as of `Forecaster.fit`.
            roles: columns of the frame, as of `Panel.of` (`target`: the channels; `time`, `id`).

        Raises:
            InputError: the frame or an option cannot be used, or no window is whole; says how to mend it.
        """
        config, fit_config = self.configs()
        panel = Panel.of(frame, **roles)
        ends.refuse_empty(panel)
        panel = self._readable(panel, frozenset())
        made.check_names(panel.roles.targets)
        prepared = Preparation(self.scaler)
        arrays = prepared.arrays(panel)
        parts = self._parts(panel, split)
        without_unmeasured(prepared, panel, arrays, parts.train)
        laid = prepared.fit(panel, arrays, parts.train).lay(panel, arrays)
        train, val = (_whole(laid, part, int(self.input_size)) for part in (parts.train, parts.val))
        if len(train) < 2:
            raise InputError(
                f"{panel.source} has {len(train)} stretches of input_size={self.input_size} rows without a hole or a "
                "gap, and two are the fewest to learn from; lower input_size, or fill holes with fill="
            )
        spec = self._spec_of(laid.targets)

        from tsrnn import fit as training

        with training.seeded(fit_config.random_state):
            model = _generative(models.build(self.model, config, spec))
            self.report_ = training.fit(model, heads.build(None, "mse"), train, val, fit_config, on_epoch)
        self.model_, self.spec_, self.preparation_ = model, spec, prepared
        self.names_, self.library_, self.panel_, self.split_ = panel.roles.targets, panel.origin.library, panel, split
        self._learnt_from(panel, parts)
        return self

    def sample(self, n: int = 100, *, seed: int = 0) -> Any:
        """`n` new sequences as a long frame: `sequence`, `step`, and a column per channel, in its own unit.

        The same seed gives the same sequences; the frame is of the type that `fit` got.

        Raises:
            InputError: fewer sequences than one, or a seed that is none.
        """
        return made.frame(self.draw(n, seed=seed), self.names_, self.library_)

    def draw(self, n: int = 100, *, seed: int = 0) -> Floats:
        """`n` new sequences as an array [sequence step channel], in the channels' own units; errors as of `sample`."""
        self._check_fitted()
        for name, value, least in (("n", n, 1), ("seed", seed, 0)):
            if not _is_whole(value) or not least <= value < _SEEDS:
                most = ", below 2^63" if _is_whole(value) and value >= _SEEDS else ""
                raise InputError(f"{name} must be a whole number from {least}{most}, not {value!r}")
        generator = torch.Generator().manual_seed(int(seed))
        model, scaling = self.model_, self.preparation_.scaling
        loc, scale = (torch.from_numpy(each[:1, None].astype(np.float64)) for each in (scaling.loc, scaling.scale))
        undo = Affine(loc, scale, self.preparation_.logs)  # [1 1 channel]
        counts = [_MADE] * (int(n) // _MADE) + [int(n) % _MADE]
        with torch.inference_mode():
            parts = [infer.undone(model.eval().sequences(k, generator), undo) for k in counts if k]
        return np.concatenate(parts)

    def score(self, frame: Any = None, *, split: Any = "standard", part: str = "test", **words: Any) -> Score:
        """`scores` of one part: train, val or test. What is made is held against the part train in each.

        The part says how many critics judge, one of "val" and else five (of full length, minutes; see `judging_steps`),
        and which sequences `nearest` takes for those held out. Errors are those of `scores`.
        """
        return self.scores(frame, split, (part,), **words)[part]

    def scores(
        self,
        frame: Any = None,
        split: Any = "standard",
        parts: Sequence[str] | str = ("val", "test"),
        measures: Sequence[str] | str | None = None,
    ) -> dict[str, Score]:
        """What made sequences are like, by measures of `tsrnn.synthesis`, for each part.

        They are held against those of the part train, [sequence step channel] in their own units, whatever the part:
        that says which sequences are held out, for `nearest` alone, and how many critics judge, one of "val" and else
        five. Those made for the first of `parts` are drawn with seed 0, for the second with seed 1.

        Args:
            frame: as of `fit`; None: the training's own.
            split: as of `fit`; "standard" is a panel's own, or the one that `fit` got.
            parts: train, val or test; one, or several.
            measures: discriminative, context_fid, predictive, correlational (`tsrnn.synthesis.judge`), nearest
                (`tsrnn.synthesis.nearness`); by default the first two.

        Returns:
            Of each part: `values`, and by measure a table whose `series` are the spread over critics, the same measure
            of real against real, and its spread; `windows` says how many sequences were made.

        Raises:
            InputError: no such measure or part, a part without a sequence, too few of them, the split is not one of
                these rows', or no rows of a loaded one.
        """
        parts = asked_of.named(parts)
        self._check_fitted()
        scored.refuse_unknown(words := metrics.words(measures, _TASK.measures))
        if frame is None and not hasattr(self, "panel_"):
            raise InputError("a loaded Generator holds no data; pass the rows that made sequences are held against")
        panel = self.panel_ if frame is None else self.preparation_.read(frame)
        laid, asked = self.preparation_.lay(panel), self._asked(panel, split, frame is None)
        cut = asked.parts(lambda rule: self._parts(panel, rule))
        real, *held = (self._real(_whole(laid, cut.part(name), int(self.input_size))) for name in ("train", *parts))
        for name, some in zip(parts, held, strict=True):
            if not len(some):
                raise asked.nothing(cut, name, f"sequence of {self.input_size} rows")
        count, answers = max(1, min(len(real), synthesis.MOST)), {}
        for seed, (name, some) in enumerate(zip(parts, held, strict=True)):
            critics = 1 if name == "val" else synthesis.CRITICS
            answers[name] = scored.score(real, some, self.draw(count, seed=seed), words, critics, self.judging_steps)
        return answers

    def _real(self, cut: Windows) -> Floats:
        """The sequences of windows, in their own units: [sequence step channel]."""
        if not len(cut):
            return np.zeros((0, int(self.input_size), len(self.names_)))
        return np.concatenate([infer.undone(batch.past, batch.undo) for batch in cut.batches(_MADE)])

    def save(self, folder: str | Path) -> None:
        """Write config.json and weights.safetensors into `folder`; the data stay out of it."""
        self._check_fitted()
        tensors = {f"model.{name}": weights for name, weights in self.model_.weights().items()}
        config = {
            "version": VERSION,
            "kind": _KIND,
            "params": parameters.words(self.get_params(), strict=True),
            "spec": asdict(self.spec_),
            "ids": list(self.preparation_.ids),
            "reading": self.preparation_.reading,
            "library": self.library_,
        }
        kept, beside = self._kept()
        store.write(folder, config | kept, tensors | self.preparation_.tensors(), beside)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a saved generator.

        Raises:
            InputError: no saved generator, a newer version's, or damaged.
        """
        config = (saved := store.opened(folder)).config
        store.check_holds(saved, _KIND)
        with rebuild.blaming(saved, cls.__name__):
            self = cls(**rebuild.params(config))
            model_config, _ = self.configs()
            prepared = Preparation(self.scaler).remember(config["ids"], config["reading"])
            self.names_, self.library_ = tuple(prepared.reading["targets"]), config["library"]
            if self.library_ not in made.LIBRARIES:
                raise InputError(f"library must be one of {', '.join(made.LIBRARIES)}")
            self.spec_ = rebuild.spec(config["spec"], asdict(self._spec_of(len(self.names_))))
            sizes = prepared.shapes(len(self.names_), 0, 0)
            weights = rebuild.weights(saved.kinds, sizes)
            self.model_ = _generative(rebuild.build(self.model, model_config, self.spec_, weights))
        tensors = saved.tensors()
        with rebuild.blaming(saved, cls.__name__):
            self.preparation_ = prepared.restore({name: tensors.pop(name) for name in sizes})
            self._remember(saved)
            self.model_.set_weights({name.removeprefix("model."): each for name, each in tensors.items()})
        return self

    def _parts(self, panel: Panel, wanted: Mapping[str, Any] | str | None) -> split.Split:
        arrays = panel.arrays()
        if wanted is None:
            return split.tail(arrays, 0)
        return split.standard(arrays, panel.split if wanted == "standard" else wanted, panel.source)

    def _spec_of(self, targets: int) -> Spec:
        length = int(self.input_size)
        return Spec(length, length, targets, targets, seasonality=min(24, length), segment=1)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _generative(model: models.Model) -> models.Generative:
    if not isinstance(model, models.Generative):
        raise InputError(f"model {type(model).__name__} makes no sequences; derive it from tsrnn.models.Generative")
    return model


def _whole(laid: Buffer, part: split.Part, length: int) -> Windows:
    """The windows of a part in which every cell was measured."""
    cut = windows.cut(laid, part, length, length, _TASK)
    if laid.observed is None:
        return cut
    holes = (~laid.observed[:, : laid.targets].all(1)).long().cumsum(0)
    holes = torch.cat([holes.new_zeros(1), holes])
    keep = (holes[cut.ahead + length] == holes[cut.ahead]).numpy()
    return Windows(laid, cut.targets_at[keep], length, length, _TASK)
