"""Building kernels and keeping them: the cache, its damage and its rights, the lack of a compiler, fingerprints."""

import ast
import os
import random
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from kernel_cache import answer, cache, forget, needs_compiler
from torch import Tensor, nn

import tsrnn
from tsrnn.cells import Cell, Gates, get
from tsrnn.recurrence import Recurrent, build, generated, owned
from tsrnn.recurrence import fingerprint as marks
from tsrnn.recurrence.fingerprint import fingerprint
from tsrnn.recurrence.trace import remembered
from tsrnn.shapes import State

__all__ = ["cache"]  # a fixture


@needs_compiler
def test_built_once_and_found_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(42) == 42
    (kept,) = cache.iterdir()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    monkeypatch.setattr(build, "_compile", None)
    assert answer(42) == 42
    assert [kept] == list(cache.iterdir())


@needs_compiler
@pytest.mark.parametrize("damage", [b"", b"\x7fELF and nothing more", None])
def test_a_damaged_library_is_built_again(cache: Path, damage: bytes | None) -> None:
    assert answer(43) == 43
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    spoilt = bytearray(whole)
    spoilt[len(whole) // 2] ^= 1
    kept.unlink()  # another file under its name: the loaded one stays whole
    kept.write_bytes(bytes(spoilt) if damage is None else damage)
    assert answer(43) == 43
    (kept,) = cache.iterdir()
    assert kept.read_bytes() == whole


@needs_compiler
@pytest.mark.parametrize(
    ("name", "value"), [("FLAGS", ("-O1", "-fPIC", "-shared")), ("_instructions", lambda: "other")]
)
def test_what_was_built_otherwise_is_not_loaded(
    cache: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    assert answer(44) == 44
    monkeypatch.setattr(build, name, value)
    assert answer(44) == 44
    assert len({path.stem.partition("-")[0] for path in cache.iterdir()}) == 2


def without_compiler(monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(folder))
    return "no C++ compiler was found"


def with_a_broken_one(monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    broken = folder / "broken"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo broken 1.0 && exit 0\necho "error: no disk" >&2\nexit 1\n'
    )
    broken.chmod(0o700)
    monkeypatch.setenv("CXX", str(broken))
    return "refuses the kernel: error: no disk"


@pytest.mark.parametrize("lack", [without_compiler, with_a_broken_one])
def test_without_a_working_compiler_the_reference_runs(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lack: Any
) -> None:
    words = lack(monkeypatch, tmp_path)
    forget()
    built, x = Recurrent("peephole", 3, 4), torch.randn(2, 5, 3)
    said = built.explain(x)
    assert said.startswith("reference: ")
    assert f"not generated: {words}" in said or words in said
    assert "\n" not in said
    plain = Recurrent("peephole", 3, 4, backend="reference")
    plain.load_state_dict(built.state_dict())
    assert torch.equal(built(x)[0], plain(x)[0])
    assert Recurrent("lstm", 3, 4).explain(x).startswith("stock: ")


FIRST = "import torch; torch.set_num_threads(1); from tsrnn.recurrence import Recurrent; torch.manual_seed(0); "
FIRST += (
    "built = Recurrent('elman', 3, 4, backend='generated'); print(built(torch.ones(2, 5, 3))[0].double().sum().item())"
)


@pytest.mark.slow
@needs_compiler
def test_two_processes_build_into_one_empty_folder(cache: Path) -> None:
    words = [sys.executable, "-c", FIRST]
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ | {}) for _ in range(2)]
    said = [each.communicate()[0] for each in both]
    assert [each.returncode for each in both] == [0, 0]
    assert float(said[0]) == float(said[1])
    left = sorted(path.suffix for path in cache.iterdir())
    assert set(left) == {".json", ".so"}
    assert left.count(".json") == 1
    for path in cache.glob("*.so"):
        assert path.stem.partition("-")[2] == owned.digest(path.read_bytes())


