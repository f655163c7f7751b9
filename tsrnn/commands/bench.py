"""tsrnn bench: a suite of models on one data set, on a board that fills as fits end."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tsrnn.commands._base.given import (
    at_least_one,
    benchmark,
    loading,
    numbers,
    options,
    resumable,
    roles,
    station,
    words,
)
from tsrnn.commands._base.options import (
    Bench,
    Config,
    DateFormat,
    Duplicates,
    Freq,
    Id,
    Json,
    Load,
    Missing,
    Need,
    On,
    Target,
    TaskName,
    Time,
    Wind,
)

if TYPE_CHECKING:
    from tsrnn.bench import Job
    from tsrnn.suites import Suite


def run(  # noqa: PLR0913  one parameter per option
    data: Bench,
    full: Annotated[bool, typer.Option(help="All horizons and seeds; hours instead of minutes.")] = False,
    preset: Annotated[str | None, typer.Option(help="quick, full, smoke, asis, or a suite's own.")] = None,
    models: Annotated[str | None, typer.Option(help="Names, separated by commas.")] = None,
    horizons: Annotated[str | None, typer.Option(help="Steps, separated by commas.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Numbers, separated by commas.")] = None,
    input_size: Annotated[int | None, typer.Option(help="One look-back for all models.")] = None,
    config: Config = None,
    out: Annotated[Path, typer.Option(help="Folder of result rows; rows that are there are not run again.")] = Path(
        "tsrnn-results"
    ),
    workers: Annotated[int | None, typer.Option(help="Fits side by side; default: as many as have cores.")] = None,
    threads: Annotated[int, typer.Option(help="Of each fit; last bits follow it, so rows say it.")] = 1,
    on: On = "processes",
    need: Need = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Fit nothing; list the fits with their numbers and ids, for --only.")
    ] = False,
    only: Annotated[
        str | None, typer.Option(help="These fits of --list alone, by number or id, separated by commas; no page.")
    ] = None,
    time: Time = None,
    target: Target = None,
    id: Id = None,
    date_format: DateFormat = None,
    freq: Freq = None,
    missing: Missing = None,
    wind: Wind = None,
    duplicates: Duplicates = None,
    load_: Load = None,
    task: TaskName = None,
    json_: Json = False,
) -> None:
    """Compare models on a data set or a suite (its name or TOML file), by the fair protocol, and print the board.

    A group of suites, such as competitions, is run one suite after the other; its board stands them side by side.
    """
    from tsrnn import bench, execute, spoken, suites
    from tsrnn.bench.screen import Screen
    from tsrnn.board import group
    from tsrnn.errors import InputError
    from tsrnn.execute import Outcome
    from tsrnn.suites.groups import members

    fits = (execute.cores() // max(1, threads) or 1) if workers is None and on == "processes" else workers
    place = execute.at(on, fits, options(need, "need"), threads)
    wishes = bench.Wishes(
        models=words(models, "models"),
        horizons=numbers(horizons, "horizons"),
        seeds=numbers(seeds, "seeds", least=0),
        input_size=at_least_one(input_size, "input-size"),
        config=config,
        threads=at_least_one(threads, "threads") or 1,
    )
    columns = roles(time, target, id, date_format=date_format, freq=freq) | station(missing, wind, duplicates)
    columns |= loading(load_)
    if full and preset not in (None, "full"):
        raise InputError(f"--full and --preset {preset} ask for two presets; leave one out")
    named, places = preset or ("full" if full else "quick"), members(data)
    if len(places) > 1 and (list_ or only is not None):
        raise InputError(f"--list and --only take one suite, and {data} is {', '.join(places)}; name one of them")
    found, outcomes = list[dict[str, Any]](), list[Outcome]()
    for each in places:
        source = suites.Source(benchmark(each), tuple(columns.items()), task)
        jobs = bench.plan(source, named, wishes)
        folder = out / source.name
        if list_:
            _listed(jobs, folder, json_)
            return
        if only is not None:
            jobs = bench.chosen(jobs, words(only))
        with resumable(), Screen(jobs, folder, place.workers, quiet=json_) as screen:
            outcomes += bench.run(jobs, folder, place, screen.finished, screen.waits)
        if only is None and any(folder.glob("*.csv")):  # none where every fit failed, which was said
            _pictured(jobs[0].source.suite, folder)
        found += screen.rows()
    failed = [outcome for outcome in outcomes if outcome.error]
    if json_:
        typer.echo(json.dumps(found, indent=2))
    elif len(places) > 1 and not failed:
        group.stored(data, [suites.find(each) for each in places], out, as_json=False)
    for outcome in failed if screen.live is not None else ():  # else each was told as it ended
        typer.echo(f"tsrnn: {' '.join(str(outcome.job).split())} failed: {spoken.worded(str(outcome.error))}", err=True)
    if failed:
        raise typer.Exit(2 if all(outcome.error_type == "InputError" for outcome in failed) else 1)


def _listed(jobs: Sequence["Job"], folder: Path, as_json: bool) -> None:
    """A line for each fit: its number and its id, which `--only` takes, whether its row is there, and what it is."""
    from tsrnn.bench import pending
    from tsrnn.errors import singular

    left = {job.key for job in pending(jobs, folder)}
    lines = [
        {"number": number, "id": job.stem, "done": job.key not in left, "fit": " ".join(str(job).split())}
        for number, job in enumerate(jobs)
    ]
    if as_json:
        typer.echo(json.dumps(lines, indent=2))
        return
    for line in lines:
        typer.echo(f"{line['number']:>5}  {line['id']:<34}  {'done' if line['done'] else '    '}  {line['fit']}")
    typer.echo(singular(f"tsrnn: {len(left)} of {len(jobs)} fits left to do, into {folder}"), err=True)


def _pictured(suite: "Suite", folder: Path) -> None:
    """The page and the picture beside the rows; what stands in their way is said, and the rows stay."""
    from tsrnn import page
    from tsrnn.console import wrote
    from tsrnn.errors import InputError

    try:
        wrote(*page.beside(suite, folder))
    except InputError as error:
        typer.echo(f"tsrnn: no page was written: {error}", err=True)
