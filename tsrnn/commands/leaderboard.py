"""tsrnn leaderboard: stored result rows, read again."""

from pathlib import Path
from typing import Annotated

import typer

from tsrnn.commands._base import Json


def run(
    data: Annotated[
        str | None, typer.Argument(help="A suite's TOML file or a data set's name or file; none: ranks over all there.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Any folder of result rows.")] = Path("tsrnn-results"),
    published: Annotated[int, typer.Option(help="How many of other people's results to show, the best first.")] = 8,
    compare: Annotated[bool, typer.Option("--compare", help="Every two models: difference, interval, p.")] = False,
    by_series: Annotated[
        bool, typer.Option("--by-series", help="Each model by lead: mean over wells or stations, worst, behind whom.")
    ] = False,
    json_: Json = False,
) -> None:
    """Print stored result rows again, with tie groups; or mean ranks over all data sets."""
    from tsrnn import suites
    from tsrnn.board import text

    if data is None:
        text.standings(out, as_json=json_)
    elif by_series:
        text.by_series(suites.find(data), out, as_json=json_)
    elif compare:
        text.compared(suites.find(data), out, as_json=json_)
    else:
        text.stored(suites.find(data), out, as_json=json_, others=published)
