"""Saved models as nobody saved them: every value changed, every tensor misshapen, the checksums right again."""

import copy
import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tsrnn import store

Path_ = tuple[str | int, ...]
DEEP: Any = []
for _ in range(500):
    DEEP = [DEEP]
VALUES: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 7, 10**6, 2**31, 2**64, 10**4000, 0.5, -1.5, 1e308, float("nan"), float("inf")),
    *("", "x", "lstm", "ensemble", "\ud800", "\x1b[31m\n", "A" * 900, "../../x", "os:system"),
    *([], {}, [[]], [None], ["y", "y"], [1e308], {"": {}}, {"model": {}}, [{"model": "gru"}], DEEP),
)


def config_of(folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return config


def rewrite(folder: Path, config: dict[str, Any] | None = None, weights: bytes | None = None) -> None:
    """Put another configuration, or other weights, into a saved model, with checksums that are right."""
    config = config_of(folder) if config is None else config
    if weights is not None:
        (folder / "weights.safetensors").write_bytes(weights)
        config["sha256"] = hashlib.sha256(weights).hexdigest()
    (folder / "config.json").write_text(json.dumps(store.signed(config)))


def places(value: Any, before: Path_ = ()) -> Iterator[Path_]:
    """Where values lie in nested tables and lists, all but the outermost."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield (*before, key)
        yield from places(each, (*before, key))


def changed(config: dict[str, Any], place: Path_, value: Any) -> dict[str, Any]:
    """A copy with another value at a place."""
    config = copy.deepcopy(config)
    table: Any = config
    for key in place[:-1]:
        table = table[key]
    table[place[-1]] = value
    return config


def header_of(weights: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack("<Q", weights[:8])
    return json.loads(weights[8 : 8 + length]), weights[8 + length :]


def packed(header: Any, numbers: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers
