"""How a frame becomes the numbers that a model reads: learnt once from the training rows, saved, read by every face.

frame --`read`--> Panel --`lay`--> Buffer
                    \\--`ahead`--> covariates of the steps to come
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import polars as pl

from tsrnn import buffer, ends, features, masks, recalled, refine, scale, split, stacked, transforms
from tsrnn import levels as words
from tsrnn.arrays import Arrays, Floats
from tsrnn.errors import InputError, listed, notice, quoted, unknown
from tsrnn.future import known_ahead
from tsrnn.panel import Panel
from tsrnn.reading import Reading
from tsrnn.scale import Affine
from tsrnn.steps import zone_of

_ALIKE = 1e-6  # share by which the values of a constant may differ


class Preparation:
    """What was learnt of a panel's columns and numbers.

    Args:
        scaler: as of `tsrnn.scale.fit`.
        scale_per_series: one location and scale per series instead of one for the whole panel.
        calendar: add calendar (or depth) features to the covariates known ahead.
        padding: unobserved rows in front of every stretch without a gap.
        horizon: steps to forecast, for which covariates known ahead are asked.

    After `fit`: `scaling` (loc, scale: [series channel]), `known` and `static` (loc, scale: [feature]; None where there
    are no such covariates), `ids` of the series in `scaling`, and `reading`, how the frame was read: `holes` in it are
    the channels, and the features known ahead, whose masks the model reads, and `zone` that of the calendar's clock.
    """

    def __init__(
        self, scaler: str, scale_per_series: bool = False, calendar: bool = False, padding: int = 0, horizon: int = 1
    ) -> None:
        self.scaler = scaler
        self.scale_per_series = scale_per_series
        self.calendar = calendar
        self.padding = padding
        self.horizon = horizon

    def fit(self, panel: Panel, arrays: Arrays, part: split.Part, told: Collection[str] = ()) -> Self:
        """Learn from the rows that a split calls training.

        Args:
            panel: where the numbers come from.
            arrays: its numbers, as `arrays` gives them.
            part: the training part.
            told: kinds of covariates beside which masks are told where there are holes: "past", "known".

        Raises:
            InputError: no scaler has that name.
        """
        self.reading = panel.reading | refine.kept(panel)
        self.scaling = scale.fit(self.scaler, transforms.logged(arrays, self.logs), part, self.scale_per_series)
        self.known = None if arrays.known is None else scale.fit_features(arrays.known, part)
        self.static = None if arrays.static is None else scale.fit_static(arrays.static, part)
        self.ids = arrays.ids
        if self.calendar:
            self.reading["zone"] = panel.zone or zone_of(panel.frame[panel.roles.index])
        channels = masks.groups_of(arrays) if "past" in told else ()
        empty = np.zeros(0) if arrays.known is None or "known" not in told else np.isnan(arrays.known).any(axis=0)
        known = np.flatnonzero(empty).tolist()
        if channels or known:
            self.reading |= {"holes": {"channels": channels, "known": known}}
        return self

    @property
    def logs(self) -> tuple[int, ...]:
        """Channels that are read by their logarithms."""
        return transforms.places(self.reading.get("transforms"), (*self.reading["targets"], *self.reading["past"]))

    @property
    def groups(self) -> masks.Groups:
        """Channels whose masks the model reads."""
        told: masks.Groups = self.reading.get("holes", {}).get("channels", ())
        return told

    @property
    def extra(self) -> dict[str, int]:
        """How many channels, and features known ahead, are masks."""
        holes = self.reading.get("holes", {"channels": (), "known": ()})
        return {"channels": masks.WIDTH * len(holes["channels"]), "known": len(holes["known"])}

    def read(self, frame: Any) -> Panel:
        """A frame or a reading with the roles, units and treatment of rows that the training's had; a panel as it is.

        Raises:
            InputError: a column is missing or cannot be used, rows keep another step, or it cannot be told what the
                clock of the training's calendar showed.
        """
        freq, levels = self.reading.get("freq"), words.plain(self.reading.get("levels"))
        panel = refine.in_roles(frame, self.reading) if isinstance(frame, Panel) else self._again(frame)
        panel = refine.in_units(panel, self.reading.get("units", {}))
        if panel.offers:  # covariates that nobody asked for, some of which the training may have left out
            kept: dict[str, Any] = {kind: tuple(self.reading[kind]) for kind in ("past", "future", "static")}
            panel = replace(panel, roles=replace(panel.roles, **kept))
        if panel.levels != levels:
            panel = replace(panel, levels=levels)
        panel = panel.transformed(self.reading.get("transforms"))
        if "zone" in self.reading:
            panel = _by_the_clock_of(self.reading["zone"], panel)
        self._say_what_is_out(panel, isinstance(frame, Panel))
        if freq is not None and not panel.rows_as_they_stand and (strides := ends.strides(panel, freq)):
            name, apart = next(iter(strides.items()))
            whose = f" of series {quoted(name)}" if len(panel.ids) > 1 else ""
            told = freq if isinstance(freq, str) else float(f"{freq:.6g}")
            mended = apart < 1 or "resample" in panel.loaded
            mend = f"load it with resample={told!r}" if mended else "give rows at that step"
            raise InputError(
                f"{panel.source}: rows{whose} are {apart:.3g} steps of the training's apart, which is {told}; "
                f"{mend}, or fit again on these"
            )
        return panel

    def _again(self, frame: Any) -> Panel:
        """A frame, or what a reader gave, read as the training's was."""
        if not isinstance(frame, Reading):
            return Panel.again(frame, self.reading)
        names = [name for kind in ("targets", "past", "future", "static") for name in self.reading[kind]]
        frame = refine.together(stacked.alone(frame, self.reading["id"]).spelt(names))
        return replace(Panel.again(frame.frame, self.reading, frame.source or "frame"), columns=frame.columns)

    def _say_what_is_out(self, panel: Panel, alone: bool) -> None:
        """Notice the first series that lacks a covariate which the training never missed; `alone`: or all of them."""
        told = {k for group in self.groups for k in group}
        names = (*panel.roles.targets, *panel.roles.past)
        known = [name for k, name in enumerate(names) if k not in told and k >= len(panel.roles.targets)]
        for series, lacking in ends.without_values(panel, known, alone).items():
            notice(
                f"{panel.source}: series {quoted(series)} holds no {listed(lacking)}, which no row of the training "
                "missed: the model reads the training's mean there; fit on series some of which lack it for one that "
                "learnt to miss it"
            )
            return

    def arrays(self, panel: Panel) -> Arrays:
        """A panel's numbers in its own units, with the features that the calendar gives."""
        return panel.arrays(features.calendar(panel, self.horizon)[0] if self.calendar else None)

    def lay(self, panel: Panel, arrays: Arrays | None = None, untold: bool = False) -> buffer.Buffer:
        """Every row as a model reads it: scaled, filled, with its covariates.

        Args:
            panel: of the training's roles.
            arrays: its numbers, where they are at hand from learning.
            untold: the target is to be told, and its column holds nothing that was measured.
        """
        learning = arrays is not None
        arrays = self.arrays(panel) if arrays is None else arrays
        known = self.features(arrays.known)
        static = _scaled(self.static, arrays.static, "of series")
        scaling = self.scaling_of(arrays)
        if not learning and not untold:
            _say_what_moves(transforms.logged(arrays, self.logs), scaling)
        laid = replace(arrays, known=known, static=static)
        return buffer.lay(laid, scaling, self.padding, self.groups, self.logs)

    def ahead(self, panel: Panel, future: Any, beyond: pl.DataFrame | None = None) -> Floats | None:
        """Covariates of the steps to forecast, scaled: [series*horizon feature]; None where the model reads none.

        `beyond`: rows after the history's last measured target, which may tell some.

        Raises:
            InputError: `future` is missing, or lacks a column or a step.
        """
        given = known_ahead(panel, future, self.horizon, beyond)
        parts = [] if given is None else [given]
        parts += [features.calendar(panel, self.horizon)[1]] if self.calendar else []
        if not parts or self.known is None:
            return None
        return self.features(np.concatenate(parts, 1))

    def features(self, known: Floats | None) -> Floats | None:
        """Covariates known ahead as the model reads them: scaled, 0 where empty, and masks: [row feature].

        Raises:
            InputError: they are more or fewer than the training's.
        """
        scaled = _scaled(self.known, known, "known ahead")
        holed = self.reading.get("holes", {}).get("known", ())
        if scaled is None or known is None or not len(holed):
            return scaled
        return np.concatenate([scaled, np.isnan(known[:, holed]).astype(np.float32)], 1)

    def placed(self, panel: Panel, covariates: bool) -> tuple[int, ...]:
        """Which features known ahead only tell where a row lies along the index; `covariates`: there are others.

        The place in a year, a depth or a count tells training's windows apart. Where there is no other covariate, hour
        and weekday have nothing to act on: what they do is the season, which models read themselves.
        """
        if not self.calendar or self.known is None:
            return ()
        count, last = features.placing(panel)
        total = self.known.loc.shape[-1]
        return tuple(range(total - (last if covariates or total > count else count), total))

    def tensors(self) -> dict[str, Floats]:
        """The learnt numbers by name, for a saved model."""
        affines = {"scale": self.scaling, "known": self.known, "static": self.static}
        pairs = [(name, affine) for name, affine in affines.items() if affine is not None]
        return {f"{name}.{part}": getattr(affine, part) for name, affine in pairs for part in ("loc", "scale")}

    def remember(self, ids: Any, reading: Any) -> Self:
        """How the training's frame was read, from a saved model.

        Raises:
            InputError: the ids are no text, the reading is none, or no scaler has that name.
        """
        if self.scaler not in scale.SCALERS:
            raise unknown("scaler", self.scaler, scale.SCALERS)
        self.ids, self.reading = recalled.ids(ids), recalled.reading(reading)
        return self

    def shapes(self, channels: int, known: int, static: int) -> dict[str, tuple[int, ...]]:
        """The shapes of `tensors` for so many channels, and features known ahead and of series."""
        channels, known = channels - self.extra["channels"], known - self.extra["known"]
        sides = {"scale": (len(self.ids), channels), "known": (known,), "static": (static,)}
        return {f"{name}.{part}": side for name, side in sides.items() if side[-1] for part in ("loc", "scale")}

    def restore(self, tensors: Mapping[str, Floats]) -> Self:
        """What `fit` learnt, from a saved model's `tensors`.

        Raises:
            InputError: a scale is below 0.
        """
        kinds = [name.removesuffix(".loc") for name in tensors if name.endswith(".loc")]
        affines = {kind: Affine(tensors[f"{kind}.loc"], tensors[f"{kind}.scale"]) for kind in kinds}
        for kind, affine in affines.items():
            if (affine.scale < 0).any():
                raise InputError(f"{kind}.scale must be at least 0")
        self.scaling, self.known, self.static = affines["scale"], affines.get("known"), affines.get("static")
        return self

    def scaling_of(self, arrays: Arrays) -> Affine:
        """The training's scaling for each series; a series it did not know is scaled by its own history."""
        if not self.scale_per_series:
            rows = np.zeros(len(arrays.ids), np.int64)
            return Affine(self.scaling.loc[rows], self.scaling.scale[rows])
        numbers = transforms.logged(arrays, self.logs)
        scaling = scale.fit(self.scaler, numbers, split.whole(arrays), per_series=True)
        place = {name: row for row, name in enumerate(self.ids)}
        strangers = [name for name in arrays.ids if name not in place]
        if strangers:
            notice(
                f"not in the training: series {listed(strangers)}, scaled by their own history; the model knows "
                f"{listed(self.ids)}"
            )
        for row, name in enumerate(arrays.ids):
            if name in place:
                scaling.loc[row], scaling.scale[row] = self.scaling.loc[place[name]], self.scaling.scale[place[name]]
        return scaling


