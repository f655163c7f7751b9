"""A panel as a load forecaster meets it, ours and neuralforecast's in one run: python benchmarks/panel.py

200 hourly meters of four regions over 26 weeks, some of them younger, with stamps of a zone that changes its clocks,
empty cells and missing rows. Temperature and holidays are known ahead. Heating acts below 15 degrees in the morning and
the evening, cooling above 20 in the afternoon, a holiday takes the working hours away; how much differs by region. The
region is a text. What no forecast knows is noise that keeps 90 % of itself from hour to hour.

Both sides forecast the last seven days, a day ahead at every midnight (UTC), by one model trained on what was before.

    nMAE        sum of |error| over sum of |truth|, of the cells that were measured and that both sides forecast
    coverage    of 80 % intervals: ours calibrated on the last rows of the training, once (constant) or following the
                newest errors (adaptive); neuralforecast's are quantiles of its loss
    processor   seconds of fit, calibration and forecasts, without imports, all threads together

`naive` is the same hour a week before, `known` the world without its noise. `--back 1` leaves the last week away and
scores the one before it, on which settings were chosen. Calls are written as users of each library would write them;
neuralforecast lives in an environment of its own, as for `benchmarks/speed/peers.py`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
SERIES, WEEKS, WEEK, DAY = 200, 26, 168, 24
REGIONS = ("coast", "hills", "north", "south")
HEATING, COOLING, OFF = (1.2, 1.7, 2.0, 0.7), (0.8, 0.5, 0.4, 1.4), (0.5, 0.3, 0.45, 0.35)  # by region
NOISE, KEPT = 0.07, 0.9
REACH = "to reach: nMAE 0.075, coverage 0.78 to 0.82, 20 processor seconds"
CLOCKS = ("processor s", "wall s")
COLUMNS = ("nMAE", "coverage", *CLOCKS)
Tables = Iterator[tuple[str, pd.DataFrame | None]]  # kind of interval, forecasts; None: the fit alone is through
OURS = {"input_size": 72, "val_size": 0.05, "learning_rate": 3e-3}  # chosen for segrnn with `--back 1`
OURS |= {"batch_size": 64, "max_windows": 64 * 128, "max_epochs": 5, "val_windows": 1024}


def world(seed: int = 0) -> pd.DataFrame:
    """meter, time, load, temperature, holiday, region, and `known`: the load without noise; a row per hour."""
    rng = np.random.default_rng(seed)
    times = pd.date_range("2024-02-05", periods=WEEKS * WEEK, freq="h", tz="UTC").tz_convert("Europe/Berlin")
    clock, weekend = np.asarray(times.hour), np.asarray(times.day_of_week >= 5)
    free = np.isin((np.arange(len(times)) // DAY), holidays(rng))
    season = 11 - 8 * np.cos(2 * np.pi * (np.asarray(times.day_of_year) - 20) / 365)
    parts = []
    for region, name in enumerate(REGIONS):
        weather = season + 4.5 * wander(rng, len(times), 0.98) + 5 * np.cos(2 * np.pi * (clock - 15) / DAY)
        for _ in range(SERIES // len(REGIONS)):
            temperature = weather + 1.0 * wander(rng, len(times), 0.95)
            shape = profile(clock, weekend, free, temperature, region) * rng.uniform(0.95, 1.05)
            level = 10 ** rng.uniform(0, 3)
            noise = 1 + NOISE * wander(rng, len(times), KEPT)
            columns = {"temperature": temperature.round(1), "holiday": free.astype(float), "region": name}
            table = pd.DataFrame({"time": times, "load": level * shape * noise, **columns, "known": level * shape})
            table.insert(0, "meter", f"m{len(parts):03}")
            parts.append(holed(table, rng))
    return pd.concat(parts, ignore_index=True)


def profile(clock: Any, weekend: Any, free: Any, temperature: Any, region: int) -> Any:
    """Load of each hour where 1 is about the mean."""
    work = np.exp(-(((clock - 8 - region) / 2.5) ** 2)) + 0.8 * np.exp(-(((clock - 18) / 3) ** 2))
    home = np.isin(clock, (6, 7, 8, 17, 18, 19, 20, 21))
    heat = HEATING[region] * np.clip(15 - temperature, 0, None) / 15 * (0.4 + 0.6 * home)
    cold = COOLING[region] * np.clip(temperature - 20, 0, None) / 8 * ((clock >= 12) & (clock < 20))
    quiet = np.where(free, OFF[region] * 1.8, np.where(weekend, OFF[region], 0.0))
    return 0.6 + 0.7 * work * (1 - quiet) + heat + cold


def holidays(rng: np.random.Generator) -> Any:
    """Days counted from the first: about one in two weeks, and one in each of the last three."""
    days = WEEKS * 7
    return np.concatenate([rng.choice(days - 21, WEEKS // 2, replace=False), days - np.array([18, 10, 3])])


def wander(rng: np.random.Generator, rows: int, kept: float) -> Any:
    """Noise of deviation 1 that keeps a share of itself."""
    noise = rng.standard_normal(rows) * np.sqrt(1 - kept**2)
    for row in range(1, rows):
        noise[row] += kept * noise[row - 1]
    return noise


def holed(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A third starts later, up to half of the time; each has six outages of up to a day, every fifth a gap in rows."""
    rows = len(table)
    for begin in rng.integers(0, rows - DAY, 6):
        table.loc[begin : begin + rng.integers(2, DAY), "load"] = np.nan
    begin = rng.integers(0, rows // 2) if rng.uniform() < 1 / 3 else 0
    gap = rng.integers(rows // 2, rows - 6 * WEEK)
    keep = np.arange(rows) >= begin
    if rng.uniform() < 1 / 5:
        keep[gap : gap + rng.integers(2, 3 * DAY)] = False
    return table[keep]


def with_tsrnn(frame: pd.DataFrame, cutoff: pd.Timestamp, model: str) -> Tables:
    """What a user of tsrnn writes; once trained, a table of forecasts per kind of interval."""
    forecaster = import_module("tsrnn").Forecaster(model, horizon=DAY, scale_per_series=True, calendar=True, **OURS)
    roles = {"id": "meter", "time": "time", "target": "load", "static_covariates": "region"}
    forecaster.fit(frame[frame.time < cutoff], future_covariates=["temperature", "holiday"], **roles)
    yield "fit", None
    for kind in ("constant", "adaptive"):
        forecaster.calibrate(levels=[0.8], adaptive=kind == "adaptive")
        forecasts = forecaster.forecasts(frame[frame.time >= cutoff - pd.Timedelta(weeks=4)], every=DAY)
        forecasts = forecasts[forecasts["cutoff"] >= cutoff - pd.Timedelta(hours=1)]
        yield kind, forecasts.rename(columns={"q0.1": "low", "q0.9": "high"})


def with_neuralforecast(frame: pd.DataFrame, cutoff: pd.Timestamp, model: str) -> Tables:
    """What a user of neuralforecast writes: regular naive stamps, no holes, numbers in place of texts."""
    fill_gaps = import_module("utilsforecast.preprocessing").fill_gaps
    losses = import_module("neuralforecast.losses.pytorch")
    frame = frame.rename(columns={"meter": "unique_id", "time": "ds", "load": "y"})
    static = pd.get_dummies(
        frame.groupby("unique_id", as_index=False)["region"].first(), columns=["region"], dtype=float
    )
    frame["ds"] = frame["ds"].dt.tz_convert("UTC").dt.tz_localize(None)
    frame = fill_gaps(frame.drop(columns=["region", "known"]), freq="h")
    values = ["y", "temperature", "holiday"]
    frame[values] = frame.groupby("unique_id")[values].transform(lambda column: column.interpolate().bfill().ffill())
    local = frame["ds"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin").dt
    for name, turn in {"hour": local.hour / DAY, "day": local.day_of_week / 7}.items():
        frame[f"{name}_sin"], frame[f"{name}_cos"] = np.sin(2 * np.pi * turn), np.cos(2 * np.pi * turn)
    known = [name for name in frame.columns if name not in ("unique_id", "ds", "y")]
    made = getattr(import_module("neuralforecast.models"), model)(
        h=DAY,
        input_size=WEEK,
        futr_exog_list=known,
        stat_exog_list=[name for name in static.columns if name != "unique_id"],
        loss=losses.MQLoss(level=[80]),
        max_steps=500,
        accelerator="cpu",
    )
    library = import_module("neuralforecast").NeuralForecast([made], freq="h", local_scaler_type="standard")
    table = library.cross_validation(frame, static_df=static, n_windows=WEEK // DAY, step_size=DAY).reset_index()
    named = {f"{model}-median": "forecast", f"{model}-lo-80.0": "low", f"{model}-hi-80.0": "high"}
    table = table.rename(columns={"unique_id": "meter", "ds": "time", **named})
    for name in ("time", "cutoff"):
        table[name] = table[name].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")
    yield "quantiles", table


SIDES: dict[str, Callable[..., Tables]] = {"tsrnn": with_tsrnn, "neuralforecast": with_neuralforecast}


def side(name: str, model: str, file: str, folder: str) -> dict[str, dict[str, float]]:
    """What a process of one side does: seconds of each kind, the fit's with it; tables go into the folder."""
    import_module("tsrnn.fit" if name == "tsrnn" else "neuralforecast.models")
    frame = pd.read_parquet(file)
    cutoff = frame["time"].max() - pd.Timedelta(hours=WEEK - 1)
    spent: dict[str, dict[str, float]] = {}
    fitted, began = np.zeros(2), clocks()
    for kind, table in SIDES[name](frame, cutoff, model):
        lap = clocks() - began
        if table is None:
            fitted = lap
        else:
            columns = ["meter", "time", "cutoff", "forecast", "low", "high"]
            table[columns].to_parquet(Path(folder) / f"{name}-{model}-{kind}.parquet")
            spent[f"{name}-{model}-{kind}"] = dict(zip(CLOCKS, (fitted + lap).tolist(), strict=True))
        began = clocks()
    return spent


def clocks() -> Any:
    """By the processor and by the wall."""
    return np.array([time.process_time(), time.perf_counter()])


def run(python: str | Path, name: str, model: str, file: Path) -> dict[str, dict[str, float]]:
    """`side` in a fresh process.

    Raises:
        SystemExit: it failed; with its last lines.
    """
    words = ", ".join(repr(str(word)) for word in (name, model, file, file.parent))
    command = [python, "-c", f"import json, panel; print(); print(json.dumps(panel.side({words})))"]
    variables = dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(HERE)] + [str(HERE.parent)] * (name == "tsrnn"))}
    with TemporaryDirectory() as folder:  # for what a library leaves where it runs
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=variables)
    if done.returncode:
        raise SystemExit(f"the side of {name} failed:\n" + "\n".join(done.stderr.splitlines()[-15:]))
    spent: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return spent


