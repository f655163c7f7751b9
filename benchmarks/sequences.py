"""The seven data sets of whole sequences side by side: python benchmarks/sequences.py [--full] [--out FOLDER]

Fits what `tsrnn bench NAME` fits for each of them, where its rows are not in the folder yet, and prints the accuracy on
the archive's test cases, a mean over seeds, with seconds a fit; beside them the best that others published.
"""

import argparse
from pathlib import Path

from tsrnn import bench, catalog, suites
from tsrnn.board.lines import measured
from tsrnn.board.published import published
from tsrnn.board.rows import existing

NAMES = [name for name in catalog.names() if catalog.row(name).reader == "aeon"]
MEASURES = ("accuracy", "macro_f1")


def accuracies(name: str, preset: str, folder: Path) -> dict[str, tuple[float, float]]:
    """Model -> mean accuracy, mean seconds a fit."""
    bench.run(bench.plan(bench.Source(name), preset, bench.Wishes()), folder, workers=0)
    rows = existing(folder)
    assert rows is not None
    table = measured(rows.filter(preset=preset), MEASURES, folder)
    kept = table.group_by("model", maintain_order=True).mean()
    return {row["model"]: (row["accuracy"], row["seconds"]) for row in kept.iter_rows(named=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="five seeds")
    parser.add_argument("--out", type=Path, default=Path("tsrnn-results"))
    asked = parser.parse_args()
    preset = "full" if asked.full else "quick"
    models = list(suites.preset(NAMES[0], preset).models)
    print(f"{'data set':<18}{'published':>22}" + "".join(f"{model:>24}" for model in models))
    for name in NAMES:
        known = (
            published(name).sort("accuracy", descending=True).head(1).to_dicts()
            if "accuracy" in published(name)
            else []
        )
        best = f"{known[0]['accuracy']:.3f} {known[0]['model'][:15]}" if known else "-"
        ours = accuracies(name, preset, asked.out / name)
        cells = [f"{ours[model][0]:.3f} ({ours[model][1]:.0f} s)" if model in ours else "-" for model in models]
        print(f"{name:<18}{best:>22}" + "".join(f"{cell:>24}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
