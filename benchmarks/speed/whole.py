"""Whole processes: import, fit 200 steps and predict beside neuralforecast and darts; load and predict.

An LSTM of one layer of 64, 336 -> 96, 200 steps of 64 windows of ETTh1's oil temperature (`TSRNN_DATA`), and one
forecast at the end of the series, through each library's own fit. A figure is the processor time of a process from its
start to its end, imports with it, all threads together; sides take turns, medians of `--laps`. Nobody validates.

Load and predict reads a saved model of ours and forecasts from a pandas frame of 2000 rows: seconds by the wall and by
the processor, and the most memory the process ever held, of which `import torch, pandas, polars` alone is shown beside.
The forecast of 1000 series comes after loading, and is warmed up.

The peers live in environments of their own, as for `peers.py`.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module, metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measuring import Row, at_most, report, seconds

PAST, AHEAD, HIDDEN, BATCH, STEPS = 336, 96, 64, 64, 200
ROWS, SERIES = 2000, 1000
SILENT = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
HERE = Path(__file__).parent
TRAINER = {"accelerator": "cpu", "devices": 1}


def read(file: str) -> Any:
    """Nixtla's columns."""
    table = import_module("pandas").read_csv(
        file, usecols=["date", "OT"], parse_dates=["date"], dtype={"OT": "float32"}
    )
    return table.rename(columns={"date": "ds", "OT": "y"}).assign(unique_id="one")


def with_tsrnn(file: str) -> Any:
    made = import_module("tsrnn").Forecaster(
        "lstm",
        input_size=PAST,
        horizon=AHEAD,
        hidden_size=HIDDEN,
        segment=1,
        dropout=0.0,
        batch_size=BATCH,
        max_epochs=1,
        max_windows=STEPS * BATCH,
        val_windows=1,
    )
    return made.fit(read(file)).predict()


def with_neuralforecast(file: str) -> Any:
    model = import_module("neuralforecast.models").LSTM(
        h=AHEAD,
        input_size=PAST,
        encoder_n_layers=1,
        encoder_hidden_size=HIDDEN,
        decoder_hidden_size=HIDDEN,
        batch_size=1,
        windows_batch_size=BATCH,
        max_steps=STEPS,
        val_check_steps=STEPS,
        **TRAINER,
        **SILENT,
    )
    library = import_module("neuralforecast").NeuralForecast([model], freq="h")
    library.fit(read(file))
    return library.predict()


def with_darts(file: str) -> Any:
    model = import_module("darts.models").BlockRNNModel(
        input_chunk_length=PAST,
        output_chunk_length=AHEAD,
        model="LSTM",
        hidden_dim=HIDDEN,
        n_rnn_layers=1,
        batch_size=BATCH,
        n_epochs=1,
        pl_trainer_kwargs={"limit_train_batches": STEPS, **TRAINER, **SILENT},
    )
    series = import_module("darts").TimeSeries.from_dataframe(read(file), "ds", "y")
    return model.fit(series, verbose=False).predict(AHEAD, verbose=False)


SIDES = {"tsrnn": with_tsrnn, "neuralforecast": with_neuralforecast, "darts": with_darts}


def side(name: str, file: str) -> None:
    """What a process of one side does."""
    forecast = SIDES[name](file)
    if len(forecast) != AHEAD:
        raise RuntimeError(f"{name} forecast {len(forecast)} steps instead of {AHEAD}")


def loaded(folder: str, file: str) -> None:
    """What a process that loads and predicts does."""
    forecaster = import_module("tsrnn").Forecaster.load(folder)
    forecaster.predict(read(file).tail(ROWS))


def many(folder: str, file: str) -> float:
    """Processor seconds of a forecast of `SERIES` series by a loaded model, the median of five after a first."""
    pd = import_module("pandas")
    forecaster, rows = import_module("tsrnn").Forecaster.load(folder), read(file).tail(PAST)
    frame = pd.concat([rows.assign(unique_id=f"s{place:04}") for place in range(SERIES)])
    forecaster.predict(frame)
    return statistics.median(seconds(lambda: forecaster.predict(frame), time.process_time) for _ in range(5))