def baselines(frame: pd.DataFrame) -> pd.DataFrame:
    """Measured cells of the last week: meter, time, load, `naive` and `known`."""
    before = frame[["meter", "time", "load"]].rename(columns={"load": "naive"})
    before["time"] += pd.Timedelta(weeks=1)
    last = frame[frame["time"] > frame["time"].max() - pd.Timedelta(weeks=1)].dropna(subset="load")
    return last.merge(before, on=["meter", "time"], how="left")


def nmae(table: pd.DataFrame, column: str) -> float:
    table = table.dropna(subset=column)
    return float((table[column] - table["load"]).abs().sum() / table["load"].abs().sum())


def lines(
    frame: pd.DataFrame, tables: dict[str, pd.DataFrame], spent: dict[str, dict[str, float]]
) -> list[dict[str, Any]]:
    """The table of results, of the cells that all sides forecast."""
    truth = baselines(frame)
    cells = truth[["meter", "time"]]
    for table in tables.values():
        cells = cells.merge(table[["meter", "time"]], on=["meter", "time"])
    truth = truth.merge(cells, on=["meter", "time"])
    said: list[dict[str, Any]] = [
        {"what": name, "cells": len(truth), "nMAE": nmae(truth, name)} for name in ("naive", "known")
    ]
    for name, table in tables.items():
        scored = truth.merge(table, on=["meter", "time"])
        inside = float(((scored["low"] <= scored["load"]) & (scored["load"] <= scored["high"])).mean())
        own = {"what": name, "cells": len(scored), "nMAE": nmae(scored, "forecast"), "coverage": inside}
        said.append(own | spent[name])
    return said


