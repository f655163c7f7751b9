"""Boards, comparisons and standings for a terminal; as JSON for a program."""

import json
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console, Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from tsrnn import tasks
from tsrnn.board import pooled
from tsrnn.board import table as boards
from tsrnn.board.apart import by_series as each_series
from tsrnn.board.apart import shown, summary
from tsrnn.board.choice import criterion, said
from tsrnn.board.difference import LEAST_HORIZONS, LEAST_TASKS
from tsrnn.board.lines import measured
from tsrnn.board.own import comparable, own
from tsrnn.board.ranks import standings as mean_ranks
from tsrnn.board.remarks import captions, notes, trials, uncounted, unstored
from tsrnn.board.rows import apart, read
from tsrnn.console import show
from tsrnn.errors import InputError
from tsrnn.metrics import USUAL
from tsrnn.suites import Suite

OTHERS = 8  # lines of other people's numbers on a board
_ROOM = 91  # columns that a board takes beside its horizons
_WIDE = ("seeds", "parameters")  # no room for these, and the means, in a narrow terminal
_FOLDED = 20  # columns of the options, which may fold
_MEAN = "mean "
_LEFT = ("model", "options", "track", "class")
PAIRS = (
    "first minus second, with its 95 % interval: mean over test windows (over folds, where there are any, or over "
    f"series, where each has one window) and over horizons that have {LEAST_HORIZONS} times as many windows as "
    "overlap; the spread of seeds is added. p: Holm's over all comparisons with the pair's first line. Not known: the "
    "losses of a line's windows are not stored; the difference is then of the means over all horizons."
)
PAIRS_OF_FOLDS = (
    "first minus second, with its 95 % interval: mean over what was held out, where there are folds; the spread of "
    "seeds is added. p: Holm's over all comparisons with the pair's first line. Not known: there is one fold."
)
RANKS = (
    "rank: mean over data sets, with the 95 % interval of resampled data sets. p: signed ranks against the first line, "
    f"Holm's. Groups and p need {LEAST_TASKS} data sets."
)
SERIES = (
    "The first measure's mean over series with its 90 % interval, by drawing series again; its median and worst one; "
    "series that are worse than a baseline; skill against the suite's own. Seeds are averaged first."
)


def stored(suite: Suite, folder: Path, as_json: bool, others: int) -> None:
    """Print the rows in `folder` (or in one folder per benchmark there) among the best `others` of other people's."""
    rows = own(folder, suite)
    if as_json:
        found = measured(rows, suite.measures, folder, suite.leads)  # JSON has no word for what is no number
        finite = pl.selectors.float().replace([float("nan"), float("inf"), -float("inf")], None)
        print(json.dumps(found.with_columns(finite).to_dicts(), indent=2))
    else:
        console = Console()
        console.print(board(rows, suite, console.width, folder, others))


def compared(suite: Suite, folder: Path, as_json: bool) -> None:
    """Print every two lines of a board: by how much they differ, and how sure that is."""
    rows = measured(apart(own(folder, suite))[0], suite.measures, folder, suite.leads)
    pairs = boards.comparisons(rows, suite.by, suite.measures, folder)
    if not pairs:
        every = suite.by if _forecasts(suite) else "fold"
        raise InputError(f"{folder} holds fewer than two models with every {every} of {suite.name}; run `tsrnn bench`")
    measure = _heading(suite.measures[:1])
    told = PAIRS if _forecasts(suite) else PAIRS_OF_FOLDS
    _print(pairs, [_pair(pair, measure) for pair in pairs], f"{measure}: {told}", as_json)


def by_series(suite: Suite, folder: Path, as_json: bool) -> None:
    """Print, for each line and lead, how its series differ: interval, worst one, how many are behind a baseline."""
    rows = apart(own(folder, suite))[0]
    if not (records := summary(rows, suite, folder)):
        raise InputError(
            f"{folder} holds no {', '.join(suite.measures)} of single series of {suite.name}; name the suite that its "
            "rows were measured for"
        )
    if as_json:
        found = {"leads": records, "series": each_series(rows, suite, folder).to_dicts()}
        print(json.dumps({**found, "pooled": pooled.summary(rows, suite, folder)}, indent=2))
    else:
        show(shown(records), False, SERIES, keys=list(records[0]).index(suite.measures[0]))


