"""A window read in patches that may overlap: Nie et al. (2023), "A Time Series is Worth 64 Words", section 3.1.

The newest patch ends with the newest step; what is left over is among the oldest. A head that reads the outputs of all
patches at once (the paper's "flatten" head) gives every patch its own weights for every step of the forecast.
"""

from torch import Tensor, nn

from tsrnn.errors import InputError


class Patches(nn.Module):
    """Cut into patches and embed each: [row time width] -> [row step hidden], `steps` of them.

    Args:
        input_size: steps of the window.
        segment: steps of a patch, at most `input_size`.
        overlap: share of a patch that the next one reads again, at least 0 and below 1.
        width: numbers per step of the window.
        hidden: size of an embedding.

    Raises:
        InputError: an overlap out of its range.
    """

    def __init__(self, input_size: int, segment: int, overlap: float, width: int, hidden: int) -> None:
        super().__init__()
        if not 0 <= overlap < 1:
            raise InputError(f"overlap must be at least 0 and below 1, not {overlap}; 0.5 reads every step twice")
        self.segment = segment
        self.stride = max(1, round(segment * (1 - overlap)))
        self.steps = (input_size - segment) // self.stride + 1
        self.embed = nn.Linear(segment * width, hidden)

    def forward(self, sequence: Tensor) -> Tensor:
        """[row time width] -> [row step hidden]."""
        read = self.segment + (self.steps - 1) * self.stride
        cut = sequence[:, sequence.shape[1] - read :].unfold(1, self.segment, self.stride)  # [row step width segment]
        embedded: Tensor = self.embed(cut.flatten(2))
        return embedded


def flat_head(patches: Patches, hidden: int, outputs: int, dropout: float) -> nn.Sequential:
    """All patches' outputs to `outputs` numbers, through one linear map: [row step hidden] -> [row outputs]."""
    return nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(patches.steps * hidden, outputs))
