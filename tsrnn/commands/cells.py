"""tsrnn cells: the shelf of recurrences."""

from inspect import cleandoc
from typing import Any

from tsrnn.commands._base.options import Json
from tsrnn.errors import InputError


def run(json_: Json = False) -> None:
    """List the cells by the names that recurrent models take as `cell`: what they are, their gates and states."""
    from tsrnn.console import show
    from tsrnn.registry import names

    rows = [_described(name, place) for name, place in names("cells").items()]
    if json_:
        show(rows, as_json=True)
        return
    show([{**row, "gates": " ".join(row["gates"]), "states": " ".join(row["states"])} for row in rows], as_json=False)


def _described(name: str, place: str) -> dict[str, Any]:
    """What a cell says of itself; of one that cannot be used, why."""
    from tsrnn import cells
    from tsrnn.registry import about, sentence

    try:
        kind = cells.get(name)
    except InputError as fault:
        return {"name": name, "gates": [], "states": [], "about": str(fault)}
    said = sentence(cleandoc(vars(kind).get("__doc__") or "")) if ":" in place else about("cells", name)
    return {"name": name, "gates": list(kind.gates), "states": list(kind.states), "about": said}
