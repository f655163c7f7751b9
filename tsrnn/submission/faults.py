"""What is wrong with rows, in sentences: of one row alone, of several together, of what lies beside them."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf, isclose, isfinite
from pathlib import Path
from typing import Any

import polars as pl

from tsrnn.board import beside as tables
from tsrnn.board import rows as results
from tsrnn.errors import InputError, listed
from tsrnn.metrics import USUAL, averages
from tsrnn.submission.truth import Truth, scores

_SCORES = (*USUAL, *(f"val_{name}" for name in USUAL))
_ORIGIN = ("version", "commit", "torch", "hardware")
_TRACKS = (results.CHOSEN, results.AS_IT_COMES, results.ONLINE)
_ROUNDED = 0.05  # of a mean: windows are stored in half precision, and those with holes weigh less in it
NOT_SEEN = "no"  # what a row says of a model that had not read the data before its training


@dataclass(frozen=True)
class Said:
    """A place, and what there is to say of it."""

    where: str
    what: str


@dataclass(frozen=True)
class Row:
    """A row and where it stands."""

    where: str
    path: Path
    cells: dict[str, Any]

    @property
    def config(self) -> dict[str, Any]:
        """What is stored of the configuration; empty where it cannot be read."""
        try:
            found = json.loads(self.cells["config"])
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def key(self) -> tuple[Any, ...]:
        """`rows.KEY`, however the configuration is written."""
        cells = self.cells | {"config": json.dumps(self.config, sort_keys=True)}
        return tuple(cells[name] for name in results.KEY)


def of_row(row: Row, knows: Truth) -> list[Said]:
    """What is wrong with one row."""
    return [Said(row.where, what) for rule in _RULES for what in rule(row, knows)]


def remarks(row: Row, knows: Truth) -> list[Said]:
    """What a reader should know of a row, the same of all rows of its file."""
    found = []
    seen = row.cells["seen"]
    if not seen:
        found.append("does not say whether its model had read the data before (column `seen`: no, or what it read)")
    elif seen != NOT_SEEN:
        found.append(f"its model had read data before: {seen}")
    if not knows.known(name := row.cells["dataset"]):
        found.append(
            f"{name} is no data set of the catalogue and no suite of this version, but a file or a suite of somebody's "
            "own: its data, its split and how many windows its test has cannot be checked here, and no row of it can "
            "be run again; what is checked is each row by itself, and rows against one another"
        )
    elif not knows.at_hand(name):
        found.append(f"the data of {name} are not at hand: windows are compared among rows alone")
    if not knows.has_model(row.cells["model"]):
        found.append(f"{row.cells['model']} is no model of this version, and cannot be run again")
    return [Said(str(row.path), what) for what in found]


def _finite(row: Row, knows: Truth) -> Iterator[str]:
    if not knows.forecasts(row.cells):
        return
    for name in _SCORES:
        value = row.cells[name]
        if value is None or not isfinite(value) or value < 0:
            yield f"{name} is {'empty' if value is None else value}, which is no error"
    mse, mae = row.cells["mse"], row.cells["mae"]
    if mae**2 > mse * (1 + 1e-6):
        yield f"mae {mae:g} squared is more than mse {mse:g}, which no errors have"


def _complete(row: Row, knows: Truth) -> Iterator[str]:
    cells = row.cells
    sizes = ("horizon", "input_size") if knows.forecasts(cells) else ()
    for name in (*sizes, "windows"):
        if not cells[name] or cells[name] < 1:
            yield f"{name} is {'empty' if cells[name] is None else cells[name]}; it counts from 1"
    for name in ("parameters", "seconds"):
        if cells[name] is not None and not 0 <= cells[name] < inf:
            yield f"{name} is {cells[name]:g}, which is no cost"
    lacking = [name for name in _ORIGIN if not cells[name]]
    if lacking:
        yield f"{', '.join(lacking)} are empty, without which it cannot be made again"
    if not isinstance(_json(cells["config"]), dict):
        yield f"config is {cells['config']!r}, which is no object of JSON"
    if not _is_time(cells["finished"]):
        yield f"finished is {cells['finished']!r}, which is no time"
    if cells["model"] != row.path.stem:
        yield f"model is {cells['model']!r}, and the file is of {row.path.stem!r}"


def _of_these_data(row: Row, knows: Truth) -> Iterator[str]:
    known, said = knows.checksum(row.cells["dataset"]), row.cells["sha256"]
    if known is not None and said != known:
        yield f"its data have the checksum {said[:12]}, and those of {row.cells['dataset']} have {known[:12]}"


def _of_this_split(row: Row, knows: Truth) -> Iterator[str]:
    asked, said = knows.split(row.cells["dataset"]), row.config.get("split")
    said = None if said == "standard" else said
    if said != asked and knows.known(row.cells["dataset"]):
        board = f"{row.cells['dataset']} is split by {json.dumps(asked)}"
        yield f"it was split by {json.dumps(said)}, and {board}: its training may hold rows of the test"
    roles = row.config.get("roles", {})
    if not isinstance(roles, dict):
        yield f"its roles of columns are {json.dumps(roles)}, and must be named"
        return
    targets, ahead = ({*_several(roles.get(name))} for name in ("target", "future_covariates"))
    if shown := sorted(targets & ahead):
        yield f"the target {', '.join(shown)} is among its covariates known ahead: the model was shown the answer"


def _of_this_track(row: Row, knows: Truth) -> Iterator[str]:
    """Tracks are never mixed: a row of a wrong one would stand among others that knew less, or looked back less."""
    track, size, name = (row.cells[word] for word in ("track", "input_size", "dataset"))
    if track not in _TRACKS and track != f"L={size}":
        yield f"its track is {track!r}, and its look-back {size}; it is one of {listed((*_TRACKS, f'L={size}'))}"
    online = knows.online(name)
    if online is not None and online != (track == results.ONLINE):
        learns = "learn" if online else "learn nothing"
        yield f"its track is {track!r}, and forecasts of {name} {learns} from what came true: they are never mixed"


def _chosen_on_validation(row: Row, knows: Truth) -> Iterator[str]:
    pairs = [(row.cells[name], row.cells[f"val_{name}"]) for name in USUAL]
    if all(test is not None and test == val for test, val in pairs) and knows.forecasts(row.cells):
        yield "its errors on validation are those on the test to the last digit: it was chosen on the test"


def _every_window(row: Row, knows: Truth) -> Iterator[str]:
    expected, scored = knows.windows(row.cells, row.config), row.cells["windows"]
    if expected is not None and scored is not None and scored != expected:
        yield f"of {expected:,} windows of the test it scored {scored:,}: {_counted(scored, expected)}"


def _measured(row: Row, knows: Truth) -> Iterator[str]:
    """What mse and mae do not measure, the measures beside a row do."""
    try:
        found = tables.read(row.path.parent, "measures", results.stem(row.cells))
    except InputError:  # `beside` says it
        return
    none = found is None or found.is_empty()
    if none and not knows.forecasts(row.cells):
        yield "it is of no forecast, and no measures lie beside it: nothing says how good it is"
        return
    if found is not None and not found["value"].is_finite().all():
        yield "a measure that lies beside it is no finite number"
    there = scores({} if found is None else found.to_dict(as_series=False))
    if lacking := [name for name in knows.read_beside(row.cells) if name not in there]:
        yield f"its board reads {listed(lacking)} in the measures beside it, which say nothing of that"


_OF_DATA = (_of_these_data, _of_this_split, _of_this_track)
_RULES = (_finite, _complete, _measured, *_OF_DATA, _chosen_on_validation, _every_window)


def _counted(scored: int, expected: int) -> str:
    return "some were dropped" if scored < expected else "some are not of the test"


def together(rows: Sequence[Row], knows: Truth) -> list[Said]:
    """Keys that stand twice, fits counted as two seeds, and rows that scored fewer windows than others did."""
    found = list(_doubled(rows))
    found += _same_fit(rows, knows)
    scored: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        scored[tuple(row.cells[name] for name in ("dataset", "sha256", "horizon", "fold"))].append(row)
    for kin in scored.values():
        most = max(row.cells["windows"] or 0 for row in kin)
        for row in kin:
            if (row.cells["windows"] or most) < most:
                fewer = f"it scored {row.cells['windows']:,} windows, and others of that task scored {most:,}"
                found.append(Said(row.where, f"{fewer}: some were dropped"))
    return found


def _doubled(rows: Iterable[Row]) -> Iterator[Said]:
    first: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        if row.key in first:
            yield Said(
                row.where, f"it is the result of {first[row.key].where} again: same task, configuration and seed"
            )
        first.setdefault(row.key, row)


def _same_fit(rows: Iterable[Row], knows: Truth) -> Iterator[Said]:
    """A network that was trained from another seed never has the same errors, but where it may end where it began."""
    first: dict[tuple[Any, ...], Row] = {}
    place = results.KEY.index("seed")
    for row in rows:
        scores = tuple(row.cells[name] for name in _SCORES)
        if not row.cells["epochs"] or None in scores:
            continue
        key = (*row.key[:place], *row.key[place + 1 :], *scores)
        other = first.setdefault(key, row)
        if other.cells["seed"] != row.cells["seed"] and not knows.may_stand(row.cells, row.config):
            what = f"seed {row.cells['seed']} has the errors of seed {other.cells['seed']} to the last digit"
            yield Said(row.where, f"{what} ({other.where}): one fit was counted twice")


def beside(rows: Sequence[Row]) -> list[Said]:
    """Damaged files beside rows; losses of other windows than the row says, or of another mean than is said."""
    found = []
    for row in rows:
        lie = dict[str, pl.DataFrame | None]()
        for kind in tables.KINDS:
            try:
                lie[kind] = tables.read(row.path.parent, kind, results.stem(row.cells))
            except InputError as error:
                found.append(Said(row.where, str(error)))
        losses, measures = lie.get("windows"), lie.get("measures")
        if losses is None:
            continue
        if losses.height != row.cells["windows"]:
            found.append(
                Said(
                    row.where, f"{losses.height:,} losses of windows lie beside it, and it says {row.cells['windows']}"
                )
            )
        told = scores({} if measures is None else measures.to_dict(as_series=False))
        told |= {name: row.cells[name] for name in USUAL}
        for name in filter(averages, losses.columns):
            mean = losses[name].cast(pl.Float64).drop_nans().mean()
            if isinstance(mean, float) and name in told and not isclose(mean, told[name], rel_tol=_ROUNDED):
                what = f"{name} is {told[name]:g}, and the losses of its windows have the mean {mean:g}"
                found.append(Said(row.where, what))
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _is_time(text: str) -> bool:
    try:
        return bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def _several(names: Any) -> list[str]:
    return [] if names is None else [names] if isinstance(names, str) else list(names)
