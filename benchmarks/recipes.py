"""Choose each model's recipe for a data set on validation: python benchmarks/recipes.py ETTh1

Every model of the `full` preset gets the same budget: as many trials of `tsrnn tune`, at one horizon, with the same
epochs and batches, each of at most as many minutes as `MINUTES` says; the first trial is what the preset says of it.
The test part is never read. Leaves `tsrnn/suites/recipes/DATASET/MODEL.toml`, which `tsrnn bench DATASET --full` takes
from then on, and every trial of the study in `benchmarks/studies/DATASET/MODEL.csv`. With `--input-size 96` both go to
a folder `L=96`, for the track of one look-back for all. A run that was stopped goes on.
"""

import argparse
import json
import math
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tsrnn import catalog, execute, files, models, parameters, suites, tune

HORIZON = 336  # recipes are chosen here and used at all horizons
METRIC = "mae"
MINUTES = {"ETTh1": 3.0, "ETTh2": 3.0, "weather": 6.0}  # of a trial, on one core; no limit elsewhere
LOOKBACKS = (336, 720)
RATE = 1e-3  # of ensembles, which try line-ups instead of rates
TRAINING = {
    "averaging": 0.998,
    "batch_size": 128,
    "max_epochs": 10,
    "patience": 3,
    "loss": "mse",
}  # where the preset is silent
_LONG = {"model": "braid", "skip": "sparse", "centring": "season", "dropout": 0.6}
_NEAR = {"model": "braid", "input_size": 336}
_OLS, _LINEAR = {"model": "ols", "input_size": 336}, {"model": "nlinear", "input_size": 336}
_SEQ2SEQ, _SEGRNN = {"model": "seq2seq", "input_size": 336, "segment": 24}, {"model": "segrnn"}
LINE_UPS = {  # what an ensemble may be made of
    "braid + ols": [_LONG, _OLS],
    "braid + nlinear": [_LONG, _LINEAR],
    "braid + seq2seq + ols": [_LONG, _SEQ2SEQ, _OLS],
    "braid + seq2seq + nlinear": [_LONG, _SEQ2SEQ, _LINEAR],
    "braid + segrnn + ols": [_LONG, _SEGRNN, _OLS],
    "braid + ols + nlinear": [_LONG, _OLS, _LINEAR],
    "two braids + ols": [_LONG, _NEAR, _OLS],
    "seq2seq + ols": [_SEQ2SEQ, _OLS],
}
_DLINEAR, _CYCLENET = {"model": "dlinear", "input_size": 336}, {"model": "cyclenet", "input_size": 336}
LIKED = {  # with those that validation likes best on ETTh1, tried late: no recipe comes of them
    "dlinear": [_DLINEAR],
    "cyclenet": [_CYCLENET],
    "dlinear + cyclenet": [_DLINEAR, _CYCLENET],
    "dlinear + seq2seq": [_DLINEAR, _SEQ2SEQ],
    "dlinear + braid": [_DLINEAR, _LONG],
    "cyclenet + seq2seq": [_CYCLENET, _SEQ2SEQ],
}
STUDIES = Path(__file__).parent / "studies"


@dataclass(frozen=True)
class Job:
    """One study."""

    dataset: str
    model: str
    trials: int
    store: Path
    input_size: int | None = None  # of the track of one look-back for all
    liked: bool = False  # try `LIKED`, and leave the recipe as it is

    @property
    def stem(self) -> str:
        """What the study's file is called."""
        return f"{self.model}-liked" if self.liked else self.model


def choose(job: Job) -> dict[str, Any]:
    """Run the study, write its recipe and its trials; the recipe."""
    start = suites.preset(job.dataset, "full", tuned=False).models[job.model]
    ranged = tune.ranges(job.model)
    kept = {name: value for name, value in start.items() if name not in {*ranged, "input_size"} - {*TRAINING}}
    sizes = LOOKBACKS if job.input_size is None else (job.input_size,)
    fixed: dict[str, Any] = {**TRAINING, **kept}
    if "max_steps" in kept:
        del fixed["max_epochs"]
    alternatives: dict[str, Any] = {}
    if job.model == "ensemble":
        fixed["learning_rate"], sizes, line_ups = RATE, sizes[-1:], LIKED if job.liked else LINE_UPS
        start = {name: value for name, value in start.items() if not job.liked}
        alternatives = {"members": {label: _within(each, sizes[0]) for label, each in line_ups.items()}}
    minutes = MINUTES.get(job.dataset, math.inf)
    asked = tune.Sweep(
        job.model, HORIZON, sizes, fixed, METRIC, start=start, alternatives=alternatives, minutes=minutes
    )
    track = "" if job.input_size is None else f"L={job.input_size}"
    name = "-".join(filter(None, [job.dataset, job.stem, str(HORIZON), track]))
    study = tune.run(catalog.load(job.dataset), asked, job.trials, tune.sqlite(job.store / f"{name}.sqlite3"), name)
    best = tune.best(study, asked)
    if not job.liked:
        parameters.write_toml(best, suites.home(job.dataset, job.input_size) / f"{job.model}.toml")
    tried = [{**each, "params": asked.resolved(each["params"])} for each in tune.trials(study)]
    write_trials(tried, STUDIES / job.dataset / track / f"{job.stem}.csv")
    return best


def _within(members: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """A line-up whose look-backs are at most the ensemble's own."""
    return [{**each, "input_size": min(each.get("input_size", most), most)} for each in members]


def write_trials(trials: list[dict[str, Any]], path: Path) -> None:
    """One line per trial, what was tried as JSON."""
    import polars as pl

    lines = [{**each, "params": json.dumps(each["params"])} for each in trials]
    files.replaced(path, pl.DataFrame(lines, infer_schema_length=None).write_csv)


def _has_options(model: str) -> bool:
    return bool(fields(models.find(model).config))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset")
    parser.add_argument("--models", help="names, separated by commas; all of the full preset that learn by default")
    parser.add_argument("--liked", action="store_true", help="of the ensemble: line-ups of validation's favourites")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--input-size", type=int, help="choose at this look-back alone")
    parser.add_argument("--workers", type=int, default=execute.cores())
    parser.add_argument("--store", type=Path, default=Path("tsrnn-results/studies"), help="folder of the studies")
    given = parser.parse_args()
    known = suites.preset(given.dataset, "full", tuned=False).models
    wanted = given.models.split(",") if given.models else [name for name in known if _has_options(name)]
    jobs = [Job(given.dataset, name, given.trials, given.store, given.input_size, given.liked) for name in wanted]

    def say(outcome: execute.Outcome) -> None:
        said = outcome.error or "{value:.4f} of {trials} trials in {seconds:.0f} s".format(**outcome.result["chosen"])
        print(f"{outcome.job.dataset} {outcome.job.model}: {said}", flush=True)

    outcomes = execute.run(choose, jobs, workers=given.workers, on_done=say)
    return int(any(outcome.error for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
