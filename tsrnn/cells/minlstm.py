"""minLSTM: Feng et al. (2024), "Were RNNs All We Needed?", arXiv 2410.01201, section 3.2.

These are the sequential equations, in which the candidate may have either sign; the paper's form in log space allows
positive ones only.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from tsrnn.cells._base import Gates, LinearCell


class MinLSTM(LinearCell):
    """Input gate, forget gate and candidate, all from the input alone. The state is the output.

    Option `forget_bias`: what the forget gate's bias starts from; None leaves it random.
    """

    gates = ("i", "f", "n")
    options: ClassVar[dict[str, Any]] = {"forget_bias": 1.0}
    forget_bias: float | None

    def reset_parameters(self) -> None:
        super().reset_parameters()
        self.start("f", self.forget_bias)

    def terms(self, x: Gates) -> tuple[Tensor, Tensor]:
        log_i, log_f = F.logsigmoid(x[0]), F.logsigmoid(x[1])  # each [... hidden] (section 3.2.1)
        f = torch.sigmoid(log_f - log_i)  # [... hidden] (section 3.2.3, f / (f + i), which may be 0 / 0)
        return f, (1 - f) * x[2]  # each [... hidden] (section 3.2.3)


CELL = MinLSTM