@needs_compiler
@pytest.mark.parametrize("damage", ["", "[1, 2]", '["0", "{}"]', None])
def test_a_damaged_note_is_written_again(tmp_path: Path, damage: str | None) -> None:
    (cell,) = (each for each in Recurrent("elman", 3, 4).cells if isinstance(each, Cell))
    traced = remembered(cell, tmp_path)
    (note,) = tmp_path.iterdir()
    whole = note.read_text()
    assert remembered(cell, tmp_path) == traced
    note.write_text(whole.replace("tanh", "tan") if damage is None else damage)
    assert remembered(cell, tmp_path) == traced
    assert note.read_text() == whole


def test_a_note_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    cell = get("elman")(3, 4)
    (tmp_path / "in the way").write_text("")
    assert remembered(cell, tmp_path / "in the way") == remembered(cell, tmp_path)


@pytest.mark.parametrize("name", marks._TOOLS)
def test_a_mended_tool_changes_the_fingerprint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    cell, before = get("elman")(3, 4), fingerprint(get("elman")(3, 4))
    for tool in marks._TOOLS:
        (tmp_path / tool).parent.mkdir(exist_ok=True)
        shutil.copy(marks._PACKAGE / tool, tmp_path / tool)
    monkeypatch.setattr(marks, "_PACKAGE", tmp_path)
    marks._tools.cache_clear()
    try:
        assert fingerprint(cell) == before
        with (tmp_path / name).open("a") as file:
            file.write("# mended\n")
        marks._tools.cache_clear()
        assert fingerprint(cell) not in (before, None)
    finally:
        marks._tools.cache_clear()


def test_all_that_the_tracer_imports_is_in_the_fingerprint() -> None:
    """Cells, aside from what they all stand on, are in it by their code; what prints nothing need not be."""
    package, reached, waiting = Path(tsrnn.__file__).parent, set(), ["recurrence/trace.py"]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        for node in ast.walk(ast.parse((package / name).read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tsrnn."):
                path = node.module.removeprefix("tsrnn.").replace(".", "/") + ".py"
                waiting += {path} - reached if (package / path).is_file() else []
    assert reached - {"shapes.py", "errors.py", "files.py", "alive.py"} == set(marks._TOOLS) - {"cells/_base.py"}


class Noisy(Cell):
    gates = ("u",)
    states = ("h",)

    def step(self, x: Gates, r: Gates, state: State) -> tuple[State, Tensor]:
        h = torch.tanh(x[0] + r[0]) * torch.rand_like(r[0])
        return (h,), h


@needs_compiler
@pytest.mark.parametrize("kind", [get("slstm"), get("mut1"), Noisy])
def test_making_a_kernel_draws_from_nobodys_generator(cache: Path, kind: type[Cell]) -> None:
    cell = kind(3, 4)
    before = torch.get_rng_state(), random.getstate()
    able, _ = generated.able(cell, torch.float32)
    fingerprint(cell)
    assert able == (kind is not Noisy)
    assert able == bool(list(cache.glob("*.so")))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]


CELL = """
import functools, math
import torch
from torch.nn import functional as F
from tsrnn.cells import Cell
NUMBER = {number}
TABLE = {{"act": {act}}}
def shaped(a): return torch.tanh({inner} * a)
def wrapped(f):
    @functools.wraps(f)
    def call(*given, **named): return f(*given, **named) * {inner}
    return call
sine = wrapped(torch.sin)
def made(factor):
    class Mine(Cell):
        gates = ("u",)
        states = ("h",)
        options = {{"sharpness": 1.0}}
        slope = {slope}
        def __init__(self, *sizes, **options):
            super().__init__(*sizes, **options)
            self._hidden_setting = {private}
        @property
        def share(self): return {share}
        @staticmethod
        def turn(a, *, by={keyword}): return a * by
        def step(self, x, r, state):
            a = {constant} * x[0] + factor * r[0] + NUMBER * self.sharpness + self.slope * self._hidden_setting
            a = TABLE["act"](a) * self.share + self.turn(shaped(a)) + sine(a) {more}
            h = torch.sigmoid(a) * math.pi
            return (h,), h
    return Mine
Mine = made({factor})
"""
PLAIN: dict[str, Any] = {"number": 2.0, "act": "torch.tanh", "inner": 1.0, "slope": 0.5, "private": 1.0, "share": 0.5}
PLAIN |= {"keyword": 1.0, "constant": 3.0, "factor": 1.0, "more": ""}


def written(hidden: int = 4, sharpness: float = 1.0, **changes: Any) -> Cell:
    """A cell from freshly compiled text, with some of it changed."""
    space: dict[str, Any] = {"__name__": "somebodys"}
    exec(CELL.format(**PLAIN | changes), space)
    cell: Cell = space["Mine"](3, hidden, sharpness=sharpness)
    return cell


def test_the_same_cell_has_one_fingerprint() -> None:
    one = fingerprint(written())
    assert one is not None
    assert fingerprint(written()) == one
    assert fingerprint(written(hidden=9)) == one
    assert fingerprint(written().double().eval()) == one


@pytest.mark.parametrize(
    "change",
    [
        {"constant": 4.0},
        {"factor": 2.0},
        {"number": 3.0},
        {"inner": 2.0},
        {"sharpness": 2.0},
        {"slope": 0.25},
        {"private": 2.0},
        {"share": 0.25},
        {"keyword": 2.0},
        {"act": "torch.sigmoid"},
        {"act": "F.softplus"},
        {"act": "functools.partial(F.leaky_relu, negative_slope=0.2)"},
    ],
)
def test_whatever_changes_the_equations_changes_the_fingerprint(change: dict[str, Any]) -> None:
    changed = fingerprint(written(**change))
    assert changed is not None
    assert changed != fingerprint(written())


def test_partial_settings_differ() -> None:
    texts = [f"functools.partial(F.leaky_relu, negative_slope={slope})" for slope in (0.1, 0.2)]
    assert fingerprint(written(act=texts[0])) != fingerprint(written(act=texts[1]))


@pytest.mark.parametrize("name", ["hidden_size", "input_size"])
def test_sizes_count_where_the_step_reads_them(name: str) -> None:
    reading = [written(hidden=hidden, more=f"* self.{name}") for hidden in (4, 9)]
    marks = [fingerprint(each) for each in reading]
    assert None not in marks
    assert (marks[0] == marks[1]) == (name == "input_size")


def test_training_counts_where_the_step_reads_it() -> None:
    reading = written(more="* (2.0 if self.training else 1.0)")
    assert fingerprint(reading) != fingerprint(reading.eval())


@pytest.mark.parametrize(
    "act",
    [
        "torch.nn.LeakyReLU(0.1)",
        "functools.lru_cache(torch.tanh)",
        "torch.ones(1).mul",
        "type('T', (), {'__call__': abs})()",
    ],
)
def test_what_a_hash_cannot_hold_gives_none(act: str) -> None:
    assert fingerprint(written(act=act)) is None


def test_parts_of_its_own_give_none() -> None:
    with_module, with_buffer = written(), written()
    with_module.act = nn.LeakyReLU(0.1)
    with_buffer.register_buffer("scale", torch.ones(1))
    assert fingerprint(with_module) is None
    assert fingerprint(with_buffer) is None


@pytest.mark.slow
@needs_compiler
def test_a_changed_cell_is_never_run_by_the_old_kernel(cache: Path) -> None:
    x = torch.randn(2, 6, 3)
    for change in (
        {},
        {"constant": 4.0},
        {"private": 2.0},
        {"act": "torch.nn.Threshold(0.1, 0.2)"},
        {"act": "torch.nn.Threshold(0.1, 0.4)"},
    ):
        cell = written(**change)
        with torch.no_grad():
            found = generated.run(cell, x, cell.initial(2), None)[0]
            wanted = Recurrent(type(cell), 3, 4, backend="reference")
            wanted.cells[0].load_state_dict(cell.state_dict())
            torch.testing.assert_close(found, wanted(x)[0])


@needs_compiler
def test_settings_changed_after_a_run_count() -> None:
    cell = written(sharpness=1.0)
    x = torch.randn(2, 6, 3)
    generated.run(cell, x, cell.initial(2), None)
    setattr(cell, "sharpness", 3.0)  # noqa: B010  a name the class does not declare
    changed = generated.run(cell, x, cell.initial(2), None)[0]
    fresh = written(sharpness=3.0)
    fresh.load_state_dict(cell.state_dict())
    torch.testing.assert_close(changed, generated.run(fresh, x, fresh.initial(2), None)[0])
