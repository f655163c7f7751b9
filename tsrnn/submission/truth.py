"""What the data and the suites say of a row: checksum, split, windows of the test; and the row run again."""

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from importlib.util import find_spec
from math import isclose, isnan, nan
from typing import Any

from tsrnn import bench, buffer, catalog, models, scale, split, suites, tasks, windows
from tsrnn.bench import Job, Source
from tsrnn.errors import InputError
from tsrnn.heads import LOSSES
from tsrnn.metrics import USUAL

_DRAWN, _SOLVED = 0.03, 1e-3  # how far a rerun may lie from the row: another machine draws other last bits
_STEP = " at step "
_OF_THE_TASK = ("roles", "split", "class", "task", "gaps")


class Truth:
    """What is known of data sets by name; each is read once."""

    def __init__(self) -> None:
        self._panel = cache(_opened)
        self._counted = cache(_count)

    def known(self, dataset: str) -> bool:
        """Whether a suite or a data set is called so here; else the rows are of somebody's own file, or suite."""
        return dataset in catalog.names() or suites.known(dataset)

    def at_hand(self, dataset: str) -> bool:
        """Whether the data can be read without a download."""
        if not self.known(dataset):
            return False
        place = suites.find(dataset).data
        if place not in catalog.names():
            return catalog.checksum(place) is not None
        reader = catalog.row(place).reader
        if reader in catalog.CARRIED:
            return find_spec(catalog.CARRIED[reader]) is not None
        return reader in catalog.MADE or catalog.find(catalog.row(place)) is not None

    def checksum(self, dataset: str) -> str | None:
        """Of the data; None where it is not known."""
        if not self.known(dataset):
            return None
        if self.at_hand(dataset):
            panel: Any = self._panel(dataset, "{}")[0]
            return str(panel.fingerprint)
        return catalog.checksum(suites.find(dataset).data)

    def split(self, dataset: str) -> Any:
        """What the suite says; None for the data set's own."""
        asked: Any = suites.find(dataset).split
        return None if asked is None or asked == "standard" else json.loads(json.dumps(asked))

    def online(self, dataset: str) -> bool | None:
        """Whether the suite's forecasts learn from what has come true; None of somebody's own."""
        return suites.find(dataset).online if self.known(dataset) else None

    def forecasts(self, row: Mapping[str, Any]) -> bool:
        """Whether a row is of forecasts, which mse and mae measure: as its suite says, or else the row.

        Of somebody's own suite, whose task no row says, a row without an mse is of none.
        """
        if not self.known(row["dataset"]) and "task" not in _config(row):
            return row["mse"] is not None and not isnan(row["mse"])
        try:
            return tasks.find(_source(row["dataset"], _config(row)).suite.task).forecasts
        except InputError:  # of a task that there is not: held to what most rows are
            return True

    def read_beside(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        """Measures that the row's board reads beside it, as `scores` calls them; none of somebody's own suite."""
        if not self.known(row["dataset"]):
            return ()
        try:
            suite = _source(row["dataset"], _config(row)).suite
        except InputError:  # of a task that there is not
            return ()
        if suite.leads:
            return tuple(_at(name, lead) for name in suite.measures for lead in suite.leads)
        return (
            tuple(name for name in suite.measures if name not in USUAL) if self.forecasts(row) else suite.measures[:1]
        )

    def has_model(self, name: str) -> bool:
        """Whether a model of that name can be made here."""
        try:
            return bool(models.find(name).word)
        except InputError:
            return False

    def may_stand(self, row: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
        """Whether a row's model keeps a closed form where no epoch does better: then seeds may be the same."""
        try:
            entry = models.find(row["model"])
            own = {each.name for each in fields(entry.config)} & config.keys()
            return entry.kind.stands_with(models.configure(row["model"], {name: config[name] for name in own}))
        except InputError:
            return False

    def windows(self, row: Mapping[str, Any], config: Mapping[str, Any]) -> int | None:
        """How many windows the test has; None where the data are not at hand, or cannot be read so."""
        dataset = row["dataset"]
        if not self.at_hand(dataset) or not self.forecasts(row) or config.get("pad"):
            return None
        roles = json.dumps(config.get("roles", {}), sort_keys=True)
        try:
            return self._counted(dataset, roles, row["fold"], row["input_size"], row["horizon"])
        except (InputError, KeyError, TypeError, ValueError):
            return None

    def can_run(self, row: Mapping[str, Any]) -> bool:
        """Whether a row can be made again here."""
        return self.at_hand(row["dataset"]) and self.has_model(row["model"])

    def again(self, row: Mapping[str, Any], stored: Mapping[str, float]) -> tuple[bool, str]:
        """Run a row again: whether it says the same, and what it says. `stored`: what `scores` finds beside it.

        Of a forecast mse and mae are compared, and what its board reads beside it; of labels all that lies there.
        """
        try:
            found = bench.measure(_job(row))
        except InputError as error:
            return False, f"it cannot be run again: {error}"
        made, said = scores(found.measures), {**stored}
        names = sorted(name for name in said if _STEP not in name)
        if self.forecasts(row):
            read = self.read_beside(row)
            names = [*USUAL, *(name for name in (*read, *map("val_{}".format, read)) if name in said)]
            made, said = made | {name: found.row[name] for name in USUAL}, said | {name: row[name] for name in USUAL}
        far = _DRAWN if row["epochs"] else _SOLVED
        same = all(isclose(made.get(name, nan), said[name], rel_tol=far) for name in names)
        same = same and found.row["windows"] == row["windows"]
        pairs = ", ".join(f"{name} {made.get(name, nan):.4f} where it says {said[name]:.4f}" for name in names)
        windows = f"{found.row['windows']} windows where it says {row['windows']}"
        return same, f"{pairs}, {windows}; {100 * far:g} % are allowed"


def scores(measures: Mapping[str, Any]) -> dict[str, float]:
    """Of the columns of measures that lie beside a row, those over all series: over all leads, and at each of them."""
    rows = zip(*(measures.get(name, ()) for name in ("measure", "series", "lead", "value")), strict=True)
    return {name if lead is None else _at(name, lead): value for name, series, lead, value in rows if series is None}


def _at(measure: str, lead: int) -> str:
    return f"{measure}{_STEP}{lead}"


def _source(dataset: str, config: Mapping[str, Any]) -> Source:
    """The suite with the roles and the task that a row's user named, as tuples where a command line makes them."""
    suite, roles = suites.find(dataset), config.get("roles", {})
    roles = roles if isinstance(roles, dict) else {}
    own = json.loads(json.dumps(dict(suite.roles)))
    named = {name: value for name, value in roles.items() if own.get(name) != value}
    task = config.get("task") if suite.usual else None
    values = task is not None and config.get("loss") in LOSSES
    return Source(dataset, tuple((name, _tupled(value)) for name, value in named.items()), task, values)


def _config(row: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(row["config"])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _opened(dataset: str, roles: str) -> tuple[Any, Mapping[str, Any]]:
    return bench.opened(_source(dataset, {"roles": json.loads(roles)}))


def _count(dataset: str, roles: str, fold: str, input_size: int, horizon: int) -> int:
    panel, splits = _opened(dataset, roles)
    arrays = panel.arrays()
    rule = splits[fold] if fold in splits else next(iter(splits.values()))
    rule = panel.split if rule == "standard" else rule
    parts = split.standard(arrays, rule, panel.source)
    laid = buffer.lay(arrays, scale.fit("none", arrays, parts.train), 0)
    return len(windows.cut(laid, parts.test, input_size, horizon))


def _job(row: Mapping[str, Any]) -> Job:
    config = json.loads(row["config"])
    return Job(
        _source(row["dataset"], config),
        row["sha256"],
        row["model"],
        row["horizon"],
        row["input_size"],
        row["seed"],
        {name: value for name, value in config.items() if name not in _OF_THE_TASK},
        row["track"],
        row["preset"] or "full",
        row["fold"] or "",
        row["threads"] or 1,
    )
