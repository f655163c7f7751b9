"""What every face shares: parameters kept as they were given, as scikit-learn's are, and read from a file."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from inspect import signature
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, Self, get_type_hints

from tsrnn import heads, masks, models, parameters
from tsrnn.conformal import Calibration
from tsrnn.errors import InputError, notice
from tsrnn.options import check_types
from tsrnn.panel import Panel
from tsrnn.prepare import Preparation
from tsrnn.shapes import Spec

OnShort = Literal["error", "skip"]


class Estimator:
    """A face keeps each argument of its constructor under that name, and what is left over in `options`.

    Attributes that end in `_` were learnt; `model_` is there once `fit` is through.
    """

    model: str | type
    input_size: int
    horizon: int
    quantiles: Sequence[float] | None
    loss: str
    val_size: float
    scaler: str
    scale_per_series: bool
    calendar: bool
    pad: bool
    masks: bool
    on_short: OnShort
    options: dict[str, Any]
    model_: models.Model
    head_: heads.Head
    spec_: Spec
    preparation_: Preparation
    panel_: Panel
    skipped_: dict[str, str]
    calibration_: Calibration | None = None
    split_: Any = None  # as `fit` got it
    fitted_with_: dict[str, Any] | None = None  # the parameters of the training, as plain values

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Every parameter as it was given."""
        return {**{name: getattr(self, name) for name in self._own()}, **self.options}

    def _own(self) -> list[str]:
        """The parameters that its constructor names."""
        return [name for name in vars(self) if not name.endswith("_") and name != "options"]

    def set_params(self, **params: Any) -> Self:
        """Change parameters, refusing names that are none; takes effect at the next `fit`."""
        known: Mapping[str, Any] = self.get_params()
        changed = {**known, **params}
        parameters.check(changed["model"], params, known)
        self.__init__(**changed)  # type: ignore[misc]  # the constructor only keeps what it gets
        return self

    def clone(self) -> Self:
        """An unfitted copy."""
        return type(self)(**self.get_params())

    @classmethod
    def from_toml(cls, path: str | Path, **changes: Any) -> Self:
        """One with the parameters in a TOML file, as `tsrnn tune` writes it; `changes` take precedence.

        Raises:
            InputError: the file cannot be read, or names no model, or not all that this face needs.
        """
        params = {**parameters.read_toml(path, named="model" in changes), **changes}
        needed = [name for name, each in signature(cls).parameters.items() if each.default is each.empty]
        if lacking := [name for name in needed if name not in params and name != "options"]:
            raise InputError(f"{path} names no {' and no '.join(lacking)}; add a line such as {lacking[0]} = 24")
        return cls(**params)

    def configs(self) -> tuple[Any, parameters.FitConfig]:
        """The model's Config and how to train it.

        Raises:
            InputError: a parameter is of another type or size than it takes, or none of the model's.
        """
        for name in ("input_size", "horizon"):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < 1:
                raise InputError(f"{name} must be a whole number of steps, at least 1, not {value!r}")
            if int(value) > models.MOST:
                raise InputError(f"{name} must be at most {models.MOST:,} steps, not {str(value)[:20]}")
        check_types(vars(self), get_type_hints(type(self).__init__))
        if not 0 < self.val_size < 1:
            raise InputError(f"val_size is a share between 0 and 1, not {self.val_size}")
        heads.build(self.quantiles, self.loss)
        models.check_task(self.model, "ahead")
        return parameters.sort(self.model, self.options, self._own())

    def fit(self, frame: Any, **roles: Any) -> Self:
        """Train on a frame, or a `Panel`."""
        raise NotImplementedError

    def forecast(self, panel: Panel, future: Any = None) -> Any:
        """What a panel's steps ahead will be, as a polars frame."""
        raise NotImplementedError

    @property
    def _levels(self) -> list[float]:
        """Of the quantiles, as they were given, and of calibrated intervals' ends."""
        asked = [] if self.quantiles is None else list(self.quantiles)
        ends = [] if self.calibration_ is None else self.calibration_.levels
        return asked + [level for level in ends if level not in asked]

    def _readable(self, panel: Panel, reads: frozenset[str]) -> Panel:
        """A panel whose covariates the model reads: those that a data set only offers are left out, and it is said.

        Raises:
            InputError: a covariate that the user named moves no forecast of the model.
        """
        name = models.find(self.model).name
        unread = [each for kind, names in panel.roles.covariates.items() if kind not in reads for each in names]
        if panel.offers and unread:
            said = f"{panel.source} offers {', '.join(unread)}, which model {name!r} cannot read: left out"
            notice(said)
            panel, unread = replace(panel, roles=panel.roles.reading(reads)), []
        unread += ["calendar=True"] if self.calendar and "known" not in reads else []
        if unread:
            them = "them" if len(unread) > 1 else "it"
            raise InputError(
                f"model {name!r} cannot read {', '.join(unread)}; leave {them} out, or take a model that "
                "`tsrnn models` says can"
            )
        return panel

    def _unlearnt(self) -> Preparation:
        padding = self.input_size - 1 if self.pad else 0
        return Preparation(self.scaler, self.scale_per_series, self.calendar, padding, self.horizon)

    def _told(self, reads: frozenset[str]) -> frozenset[str]:
        """Kinds of covariates beside which a model is told what was measured; one that reads the mask itself is not."""
        return reads if self.masks and "mask" not in reads else frozenset()

    def _task(self, reading: Mapping[str, Any], head: heads.Head) -> dict[str, Any]:
        """What the parameters and the columns alone say of the Spec."""
        targets = len(reading["targets"])
        sizes = {"input_size": int(self.input_size), "horizon": int(self.horizon)}
        told = masks.WIDTH * len(reading.get("holes", {}).get("channels", ()))
        columns = {"channels": targets + len(reading["past"]) + told, "targets": targets}
        return {**sizes, **columns, "params": head.params, "levels": head.levels, "loss": self._loss}

    @property
    def _loss(self) -> str:
        """Of the head: a naive point is trained by none, and stays as it is beside quantiles."""
        naive = issubclass(models.find(self.model).kind, models.Naive)
        return "mse" if naive and self.loss in heads.LOSSES else self.loss

    def _check_fitted(self) -> None:
        """Refuse to be asked before a fit, and with sizes that were changed behind it: a fit alone takes them."""
        if not hasattr(self, "model_"):
            name = type(self).__name__
            raise InputError(f"this {name} is not fitted; call fit first, or load a saved one")
        for name, learnt in self._sizes().items():
            if (asked := getattr(self, name)) != learnt:
                raise InputError(f"{name} was set to {asked!r} after a fit with {learnt}; fit again, or set it back")

    def _sizes(self) -> dict[str, int]:
        """The parameters that shape a model, as it was fitted with them."""
        spec = self.model_.spec
        return {"input_size": spec.input_size, **({"horizon": spec.horizon} if "horizon" in vars(self) else {})}

    @property
    def _free(self) -> frozenset[str]:
        """Parameters that no training needs: they may be changed behind a fit."""
        return frozenset({"on_short", "progress", "accelerator", "devices", "judging_steps"})

    def _check_unchanged(self, free: Collection[str] = ()) -> None:
        """Refuse to keep, or to tell, of a fit what it was not made with.

        Args:
            free: further parameters that may have been changed.

        Raises:
            InputError: names a parameter that was changed behind the fit.
        """
        if self.fitted_with_ is None:
            return
        for name, asked in self._effective().items():  # the model comes first, and what it alone knows behind it
            learnt = self.fitted_with_.get(name)
            if name not in self._free and name not in free and not _alike(asked, learnt):
                raise InputError(f"{name} was set to {asked!r} after a fit with {learnt!r}; fit again, or set it back")

    def _effective(self) -> dict[str, Any]:
        """Every parameter as a plain value, options that were not given by their defaults."""
        given = parameters.words(self.get_params())
        return given | {name: value for name, value in parameters.defaults(self.model).items() if name not in given}


def _alike(one: Any, other: Any) -> bool:
    """Whether two parameters are one; what cannot be compared is, where it is the same object."""
    try:
        return one is other or bool(one == other)
    except (TypeError, ValueError):
        return False
