"""tsrnn datasets: what the catalogue knows."""

from tsrnn.commands._base.options import Json


def run(json_: Json = False) -> None:
    """List the data sets that are known by name, and where each is; `tsrnn bench` takes a suite's file too."""
    from tsrnn import catalog
    from tsrnn.console import show

    rows = []
    for name in catalog.names():
        row = catalog.row(name)
        package = catalog.CARRIED.get(row.reader)
        place = f"in the package {package} (extra boards)" if package else "simulated"
        if row.reader not in catalog.MADE and not package:
            place = str(catalog.find(row) or "to be downloaded")
        rows.append({"name": name, "rows": row.rows, "about": row.title, "licence": row.licence, "found": place})
    show(rows, as_json=json_)
