"""The C++: each header alone, warnings, structs that two languages share, what a key covers, and the sanitizers."""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tsrnn.cells import get
from tsrnn.recurrence import build, structs
from tsrnn.recurrence.source import source
from tsrnn.recurrence.trace import trace

HEADERS = sorted(path.name for path in build._HEADERS.glob("*.hpp"))
STRUCTS = {  # as C++ spells them
    structs.Team: "Team",
    structs.CellSizes: "CellSizes",
    structs.ForwardArguments: "ForwardArguments",
    structs.BackwardArguments: "BackwardArguments",
    structs.Part: "Part<View, ScanSizes>",
    structs.ScanSizes: "ScanSizes",
    structs.MemorySizes: "MemorySizes",
}
EVERYTHING = "".join(f'#include "{name}"\n' for name in HEADERS)
STRICT = ("-Wall", "-Wextra", "-Werror")

pytestmark = pytest.mark.skipif(not build.available()[0], reason="no C++ compiler")
every_header = pytest.mark.parametrize("header", HEADERS)


def complaints(text: str, folder: Path, *flags: str) -> str:
    """What the compiler says of a source."""
    for name, each in build.files(text).items():
        (folder / name).write_text(each)
    words = [build._compiler()[0], *build.FLAGS, *STRICT, *flags, str(folder / "kernel.cpp"), "-o", os.devnull]
    return subprocess.run(words, capture_output=True, text=True, check=False).stderr


def equations(name: str, dtype: torch.dtype = torch.float32) -> str:
    return source(trace(get(name)(3, 4)), dtype)


@pytest.mark.parametrize("single", [0, 1])
@every_header
def test_every_header_stands_alone(tmp_path: Path, header: str, single: int) -> None:
    text = f'#include "{header}"\n'
    assert complaints(text, tmp_path, "-fsyntax-only", f"-DSINGLE={single}") == ""
    assert "#pragma once" in build.files(text)[header]


def test_all_headers_stand_beside_each_other(tmp_path: Path) -> None:
    assert complaints(EVERYTHING, tmp_path, "-fsyntax-only") == ""


@pytest.mark.slow
@pytest.mark.parametrize("dtype", list(build.SINGLE))
@pytest.mark.parametrize("name", ["lstm", "slstm", "mut1", "rglru"])
def test_a_printed_cell_compiles_without_a_warning(tmp_path: Path, name: str, dtype: torch.dtype) -> None:
    assert complaints(equations(name, dtype), tmp_path) == ""


@pytest.mark.slow
@pytest.mark.parametrize("single", [0, 1])
@pytest.mark.parametrize("header", ["selective.hpp", "memory_back.hpp"])
def test_a_library_compiles_without_a_warning(tmp_path: Path, header: str, single: int) -> None:
    assert complaints(f'#define SINGLE {single}\n#include "{header}"\n', tmp_path) == ""


def test_an_unused_name_would_be_complained_of(tmp_path: Path) -> None:
    text = '#include "vectors.hpp"\nint answer() {\n  int idle;\n  return 42;\n}\n'
    assert "kernel.cpp:3:" in complaints(text, tmp_path, "-fsyntax-only")


def test_equations_are_printed_one_to_a_line() -> None:
    text = equations("mut1")
    assert "    auto t0 = sigmoid_(i2);\n" in text
    assert max(line.count(";") for line in text.splitlines() if "extern" not in line) == 1


def test_both_languages_lay_structs_out_alike() -> None:
    lines, wanted = ["#include <cstddef>\n" + EVERYTHING, 'extern "C" void layout(long* to) {'], []
    for kind, name in STRUCTS.items():
        lines += [f"  using {kind.__name__}_ = {name};", f"  *to++ = sizeof({kind.__name__}_);"]
        wanted.append(ctypes.sizeof(kind))
        for field, *_ in kind._fields_:
            lines.append(f"  *to++ = offsetof({kind.__name__}_, {field});")
            wanted.append(getattr(kind, field).offset)
    place = (ctypes.c_long * len(wanted))()
    build.library("\n".join([*lines, "}\n"]))[1].layout(place)
    assert list(place) == wanted
    kinds = [each for each in vars(structs).values() if isinstance(each, type) and issubclass(each, ctypes.Structure)]
    assert set(STRUCTS) == set(kinds)


