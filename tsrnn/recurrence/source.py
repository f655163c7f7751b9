"""The C++ of a traced cell: its sizes and equations as macros, between two headers that all cells share."""

from functools import cache
from pathlib import Path

import torch

from tsrnn.recurrence.trace import Traced

REALS = {torch.float32: "float", torch.float64: "double"}
_HERE = Path(__file__).parent
_PLACES = {"d": "delta + # * n.Hp", "e": "carried + # * plane", "q": "gp + # * n.Hp"}  # of what gated_back adds


def source(traced: Traced, dtype: torch.dtype) -> str:
    """The C++ of a traced cell."""
    slots, states, count = traced.slots, range(traced.states), len(traced.parameters)
    inputs = [f"v i{k} = load(row + {k} * n.Hp + k);" for k in range(len(slots))]
    reads = [f"v s{k} = load(state + {k} * plane + k);" for k in states]
    reads += [f"v p{k} = load(parameters + {k} * n.Hp + k);" for k in range(count)]
    tape = [f"v {name} = load(tape + {k} * n.Hp + k);" for k, name in enumerate(traced.tape)]
    stores = [f"if (n.keep) store(tape + {k} * n.Hp + k, {name});" for k, name in enumerate(traced.tape)]
    stores += [f"store(following + {k} * plane + k, n{k});" for k in states]
    stores.append("store(output + k, y);")
    cotangents = [f"v g{k} = load(carried + {k} * plane + k);" for k in states]
    cotangents.append(f"v g{traced.states} = load(cotangent + k);")
    written = [f"store(delta + {k} * n.Hp + k, d{k});" for k in range(len(slots))]
    written += [f"store(carried + {k} * plane + k, e{k});" for k in states]
    written += [f"store(gp + {k} * n.Hp + k, load(gp + {k} * n.Hp + k) + q{k});" for k in range(count)]
    forward = " ".join([*inputs, *reads, traced.forward, *stores]).replace("\n", " ")
    backward = " ".join([*reads, *tape, *cotangents, traced.backward, *written]).replace("\n", " ")
    again = [f"store({_PLACES[name[0]]} + k, load({_PLACES[name[0]]} + k) + {name});" for name in traced.gated_adds]
    again = [text.replace("#", name[1:]) for text, name in zip(again, traced.gated_adds, strict=True)]
    gated = " ".join([*inputs, *reads, traced.gated, "store(made + k, g);"]).replace("\n", " ")
    gated_back = " ".join([*reads, *tape, "v gg = load(cotangent + k);", traced.gated_back, *again]).replace("\n", " ")
    kinds = [(slot.input, slot.recurrent, slot.second) for slot in slots]
    counts = {
        "SLOTS": len(slots),
        "SUMS": kinds.count((True, True, False)),
        "RECURRENT": kinds.count((False, True, False)),
        "INPUTS": kinds.count((True, False, False)),
        "SECOND_SUMS": kinds.count((True, True, True)),
        "SECOND_RECURRENT": kinds.count((False, True, True)),
        "STATES": len(states),
        "PARAMETERS": count,
        "TAPE": len(traced.tape),
    }
    return "\n".join(
        [
            f"#define REAL {REALS[dtype]}",
            f"#define SINGLE {int(dtype == torch.float32)}",
            *(f"#define {name} {number}" for name, number in counts.items()),
            text_of("kernel.hpp"),
            f"static const int SLOT_GATE[SLOTS] = {{{', '.join(str(slot.gate) for slot in slots)}}};",
            f"static const int SLOT_ROW[SLOTS] = {{{', '.join(str(slot.row) for slot in slots)}}};",
            f"#define FORWARD {forward}",
            f"#define BACKWARD {backward}",
            f"#define GATED {gated if traced.gated else ''}",
            f"#define GATED_BACK {gated_back if traced.gated else ''}",
            text_of("cell.hpp"),
            'extern "C" int lanes() { return LANES; }\n',
        ]
    )


@cache
def text_of(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
