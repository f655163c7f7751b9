"""SegRNN's forward pass the long way (Lin et al. 2023): each future segment steps its own copy of the final state, or
is embedded as the past was and moves the one state on. Without weights of its own the decoder is the encoder's cell."""

import torch
from torch import Tensor

from reference import gru, lstm, mutations, slstm

RUN = {"gru": gru.run, "lstm": lstm.run, "slstm": slstm.run, "mgu": mutations.TWINS["mgu"]}
FIRST = {"lstm": (0.0, 0.0), "slstm": (0.0, 0.0, 0.0, -torch.inf)}  # each part of the state before the first step


def run(x: Tensor, w: dict[str, Tensor], cell: str, segment: int, horizon: int, channel: int) -> Tensor:
    """One centred series x [time] of one channel -> forecast [horizon], still centred; no dropout, one layer.

    In parallel where there are embeddings of positions, else recurrent.
    """
    used = x[len(x) % segment :].view(-1, segment)
    sequence = torch.stack([_embedded(each, w) for each in used])
    state = tuple(x.new_full((sequence.shape[1],), first) for first in FIRST.get(cell, (0.0,)))
    encoder = _part(w, "encoder.cells.0.")
    decoder = _part(w, "decoder.") or encoder
    _, state = RUN[cell](sequence, encoder, state)
    pieces = []
    for k in range(-(-horizon // segment)):
        if "places.position" in w:
            place = w["places.position"][k]
            if "places.channel" in w:
                place = torch.cat([place, w["places.channel"][channel]])
            _, last = RUN[cell](place.unsqueeze(0), decoder, tuple(each.clone() for each in state))
        else:
            if k:
                _, state = RUN[cell](_embedded(pieces[-1], w).unsqueeze(0), decoder, state)
            last = state
        pieces.append(w["readout.1.weight"] @ last[0] + w["readout.1.bias"])
    return torch.cat(pieces)[:horizon]


def _embedded(values: Tensor, w: dict[str, Tensor]) -> Tensor:
    return torch.relu(w["embed.0.weight"] @ values + w["embed.0.bias"])


def _part(w: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): each for name, each in w.items() if name.startswith(prefix)}
