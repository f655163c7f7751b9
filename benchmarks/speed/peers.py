"""A training step of a two-layer LSTM and GRU beside neuralforecast's and darts', each through the library's own fit.

All sides get the same frame (one series of 17,420 hours) and train on 256 windows of 96 -> 96 a step, hidden size 128,
squared error, float32, without dropout, logger, checkpoints or validation between steps; two torch threads and the same
torch. A step is the median time from one optimizer step to the next: drawing the batch, forward, backward, update, and
what the trainer does between. Sides take turns, each in a fresh process; what the recurrent layers were given, and how
many weights they have, is checked to be the same. Freed pages are kept on all sides (`tsrnn.allocator`), which the
peers do not do by themselves: rows without a reach say what that does for them.

Each library keeps its decoder: neuralforecast's is a perceptron with one hidden layer of 128, darts' a linear map, both
from each output of the recurrent layers to one value; ours is a linear map from the last state to the whole horizon,
with the window's last day taken off and put back. Our update clips the gradient, as it does by default, and
neuralforecast's scaling of each window is off, since it would only cost time.

The peers live in virtual environments, one each, which the first run makes, both at once, and later ones find again.
pip's own settings say where it looks; the processor's build of torch is enough. A fit takes fewer steps where a step is
slow, and no lap but the first begins that would end later than `MINUTES` after the start.
"""

import json
import os
import runpy
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module, metadata
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measuring import Row, at_least, report

PINS = {"neuralforecast": "neuralforecast==3.3.0", "darts": "darts[torch]==0.48.1"}
REACHES = {"neuralforecast": 3, "darts": 4}
CELLS = ("lstm", "gru")
ROWS, PAST, AHEAD, BATCH, HIDDEN, LAYERS, THREADS = 17_420, 96, 96, 256, 128, 2, 2
SILENT = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
SECONDS, MINUTES = 8, 9  # of a fit, about; of the whole run
HERE = Path(__file__).parent
INSTALLED = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"

Fit = Callable[[str, int], object]  # cell, steps -> whatever the library's fit gives
Lap = dict[str, Any]  # cell -> {"seconds": of a step, "layers": what the recurrent layers were given}


def frame() -> Any:
    """One series with a daily and a weekly cycle and a drift, float32, in the columns that Nixtla's tools read."""
    np, pd = import_module("numpy"), import_module("pandas")
    hour = np.arange(ROWS)
    drift = np.random.default_rng(0).standard_normal(ROWS).cumsum() / 50
    values = np.sin(2 * np.pi * hour / 24) + 0.5 * np.sin(2 * np.pi * hour / 168) + drift
    times = pd.date_range("2016-07-01", periods=ROWS, freq="h")
    return pd.DataFrame({"unique_id": "one", "ds": times, "y": values.astype("float32")})


def with_tsrnn(cell: str, steps: int) -> object:
    made = import_module("tsrnn").Forecaster(
        cell,
        input_size=PAST,
        horizon=AHEAD,
        hidden_size=HIDDEN,
        num_layers=LAYERS,
        segment=1,
        dropout=0.0,
        loss="mse",
        averaging=0.0,
        batch_size=BATCH,
        max_epochs=1,
        max_windows=steps * BATCH,
        val_windows=BATCH,
    )
    return made.fit(frame())


def with_neuralforecast(cell: str, steps: int) -> object:
    models = import_module("neuralforecast.models")
    model = getattr(models, cell.upper())(
        h=AHEAD,
        input_size=PAST,
        encoder_n_layers=LAYERS,
        encoder_hidden_size=HIDDEN,
        recurrent=False,
        loss=import_module("neuralforecast.losses.pytorch").MSE(),
        scaler_type="identity",
        batch_size=1,
        windows_batch_size=BATCH,
        max_steps=steps,
        val_check_steps=steps,
        accelerator="cpu",
        devices=1,
        **SILENT,
    )
    return import_module("neuralforecast").NeuralForecast([model], freq="h").fit(frame())


def with_darts(cell: str, steps: int) -> object:
    model = import_module("darts.models").BlockRNNModel(
        input_chunk_length=PAST,
        output_chunk_length=AHEAD,
        model=cell.upper(),
        hidden_dim=HIDDEN,
        n_rnn_layers=LAYERS,
        batch_size=BATCH,
        n_epochs=1,
        pl_trainer_kwargs={"accelerator": "cpu", "devices": 1, "limit_train_batches": steps, **SILENT},
    )
    series = import_module("darts").TimeSeries.from_dataframe(frame(), "ds", "y")
    return model.fit(series, verbose=False)


SIDES: dict[str, Fit] = {"tsrnn": with_tsrnn, "neuralforecast": with_neuralforecast, "darts": with_darts}


def side(name: str, steps: int) -> None:
    """What a process of one side does: train each cell, and print a Lap as the last line."""
    import torch

    torch.set_num_threads(THREADS)
    runpy.run_path(str(HERE.parents[1] / "tsrnn" / "allocator.py"))["tune_allocator"]()  # the peers have no tsrnn
    print("\n" + json.dumps({cell: step(SIDES[name], cell, steps) for cell in CELLS}))


