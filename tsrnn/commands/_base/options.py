"""Options and arguments that several commands have: their types, and what `--help` says of them."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import typer

from tsrnn import catalog, registry


def _known(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """What a shell may complete a word to."""
    return lambda incomplete: [name for name in names() if name.startswith(incomplete)]


Data = Annotated[
    str,
    typer.Argument(
        help="A data set's name (see `tsrnn datasets`), a CSV, Parquet, Arrow, LAS, NetCDF or Zarr file, or a folder "
        "of logs or of tables.",
        autocompletion=_known(catalog.names),
    ),
]
Bench = Annotated[
    str,
    typer.Argument(
        help="A suite's name or TOML file, a data set's name (see `tsrnn datasets`), or a file of data.",
        autocompletion=_known(catalog.names),
    ),
]
Time = Annotated[str | None, typer.Option(help="Column of dates, counts or depths; found by itself if common.")]
Target = Annotated[
    list[str] | None, typer.Option(help="Column to forecast or to tell; repeat for several. Default: all numbers.")
]
Id = Annotated[str | None, typer.Option("--id", help="Column that tells series apart.")]
DateFormat = Annotated[
    str | None,
    typer.Option(
        help='How dates are written: "%d/%m/%Y", "epoch_s", "epoch_ms", "excel", "decimal_year"; "number": counts.'
    ),
]
Freq = Annotated[
    str | None,
    typer.Option(help='One step of the time column: "1h", "B", "MS", "dekad", 0.5... Default: what the rows keep.'),
]
Missing = Annotated[
    list[str] | None,
    typer.Option(help="Number or word that stands for a missing value, -9999 or T=-9999; repeat for several."),
]
Wind = Annotated[str | None, typer.Option(help="Columns of the wind's speed and direction, read as u and v: wv,wd.")]
Duplicates = Annotated[
    str | None, typer.Option(help='Of rows with one index value keep the "first" or the "last"; default: an error.')
]
Load = Annotated[
    list[str] | None,
    typer.Option(
        "--load",
        help="What is done with a file, as name=value: families=true, depth_unit=m, resample=0.5, clip=true, "
        "washout=true, sort=true, fill=6, maps=FOLDER; repeat for several.",
    ),
]
OfModels = typer.Option(help="A name from `tsrnn models`.", autocompletion=_known(lambda: registry.names("models")))
Model = Annotated[str, OfModels]
TaskName = Annotated[
    str | None,
    typer.Option(
        "--task",
        help="What is asked: ahead, a forecast (the default); along, a label or value of each row; whole, of each "
        "series; reconstruct, windows told again; detect, rows that stand out; generate, new sequences.",
        autocompletion=_known(lambda: registry.names("tasks")),
    ),
]
InputSize = Annotated[int, typer.Option(help="Look-back, in steps.")]
Horizon = Annotated[int, typer.Option(help="Steps to forecast.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Any option, as name=value; repeat for several.")]
Config = Annotated[Path | None, typer.Option(help="A TOML file of parameters, as `tsrnn tune` writes it.")]
OnShort = Annotated[
    str | None, typer.Option(help='Series too short to learn or forecast from: "error" (the default) or "skip" them.')
]
By = Annotated[
    str | None, typer.Option(help="Print measures by columns of the forecasts, such as lead, series or cutoff,model.")
]
On = Annotated[
    str,
    typer.Option(help="Where fits run: processes, here, ray (this machine's cores), or ray://HOST:PORT, a cluster."),
]
Need = Annotated[
    list[str] | None,
    typer.Option(help="On ray, what a fit takes besides its threads, as name=amount: gpu=0.5; repeat for several."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, to standard output.")]
