"""Rows -> table: what was measured here, among what others published, honestly ordered.

Scores are means over seeds; a mean over horizons exists only where every horizon does. Lines of ours that cannot be
told apart share a group (`board/ties.py`), and a line is marked as the winner only where it is alone in the first one.
"""

import json
from collections.abc import Mapping, Sequence
from math import isfinite, nan
from pathlib import Path
from typing import Any

import polars as pl

from tsrnn.board import ties

_LINE = ("model", "track", "input_size", "config", "sha256")  # what makes rows one line of the board


def board(
    rows: pl.DataFrame, horizons: Sequence[int], others: pl.DataFrame | None = None, folder: Path | None = None
) -> pl.DataFrame:
    """One line per model, track and configuration, lowest mean MSE first; lines without every horizon come last.

    Columns: group (null for published lines, for those without every horizon, and where there is nothing to judge by),
    model, options (what tells lines of one model and track apart), track, class ("" for ours), seeds, `mse_<h>`,
    `mae_<h>`, `spread_<h>` (deviation of the MSE over seeds, null for one) per horizon, mse, mae (means over horizons),
    spread (deviation of the mean MSE over the seeds that have every horizon), parameters, seconds (mean per fit).

    Args:
        folder: where the rows come from, and the losses of their windows; None: the seeds alone make the groups.
    """
    ours = _lines(rows)
    options = _options(ours)
    lines = [_ours(line, horizons) | {"options": text} for line, text in zip(ours, options, strict=True)]
    whole = _whole(lines)
    compared = ties.pairs([ours[which] for which in whole], horizons, folder)
    if any(pair.known for pair in compared):
        for which, group in zip(whole, ties.groups(len(whole), compared), strict=True):
            lines[which]["group"] = group
    if others is not None:
        by = ("model", "input_size", "setting", "class")
        lines += [_theirs(line, horizons) for _, line in others.group_by(by, maintain_order=True)]
    table = pl.DataFrame([line for line in lines if line], infer_schema_length=None)
    return table.sort("mse", *(f"mse_{horizon}" for horizon in horizons), nulls_last=True)


def comparisons(rows: pl.DataFrame, horizons: Sequence[int], folder: Path | None = None) -> list[dict[str, Any]]:
    """Every two lines of ours that have every horizon, best lines first: what `tsrnn.board.ties.named` says of each."""
    ours = _lines(rows)
    lines = [_ours(line, horizons) for line in ours]
    whole = _whole(lines)
    tracks = {lines[which]["track"] for which in whole}
    names = [
        " ".join(filter(None, (line["model"], text, f"({line['track']})" if len(tracks) > 1 else None)))
        for line, text in zip(lines, _options(ours), strict=True)
    ]
    compared = ties.pairs([ours[which] for which in whole], horizons, folder)
    return [dict(ties.named(pair, [names[which] for which in whole])) for pair in compared]


def winner(table: pl.DataFrame) -> int | None:
    """The place on the board of the line of ours that is told apart from every other; None where there is none."""
    groups = table["group"].drop_nulls()
    if len(groups) < 2 or (groups == 1).sum() != 1:
        return None
    return int((table["group"] == 1).arg_true()[0])


def shortened(table: pl.DataFrame, others: int) -> pl.DataFrame:
    """Every line of ours, and the best `others` of the published ones."""
    published = table.with_row_index("place").filter(pl.col("class") != "")["place"].to_list()
    return table.with_row_index("place").filter(~pl.col("place").is_in(published[others:])).drop("place")


def _lines(rows: pl.DataFrame) -> list[pl.DataFrame]:
    return [line for _, line in rows.group_by(_LINE, maintain_order=True)]


def _whole(lines: Sequence[Mapping[str, Any]]) -> list[int]:
    """The lines that have every horizon, and numbers there, lowest mean MSE first."""
    means = [nan if line["mse"] is None else line["mse"] for line in lines]
    return sorted((which for which, mean in enumerate(means) if isfinite(mean)), key=means.__getitem__)


def _options(lines: Sequence[pl.DataFrame]) -> list[str | None]:
    """What is set in each line and not the same in all lines of its model and track, such as "hidden_size=8"."""
    first = [line.row(0, named=True) for line in lines]
    extra = [{"input_size": row["input_size"], "data": row["sha256"][:8]} for row in first]
    settings = [{**json.loads(row["config"]), **more} for row, more in zip(first, extra, strict=True)]
    found: list[str | None] = []
    for row, own in zip(first, settings, strict=True):
        kin = [each for other, each in zip(first, settings, strict=True) if _alike(other, row)]
        differing = [name for name in own if any(each.get(name, _ABSENT) != own[name] for each in kin)]
        found.append(" ".join(f"{name}={_short(own[name])}" for name in differing) or None)
    return found


_ABSENT = object()


def _alike(row: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (row["model"], row["track"]) == (other["model"], other["track"])


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _ours(line: pl.DataFrame, horizons: Sequence[int]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "group": None,
        "model": line["model"][0],
        "options": None,
        "track": line["track"][0],
        "class": "",
        "seeds": line["seed"].n_unique(),
    }
    for horizon in horizons:
        at = line.filter(pl.col("horizon") == horizon)
        found |= {f"mse_{horizon}": at["mse"].mean(), f"mae_{horizon}": at["mae"].mean()}
        found |= {f"spread_{horizon}": at["mse"].std() if at.height > 1 else None}
    by_seed = line.filter(pl.col("horizon").is_in(list(horizons))).group_by("seed").agg(pl.col("mse").mean(), pl.len())
    whole = by_seed.filter(pl.col("len") == len(horizons))
    found |= _means(found, horizons)
    found |= {"spread": whole["mse"].std(), "parameters": line["parameters"].max()}
    return found | {"seconds": line["seconds"].mean()}


def _theirs(line: pl.DataFrame, horizons: Sequence[int]) -> dict[str, Any]:
    size, setting = line["input_size"][0], line["setting"][0].replace("searched", "L searched")
    found: dict[str, Any] = {
        "group": None,
        "model": line["model"][0],
        "options": None,
        "track": f"L={size}" if size else setting,
        "class": line["class"][0],
        "seeds": line["seeds"][0],
    }
    for horizon in horizons:
        at = line.filter(pl.col("horizon") == horizon)
        mse, mae = (at[name][0] if at.height else None for name in ("mse", "mae"))
        found |= {f"mse_{horizon}": mse, f"mae_{horizon}": mae, f"spread_{horizon}": None}
    if all(found[f"mse_{horizon}"] is None for horizon in horizons):
        return {}
    return found | _means(found, horizons) | {"spread": None, "parameters": None, "seconds": None}


def _means(found: dict[str, Any], horizons: Sequence[int]) -> dict[str, Any]:
    means: dict[str, Any] = {}
    for metric in ("mse", "mae"):
        values = [found[f"{metric}_{horizon}"] for horizon in horizons]
        known = [value for value in values if isinstance(value, float)]
        means[metric] = sum(known) / len(known) if len(known) == len(values) else None
    return means
