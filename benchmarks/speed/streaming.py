"""A step of a stream, of 1 and 1000 series: one new row each in, 24 steps of forecast out; and an exported step.

A windowed state reads the whole look-back at every step, a carried one the new row alone; a loop of single steps over
96 rows of 1000 series is what the machine can multiply, not what a stream costs.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from measuring import Row, at_most, one_thread, report, sides

from tsrnn import Forecaster

ROWS, HORIZON = 400, 24
MODELS: dict[str, dict[str, Any]] = {
    "nlinear, 96 rows": {"model": "nlinear", "input_size": 96},
    "gru in segments of 24, 96 rows": {"model": "gru", "input_size": 96, "segment": 24},
    "segrnn, 336 rows": {"model": "segrnn", "input_size": 336},
    "gru, 96 rows one by one": {"model": "gru", "input_size": 96, "centring": "none", "segment": 1},
    "gru, carried": {"model": "gru", "input_size": 96, "centring": "none", "segment": 1},
}


def world(series: int) -> pl.DataFrame:
    time = pl.datetime_range(datetime(2020, 1, 1), interval="1h", end=datetime(2021, 1, 1), eager=True).head(ROWS)
    generator, hour = np.random.default_rng(0), np.arange(ROWS) * 2 * np.pi / 24
    parts = [
        pl.DataFrame(
            {"unique_id": f"s{k:04}", "ds": time, "y": np.sin(hour + k) + 0.1 * generator.standard_normal(ROWS)}
        )
        for k in range(series)
    ]
    return pl.concat(parts)


def measure(repeats: str = "100", series: str = "1,1000", export: str = "yes") -> Iterable[Row]:
    one_thread()
    for count in map(int, series.split(",")):
        history = world(count)
        last = history.group_by("unique_id", maintain_order=True).tail(1)
        rows = last.with_columns(pl.col("ds").dt.offset_by("1h"))
        reach = {1: 1.0, 1000: 20.0}.get(count, np.inf)
        for name, options in MODELS.items():
            forecaster = Forecaster(**options, horizon=HORIZON, max_epochs=1, max_windows=64).fit(history)
            state = forecaster.warm_up(carry=name.endswith("carried"))
            calls = [partial(forecaster.step, each, state) for each in (rows, rows.select("y").to_numpy())]
            for kind, spent in zip(("frame", "array"), sides(*calls, repeats=int(repeats)), strict=True):
                yield at_most(f"step of {count} series, {name}, {kind}", 1e3 * spent, "ms", reach)
    if export == "yes":
        yield from exported(int(repeats))


def exported(repeats: int) -> Iterable[Row]:
    """One row of one series through a GRU of 64, in onnxruntime and in numpy."""
    import onnxruntime

    from tsrnn.stepper import Stepper

    history = world(1)
    forecaster = Forecaster(
        "gru", input_size=96, horizon=HORIZON, centring="none", segment=1, max_epochs=1, max_windows=64
    )
    state = forecaster.fit(history).warm_up(carry=True)
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        forecaster.export(out)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(out / "step.onnx", options)
        stepper = Stepper(out)
    assert state.hidden is not None
    row, hidden = np.ones((1, 1)), [[part.numpy() for part in layer] for layer in state.hidden]
    feeds = {"row": row, "state_0_h": hidden[0][0][:, None]}
    before = [tuple(layer) for layer in hidden]
    calls = [partial(session.run, None, feeds), partial(stepper.step, row, before)]
    for kind, spent in zip(("onnxruntime", "numpy"), sides(*calls, repeats=10 * repeats), strict=True):
        yield at_most(f"exported step, gru of 64, {kind}", 1e3 * spent, "ms", 0.05)


if __name__ == "__main__":
    counted = {"repeats": "calls of each kind", "series": "how many, separated by commas", "export": "yes or no"}
    report(__doc__, measure, **counted)