def run(python: str | Path, code: str, at_home: bool = True) -> dict[str, Any]:
    """A fresh process: wall and processor seconds, MiB at its peak, and what it printed last.

    Raises:
        SystemExit: it failed; with its last lines.
    """
    root = [str(HERE.parents[1])] if at_home else []
    variables = dict(os.environ) | {"CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": os.pathsep.join([str(HERE), *root])}
    ending = "; import resource; print(); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with TemporaryDirectory() as folder:  # for what a library leaves where it runs
        done = subprocess.run([python, "-c", code + ending], capture_output=True, text=True, cwd=folder, env=variables)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{code} failed:\n" + "\n".join(done.stderr.splitlines()[-15:]))
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    *_, said, _, peak = ["", *done.stdout.splitlines()]
    return {"wall": wall, "processor": spent, "MiB": float(peak), "said": said}


def medians(laps: list[dict[str, Any]]) -> dict[str, float]:
    return {name: statistics.median(lap[name] for lap in laps) for name in ("wall", "processor", "MiB")}


def fits(peers: dict[str, Path], file: str, laps: int) -> Iterable[Row]:
    pythons = {"tsrnn": sys.executable, **peers}
    ran: dict[str, list[dict[str, Any]]] = {name: [] for name in pythons}
    for _ in range(laps):
        for name, python in pythons.items():
            code = f"import whole; whole.side({name!r}, {file!r})"
            ran[name].append(run(python, code, name == "tsrnn"))
    spent = {name: medians(each)["processor"] for name, each in ran.items()}
    least = min((spent[name] for name in peers), default=0.0)
    what = "fit {} steps and predict, whole process, processor: {}"
    for name, each in spent.items():
        if name == "tsrnn" and peers:
            yield at_most(what.format(STEPS, name), each, "s", round(least / 2, 2))
        else:
            yield Row(what.format(STEPS, name), each, "s")


def loads(folder: str, file: str, laps: int) -> Iterable[Row]:
    bare = medians([run(sys.executable, "import torch, pandas, polars") for _ in range(laps)])
    ours = medians([run(sys.executable, f"import whole; whole.loaded({folder!r}, {file!r})") for _ in range(laps)])
    yield Row("import torch, pandas, polars: processor", bare["processor"], "s")
    yield Row("the same: peak memory", bare["MiB"], "MiB")
    yield at_most("load and predict, whole process: wall", ours["wall"], "s", 2.5)
    yield at_most("load and predict, whole process: processor", ours["processor"], "s", 2.5)
    yield at_most("load and predict, whole process: peak memory", ours["MiB"], "MiB", 300)
    said = run(sys.executable, f"import whole; print(whole.many({folder!r}, {file!r}))")["said"]
    yield at_most(f"predict of {SERIES} series after load: processor", float(said), "s", 0.1)


def measure(folder: str | None = None, laps: str | int = 3, peers: str = "neuralforecast,darts") -> Iterable[Row]:
    import platformdirs
    from peers import home

    place = Path(folder) if folder else Path(platformdirs.user_cache_dir("tsrnn")) / "peers"
    torch, names = metadata.version("torch").partition("+")[0], [name for name in peers.split(",") if name]
    with ThreadPoolExecutor() as pool:
        pythons = dict(zip(names, pool.map(lambda name: home(name, place.absolute(), torch), names), strict=True))
    with TemporaryDirectory() as saved:
        file = saved + "/rows.csv"
        import_module("tsrnn").load("ETTh1").frame.write_csv(file)
        code = f"import whole, tsrnn; tsrnn.Forecaster('lstm', input_size={PAST}, horizon={AHEAD}, max_epochs=1, "
        run(sys.executable, code + f"max_windows=64).fit(whole.read({file!r})).save({saved + '/model'!r})")
        yield from loads(saved + "/model", file, int(laps))
        yield from fits(pythons, file, int(laps))


if __name__ == "__main__":
    options = {"laps": "of which the figures are medians (3)", "peers": "neuralforecast,darts"}
    report(__doc__.partition("\n")[0], measure, folder="where the peers' environments are kept", **options)
