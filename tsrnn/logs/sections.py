"""The text of a LAS file, cut into its sections."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tsrnn.errors import InputError

_VERSION = re.compile(r"^[ \t]*VERS[ \t]*\.[ \t]*(\d{1,9})", re.MULTILINE | re.IGNORECASE)
_THIRD = re.compile(r"\||_(definition|data)\b", re.IGNORECASE)  # in titles of LAS 3 alone
_SURE = 200  # bytes that tell UTF-16 without a mark


@dataclass(frozen=True)
class Section:
    """What stands below a line that begins with `~`."""

    title: str  # the line without its ~
    line: int  # of the first line of the text, in the file, from 1
    text: str

    def is_a(self, letter: str) -> bool:
        """Whether it is the standard's section of that letter; `~Core_Definition` is no ~C."""
        return re.match(rf"{letter}(?!\w*_)", self.title, re.IGNORECASE) is not None


def decode(raw: bytes) -> str:
    """UTF-16 and UTF-8 where they announce themselves or fit, else Windows' Latin alphabet; lines end in \\n."""
    head = raw[:_SURE]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = raw.decode("utf-16", errors="replace")
    elif 3 * head[1::2].count(0) > len(head):
        text = raw.decode("utf-16-le", errors="replace")
    elif 3 * head[::2].count(0) > len(head):
        text = raw.decode("utf-16-be", errors="replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def cut(path: Path, text: str) -> list[Section]:
    """The sections of a file, in its order.

    Raises:
        InputError: there are none, or they are those of LAS 3.
    """
    titles = list(_titles(text))
    if not titles:
        raise InputError(f"{path} is not a LAS well log: no line begins with ~, as a section does; check the file")
    starts = [start for start, _, _ in titles] + [len(text)]
    line, before, sections = 1, 0, []
    for (_, begin, end), after in zip(titles, starts[1:], strict=True):
        line += text.count("\n", before, end)
        before = end
        sections.append(Section(text[begin:end].rstrip(), line + 1, text[end + 1 : after]))
    _refuse_third(path, sections)
    return sections


def _titles(text: str) -> Iterator[tuple[int, int, int]]:
    """Of each line that begins with ~: where it starts, where its title does, and where it ends."""
    place = text.find("~")
    while place >= 0:
        start = text.rfind("\n", 0, place) + 1
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        if not text[start:place].strip():
            yield start, place + 1, end
        place = text.find("~", end)


def data(sections: list[Section]) -> list[Section]:
    """The sections of numbers: ~A, or the last one where it has no letter."""
    named = [section for section in sections if section.is_a("A")]
    return named or [section for section in sections[-1:] if not section.title[:1].strip()]


def curves(sections: list[Section]) -> list[Section]:
    """The sections that name curves; `~Curve` goes before others of its letter."""
    lettered = [section for section in sections if section.is_a("C")]
    return [section for section in lettered if section.is_a("curve")] or lettered


def version(text: str) -> int | None:
    """The first digits of VERS in a ~Version section; None: it is not there."""
    number = _VERSION.search(text)
    return int(number[1]) if number else None


def _refuse_third(path: Path, sections: list[Section]) -> None:
    """LAS 3 holds tables of any kind; one that is laid out as LAS 2.0 is read as that."""
    said = version(next((section.text for section in sections if section.is_a("V")), ""))
    logs = [section for section in data(sections) if not _THIRD.search(section.title)]
    if len(logs) == 1 and len(curves(sections)) == 1:
        return
    if (said or 0) >= 3 or (not logs and any(_THIRD.search(section.title) for section in sections)):
        raise InputError(
            f"{path} is LAS 3, of which only a log laid out as in LAS 2.0 is read, with one ~Curve and one ~ASCII "
            "section; save it as LAS 2.0, or its table as CSV"
        )
