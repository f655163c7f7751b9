"""tsrnn cells: the shelf of recurrences."""

from tsrnn.commands._base import Json


def run(json_: Json = False) -> None:
    """List the cells by the names that recurrent models take as `cell`: what they are, their gates and states."""
    from tsrnn import cells
    from tsrnn.console import show
    from tsrnn.registry import about, names

    kinds = {name: cells.get(name) for name in names("cells")}
    rows = [
        {"name": name, "gates": list(kind.gates), "states": list(kind.states), "about": about("cells", name)}
        for name, kind in kinds.items()
    ]
    if json_:
        show(rows, as_json=True)
        return
    show([{**row, "gates": " ".join(row["gates"]), "states": " ".join(row["states"])} for row in rows], as_json=False)
