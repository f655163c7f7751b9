"""minGRU: Feng et al. (2024), "Were RNNs All We Needed?", arXiv 2410.01201, section 3.1.

These are the sequential equations, in which the candidate may have either sign; the paper's form in log space allows
positive ones only.
"""

import torch
from torch import Tensor

from tsrnn.cells._base import Gates, LinearCell


class MinGRU(LinearCell):
    """Update gate and candidate, both from the input alone. The state is the output."""

    gates = ("z", "n")

    def terms(self, x: Gates) -> tuple[Tensor, Tensor]:
        z = torch.sigmoid(x[0])  # [... hidden] (section 3.1.1)
        return 1 - z, z * x[1]  # each [... hidden] (section 3.1, h, with the candidate of 3.1.2)


CELL = MinGRU
