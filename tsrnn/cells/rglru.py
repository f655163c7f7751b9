"""The real-gated linear recurrent unit: De et al. (2024), "Griffin: Mixing Gated Linear Recurrences with Local
Attention for Efficient Language Models", arXiv 2402.19427, section 2.4.

The paper's input is as wide as the state and enters equation 4 as it is; here a linear map leads to that width.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tsrnn.cells._base import Gates, LinearCell

_SLOWEST, _FASTEST = 0.999, 0.9  # decays per step with the gate open, between which units start (section 2.4)
_LEAST = 1e-12  # of 1 - a^2: its root has no slope at zero


class RGLRU(LinearCell):
    """Recurrence gate, input gate and input, all from the input alone. The state is the output.

    Option `sharpness`: the paper's c. The parameter `rate` is the Λ of appendix A (eq. 6), log a = -c r softplus(Λ);
    section 2.4, where a is sigmoid(Λ), has its sign the other way round.
    """

    gates = ("r", "i", "u")
    options: ClassVar[dict[str, Any]] = {"sharpness": 8.0}
    sharpness: float

    def __init__(self, input_size: int, hidden_size: int, **options: Any) -> None:
        super().__init__(input_size, hidden_size, **options)
        decay = torch.empty(hidden_size).uniform_(_FASTEST, _SLOWEST)
        self.rate = nn.Parameter(torch.log(torch.expm1(-torch.log(decay) / self.sharpness)))

    def terms(self, x: Gates) -> tuple[Tensor, Tensor]:
        r = torch.sigmoid(x[0])  # [... hidden] (De et al. 2024, eq. 1)
        i = torch.sigmoid(x[1])  # [... hidden] (eq. 2)
        log_a = -self.sharpness * F.softplus(self.rate) * r  # [... hidden] (eq. 3, in log space: eq. 6)
        share = torch.sqrt(torch.clamp(-torch.expm1(2 * log_a), min=_LEAST))  # [... hidden] (eq. 4, its root)
        return torch.exp(log_a), share * (i * x[2])  # each [... hidden] (eq. 4)


CELL = RGLRU
