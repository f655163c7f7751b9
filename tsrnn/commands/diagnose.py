"""tsrnn diagnose: what a recurrence remembers, fresh or trained."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tsrnn import registry
from tsrnn.commands._base.given import at_least, forecaster, history, numbers, words
from tsrnn.commands._base.options import Json, Load
from tsrnn.errors import InputError, unknown


def run(
    model: Annotated[Path | None, typer.Argument(help="A folder that `tsrnn fit` wrote; none: cells by name.")] = None,
    data: Annotated[str | None, typer.Argument(help="What to look at it on: a data set's name or a file.")] = None,
    cells: Annotated[str, typer.Option(help="Names, separated by commas, or all.")] = "elman,lstm,gru",
    length: Annotated[str, typer.Option(help="Steps; several are separated by commas.")] = "100",
    updates: Annotated[int, typer.Option(help="Training steps of each cell; 0: fresh weights alone.")] = 300,
    out: Annotated[Path | None, typer.Option(help="Draw influence by lag into this png, svg or pdf file.")] = None,
    load_: Load = None,
    json_: Json = False,
) -> None:
    """Show how far back a recurrence feels its input, whether its gradients explode and what its gates forget."""
    from tsrnn import diagnose
    from tsrnn.console import sections, wrote

    at_least(0, updates, "updates")
    if model is None:
        settings = diagnose.Settings(updates=updates)
        diagnosis = diagnose.cells(_cells(cells), numbers(length, "length", least=2), settings)
    else:
        diagnosis = diagnose.model(*_fitted(model, data, load_))
    if out is not None:
        diagnose.draw(diagnosis, out)
        wrote(out)
    sections(diagnosis.records(), as_json=json_)


def _cells(text: str) -> list[str]:
    """Names of cells; "all" stands for every one."""
    known = list(registry.names("cells"))
    chosen = known if text == "all" else words(text)
    for name in chosen:
        if name not in known:
            raise unknown("cell", name, known)
    if not chosen:
        raise InputError("--cells takes names separated by commas, or all")
    return chosen


def _fitted(model: Path, data: str | None, load_: list[str] | None) -> tuple[Any, Any]:
    """A saved forecaster and the frame to look at it on."""
    if data is None:
        raise InputError(f"a saved model is looked at on data; name a data set or a file after {model}")
    fitted = forecaster(model, "what reaches a forecast is looked at; --cells looks at its cell alone")
    return fitted, history(data, load_, fitted)
