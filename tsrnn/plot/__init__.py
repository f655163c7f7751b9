"""Pictures. The one door to matplotlib, which the extra `plot` installs."""

from tsrnn.plot.lags import by_lag

__all__ = ["by_lag"]
