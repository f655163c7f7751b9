"""Python is read as text by one thread at a time, also where the collector runs between two nodes of a tree."""

import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tsrnn import registry, syntax


@pytest.fixture
def switching():
    """Threads that take turns as often as may be, and a collector that lets them."""

    def collected(phase, info):
        sum(range(50))

    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(200)
    gc.callbacks.append(collected)
    yield
    gc.callbacks.remove(collected)
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("switching")
def test_threads_that_read_python_at_once_do_not_meet():
    text = Path(registry.__file__).read_text(encoding="utf-8")

    def read(number):
        for _ in range(20):
            assert syntax.parse(text).body
            assert syntax.source(registry.Unregistered).startswith("class Unregistered")
        return number

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(read, range(4))) == [0, 1, 2, 3]


def test_no_other_room_builds_trees_by_itself():
    own = Path(syntax.__file__)
    calls = ("ast.parse(", "inspect.getsource", "getsourcelines(")
    others = [
        path.name
        for path in own.parent.rglob("*.py")
        if path != own and any(each in path.read_text("utf-8") for each in calls)
    ]
    assert others == []
