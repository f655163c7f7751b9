"""The command line's app: every file of `tsrnn/commands` is a command, an error is one sentence."""

import sys

import typer

from tsrnn import registry
from tsrnn.errors import InputError

app = typer.Typer(
    help="Recurrent forecasting for sequences measured in the world.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
for _name in registry.names("commands"):
    app.command(_name)(registry.module("commands", _name, "command").run)


def main() -> None:
    """Entry point: exit 2 for what the user can mend, 1 for our own fault, 130 for Ctrl-C."""
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
