"""Write the tables of README.md and benchmarks/README.md, and README's pictures, from benchmarks/results:
python benchmarks/report.py

A table stands between `<!-- table DATASET TRACK -->` (or `<!-- table side MEASURE DATASET DATASET ... -->`) and
`<!-- end -->`; the text around it is left alone. `--check` writes nothing and fails where a document and rows differ.
"""

import argparse
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from tsrnn import files, page, suites
from tsrnn.board import table as boards
from tsrnn.board.apart import by_series, summary
from tsrnn.board.choice import ALL, choices, criterion
from tsrnn.board.published import SHOWN, published
from tsrnn.board.rows import AS_IT_COMES, apart, read
from tsrnn.board.rows import losses as row_losses
from tsrnn.metrics import USUAL

HERE = Path(__file__).parent
DOCUMENTS = (HERE.parent / "README.md", HERE / "README.md")
RESULTS = HERE / "results"
PICTURES = HERE.parent / "docs" / "pictures"
HORIZONS = (96, 192, 336, 720)
OTHERS = 6  # published lines on each board
CHOSEN = "L chosen"
FIXED = {"L=96": 96, "L=720": 720}  # tracks of one look-back for all


def board(rows: pl.DataFrame, dataset: str, track: str) -> str:
    """The lines of one track with every horizon, among the best published ones of that track."""
    others, size = published(dataset, SHOWN), pl.col("input_size").fill_null(0)
    others = others.filter(size == FIXED[track] if track in FIXED else size != FIXED["L=96"])
    table = boards.board(of_track(rows, track), "horizon", USUAL, others, RESULTS / dataset)
    table = boards.shortened(table.filter(pl.col("mse").is_not_null()), OTHERS)
    measured = ["mean MSE", "±", "mean MAE", "seeds", "parameters", "s/fit"]
    lines = [_line(each) for each in table.iter_rows(named=True)]
    return markdown(["model", "group", *map(str, HORIZONS), *measured], lines)


def of_track(rows: pl.DataFrame, track: str) -> pl.DataFrame:
    """The rows of a track; where all look back as far, also those whose look-back was chosen and came out so."""
    own = pl.col("track") == track
    if track not in FIXED:
        return rows.filter(own)
    there = rows.filter(own)["model"].unique().to_list()
    chosen = (pl.col("track") == CHOSEN) & (pl.col("input_size") == FIXED[track]) & ~pl.col("model").is_in(there)
    return rows.filter(own | chosen)


def alone(rows: pl.DataFrame) -> str:
    """Models as they come, one seed each, at the horizons there are; nobody else's numbers beside them."""
    rows = rows.filter(pl.col("track") == AS_IT_COMES)
    if not rows.height:
        return "No rows yet: `tsrnn bench DATA --preset asis --out benchmarks/results`."
    horizons = sorted(rows["horizon"].unique())
    table = boards.board(rows, "horizon", USUAL)
    lines = [
        [
            each["model"],
            *(_pair(each[f"mse_{h}"], each[f"mae_{h}"], True) for h in horizons),
            f"{each['parameters']:,}",
            f"{each['seconds']:.0f}",
        ]
        for each in table.iter_rows(named=True)
    ]
    return markdown(["model", *(f"horizon {h}" for h in horizons), "parameters", "seconds a fit"], lines)


def short(rows: pl.DataFrame, dataset: str) -> str:
    """The board in seven columns, with three published lines and the best zero-shot one."""
    others = published(dataset, SHOWN)
    table = boards.board(of_track(rows, CHOSEN), "horizon", USUAL, others)
    table = boards.shortened(table.filter(pl.col("mse").is_not_null()), 3)
    header = ["model", "horizon 96", "horizon 336", "mean of four", "seeds", "parameters", "seconds a fit"]
    return markdown(header, [[*_line(each)[:1], *_few(each)] for each in table.iter_rows(named=True)])


def choice(rows: pl.DataFrame, track: str) -> str:
    """What validation would have chosen among all lines of one track and of each kind, beside the test's own best."""
    table = boards.board(of_track(rows, track), "horizon", (*USUAL, criterion(USUAL)))
    header = ["", "validation's choice", "mean of four", "place", "best on the test", "mean of four", "place"]
    lines = []
    for each in choices(table, USUAL):
        cells = [
            (line["model"], _pair(line["mse"], line["mae"], True), f"{place} of {each.lines}")
            for line, place in ((each.chosen, each.place), (each.best, each.best_place))
        ]
        lines.append(["**among all**" if each.kind == ALL else each.kind, *cells[0], *cells[1]])
    return markdown(header, lines)


