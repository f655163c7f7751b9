"""The command line's app: every file of `tsrnn/commands` is a command, an error is one sentence."""

import io
import sys
import warnings
from typing import Annotated, Any

import typer

from tsrnn import registry
from tsrnn.errors import InputError, Notice

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
        with warnings.catch_warnings():
            _show_notices()
            app()
    except InputError as error:
        typer.echo(f"tsrnn: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _show_notices() -> None:
    """Print each notice once, as one line of standard error; other warnings are shown as they were."""
    before, shown = warnings.showwarning, set()

    def show(message: Warning | str, category: type[Warning], *where: Any) -> None:
        if not issubclass(category, Notice):
            before(message, category, *where)
        elif str(message) not in shown:
            shown.add(str(message))
            typer.echo(f"tsrnn: {message}", err=True)

    warnings.simplefilter("always", Notice)
    warnings.showwarning = show  # type: ignore[assignment]  # the places are handed on as they come


if __name__ == "__main__":
    main()
