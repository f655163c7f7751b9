"""A board as a page: one file of HTML that asks the network for nothing, with its pictures in it.

    sheet, overall   what a page of one suite, and one of many data sets, says: numbers and words
    entries, cells   the lines of a board; texts of tables
    classes          what is said of labels: pooled measures, and tables by class
    drawn, figures, svg, slices, samples   pictures
    sweep, found     a sweep as one picture, and as a page
    origin           where each row comes from, and the command that makes it
    templates/       the page: Jinja2, which escapes whatever stands in a row

Without JavaScript the page has everything but sorting and filtering. Colours follow the reader's screen.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tsrnn import files
from tsrnn.board.own import asked
from tsrnn.board.rows import read
from tsrnn.errors import InputError
from tsrnn.page import svg, sweep
from tsrnn.page.cells import words
from tsrnn.page.found import found
from tsrnn.page.overall import overall
from tsrnn.page.sheet import OTHERS, board, sheet
from tsrnn.suites import Suite, find
from tsrnn.version import VERSION

_TEMPLATES = Path(__file__).parent / "templates"
_PARTS = ("figure.css", "page.css", "page.js")
ENDINGS = (".html", ".htm")
INDEX = "index.html"


def html(context: dict[str, Any]) -> str:
    """The page of what `sheet` or `overall` says."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    world = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    figure, page, script = (Markup((_TEMPLATES / name).read_text(encoding="utf-8")) for name in _PARTS)
    context = {"back": "", "pages": {}} | context
    return world.get_template(f"{context['kind']}.html").render(
        **context, styles=figure + page, script=script, svg=Markup, version=VERSION
    )


def write(suite: Suite | None, folder: Path, path: Path, others: int = OTHERS, back: str = "") -> Path:
    """Write the page of a suite, or of all data sets; the path again.

    Args:
        folder: of result rows.
        others: published lines on it.
        back: the address of a page of all data sets, where there is one beside it.

    Raises:
        InputError: there are no rows, or the file cannot be written.
    """
    if path.suffix not in ENDINGS:
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; name an .html file, or a folder")
    said = overall(folder) if suite is None else sheet(suite, folder, others)
    _save(html({**said, "back": back}), path)
    return path


def site(folder: Path, out: Path, suite: Suite | None = None, others: int = OTHERS) -> list[Path]:
    """Write a page of each data set (or of one suite) into a folder, and of several an `index.html` over all.

    Raises:
        InputError: as `write`.
    """
    names = [] if suite is not None else read(folder)["dataset"].unique().sort().to_list()
    named = [suite] if suite is not None else [asked(folder, find(name)) for name in names]
    try:
        index = overall(folder) if len(named) > 1 else None
    except InputError:  # labels have no errors that could be ranked
        index = None
    made = [write(each, folder, out / f"{file_name(each.name)}.html", others, INDEX if index else "") for each in named]
    if index:
        pages = {each.name: path.name for each, path in zip(named, made, strict=True)}
        _save(html({**index, "pages": pages}), out / INDEX)
        made.append(out / INDEX)
    return made


def beside(suite: Suite, folder: Path) -> list[Path]:
    """Write `board.html` and `board.svg` beside a suite's rows; what was written. A board that is not whole has no svg.

    Raises:
        InputError: there are no rows, or a file cannot be written.
    """
    said = sheet(suite, folder)
    made = {folder / "board.html": html(said)}
    if said["board"]:
        made[folder / "board.svg"] = svg.alone(said["board"])
    for path, text in made.items():
        _save(text, path)
    return [*made]


def picture(suite: Suite, folder: Path, path: Path, others: int = OTHERS) -> Path:
    """Draw a suite's board into an SVG file of its own, light or dark as its reader's screen is; the path again.

    Raises:
        InputError: there are no rows, no line has every place, or the file cannot be written.
    """
    _check_svg(path)
    _save(svg.alone(board(suite, folder, others)), path)
    return path


def forecast(suite: Suite, folder: Path, path: Path) -> Path:
    """Draw the first of a suite's sample forecasts, of the best lines that have some, into an SVG file; the path again.

    Raises:
        InputError: there are no rows, or no forecasts beside them, or the file cannot be written.
    """
    _check_svg(path)
    if not (shown := sheet(suite, folder, 0)["samples"]):
        raise InputError(f"no forecasts lie beside the rows in {folder}; `tsrnn bench` keeps some of those it makes")
    _save(svg.alone(shown[0].drawn), path)
    return path


def save_sweep(
    trials: Sequence[Mapping[str, Any]], importances: Mapping[str, float], measured: str, path: Path
) -> list[Path]:
    """Draw a sweep (`tsrnn/page/sweep.py`) into an SVG file and a page (`found.py`), named as `path`; what was written.

    Where no trial has a value there is no picture.
    """
    made = {path.with_suffix(".html"): html(found(trials, importances, words(measured), path.stem))}
    if drawn := sweep.picture(trials, importances, words(measured)):
        made[path.with_suffix(".svg")] = svg.alone(drawn)
    for each, text in made.items():
        _save(text, each)
    return [*made]


def file_name(name: str) -> str:
    """A data set's name as a file's: letters, digits, and dashes for the rest."""
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "board"


def _check_svg(path: Path) -> None:
    if path.suffix != ".svg":
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; draw into an .svg file")


def _save(text: str, path: Path) -> None:
    files.replaced(path, lambda file: file.write(text.encode("utf-8", "replace")))
