"""tsrnn sample: new sequences by a saved generator."""

from pathlib import Path
from typing import Annotated

import typer

from tsrnn.commands._base.options import Json


def run(
    model: Annotated[Path, typer.Argument(help="A folder that `tsrnn fit --task generate` wrote.")],
    count: Annotated[int, typer.Option(help="Sequences to make.")] = 100,
    seed: Annotated[int, typer.Option(help="The same seed gives the same sequences.")] = 0,
    out: Annotated[Path | None, typer.Option(help="CSV or Parquet file; default: CSV on standard output.")] = None,
    json_: Json = False,
) -> None:
    """Make new sequences with a saved generator: which one, which step of it, and its channels."""
    from tsrnn import Generator
    from tsrnn.console import write

    generator = Generator.load(model)
    generator.library_ = "polars"  # whatever frame it learnt from
    write(generator.sample(count, seed=seed), out, as_json=json_)
