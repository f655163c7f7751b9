"""A board as a page: one file of HTML that asks the network for nothing, with its pictures in it.

    sheet, overall   what a page of one suite, and one of many data sets, says: numbers and words
    entries, cells   the lines of a board; texts of tables
    drawn, figures, svg, slices, samples   pictures
    origin           where each row comes from, and the command that makes it
    templates/       the page: Jinja2, which escapes whatever stands in a row

Without JavaScript the page has everything but sorting and filtering. Colours follow the reader's screen.
"""

from pathlib import Path
from typing import Any

from tsrnn import files
from tsrnn.errors import InputError
from tsrnn.page.sheet import of_rows, sheet
from tsrnn.suites import Suite
from tsrnn.version import VERSION

_TEMPLATES = Path(__file__).parent / "templates"

__all__ = ["html", "of_rows", "sheet", "write"]


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
    own = {name: Markup((_TEMPLATES / name).read_text(encoding="utf-8")) for name in ("figure.css", "page.css", "page.js")}
    styles, script = own["figure.css"] + own["page.css"], own["page.js"]
    return world.get_template(f"{context['kind']}.html").render(
        **context, styles=styles, script=script, svg=Markup, version=VERSION
    )


def write(suite: Suite, folder: Path, path: Path, others: int | None = None) -> None:
    """Write a suite's page.

    Raises:
        InputError: there are no rows, or the file cannot be written.
    """
    context = sheet(suite, folder) if others is None else sheet(suite, folder, others)
    save(html(context), path)


def save(text: str, path: Path) -> None:
    """Write a page.

    Raises:
        InputError: it is no page by its name, or cannot be written.
    """
    if path.suffix not in (".html", ".htm"):
        raise InputError(f"{path} ends in {path.suffix or 'nothing'}; name an .html file")
    files.replaced(path, lambda file: file.write(text.encode("utf-8", "replace")))
