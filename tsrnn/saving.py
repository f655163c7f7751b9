"""A fitted forecaster written to a folder and read again: numbers and words, nothing that runs."""

from dataclasses import asdict
from pathlib import Path
from typing import Self

from tsrnn import conformal, heads, parameters, rebuild, store, trial
from tsrnn.version import VERSION
from tsrnn.watched import Watched


class Saved(Watched):
    """A face that can be kept."""

    def save(self, folder: str | Path) -> None:
        """Write config.json, weights.safetensors and, for `drift`, a summary of each column into `folder`.

        The data stay out of it.
        """
        self._check_fitted()
        tensors = {f"model.{name}": weights for name, weights in self.model_.weights().items()}
        learnt = self.preparation_
        fitted = {"spec": asdict(self.spec_), "ids": list(learnt.ids), "reading": learnt.reading}
        config = {"version": VERSION, "params": parameters.words(self.get_params(), strict=True), **fitted}
        if self.calibration_ is not None:
            config["calibration"], tensors = self.calibration_.table(), tensors | self.calibration_.tensors()
        facts, beside = self._kept()
        store.write(folder, config | facts, tensors | learnt.tensors(), beside)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a saved forecaster; give `predict` the history to forecast from.

        Raises:
            InputError: not a saved forecaster, a newer version's, or damaged.
        """
        config = (saved := store.opened(folder)).config
        store.check_holds(saved, store.MODEL)
        with rebuild.blaming(saved):
            self = cls(**rebuild.params(config))
            model_config, _ = self.configs()
            self.head_ = heads.build(self.quantiles, self._loss, config["spec"]["params"])
            prepared = self._unlearnt()
            prepared.remember(config["ids"], config["reading"])
            self.spec_ = rebuild.spec(config["spec"], self._task(prepared.reading, self.head_))
            sizes = prepared.shapes(self.spec_.channels, self.spec_.known, self.spec_.static)
            intervals = conformal.shapes(config.get("calibration"), self.spec_.horizon, self.spec_.targets)
            sizes |= intervals
            self.model_ = rebuild.build(self.model, model_config, self.spec_, rebuild.weights(saved.kinds, sizes))
        tensors = saved.tensors()
        with rebuild.blaming(saved):
            learnt = {name: tensors.pop(name) for name in sizes}
            self.calibration_ = conformal.restored(
                config.get("calibration"), {name: learnt.pop(name) for name in intervals}
            )
            self.preparation_ = prepared.restore(learnt)
            self.model_.set_weights({name.removeprefix("model."): weights for name, weights in tensors.items()})
            trial.on_zeros(self.model_)
            self._remember(saved)
        return self