def _by_the_clock_of(zone: str | None, panel: Panel) -> Panel:
    """The panel with its calendar read by the training's clock, whatever zone its own times are written in."""
    index = panel.frame[panel.roles.index]
    here = zone_of(index)
    if index.dtype.is_temporal() and (here is None) != (zone is None):
        here, there = ("no time zone" if each is None else f"the time zone {each}" for each in (here, zone))
        raise InputError(
            f"{panel.source}: column {quoted(index.name)} has {here} where the training's had {there}, and the "
            "calendar reads the clock; give both alike"
        )
    return panel if zone == panel.zone else replace(panel, zone=zone)


def _say_what_moves(arrays: Arrays, scaling: Affine) -> None:
    """A target that was constant where it was learnt is forecast as that constant, also where it is none here."""
    for row, channel in zip(*np.nonzero(scaling.scale[:, : arrays.targets] == 0), strict=True):
        first, last = arrays.offsets[row : row + 2]
        value, here = scaling.loc[row, channel], arrays.columns[channel][first:last]
        here = here[np.isfinite(here)]
        if not np.allclose(here, value, rtol=_ALIKE, atol=0):
            where = f"{arrays.names[channel]!r} of series {arrays.ids[row]!r}"
            notice(
                f"{where} was {value:g} wherever it was learnt and is said to be so, but holds other values here; "
                "fit again on rows in which it moves"
            )
            return


def _scaled(affine: Affine | None, values: Floats | None, kind: str) -> Floats | None:
    trained, here = (0 if each is None else each.shape[-1] for each in (affine.loc if affine else None, values))
    if trained != here:
        raise InputError(
            f"the frame gives {here} features {kind}, and the model was trained on {trained}; give a frame with the "
            "training's columns and step"
        )
    return None if affine is None else np.nan_to_num(affine.apply(values)).astype(np.float32)
