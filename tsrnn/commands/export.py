"""tsrnn export: a saved model as ONNX graphs for other programs."""

from pathlib import Path
from typing import Annotated

import typer


def run(
    model: Annotated[Path, typer.Argument(help="A folder that `tsrnn fit` wrote.")],
    out: Annotated[Path, typer.Argument(help="Folder to write the graphs and their description into.")],
) -> None:
    """Write a saved model as ONNX, with a JSON that says what goes in and comes out (extra `export`)."""
    from tsrnn import Forecaster

    for name in Forecaster.load(model).export(out):
        typer.echo(out / name)
