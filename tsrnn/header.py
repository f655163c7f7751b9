"""What a safetensors file says it holds, from its first bytes: 8 of a length, and so many of JSON.

{name: {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}, ...}, the numbers behind it without a gap.
https://github.com/huggingface/safetensors describes the format.
"""

import json
import math
import os
from pathlib import Path

from tsrnn import files
from tsrnn.errors import InputError

MEND = "save the model again"
_LONGEST = 1 << 22  # bytes of JSON
_SIZES = {"F64": 8, "F32": 4, "F16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}

Kind = tuple[str, tuple[int, ...]]  # of a tensor: its type as the format calls it, and its shape


def kinds_of(path: Path) -> dict[str, Kind]:
    """Type and shape of each tensor by name, held against the file's size; no number is read.

    Raises:
        InputError: it is no such file, is cut off or too long, or holds a type that no model has.
    """
    with files.plain(path, MEND) as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(_LONGEST, size - 8):
            raise damaged(path, "its header is cut off")
        text = file.read(length)
    try:
        header = json.loads(text)
        header.pop("__metadata__", None)
        kinds = {name: (str(entry["dtype"]), tuple(entry["shape"])) for name, entry in header.items()}
        spans = sorted((begin, end) for begin, end in (entry["data_offsets"] for entry in header.values()))
        numbers = [each for span in (*spans, *(shape for _, shape in kinds.values())) for each in span]
        if not all(type(each) is int and 0 <= each < 1 << 63 for each in numbers):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise damaged(path, "its header cannot be read") from None
    for name, (word, _) in kinds.items():
        if word not in _SIZES:
            raise InputError(f"{path}: tensor {name[:60]!r} is of type {word[:20]!r}, which no model has; {MEND}")
    total = sum(_SIZES[word] * math.prod(shape) for word, shape in kinds.values())
    edges = [0, *(end for _, end in spans)]
    if [begin for begin, _ in spans] != edges[:-1] or total != edges[-1] or size != 8 + length + total:
        raise damaged(path, "it is longer or shorter than its header says")
    return kinds


def damaged(path: Path, reason: str) -> InputError:
    return InputError(f"{path} is damaged: {reason}; {MEND}")
