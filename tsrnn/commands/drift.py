"""tsrnn drift: whether the world has moved away from what a saved model was trained on."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tsrnn.commands._base.given import asked_of, history
from tsrnn.commands._base.options import Data, Json, Load

FOUND = 3  # exit status


def run(
    model: Annotated[Path, typer.Argument(help="A folder that `tsrnn fit` wrote.")],
    data: Data,
    alpha: Annotated[float, typer.Option(help="Chance of a false alarm, in all nights together.")] = 0.05,
    out: Annotated[Path | None, typer.Option(help="CSV or Parquet file for the table of streams.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the evidence into this png, svg or pdf file.")] = None,
    load_: Load = None,
    json_: Json = False,
) -> None:
    """Look for drift in the rows after a model's training. Exit 0: none; 3: drift; 2: it could not be looked for.

    Give the file with every row since the fit, behind at least `input_size` older ones, each night: then the chance
    that a false alarm ever comes is alpha.
    """
    from tsrnn import faces
    from tsrnn.console import show, write

    fitted = asked_of(faces.load(model), model, "drift")
    drift = fitted.drift(history(data, load_, fitted), alpha=alpha)
    if picture is not None:
        drift.plot(picture)
    if out is not None:
        write(drift.table, out)
    told = drift.json()
    if json_:
        show(told, as_json=True)
    else:
        show([_short(row) for row in told["streams"]], as_json=False, caption="; ".join(drift.remarks))
        typer.echo(f"tsrnn: {drift}", err=True)
    if drift.found:
        raise typer.Exit(FOUND)


def _short(row: dict[str, Any]) -> dict[str, str]:
    """A row of the table in as many letters as can be read."""
    stream = f"{row['series']}: {row['column']}" if row["series"] != "frame" else row["column"]
    sizes = {name: "" if row[name] is None else f"{row[name]:.3g}" for name in ("shift", "ratio", "ks", "psi")}
    evidence = f"{row['evidence']:.3g} of {row['needed']:.3g}"
    return {"stream": f"{stream} ({row['kind']})", **sizes, "evidence": evidence, "drift": row["drift"]}
