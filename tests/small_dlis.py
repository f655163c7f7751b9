"""A DLIS file of one frame, written by the letter of API RP66 version 1, chapters 2 to 5."""

import struct
from collections.abc import Sequence

_ASCII, _USHORT, _UVARI, _IDENT, _OBNAME, _UNITS, _FDOUBL = 20, 15, 18, 19, 23, 27, 7


def _ident(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def _name(text: str) -> bytes:
    return b"\x01\x00" + _ident(text)  # origin 1, copy 0


def _segment(body: bytes, kind: int, explicit: bool) -> bytes:
    """A logical record of one segment, in a visible record of its own."""
    padding = (-len(body)) % 2 or 2
    padding += max(0, 12 - len(body) - padding)
    body += bytes([0] * (padding - 1) + [padding])
    segment = struct.pack(">HBB", len(body) + 4, 0x81 if explicit else 0x01, kind) + body
    return struct.pack(">HBB", len(segment) + 4, 0xFF, 1) + segment


def _set(kind: str, template: Sequence[tuple[str, int]], objects: Sequence[tuple[str, Sequence[bytes]]]) -> bytes:
    body = b"\xf0" + _ident(kind)
    body += b"".join(b"\x34" + _ident(label) + bytes([code]) for label, code in template)
    for name, values in objects:
        body += b"\x70" + _name(name) + b"".join(b"\x21" + value if value[:1] != b"\x29" else value for value in values)
    return body


def dlis(rows: Sequence[Sequence[float]], channels: Sequence[tuple[str, str, int]], well: str = "W1") -> bytes:
    """A file of one frame; channels are (name, unit, numbers a row), the first is the index."""
    label = f"{1:4d}V1.00RECORD{8192:5d}{'small':60}".encode()
    header = _set("FILE-HEADER", [("SEQUENCE-NUMBER", _ASCII), ("ID", _ASCII)], [("0", [_ident("1"), _ident("small")])])
    origin = _set("ORIGIN", [("FILE-ID", _ASCII), ("WELL-NAME", _ASCII)], [("O", [_ident("small"), _ident(well)])])
    about = [("LONG-NAME", _ASCII), ("REPRESENTATION-CODE", _USHORT), ("UNITS", _UNITS), ("DIMENSION", _UVARI)]
    described = [
        (name, [_ident(f"long {name}"), bytes([_FDOUBL]), _ident(unit), bytes([width])])
        for name, unit, width in channels
    ]
    listed = b"\x29" + bytes([len(channels)]) + b"".join(_name(name) for name, _, _ in channels)
    frame = _set("FRAME", [("CHANNELS", _OBNAME), ("INDEX-TYPE", _IDENT)], [("F", [listed, _ident("BOREHOLE-DEPTH")])])
    records = [(header, 0), (origin, 1), (_set("CHANNEL", about, described), 3), (frame, 4)]
    explicit = b"".join(_segment(body, kind, True) for body, kind in records)
    data = (_name("F") + bytes([k]) + struct.pack(f">{len(row)}d", *row) for k, row in enumerate(rows, 1))
    return label + explicit + b"".join(_segment(body, 0, False) for body in data)