@every_header
def test_a_mended_header_makes_other_libraries(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, header: str) -> None:
    texts = [equations("elman"), *(f'#include "{name}"\n' for name in ("selective.hpp", "memory_back.hpp"))]
    for name in HEADERS:
        shutil.copy(build._HEADERS / name, tmp_path / name)
    monkeypatch.setattr(build, "_HEADERS", tmp_path)
    before = [build.key(build.files(text)) for text in texts]
    with (tmp_path / header).open("a") as file:
        file.write("// mended\n")
    after = [build.key(build.files(text)) for text in texts]
    changed = [one != other for one, other in zip(before, after, strict=True)]
    assert changed == [header in build.files(text) for text in texts]
    assert any(changed)


def sanitizers() -> str | None:
    """The runtime that must be loaded before Python, where this compiler has one."""
    if not build.available()[0] or sys.platform != "linux":
        return None
    words = [build._compiler()[0], "-print-file-name=libasan.so"]
    said = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    return said if Path(said).is_absolute() else None


SANITIZED = """
import ctypes, torch
from tsrnn.recurrence import Recurrent, build
from tsrnn.recurrence.mlstm import mlstm
from tsrnn.recurrence.scan import linear_scan, selective_scan
from tsrnn.recurrence.ssd import ssd
checks = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1")
build.FLAGS = (*(flag for flag in build.FLAGS if flag != "-O3"), *checks)
torch.set_num_threads(2)
torch.manual_seed(0)
def drawn(*shape): return torch.rand(*shape, requires_grad=True)
"""
KERNELS = """
for name in ("lstm", "mut1", "rglru"):
    for batch, steps, width, hidden in ((1, 1, 1, 1), (5, 9, 3, 7), (33, 40, 17, 67)):
        layer, x = Recurrent(name, width, hidden, backend="generated"), drawn(batch, steps, width)
        for lengths in (None, torch.arange(batch) % (steps + 1)):
            with torch.no_grad():
                layer(x, lengths=lengths)
            layer(x, lengths=lengths)[0].sum().backward()
for steps, size in ((1, 1), (40, 19), (33, 64)):
    u, A, B, D = drawn(3, steps, size), -torch.rand(size, 5), drawn(3, steps, 5), drawn(size)
    linear_scan(u, drawn(3, steps, size), drawn(3, size), method="fused").sum().backward()
    given = u, drawn(3, steps, size), A, B, drawn(3, steps, 5), D, drawn(3, size, 5)
    selective_scan(*given, method="fused")[0].sum().backward()
    q, gate = drawn(3, steps, 2, size), drawn(3, steps, 2)
    mlstm(q, drawn(3, steps, 2, size), drawn(3, steps, 2, 5), gate, -gate, method="fused")[0].sum().backward()
    ssd(q, gate, -torch.rand(2), B, drawn(3, steps, 5), drawn(2), method="fused")[0].sum().backward()
print("clean")
"""
BEYOND = """
text = '#include "vectors.hpp"\\nextern "C" int answer(const REAL* x) { return load(x)[0] < 2; }'
x = torch.rand(64)
build.library(text)[1].answer(ctypes.c_void_p(x.data_ptr() + 4 * 64 - 4))
print("clean")
"""


def sanitized(script: str, folder: Path) -> Any:
    settings = {"LD_PRELOAD": sanitizers() or "", "ASAN_OPTIONS": "detect_leaks=0", "TSRNN_CACHE": str(folder)}
    words = [sys.executable, "-c", SANITIZED + script]
    return subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | settings)


@pytest.mark.slow
@pytest.mark.skipif(sanitizers() is None, reason="the compiler has no sanitizers")
def test_kernels_are_clean_under_the_sanitizers(tmp_path: Path) -> None:
    done = sanitized(KERNELS, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "clean\n"


@pytest.mark.slow
@pytest.mark.skipif(sanitizers() is None, reason="the compiler has no sanitizers")
def test_the_sanitizers_see_a_read_past_a_tensors_end(tmp_path: Path) -> None:
    done = sanitized(BEYOND, tmp_path)
    assert "AddressSanitizer: heap-buffer-overflow" in done.stderr
    assert done.returncode != 0
