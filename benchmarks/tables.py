"""Tables of several suites at once, for report.py: what one measure says of every model on each of them."""

from pathlib import Path

import polars as pl

from tsrnn.board.lines import measured
from tsrnn.board.published import SHOWN, published
from tsrnn.board.rows import apart, read


def side_by_side(results: Path, measure: str, datasets: list[str]) -> tuple[list[str], list[list[str]]]:
    """Header and lines: a row per data set, a column per model with mean and deviation over seeds, the best published.

    Args:
        results: the folder of folders of rows.
        measure: of those that are more when better.
        datasets: names of suites.
    """
    tables = {name: measured(apart(read(results, name))[0], [measure], results / name) for name in datasets}
    found = pl.concat([table.select("dataset", "model", "seed", measure) for table in tables.values()])
    order = found.group_by("model").agg(pl.col(measure).mean()).sort(measure, "model", descending=[True, False])
    models = order["model"].to_list()
    lines = []
    for name, table in tables.items():
        cells = []
        for model in models:
            values = table.filter(pl.col("model") == model)[measure]
            spread = f" ± {values.std():.3f}" if len(values) > 1 and values.std() else ""
            cells.append(f"{values.mean():.3f}{spread}" if len(values) else "")
        lines.append([name, *cells, *_best(name, measure)])
    others = ["best published"] if any(len(line) > len(models) + 1 for line in lines) else []
    width = len(models) + 1 + len(others)
    seeds = found.group_by("dataset", "model").agg(pl.col("seed").n_unique())["seed"]
    header = [f"{measure}, {seeds.min()} to {seeds.max()} seeds" if seeds.min() != seeds.max() else measure]
    return [*header, *models, *others], [[*line, *[""] * (width - len(line))] for line in lines]


def _best(dataset: str, measure: str) -> list[str]:
    others = published(dataset, SHOWN)
    if measure not in others.columns:
        return []
    best = others.filter(pl.col(measure).is_not_null()).sort(measure, descending=True).head(1)
    return [f"*{row['model']} {row[measure]:.3f}*" for row in best.iter_rows(named=True)]
