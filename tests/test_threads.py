"""Pieces of a call run on torch's team of threads, on Python's, or in a forked child: the same numbers everywhere."""

import os
import subprocess
import sys

import pytest
import torch
from jobs import PATIENCE

from tsrnn.recurrence import Recurrent, build, threads
from tsrnn.recurrence.structs import Part

pytestmark = pytest.mark.skipif(not build.available()[0], reason="no C++ compiler")

FORKED = """
import os, torch
torch.set_num_threads(2)
from tsrnn.recurrence import Recurrent
torch.manual_seed(0)
layer, x = Recurrent("gru", 33, 64), torch.randn(33, 100, 33)
wanted = layer(x)[0].detach().numpy().tobytes()
child = os.fork()
if not child:
    # Bytes are compared because a parallel operation of torch's own hangs in a child whose parent had a team.
    os._exit(0 if layer(x)[0].detach().numpy().tobytes() == wanted else 3)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def test_python_threads_stand_in_where_there_is_no_openmp(two_threads, monkeypatch):
    torch.manual_seed(0)
    layer, x = Recurrent("gru", 33, 64), torch.randn(33, 100, 33)
    wanted = layer(x)[0]
    seen = []
    pool = threads._pool
    monkeypatch.setattr(threads, "_openmp", lambda: None)
    monkeypatch.setattr(threads, "_pool", lambda count: seen.append(count) or pool(count))
    assert torch.equal(layer(x)[0], wanted)
    assert seen == [2]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_computes_too():
    command = [sys.executable, "-W", "ignore", "-c", FORKED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr


class NoMemory:
    """A library whose functions find no memory."""

    def __init__(self):
        from ctypes import CFUNCTYPE, c_int, c_void_p

        self.run = CFUNCTYPE(c_int, c_void_p)(lambda _: 1)
        self.team = CFUNCTYPE(None, c_void_p)(lambda _: None)


def test_a_kernel_without_memory_says_so():
    with pytest.raises(MemoryError, match="work space"):
        threads.Entry(NoMemory(), "run")((Part * 1)(), 1)
