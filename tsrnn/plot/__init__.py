"""Pictures. The one door to matplotlib, which the extra `plot` installs."""

from tsrnn.plot._base import check
from tsrnn.plot.answers import answers
from tsrnn.plot.evidence import evidence
from tsrnn.plot.lags import by_lag
from tsrnn.plot.likeness import likeness
from tsrnn.plot.logs import are_logs
from tsrnn.plot.losses import losses
from tsrnn.plot.paths import columns, forecast, forecaster, told
from tsrnn.plot.tracks import tracks

__all__ = [
    "answers",
    "are_logs",
    "by_lag",
    "check",
    "columns",
    "evidence",
    "forecast",
    "forecaster",
    "likeness",
    "losses",
    "told",
    "tracks",
]
