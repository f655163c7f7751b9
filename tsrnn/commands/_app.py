"""The command line's app: every file of this folder is a command."""

from typing import Annotated

import typer

from tsrnn import registry

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="markdown")
for _name in registry.names("commands"):
    app.command(_name)(registry.load("commands", _name, "command").run)


def _version(wanted: bool) -> None:
    if wanted:
        from tsrnn.version import VERSION

        typer.echo(f"tsrnn {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Recurrent forecasting for sequences measured in the world."""