def losses(rows: pl.DataFrame) -> str:
    """How many rows of each line have the losses of their windows, and whether that is all of them."""
    folder = RESULTS / rows["dataset"][0]
    lines = []
    for (track, model), line in rows.group_by("track", "model", maintain_order=True):
        stored = sum(row_losses(folder, row) is not None for row in line.iter_rows(named=True))
        if stored:
            lines.append([str(model), str(track), f"{stored} of {line.height}"])
    lines.sort(key=lambda cells: (cells[1] in FIXED, cells[1], cells[0]))
    return markdown(["model", "track", "rows with losses"], lines)


def partial(rows: pl.DataFrame) -> str:
    """The lines that lack a horizon: what there is of them."""
    table = boards.board(of_track(rows, CHOSEN), "horizon", USUAL).filter(pl.col("mse").is_null())
    return markdown(["model", *map(str, HORIZONS), "seeds"], [_some(each) for each in table.iter_rows(named=True)])


def agreement(rows: pl.DataFrame) -> str:
    """Do validation and test rank our models alike? Spearman's correlation of their means over seeds, per horizon."""
    learnt = of_track(rows, CHOSEN).filter(pl.col("parameters") > 0)
    means = learnt.group_by("model", "horizon").agg(pl.col("mse", "mae", "val_mse", "val_mae").mean())
    lines = []
    for metric in USUAL:
        ranks = means.group_by("horizon").agg(like=pl.corr(f"val_{metric}", metric, method="spearman"), models=pl.len())
        found = {each["horizon"]: each for each in ranks.iter_rows(named=True)}
        lines.append([metric.upper(), *(f"{found[h]['like']:.2f} ({found[h]['models']})" for h in HORIZONS)])
    return markdown(["", *(f"{h} (models)" for h in HORIZONS)], lines)


def ahead(rows: pl.DataFrame, dataset: str) -> str:
    """A suite by lead: the first measure's mean over series, skill from its baseline, and what the intervals hold."""
    suite = suites.find(dataset)
    records = summary(rows, suite, RESULTS / dataset)
    places, lines, anomaly = places_of(suite), [], "acc" in suite.measures
    for model in _ordered(records, suite.measures[0]):
        mine = [each for each in records if each["model"] == model]
        held = [each["coverage"] for each in mine]
        seeds = rows.filter(pl.col("model") == model)["seed"].n_unique()
        cells = [f"{each[suite.measures[0]]:.4g}" for each in mine]
        skill = [f"{each['skill']:.2f}" for each in mine]
        skills = [" ".join(skill), *([" ".join(f"{each['acc']:.2f}" for each in mine)] if anomaly else [])]
        lines.append([model, *cells, *skills, f"{min(held):.2f} to {max(held):.2f}", str(seeds)])
    skills = [f"skill from {suite.baseline}", *(["ACC"] if anomaly else [])]
    header = ["model", *places, *skills, "80 % intervals hold", "seeds"]
    return markdown(header, lines)


def behind(rows: pl.DataFrame, dataset: str) -> str:
    """How many series are worse than each baseline, by lead; the 90 % interval of the mean, the worst series."""
    suite = suites.find(dataset)
    records, first = summary(rows, suite, RESULTS / dataset), suite.measures[0]
    bases = [name for name in records[0] if name.startswith("worse than ")]
    lines = [
        [
            f"{each['lead']}, {each['model']}",
            f"{each['low']:.4g} to {each['high']:.4g}",
            f"{each['median']:.4g}",
            f"{each['worst']:.4g} ({each['worst series']})",
            *(f"{each[name]} of {each['series']}" for name in bases),
        ]
        for each in sorted(records, key=lambda each: (places_of(suite).index(each["lead"]), each[first]))
    ]
    return markdown(["lead, model", "90 % interval", "median", "worst", *bases], lines)


def places_of(suite: suites.Suite) -> list[str]:
    """The leads as they were said."""
    return [str(lead) for lead in suite.said_leads]


def wells(rows: pl.DataFrame, dataset: str, lead: str) -> str:
    """The first measure of each series at one lead, a column per model."""
    suite = suites.find(dataset)
    steps = suite.leads[places_of(suite).index(lead)]
    table = by_series(rows, suite, RESULTS / dataset).filter(
        (pl.col("lead") == steps) & (pl.col("measure") == suite.measures[0])
    )
    wide = table.pivot("model", index="series", values="value", aggregate_function="mean").sort("series")
    models = _ordered(summary(rows, suite, RESULTS / dataset), suite.measures[0])
    return markdown(
        ["", *models],
        [[line["series"], *(f"{line[model]:.4g}" for model in models)] for line in wide.iter_rows(named=True)],
    )


