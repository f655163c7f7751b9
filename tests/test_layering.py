"""The map in `tsrnn/__init__.py` is true, and the laws hold that keep it so."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rooms import the_map

import tsrnn
import tsrnn.board

ROOT = Path(tsrnn.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
DOORS = {
    "pytorch_lightning": {"fit"},
    "lightning": {"fit"},
    "optuna": {"tune"},
    "optuna_dashboard": {"tune"},
    "sqlalchemy": {"tune"},
    "ray": {"clusters.py"},
    "matplotlib": {"plot"},
    "typer": {"commands"},
    "jinja2": {"page"},
    "rich": {"console.py", "board/text.py", "bench/screen.py", "commands"},
    "pooch": {"catalog.py"},
    "tqdm": {"progress.py"},
    "safetensors": {"store.py"},
    "scipy": {"online/guard.py", "board/difference.py", "heads/negative_binomial.py", "heads/student_t.py"},
    "pandas": set(),  # narwhals knows it at the door
    "narwhals": {"frames.py"},
    "xarray": {"gridded.py"},
}
SHELVES = ("cells", "commands", "execute", "heads", "models", "readers")
CAREFUL = ("pickle", "dill", "joblib", "marshal", "shelve")

every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())


def named(path):
    return path.relative_to(ROOT).as_posix()


def room_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path):
    """Dotted names of everything a file imports, also inside functions; `from a import b` counts as a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            yield from (f"{node.module}.{each.name}" for each in node.names)


def packages(path):
    return {name.partition(".")[0] for name in imports(path)}


def rooms_imported(path):
    for name in imports(path):
        if name.startswith("tsrnn."):
            first = name.split(".")[1]
            yield tsrnn._PUBLIC.get(first, first)


def test_the_map_names_every_room_once():
    rooms = {room_of(path) for path in FILES} - {"__init__"}
    assert sorted(the_map()) == sorted(rooms)


@every_file
def test_imports_run_downhill(path):
    room, order = room_of(path), the_map()
    if room == "__init__":
        return
    uphill = [each for each in rooms_imported(path) if each != room and order.index(each) > order.index(room)]
    assert not uphill, f"{named(path)} imports {uphill}, which stand after it on the map"


def test_the_board_is_built_in_the_order_that_it_says():
    order = re.findall(r"\w+", tsrnn.board.__doc__.partition(": ")[2].rpartition(": ")[2])
    assert sorted(order) == sorted(path.stem for path in (ROOT / "board").glob("[!_]*.py"))
    for place, name in enumerate(order):
        inside = [
            each.split(".")[2] for each in imports(ROOT / "board" / f"{name}.py") if each.startswith("tsrnn.board.")
        ]
        assert {*inside} <= {*order[:place]}, f"board/{name}.py imports {inside}"


def test_the_order_of_the_design():
    order = the_map()
    for line in (
        "errors arrays split scale shapes index panel catalog features buffer windows",
        "buffer windows cells recurrence layers heads models infer fit forecaster execute tune board bench cli",
        "errors registry cells",
        "forecaster testing",
        "errors console suites board bench commands cli",
        "intake panel readers catalog",
    ):
        places = [order.index(name) for name in line.split()]
        assert places == sorted(places), line


@every_file
def test_no_file_imports_both_polars_and_torch(path):
    assert not {"polars", "torch"} <= packages(path)


@every_file
def test_one_door_each(path):
    for package in packages(path) & set(DOORS):
        assert {named(path), room_of(path)} & DOORS[package], f"{named(path)} imports {package}"


@pytest.mark.parametrize("shelf", SHELVES)
def test_plug_ins_import_no_siblings(shelf):
    for path in (ROOT / shelf).glob("*.py"):
        if path.name == "__init__.py":
            continue
        siblings = [name for name in imports(path) if name.startswith(f"tsrnn.{shelf}.")]
        strangers = [name for name in siblings if not name.startswith(f"tsrnn.{shelf}._base.")]
        assert not strangers, f"{named(path)} imports {strangers}"


@every_file
def test_nothing_is_unpickled_or_executed(path):
    assert not packages(path) & set(CAREFUL)
    called = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }
    assert not called & {"eval", "exec", "torch.load", "np.load", "numpy.load", "os.system"}


@every_file
def test_files_are_short_and_say_what_they_are_for(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 300, f"{named(path)} is longer than 300 lines"
    assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{named(path)} has no docstring"


def test_rooms_have_names_that_say_something():
    assert not {room_of(path) for path in FILES} & {"utils", "helpers", "common", "misc", "tools"}


def test_importing_tsrnn_imports_nothing_heavy():
    code = "import sys, tsrnn; print({'torch', 'polars', 'pytorch_lightning', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


def test_a_process_that_loads_and_predicts_imports_no_trainer_compiler_or_exporter(tmp_path):
    forecaster = tsrnn.Forecaster("lstm", input_size=8, horizon=2, hidden_size=4, max_epochs=1, max_windows=32)
    forecaster.fit(tsrnn.load("transformer").frame.head(200), target="OT").save(tmp_path / "saved")
    heavy = {"pytorch_lightning", "optuna", "matplotlib", "scipy", "torch._dynamo", "torch.onnx._internal", "sympy"}
    code = (
        "import sys, tsrnn; frame = tsrnn.load('transformer').frame.head(200); "
        f"assert len(tsrnn.Forecaster.load({str(tmp_path / 'saved')!r}).predict(frame)) == 2; "
        f"print({heavy!r} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr


def run(*command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", [("check",), ("format", "--check")])
def test_ruff_has_nothing_to_say(command):
    pytest.importorskip("ruff")
    run("ruff", *command, "--no-cache", "tsrnn", "tests")


@pytest.mark.slow
def test_mypy_has_nothing_to_say(tmp_path):
    pytest.importorskip("mypy")
    run("mypy", f"--cache-dir={tmp_path}")
