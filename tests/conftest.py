"""One thread, and the small frames that several tests share."""

import pytest
import torch
from small import LEVELS, QUICK, ROLES, covaried, long_frame, wide_frame

from tsrnn.forecaster import Forecaster

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def long():
    """Three hourly series: unique_id, ds, y."""
    return long_frame()


@pytest.fixture(scope="session")
def wide():
    """Two hourly channels: date, c0, c1."""
    return wide_frame()


@pytest.fixture(scope="session")
def fitted(long):
    """A small GRU with quantiles, trained on `long`; not to be changed."""
    return Forecaster("gru", **QUICK, quantiles=LEVELS).fit(long)


@pytest.fixture(scope="session")
def with_covariates():
    """A small GRU that reads the calendar and covariates of each kind; not to be changed."""
    return Forecaster("gru", **QUICK, calendar=True).fit(covaried(), **ROLES)
