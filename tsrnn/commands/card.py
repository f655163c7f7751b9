"""tsrnn card: what a saved model is, how good, and what it is not for."""

from pathlib import Path
from typing import Annotated

import typer

from tsrnn.commands._base.given import asked_of, history
from tsrnn.commands._base.options import Json, Load


def run(
    model: Annotated[Path, typer.Argument(help="A folder that `tsrnn fit` wrote.")],
    data: Annotated[str | None, typer.Option(help="Measure on this data set's or file's rows, too.")] = None,
    load_: Load = None,
    json_: Json = False,
) -> None:
    """Print a saved model's card as Markdown, or as JSON."""
    from tsrnn import faces
    from tsrnn.card import dumped

    fitted = asked_of(faces.load(model), model, "card")
    card = fitted.card(None if data is None else history(data, load_, fitted))
    typer.echo(dumped(card) if json_ else str(card), nl=False)
