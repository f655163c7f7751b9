"""The C++ of a traced cell: a struct of its sizes and equations, one to a line, for the headers of all cells."""

import re
from collections.abc import Iterable, Mapping

import torch

from tsrnn.recurrence.build import SINGLE
from tsrnn.recurrence.trace import Traced

_NAME = re.compile(r"[a-z]+\d*")
_TEMPLATE = """\
#define SINGLE {single}
#include "cell_back.hpp"

namespace {{
struct Equations {{
{members}
}};
}}  // namespace

extern "C" int lanes() {{ return LANES; }}
extern "C" int forward(const void* given) {{
  return cell_forward<Equations>(*static_cast<const ForwardArguments*>(given));
}}
extern "C" int backward(const void* given) {{
  return cell_backward<Equations>(*static_cast<const BackwardArguments*>(given));
}}
"""


def source(traced: Traced, dtype: torch.dtype) -> str:
    """The C++ of a traced cell."""
    slots, states, parameters = range(len(traced.slots)), range(traced.states), range(len(traced.parameters))
    inputs = {f"i{k}": f"at.row + {k} * at.Hp" for k in slots}
    held = {f"s{k}": f"at.state + {k} * at.plane" for k in states}
    held |= {f"p{k}": f"at.parameters + {k} * at.Hp" for k in parameters}
    tape = {name: f"at.tape + {k} * at.Hp" for k, name in enumerate(traced.tape)}
    cotangents = {f"g{k}": f"at.carried + {k} * at.plane" for k in states} | {f"g{traced.states}": "at.cotangent"}
    into = {f"d{k}": f"at.delta + {k} * at.Hp" for k in slots} | {
        f"e{k}": f"at.carried + {k} * at.plane" for k in states
    }
    own = {f"q{k}": f"at.own + {k} * at.Hp" for k in parameters}

    ahead = [f"if (at.keep) {_stored(place, name)}" for name, place in tape.items()]
    ahead += [_stored(f"at.following + {k} * at.plane", f"n{k}") for k in states]
    behind = [_stored(place, name) for name, place in into.items()] + [
        _added(place, name) for name, place in own.items()
    ]
    functions = [
        _function("forward", "Ahead", inputs | held, traced.forward, [*ahead, _stored("at.output", "y")]),
        _function("backward", "Behind", held | tape | cotangents, traced.backward, behind),
    ]
    if traced.gated:
        added = [_added((into | own)[name], name) for name in traced.gated_adds]
        slope = {"gg": "at.cotangent"}
        functions += [
            _function("gated", "Ahead", inputs | held, traced.gated, [_stored("at.output", "g")]),
            _function("gated_back", "Behind", held | tape | slope, traced.gated_back, added),
        ]
    return _TEMPLATE.format(single=SINGLE[dtype], members="\n".join([*_sizes(traced), *functions]))


def _sizes(traced: Traced) -> list[str]:
    """How many there are of what, and where each slot's weights lie."""
    kinds = [(slot.input, slot.recurrent, slot.second) for slot in traced.slots]
    counts = {
        "SLOTS": len(kinds),
        "SUMS": kinds.count((True, True, False)),
        "RECURRENT": kinds.count((False, True, False)),
        "INPUTS": kinds.count((True, False, False)),
        "SECOND_SUMS": kinds.count((True, True, True)),
        "SECOND_RECURRENT": kinds.count((False, True, True)),
        "STATES": traced.states,
        "PARAMETERS": len(traced.parameters),
        "TAPE": len(traced.tape),
    }
    places = {"SLOT_GATE": [slot.gate for slot in traced.slots], "SLOT_ROW": [slot.row for slot in traced.slots]}
    tables = [f"{name}[] = {{{', '.join(map(str, numbers))}}}" for name, numbers in places.items()]
    return [f"  static constexpr int {text};" for text in (*(f"{k} = {n}" for k, n in counts.items()), *tables)]


def _function(name: str, place: str, reads: Mapping[str, str], body: str, writes: Iterable[str]) -> str:
    """Statements over one vector of hidden units, from `k` on, with what they read loaded before."""
    statements = [*body.splitlines(), *writes]
    used = set(_NAME.findall("\n".join(statements)))
    loads = [f"v {each} = load({at} + k);" for each, at in reads.items() if each in used]
    lines = "\n".join(f"    {line}" for line in [*loads, *statements])
    return f"\n  INLINE void {name}(const {place}& at, index_t k) {{\n{lines}\n  }}"


def _stored(place: str, name: str) -> str:
    return f"store({place} + k, {name});"


def _added(place: str, name: str) -> str:
    return f"store({place} + k, load({place} + k) + {name});"