def by_class(suite: Suite, folder: Path, as_json: bool) -> None:
    """Print, for each line and class, its rows, precision, recall and F1, and what it is most often taken for."""
    records = pooled.by_class(apart(own(folder, suite))[0], suite, folder)
    if not records:
        raise InputError(
            f"{folder} holds no counts of labels of {suite.name}; `tsrnn bench` keeps them beside the rows of a suite "
            "of labels, so run it again into a new folder"
        )
    cells = [
        {name: f"{each:.3f}" if isinstance(each, float) else each for name, each in row.items()} for row in records
    ]
    show(records if as_json else cells, as_json, pooled.CLASSES)


def standings(folder: Path, as_json: bool) -> None:
    """Print mean ranks over every data set that has rows in `folder`."""
    ranks = mean_ranks(apart(read(folder))[0]).to_dicts()
    _print(ranks, ranks, RANKS, as_json)


def board(
    rows: pl.DataFrame, suite: Suite, width: int, folder: Path, others: int = OTHERS, groups: bool = True
) -> Group:
    """The board of the rows in a folder; tie groups are left out while it fills, for their tests are slow.

    Models as they come stand on a board of their own below it.
    """
    if len(parts := apart(rows)) > 1:
        told, untold = (board(part, suite, width, folder, others, groups) for part in parts)
        return Group(told, Text("\nModels as they come", style="bold"), untold)
    chooses = () if suite.leads else (criterion(suite.measures),)  # of a lead, validation says nothing
    theirs = comparable(rows, suite)
    lost = (
        [*unstored(rows, suite.measures, folder, suite.leads), *uncounted(rows, suite.measures, folder)]
        if groups
        else []
    )
    rows = measured(rows, (*suite.measures, *chooses), folder, suite.leads)
    table = boards.board(rows, suite.by, (*suite.measures, *chooses), theirs, folder if groups else None)
    table = boards.shortened(table if groups else table.drop("group"), others)
    remarks = notes(table, suite.measures[0]) if groups else []
    remarks += said(table, suite.measures) if groups and chooses else []
    remarks += lost + captions(table) + trials(rows)
    wells = _over_series(pooled.summary(rows, suite, folder)) if groups else []
    column = max(8 * len(suite.measures), len(_heading(suite.measures)) + 5)
    narrow = width < _ROOM + column * rows[suite.by].n_unique()
    if not _forecasts(suite):  # a label has no horizon: the mean is all there is
        table = table.drop([f"{name}_{place}" for name in suite.measures for place in rows[suite.by].unique()])
        narrow = False
    shown, kept = _fitting(table, suite.measures, width, narrow, _named(suite))
    if hidden := suite.measures[len(kept) :]:
        where = "`tsrnn leaderboard` for --by-series or" if suite.leads else "for"
        remarks = [*remarks, f"No room for {', '.join(hidden)}: widen the terminal, or ask {where} --json."]
    return Group(shown, *([Text(" ".join(remarks), style="dim")] if remarks else []), *wells)


