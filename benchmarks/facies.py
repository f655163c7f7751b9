"""The picture of docs/guide/labels.md: rocks of 31/2-10 as interpreted and as told: python benchmarks/facies.py

Trains `bigru` for two epochs on 12 wells of FORCE 2020 (one validates) by the recipe of the suite, in minutes,
and draws what it says of the well that was held out beside its curves.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import polars as pl
from PIL import Image

from tsrnn import bench, faces, plot, suites
from tsrnn.panel import Panel
from tsrnn.tagger import Tagger

WELL = "31/2-10"
PICTURE = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "facies.png"
DEPTHS, WIDTH = (440.0, 1840.0), 1150  # metres with labels, pixels
CURVES = ("GR", "RDEP", "RMED", "RHOB", "NPHI", "DTC")
SHOWN = {"65000.0": "shale", "30000.0": "sandstone", "65030.0": "sandy shale"}  # rocks whose probabilities are drawn


def told(epochs: int) -> tuple[Panel, pl.DataFrame]:
    """The panel, and what a tagger that has not seen the well says of its rows."""
    panel, splits = bench.opened(bench.Source("force2020-facies-blind"))
    params = suites.recipe("force2020-facies", "bigru")
    tagger = Tagger(**{**params, "max_epochs": epochs, "random_state": 0, "progress": True, **faces.comparing("along")})
    tagger.fit(panel, split=next(iter(splits.values())))
    blind = replace(panel, frame=panel.frame.filter(pl.col(panel.roles.id) == WELL))
    return panel, tagger.predict(blind)


def beside(panel: Panel, answer: pl.DataFrame) -> pl.DataFrame:
    """The well's curves, the interpreter's rocks, the told ones, and the probabilities of some."""
    target, keys = panel.roles.targets[0], [panel.roles.id, panel.roles.index]
    rows = panel.frame.filter(pl.col(panel.roles.id) == WELL)
    short = {target: "told", **{f"{target}_p_{code}": f"rock_p_{rock}" for code, rock in SHOWN.items()}}
    return rows.select(*keys, *CURVES, pl.col(target).alias("interpreted")).join(
        answer.select(*keys, *short).rename(short), on=keys, how="left"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=PICTURE)
    asked = parser.parse_args()
    table = beside(*told(asked.epochs))
    shares = [name for name in table.columns if name.startswith("rock_p_")]
    draw(table, shares, asked.out)


def draw(table: pl.DataFrame, shares: list[str], out: Path) -> None:
    """The picture, in as few colours and pixels as a page needs."""
    plot.tracks(table, out, curves=[*CURVES, *shares], strips=["interpreted", "told"], depth=DEPTHS)
    picture = Image.open(out).convert("RGB")
    picture.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
    picture.quantize(224, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(out, optimize=True)


if __name__ == "__main__":
    main()
