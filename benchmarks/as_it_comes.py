"""Models as they come on one data set, ours and neuralforecast's: python benchmarks/as_it_comes.py --models lstm,gru

Nothing is said but the look-back and the horizon. Each fit has a process of its own, one after the other, on as many
torch threads as there are cores; its wall and processor seconds are those of the fit alone, without imports, and on a
machine with other work the wall means little. Scores are of every window (stride 1) of the validation part in
standardised units, and with `--test` of the test part too. The rows of `tsrnn bench DATA --preset asis` are the same.

`--peers NHITS,LSTM` trains those models of neuralforecast on the same rows and horizon, look-back as ours, all else as
the library has it, and scores every window of the test part with the same mean and deviation. The library lives in a
virtual environment of its own, made by the first run, as for `benchmarks/speed/peers.py`.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from importlib import import_module, metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent
OURS = ("lstm", "gru", "segrnn", "seq2seq", "braid")
COLUMNS = ("model", "by", "wall s", "processor s", "epochs", "val MSE", "val MAE", "test MSE", "test MAE")


def ours(model: str, data: str, input_size: int, horizon: int, test: bool) -> dict[str, Any]:
    """Fit one of our models and score it: a line of the table."""
    tsrnn = import_module("tsrnn")
    forecaster, panel = (
        tsrnn.Forecaster(model, input_size=input_size, horizon=horizon, progress=False),
        tsrnn.load(data),
    )
    wall, processor = time.perf_counter(), time.process_time()
    forecaster.fit(panel, split="standard")
    spent = {"wall s": time.perf_counter() - wall, "processor s": time.process_time() - processor}
    parts = ("val", "test") if test else ("val",)
    scores = forecaster.scores(None, "standard", parts, ("mse", "mae"))
    measured = {f"{part} {name.upper()}": scores[part].values[name] for part in parts for name in ("mse", "mae")}
    return {"model": model, "by": "tsrnn", **spent, "epochs": forecaster.report_.epochs, **measured}


def theirs(model: str, file: str, input_size: int, horizon: int) -> dict[str, Any]:
    """Fit one of neuralforecast's models on a long frame and score the windows of the part that it names test."""
    np, pd = import_module("numpy"), import_module("pandas")
    kind = getattr(import_module("neuralforecast.models"), model)
    frame = pd.read_parquet(file)
    sizes = json.loads(Path(file).with_suffix(".json").read_text())
    made = kind(h=horizon, input_size=input_size)
    library = import_module("neuralforecast").NeuralForecast([made], freq=sizes["freq"])
    wall, processor = time.perf_counter(), time.process_time()
    forecasts = library.cross_validation(
        frame, n_windows=None, val_size=sizes["val"], test_size=sizes["test"], step_size=1, refit=False
    )
    spent = {"wall s": time.perf_counter() - wall, "processor s": time.process_time() - processor}
    scale = forecasts["unique_id"].map(sizes["scale"]).to_numpy(float)
    error = (forecasts[model].to_numpy(float) - forecasts["y"].to_numpy(float)) / scale
    measured = {"test MSE": float(np.mean(error**2)), "test MAE": float(np.mean(np.abs(error)))}
    return {
        "model": model,
        "by": "neuralforecast",
        **spent,
        "windows": len(forecasts) // sizes["series"] // horizon,
        **measured,
    }


def written(data: str, folder: Path) -> Path:
    """The rows of the standard split as a long frame in a file, and beside it what `theirs` must know of them."""
    tsrnn, split, np, pd = (import_module(name) for name in ("tsrnn", "tsrnn.split", "numpy", "pandas"))
    panel = tsrnn.load(data)
    arrays = panel.arrays()
    parts = split.standard(arrays, panel.split, panel.source)
    end, lengths = int(parts.test.end[0]), {part: int((cut.end - cut.begin)[0]) for part, cut in vars(parts).items()}
    names, frame = list(panel.roles.targets), panel.frame.head(end)
    times = frame[panel.roles.index].to_numpy()
    values = {name: frame[name].to_numpy() for name in names}
    long = [pd.DataFrame({"unique_id": name, "ds": times, "y": values[name]}) for name in names]
    scale = {name: float(np.std(values[name][: int(parts.train.end[0])])) for name in names}
    step = (times[1] - times[0]) // np.timedelta64(1, "s")
    known = {"freq": f"{step}s", "scale": scale, "series": len(names), **lengths}
    file = folder / "rows.parquet"
    pd.concat(long).to_parquet(file)
    file.with_suffix(".json").write_text(json.dumps(known))
    return file


def run(python: str | Path, call: str, at_home: bool) -> dict[str, Any]:
    """What a function of this script gives in a fresh process.

    Raises:
        SystemExit: it failed; with its last lines.
    """
    command = [python, "-c", f"import json, as_it_comes as this; print(); print(json.dumps(this.{call}))"]
    root = str(HERE.parent)
    variables = dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(HERE), root] if at_home else [str(HERE)])}
    with TemporaryDirectory() as folder:  # for what a peer leaves where it runs
        place = root if at_home else folder
        done = subprocess.run(command, capture_output=True, text=True, cwd=place, env=variables)
    if done.returncode:
        raise SystemExit(f"{call} failed:\n" + "\n".join(done.stderr.splitlines()[-15:]))
    line: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return line


def peer(folder: str | None) -> Path:
    """neuralforecast's interpreter."""
    sys.path.insert(0, str(HERE / "speed"))
    import platformdirs

    place = Path(folder) if folder else Path(platformdirs.user_cache_dir("tsrnn")) / "peers"
    torch = metadata.version("torch").partition("+")[0]
    interpreter: Path = import_module("peers").home("neuralforecast", place.absolute(), torch)
    return interpreter


def shown(line: dict[str, Any], as_json: bool) -> None:
    """One line of the table, as it is there."""
    if as_json:
        print(json.dumps(line), flush=True)
        return
    cells = [line.get(name, "") for name in COLUMNS]
    print("  ".join(f"{cell:.4f}" if isinstance(cell, float) else f"{cell!s:>14}" for cell in cells), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", default="ETTh1")
    parser.add_argument("--models", default=",".join(OURS), help="ours, separated by commas")
    parser.add_argument("--peers", default="", help="neuralforecast's, such as NHITS,LSTM,GRU; none by default")
    parser.add_argument("--ours", action="store_true", help="ours alone, also where --peers names some")
    parser.add_argument("--test", action="store_true", help="read the test part too")
    parser.add_argument("--input-size", type=int, default=336)
    parser.add_argument("--horizon", type=int, default=96)
    parser.add_argument("--folder", help="where the peers' environments are kept (the user's cache)")
    parser.add_argument("--json", action="store_true", help="a line of JSON per fit")
    given = parser.parse_args()
    task = f"{given.input_size}, {given.horizon}"
    if not given.json:
        print("  ".join(f"{name:>14}" for name in COLUMNS))
    for model in filter(None, given.models.split(",")):
        shown(run(sys.executable, f"ours({model!r}, {given.data!r}, {task}, {given.test})", True), given.json)
    wanted = [] if given.ours else [name for name in given.peers.split(",") if name]
    if wanted:
        python = peer(given.folder)
        with TemporaryDirectory() as folder:
            file = written(given.data, Path(folder))
            for model in wanted:
                shown(run(python, f"theirs({model!r}, {str(file)!r}, {task})", False), given.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