def step(fit: Fit, cell: str, steps: int) -> Lap:
    """Median seconds of a training step, the first tenth left out, and what the recurrent layers were given.

    `steps` are trained, or as many as take `SECONDS`, but three at least. `layers` lists [batch, time, channels, bytes
    of a number, recurrent and input weights], once each.
    """
    import torch
    from torch.nn.modules.module import register_module_forward_pre_hook

    layers: set[tuple[int, ...]] = set()

    def look(module: Any, given: tuple[Any, ...]) -> None:
        if type(module).__name__ not in ("LSTM", "GRU", "Recurrent") or not module.training:
            return
        if isinstance(given[0], torch.Tensor):  # neuralforecast's models are called LSTM and GRU too, but take a dict
            weights = sum(each.numel() for each in module.parameters() if each.ndim == 2)
            layers.add((*given[0].shape, given[0].element_size(), weights))

    with register_module_forward_pre_hook(look):
        (first,) = spans(fit, cell, 2)
    count = min(steps, max(3, int(SECONDS / first)))
    return {"seconds": statistics.median(spans(fit, cell, count)[count // 10 :]), "layers": sorted(layers)}


def spans(fit: Fit, cell: str, steps: int) -> list[float]:
    """Seconds from each optimizer step to the next."""
    from torch.optim.optimizer import register_optimizer_step_post_hook

    ticks: list[float] = []
    with register_optimizer_step_post_hook(lambda *_: ticks.append(time.perf_counter())):
        fit(cell, steps)
    if len(ticks) != steps:
        raise RuntimeError(f"{len(ticks)} steps were trained instead of {steps}")
    return [after - before for before, after in pairwise(ticks)]


def home(name: str, folder: Path, torch: str) -> Path:
    """The interpreter of a peer's environment, which is made where it is not there or holds other versions.

    Raises:
        SystemExit: pip cannot install it, or the folder holds something else; says which and why.
    """
    place = folder / name
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = [PINS[name].rpartition("==")[2], torch]
    if python.exists() and _versions(python, name) == wanted:
        return python
    if place.exists() and not (place / "pyvenv.cfg").exists():
        raise SystemExit(f"{place} is no virtual environment; give --folder one that is empty or not there yet")
    print(f"installing {PINS[name]} into {place}", file=sys.stderr)
    venv.create(place, clear=True, with_pip=True)
    words = ["-m", "pip", "install", "--quiet", PINS[name], f"torch=={torch}"]
    done = subprocess.run([python, *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(refusal(PINS[name], torch, done.stderr))
    return python


def refusal(pin: str, torch: str, said: str) -> str:
    """One sentence on why pip installed nothing, from what it wrote."""
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    cause = "it reaches no package index" if "connection broken" in said else "it says: " + (errors or ["nothing"])[-1]
    return f"pip cannot install {pin} with torch=={torch}: {cause}; give --folder one where the peers are installed"


def run(name: str, python: str | Path, steps: int, allocator: str = "tuned") -> Lap:
    """A Lap of one side in a fresh process.

    Raises:
        SystemExit: it failed; with its last lines.
    """
    variables = dict(os.environ) | {"OMP_NUM_THREADS": str(THREADS), "CUDA_VISIBLE_DEVICES": ""}
    variables |= {"TSRNN_ALLOCATOR": allocator, "PYTHONPATH": str(HERE)}
    command = [python, "-c", f"import peers; peers.side({name!r}, {steps})"]
    with TemporaryDirectory() as folder:  # for what a library leaves where it runs
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=variables)
    if done.returncode:
        raise SystemExit(f"the side of {name} failed:\n" + "\n".join(done.stderr.splitlines()[-15:]))
    found: Lap = json.loads(done.stdout.splitlines()[-1])
    return found


def rows(laps: list[dict[str, Lap]]) -> Iterable[Row]:
    """Medians over laps, each of which maps a side to its Lap.

    Raises:
        SystemExit: the sides did not train the same recurrent layers.
    """
    for cell in CELLS:
        trained = {name: lap[cell]["layers"] for name, lap in laps[0].items()}
        if any(layers != trained["tsrnn"] for layers in trained.values()):
            raise SystemExit(f"the sides did not train the same {cell.upper()}: {trained}")
        for name in trained:
            spent = statistics.median(lap[name][cell]["seconds"] for lap in laps)
            yield Row(f"{cell.upper()}, a step: {name}", 1e3 * spent, "ms")
        for name in [name for name in trained if name != "tsrnn"]:
            ratio = statistics.median(lap[name][cell]["seconds"] / lap["tsrnn"][cell]["seconds"] for lap in laps)
            what = f"{cell.upper()}: times faster than {name}"
            yield at_least(what, ratio, "x", REACHES[name]) if name in REACHES else Row(what, ratio, "x")


def measure(folder: str | None = None, steps: int = 50, laps: int = 3) -> Iterable[Row]:
    import platformdirs

    began = time.monotonic()
    place = Path(folder) if folder else Path(platformdirs.user_cache_dir("tsrnn")) / "peers"
    torch = metadata.version("torch").partition("+")[0]
    with ThreadPoolExecutor() as pool:
        peers = dict(zip(PINS, pool.map(lambda name: home(name, place.absolute(), torch), PINS), strict=True))
    ran: list[dict[str, Lap]] = []
    spent = 0.0  # by the longest lap
    while len(ran) < laps and (not ran or time.monotonic() + spent < began + 60 * MINUTES):
        lap_began = time.monotonic()
        lap = {"tsrnn": run("tsrnn", sys.executable, steps)}
        lap |= {name: run(name, python, steps) for name, python in peers.items()}
        lap |= {f"{name}, its allocator as it comes": run(name, peers[name], steps, "default") for name in peers}
        ran.append(lap)
        spent = max(spent, time.monotonic() - lap_began)
    yield Row("laps, of which these are medians", len(ran), "")
    yield from rows(ran)


def _versions(python: Path, name: str) -> list[str]:
    done = subprocess.run([python, "-c", INSTALLED, name, "torch"], capture_output=True, text=True)
    return [each.partition("+")[0] for each in done.stdout.split()]


if __name__ == "__main__":
    report(__doc__.partition("\n")[0], measure, folder="where the peers' environments are kept (the user's cache)")
