"""One thread, and the small frames that several tests share."""

import pytest
import torch
from small import long_frame, wide_frame

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def long():
    """Three hourly series: unique_id, ds, y."""
    return long_frame()


@pytest.fixture(scope="session")
def wide():
    """Two hourly channels: date, c0, c1."""
    return wide_frame()