def _over_series(records: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """The measures of labels both ways, with intervals, to stand below a board; nothing where there are none."""
    if not records:
        return []
    names = [*takewhile(lambda name: name != pooled.WAYS[0], records[0])]
    table = Table(*names, *(Column(way, no_wrap=True) for way in pooled.WAYS), box=None, header_style="bold")
    for record in records:
        table.add_row(*(str(record[name]) for name in names), *(_ends(record, way) for way in pooled.WAYS))
    return [Text(""), table, Text(f"{records[0]['series']} series. {pooled.BOTH}", style="dim")]


def _ends(record: Mapping[str, Any], way: str) -> str:
    value, low, high = record[way], record[f"{way} low"], record[f"{way} high"]
    return "" if value is None else f"{value:.3f} ({low:.3f}-{high:.3f})"


def _forecasts(suite: Suite) -> bool:
    return tasks.find(suite.task).forecasts


def _named(suite: Suite) -> dict[str, str]:
    """What the board calls its places: leads as they were said."""
    return {str(steps): str(said) for steps, said in zip(suite.leads, suite.said_leads, strict=True)}


def _fitting(
    table: pl.DataFrame, measures: Sequence[str], width: int, narrow: bool, named: Mapping[str, str]
) -> tuple[Table, tuple[str, ...]]:
    """The board without what would cut others short: seconds, spread, an empty class, then all measures but the first.

    Returns:
        The board and the measures on it.
    """
    nobody = () if (table["class"] != "").any() else ("class",)
    for kept in dict.fromkeys((tuple(measures), tuple(measures[:1]))):
        for left_out in ((), ("s/fit",), ("s/fit", "±"), ("s/fit", "±", *nobody)):
            shown = render(table, kept, narrow=narrow, left_out=left_out, named=named)
            sizes = [
                max(len(str(cell)) for cell in (column.header, *column.cells)) + 2
                for column in shown.columns
                if column.header != "options"  # it folds
            ]
            if sum(sizes) + _FOLDED * (len(sizes) < len(shown.columns)) <= width:
                return shown, kept
    return shown, kept


def render(
    table: pl.DataFrame,
    measures: Sequence[str] = USUAL,
    title: str | None = None,
    narrow: bool = False,
    left_out: Sequence[str] = (),
    named: Mapping[str, str] | None = None,
) -> Table:
    """A board as a table of rich. Published lines are dim and carry their class; ours have no class.

    `narrow` leaves out what a terminal of 80 columns has no room for: seeds, parameters, the means, and the track where
    lines of ours are all of one; `left_out` names more; `named` says what places are called: the title then tells the
    measure, if it is one. A table without the column `group`, of a benchmark that still runs, has no winner.
    """
    title = title or (f"{_heading(measures)} by lead" if named and len(measures) == 1 else None)
    shown = Table(title=title, title_style="", title_justify="left", box=None, header_style="bold")
    best = boards.winner(table, measures[0]) if "group" in table.columns else None
    kept = ("group", "options", "spread")
    filled = {name for name in kept if name in table.columns and table[name].is_not_null().any()}
    one = table.filter(pl.col("class") == "")["track"].n_unique() < 2
    missed = (*_WIDE, *(("track",) if one else ()), _MEAN + _heading(measures)) if narrow else ()
    first = f"{measures[0]}_"
    places = [name.removeprefix(first) for name in table.columns if name.startswith(first)]
    for place, line in enumerate(table.iter_rows(named=True)):
        cells = _cells(line, places, measures, filled, named or {})
        cells = {name: cell for name, cell in cells.items() if name not in (*missed, *left_out)}
        if not shown.columns:
            for name in cells:
                justify: Any = "left" if name in _LEFT else "right"
                shown.add_column(name, justify=justify, no_wrap=name != "options", overflow="fold")
        tied = "green" if line.get("group") == 1 else ""  # where there is no terminal, rich leaves colours out
        shown.add_row(*cells.values(), style="dim" if line["class"] else "bold" if place == best else tied)
    return shown


def _cells(
    line: dict[str, Any],
    places: Sequence[str],
    measures: Sequence[str],
    filled: set[str],
    named: Mapping[str, str],
) -> dict[str, str]:
    """A line's cells by their headings; of the columns that may be empty, those that are `filled`."""
    heading = _heading(measures)
    behind = "" if named and len(measures) == 1 else f" {heading}"  # else the title tells it

    def optional(name: str, shown: str, form: str = "") -> dict[str, str]:
        return {shown: _formatted(line[name], form)} if name in filled else {}

    def scores(place: str) -> str:
        values = [line[f"{name}{place}"] for name in measures]
        return "  ".join("-" if value is None else f"{value:.{3 if line['class'] else 4}f}" for value in values)

    return {
        **optional("group", "group"),
        "model": line["model"],
        **optional("options", "options"),
        "track": line["track"],
        "class": line["class"],
        **{named.get(place, place) + behind: scores(f"_{place}") for place in places},
        _MEAN + heading: scores(""),
        **optional("spread", "±", ".4f"),
        "seeds": _formatted(line["seeds"]),
        "parameters": _formatted(line["parameters"], ","),
        "s/fit": _formatted(line["seconds"], ".0f"),
    }


def _heading(measures: Sequence[str]) -> str:
    return "  ".join(name.replace("_", " ").upper() for name in measures)


def _formatted(value: Any, form: str = "") -> str:
    return "" if value is None else f"{value:{form or ('.3g' if isinstance(value, float) else '')}}"


def _pair(pair: dict[str, Any], measure: str) -> dict[str, Any]:
    low, high, p = (pair[name] for name in ("low", "high", "p"))
    shown = {measure: f"{pair['difference']:.4f}", "95 %": "" if low is None else f"{low:.3f} to {high:.3f}"}
    sure = {"p": "not known" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"}
    counts = {"windows": pair["windows"], "seeds": pair["seeds"]}
    return {"first": pair["first"], "second": pair["second"], **shown, **sure, **counts}


def _print(records: list[dict[str, Any]], shown: list[dict[str, Any]], caption: str, as_json: bool) -> None:
    """JSON of `records`, or else the table `shown`, without its empty columns, and a word on the others."""
    names = [name for name in shown[0] if any(row[name] not in ("", None) for row in shown)]
    cells = [{name: _formatted(row[name]) for name in names} for row in shown]
    show(records if as_json else cells, as_json, caption)
