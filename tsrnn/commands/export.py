"""tsrnn export: a saved model as ONNX graphs for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from tsrnn.commands._base.given import forecaster


def run(
    model: Annotated[Path, typer.Argument(help="A folder that `tsrnn fit` wrote.")],
    out: Annotated[Path, typer.Argument(help="Folder to write the graphs and their description into.")],
) -> None:
    """Write a saved model as ONNX, with a JSON that says what goes in and comes out (extra `export`)."""
    why = (
        "a graph makes a forecast of one window, and what other tasks say is put together of several, or drawn; "
        "run it in Python, with tsrnn.faces.load"
    )
    for name in forecaster(model, why).export(out):
        typer.echo(out / name)
