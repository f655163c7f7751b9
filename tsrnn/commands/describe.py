"""tsrnn describe: what is in a file, a folder of well logs or a data set, before anybody models it."""

from typing import Annotated, Any

import typer

from tsrnn.commands._base.given import dataset, loading, roles, station
from tsrnn.commands._base.options import Data, DateFormat, Duplicates, Freq, Id, Json, Load, Missing, Target, Time, Wind
from tsrnn.errors import InputError


def run(  # noqa: PLR0913  one parameter per option
    data: Data,
    by_series: Annotated[bool, typer.Option("--each", help="A row per series and column, with its gaps.")] = False,
    families: Annotated[
        str | None, typer.Option(help='Name curves by family: "default", or a TOML file as `tsrnn.families` reads it.')
    ] = None,
    resample: Annotated[str | None, typer.Option(help='Bring all series to one step: 0.5, "1h"...')] = None,
    depth_unit: Annotated[str | None, typer.Option(help='Bring the depths of all wells to it: "m" or "ft".')] = None,
    time: Time = None,
    target: Target = None,
    id: Id = None,
    date_format: DateFormat = None,
    freq: Freq = None,
    missing: Missing = None,
    wind: Wind = None,
    duplicates: Duplicates = None,
    load_: Load = None,
    json_: Json = False,
) -> None:
    """Show series and columns: coverage, gaps, ranges, units, steps, and what was met on the way."""
    from tsrnn import describe, load, spoken
    from tsrnn.console import sections

    asked: dict[str, Any] = roles(time, target, id, date_format=date_format, freq=freq)
    asked |= station(missing, wind, duplicates) | loading(load_)
    for word, value in (("families", families), ("depth_unit", depth_unit), ("resample", resample)):
        if value is not None and word in asked:
            raise InputError(f"--{word.replace('_', '-')} and --load {word}= ask for one thing twice; leave one out")
    if families is not None:
        asked["families"] = True if families == "default" else families
    if depth_unit is not None:
        asked["depth_unit"] = depth_unit
    if resample is not None:
        asked["resample"] = roles(None, None, None, freq=resample)["freq"]
    if len(target or ()) == 1:
        asked["labels"] = True  # if it holds words, they are what is told of
    tables = describe.content(load(dataset(data), **asked))
    if not json_:
        tables["notes"] = [{**note, "what": spoken.worded(note["what"])} for note in tables["notes"]]
        tables = describe.told(tables, by_series)
    sections(tables, as_json=json_)
