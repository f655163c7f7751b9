"""tsrnn leaderboard: stored result rows, read again: printed, as a page, or checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tsrnn.commands._base.given import at_least
from tsrnn.commands._base.options import Json
from tsrnn.errors import InputError

if TYPE_CHECKING:
    from tsrnn.suites import Suite

CHECK = "check"


def run(  # noqa: PLR0913  one parameter per option
    data: Annotated[
        str | None,
        typer.Argument(help="A suite's TOML file or a data set's name or file; none: ranks over all; or `check`."),
    ] = None,
    rows: Annotated[Path | None, typer.Argument(help="After `check`: the folder of rows to be checked.")] = None,
    out: Annotated[Path, typer.Option(help="Any folder of result rows.")] = Path("tsrnn-results"),
    published: Annotated[
        int | None,
        typer.Option(help="How many of other people's results to show, the best first; else 8, of a group all."),
    ] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Every two models: difference, interval, p.")] = False,
    by_series: Annotated[
        bool, typer.Option("--by-series", help="Each model by lead: mean over wells or stations, worst, behind whom.")
    ] = False,
    by_class: Annotated[
        bool,
        typer.Option("--by-class", help="Of labels: rows, precision, recall and F1 of each class."),
    ] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write the board as a page; a folder: a page of each data set, and of all.")
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Draw the board into this svg file.")] = None,
    forecast: Annotated[
        Path | None, typer.Option(help="Draw forecasts that lie beside the rows into this svg.")
    ] = None,
    rerun: Annotated[int, typer.Option(help="With `check`: run so many rows again, drawn at random.")] = 0,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, and nothing else, to standard output.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a table of Markdown.")] = False,
    json_: Json = False,
) -> None:
    """Print stored result rows again, with tie groups; or mean ranks over all data sets. Write them as a page.

    `tsrnn leaderboard check DIR` holds the rows of another person against the protocol, and exits with 2 where one does
    not keep it.
    """
    from tsrnn import suites
    from tsrnn.board import formats, group, text
    from tsrnn.board.own import asked
    from tsrnn.suites.groups import members

    at_least(0, published, "published")
    at_least(0, rerun, "rerun")
    if data == CHECK and rows is not None:
        _checked(rows, rerun, json_)
        return
    if data == CHECK and not (out / CHECK).exists():
        raise InputError("name the folder of rows to be checked: tsrnn leaderboard check DIR")
    if rows is not None or rerun:
        raise InputError(f"a second folder and --rerun go with `tsrnn leaderboard {CHECK} DIR`")
    if data is not None and len(several := members(data)) > 1:
        if any((html, svg, forecast, csv, markdown, by_series, by_class, compare)):
            raise InputError(
                f"{data} is a group of suites, whose board is printed alone, or as --json; name one of them"
            )
        group.stored(data, [suites.find(each) for each in several], out, json_, published)
        return
    others = text.OTHERS if published is None else published
    tables = {"--compare": compare, "--by-series": by_series, "--by-class": by_class}
    pictures = {"--html": html, "--svg": svg, "--forecast": forecast}
    _one_way(data, tables, {"--csv": csv, "--markdown": markdown}, pictures, json_)
    suite = None if data is None else asked(out, suites.find(data))
    if any((html, svg, forecast)):
        _written(suite, out, (html, svg, forecast), others)
    elif csv or markdown:
        formats.show(suite, out, others, as_csv=csv)
    elif suite is None:
        text.standings(out, as_json=json_)
    elif by_series:
        text.by_series(suite, out, as_json=json_)
    elif by_class:
        text.by_class(suite, out, as_json=json_)
    elif compare:
        text.compared(suite, out, as_json=json_)
    else:
        text.stored(suite, out, as_json=json_, others=others)


def _one_way(
    data: str | None, tables: Mapping[str, bool], texts: Mapping[str, bool], pictures: Mapping[str, Any], as_json: bool
) -> None:
    """Refuse options of which one alone could be followed; pictures go together, and tables are told as JSON, too."""
    asked = [word for word, wanted in {**tables, **texts}.items() if wanted]
    asked += [word for word, wanted in pictures.items() if wanted][:1]
    if as_json and any((*texts.values(), *pictures.values())):
        asked.append("--json")
    if len(asked) > 1:
        raise InputError(f"{asked[0]} and {asked[1]} are two ways to show a board; ask for one at a time")
    if data is None and any(tables.values()):
        raise InputError(f"{asked[0]} is of one board; name its data set")


def _written(
    suite: "Suite | None", out: Path, wanted: tuple[Path | None, Path | None, Path | None], published: int
) -> None:
    """The page and the pictures that were asked for; what was written is said on standard error."""
    from tsrnn import page
    from tsrnn.console import wrote

    html, svg, forecast = wanted
    made = []
    if suite is None and (svg or forecast):
        raise InputError("a picture is of one board; name its data set")
    if html is not None and html.suffix not in page.ENDINGS:
        made += page.site(out, html, suite, published)
    elif html is not None:
        made.append(page.write(suite, out, html, published))
    if suite is not None and svg is not None:
        made.append(page.picture(suite, out, svg, published))
    if suite is not None and forecast is not None:
        made.append(page.forecast(suite, out, forecast))
    for path in made:
        wrote(path)


def _checked(folder: Path, rerun: int, as_json: bool) -> None:
    """What is wrong with a folder of rows, one line each."""
    import json

    from tsrnn import submission

    found = submission.check(folder, rerun, lambda said: typer.echo(said, err=True))
    if as_json:
        typer.echo(json.dumps(found.plain(), indent=2))
    else:
        for line in found.lines():
            typer.echo(line)
    if found.faults:
        raise typer.Exit(2)
