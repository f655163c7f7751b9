"""The command line's app: every file of this folder is a command."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from tsrnn import registry, spoken


class Command(TyperCommand):
    """A command whose refusals and notices name its own options."""

    def invoke(self, ctx: Any) -> Any:
        with spoken.command(dict(_options(self))):
            return super().invoke(ctx)


def _options(command: TyperCommand) -> Iterator[tuple[str, spoken.Option]]:
    """What Python calls each option, and what the command does."""
    for each in command.params:
        words = [word for word in each.opts if word.startswith("--")]
        if words:
            switch = bool(getattr(each, "is_flag", False))
            yield words[0].strip("-").replace("-", "_"), spoken.Option(words[0], bool(each.multiple), switch)


app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode="markdown")
for _name in registry.names("commands"):
    app.command(_name, cls=Command)(registry.load("commands", _name, "command").run)


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