def shown(line: dict[str, Any]) -> str:
    words = [f"{line['what']:<32}", f"{line['cells']:>7}"]
    return "  ".join(words + [f"{line[name]:8.4g}" if name in line else " " * 8 for name in COLUMNS])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default="segrnn", help="ours, separated by commas")
    parser.add_argument("--peers", default="LSTM", help="neuralforecast's, separated by commas; none where empty")
    parser.add_argument("--back", type=int, default=0, help="weeks to leave away at the end")
    parser.add_argument("--seed", type=int, default=0, help="of the world")
    parser.add_argument("--folder", help="where the peers' environments are kept (the user's cache)")
    parser.add_argument("--json", action="store_true", help="a line of JSON per row")
    wish = parser.parse_args()
    frame = world(wish.seed)
    frame = frame[frame["time"] <= frame["time"].max() - pd.Timedelta(weeks=wish.back)]
    sides = [("tsrnn", model, sys.executable) for model in wish.models.split(",") if model]
    if wish.peers:
        sides += [
            ("neuralforecast", model, import_module("as_it_comes").peer(wish.folder)) for model in wish.peers.split(",")
        ]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows"
        frame.to_parquet(file)
        spent: dict[str, dict[str, float]] = {}
        for name, model, python in sides:
            spent |= run(python, name, model, file)
        tables = {path.stem: pd.read_parquet(path) for path in sorted(Path(folder).glob("*.parquet"))}
    if not wish.json:
        print(" " * 34 + "  cells  " + "  ".join(f"{name:>8}" for name in COLUMNS))
    for line in lines(frame, tables, spent):
        print(json.dumps(line) if wish.json else shown(line), flush=True)
    if not wish.json:
        print(REACH)
    return 0


if __name__ == "__main__":
    sys.exit(main())
