"""Pictures. The one door to matplotlib, which the extra `plot` installs."""

from tsrnn.plot.evidence import evidence
from tsrnn.plot.lags import by_lag
from tsrnn.plot.paths import forecast, forecaster
from tsrnn.plot.tracks import tracks

__all__ = ["by_lag", "evidence", "forecast", "forecaster", "tracks"]
