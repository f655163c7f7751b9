"""The command line's app: every file of `tsrnn/commands` is a command, an error is one sentence."""

import io
import sys
from typing import Annotated

import typer

from tsrnn import registry
from tsrnn.errors import InputError

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


def main() -> None:
    """Entry point: exit 2 for what the user can mend, 1 for our own fault, 130 for Ctrl-C."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a board's ± must not end it on a terminal that has none
    try:
        app()
    except InputError as error:
        typer.echo(f"tsrnn: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


if __name__ == "__main__":
    main()
