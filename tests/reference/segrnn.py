"""SegRNN's forward pass the long way (Lin et al. 2023, sec. 3): each future segment steps its own copy of the state."""

import torch
from torch import Tensor

from reference import gru, lstm

RUN = {"gru": gru.run, "lstm": lstm.run}


def run(x: Tensor, w: dict[str, Tensor], cell: str, segment: int, horizon: int, channel: int) -> Tensor:
    """One centred series x [time] of one channel -> forecast [horizon], still centred; no dropout, one layer."""
    used = x[len(x) % segment :].view(-1, segment)
    sequence = torch.stack([torch.relu(w["embed.0.weight"] @ each + w["embed.0.bias"]) for each in used])
    width = sequence.shape[1]
    state = tuple(x.new_zeros(width) for _ in range(2 if cell == "lstm" else 1))
    _, final = RUN[cell](sequence, _part(w, "encoder.cells.0."), state)
    pieces = []
    for k in range(-(-horizon // segment)):
        place = torch.cat([w["position"][k], w["channel"][channel]]) if "channel" in w else w["position"][k]
        output, _ = RUN[cell](place.unsqueeze(0), _part(w, "decoder."), tuple(each.clone() for each in final))
        pieces.append(w["readout.1.weight"] @ output[0] + w["readout.1.bias"])
    return torch.cat(pieces)[:horizon]


def _part(w: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): each for name, each in w.items() if name.startswith(prefix)}
