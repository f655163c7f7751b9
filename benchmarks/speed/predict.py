"""`predict` of one series with a saved and loaded LSTM, 96 -> 96, from pandas and polars histories."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from measuring import Row, at_most, one_thread, report, sides

from tsrnn import Forecaster

ROWS = 2000


def measure(repeats: int = 200) -> Iterable[Row]:
    one_thread()
    time = pl.datetime_range(datetime(2020, 1, 1), interval="1h", end=datetime(2021, 1, 1), eager=True).head(ROWS)
    y = np.sin(np.arange(ROWS) * 2 * np.pi / 24) + 0.1 * np.random.default_rng(0).standard_normal(ROWS)
    history = pl.DataFrame({"ds": time, "y": y})
    with TemporaryDirectory() as folder:
        saved = Path(folder) / "model"
        Forecaster("lstm", input_size=96, horizon=96, segment=1, max_epochs=1, max_windows=64).fit(history).save(saved)
        model = Forecaster.load(saved)
    for rows in (96, ROWS):
        polars = history.head(rows)
        calls = [partial(model.predict, frame) for frame in (polars.to_pandas(), polars)]
        for kind, spent in zip(("pandas", "polars"), sides(*calls, repeats=repeats), strict=True):
            yield at_most(f"predict, {kind}, {rows} rows", 1e3 * spent, "ms", 5)


if __name__ == "__main__":
    report(__doc__, measure)
