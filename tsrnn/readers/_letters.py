"""Text whose letters are no UTF-8: each such byte is read as Windows' Latin alphabet has it, and counted."""

import codecs
import re
from pathlib import Path

_ESCAPED = re.compile("[\udc80-\udcff]")  # what bytes that are no UTF-8 become


def read(raw: bytes) -> tuple[str, int]:
    """The text, and how many of its bytes were no UTF-8; letters around them that are stay what they are."""
    return _ESCAPED.subn(_in_windows, raw.decode("utf-8", errors="surrogateescape"))


def are_utf8(path: Path) -> bool:
    """Whether the whole of a file is UTF-8; no more than a piece of it is in memory."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _in_windows(found: re.Match[str]) -> str:
    return bytes([ord(found[0]) - 0xDC00]).decode("cp1252", errors="replace")