def _ordered(records: list[dict[str, Any]], measure: str) -> list[str]:
    """Models, the lowest mean over leads first."""
    sums: dict[str, float] = {}
    for each in records:
        sums[each["model"]] = sums.get(each["model"], 0.0) + each[measure]
    return sorted(sums, key=sums.__getitem__)


def markdown(header: list[str], lines: list[list[str]]) -> str:
    """A table in Markdown."""
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *lines])


def _line(each: dict[str, Any]) -> list[str]:
    ours = not each["class"]
    name = each["model"] if ours else f"*{each['model']} ({each['class']}, {each['track']})*"
    scores = [_pair(each[f"mse_{h}"], each[f"mae_{h}"], ours) for h in HORIZONS]
    spread = "" if each["spread"] is None else f"{each['spread']:.4f}"
    means = [_number(each["mse"], ours), spread, _number(each["mae"], ours)]
    parameters = f"{each['parameters']:,}" if each["parameters"] is not None else ""
    seconds = f"{each['seconds']:.0f}" if each["seconds"] is not None else ""
    group = str(each["group"] or "")
    return [name, group, *scores, *means, str(each["seeds"] or ""), parameters, seconds]


def _few(each: dict[str, Any]) -> list[str]:
    ours = not each["class"]
    scores = [_pair(each[f"mse{of}"], each[f"mae{of}"], ours) for of in ("_96", "_336", "")]
    return [*scores, *_line(each)[-3:]]


def _some(each: dict[str, Any]) -> list[str]:
    return [each["model"], *(_pair(each[f"mse_{h}"], each[f"mae_{h}"], True) for h in HORIZONS), str(each["seeds"])]


def _pair(mse: float | None, mae: float | None, ours: bool) -> str:
    return f"{_number(mse, ours)} {_number(mae, ours)}"


def _number(value: float | None, ours: bool) -> str:
    return "-" if value is None else f"{value:.{4 if ours else 3}f}"


def filled(text: str, make: Callable[[str], str]) -> str:
    """The text with every marked table made anew; `make` takes the marker's name."""
    mark = re.compile(r"(<!-- (table [^>]+?) -->\n).*?(<!-- end -->)", re.DOTALL)
    return mark.sub(lambda found: f"{found[1]}\n{make(found[2])}\n\n{found[3]}", text)


OTHER_TABLES = {"partial": partial, "agreement": agreement, "losses": losses}


def make(name: str) -> str:
    """A table by its marker: `table DATASET` and a track, `choice` and a track, or the name of another table."""
    _, dataset, *words = name.split()
    if dataset == "side":
        tables = runpy.run_path(str(HERE / "tables.py"))
        return markdown(*tables["side_by_side"](RESULTS, words[0], words[1:]))
    track, rows = " ".join(words), read(RESULTS, dataset)
    if track == AS_IT_COMES:
        return alone(rows)
    rows = apart(rows)[0]
    if words[0] in ("ahead", "behind"):
        return (ahead if words[0] == "ahead" else behind)(rows, dataset)
    if words[0] == "wells":
        return wells(rows, dataset, " ".join(words[1:]))
    if track in OTHER_TABLES:
        return OTHER_TABLES[track](rows)
    if words[0] == "choice":
        return choice(rows, " ".join(words[1:]))
    return short(rows, dataset) if track == "short" else board(rows, dataset, track)


def pictures(folder: Path) -> list[Path]:
    """Draw the board and the forecast that README shows."""
    board = page.picture(suites.find("weather"), RESULTS, folder / "weather.svg", others=6)
    return [board, page.forecast(suites.find("weather-clean"), RESULTS, folder / "forecast.svg")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether the document is up to date")
    check = parser.parse_args().check
    stale = False
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        fresh = filled(text, make)
        stale |= fresh != text
        if not check:
            files.replaced(document, lambda file, text=fresh: file.write(text.encode()), "make it writable")
    with TemporaryDirectory() as folder:
        drawn = {path.name: path.read_bytes() for path in pictures(Path(folder))}
    kept = {path.name: path.read_bytes() for path in PICTURES.glob("*.svg")}
    stale |= drawn != kept
    if not check:
        pictures(PICTURES)
    return int(check and stale)


if __name__ == "__main__":
    sys.exit(main())
