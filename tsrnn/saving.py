"""A fitted forecaster written to a folder and read again: numbers and words, nothing that runs."""

from dataclasses import asdict
from pathlib import Path
from typing import Self

from tsrnn import heads, parameters, rebuild, store, trial
from tsrnn.evaluation import Evaluated
from tsrnn.version import VERSION


class Saved(Evaluated):
    """A face that can be kept."""

    def save(self, folder: str | Path) -> None:
        """Write config.json and weights.safetensors into `folder`; the data stay out of it."""
        self._check_fitted()
        tensors = {f"model.{name}": weights for name, weights in self.model_.weights().items()}
        learnt = self.preparation_
        fitted = {"spec": asdict(self.spec_), "ids": list(learnt.ids), "reading": learnt.reading}
        config = {"version": VERSION, "params": parameters.words(self.get_params(), strict=True), **fitted}
        store.write(folder, config, tensors | learnt.tensors())

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a saved forecaster; give `predict` the history to forecast from.

        Raises:
            InputError: not a saved forecaster, a newer version's, or damaged.
        """
        config = (saved := store.opened(folder)).config
        with rebuild.blaming(saved):
            self = cls(**rebuild.params(config))
            model_config, _ = self.configs()
            self.head_, prepared = heads.build(self.quantiles, self.loss), self._unlearnt()
            prepared.remember(config["ids"], config["reading"])
            self.spec_ = rebuild.spec(config["spec"], self._task(prepared.reading, self.head_))
            sizes = prepared.shapes(self.spec_.channels, self.spec_.known, self.spec_.static)
            self.model_ = rebuild.build(self.model, model_config, self.spec_, rebuild.weights(saved.kinds, sizes))
        tensors = saved.tensors()
        with rebuild.blaming(saved):
            self.preparation_ = prepared.restore({name: tensors.pop(name) for name in sizes})
            self.model_.set_weights({name.removeprefix("model."): weights for name, weights in tensors.items()})
            trial.on_zeros(self.model_)
        return self
