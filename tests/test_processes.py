"""Processes that train one model together, each on its part of every batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tsrnn import draws

SCRIPT = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
import torch
from small import long_frame
from tsrnn import Forecaster, windows

torch.set_num_threads(1)
seen, real = [], windows.Windows.batches


def told(self, size, generator=None, *rest):
    for batch in real(self, size, generator, *rest):
        seen.extend(batch.past[:, -1, 0].tolist() if generator is not None and batch.share else [])
        yield batch


windows.Windows.batches = told
options = {"hidden_size": 8, "dropout": 0.0, "max_epochs": 2, "batch_size": 31, "progress": False}
model = Forecaster("gru", input_size=24, horizon=6, devices=int(sys.argv[1]), **options).fit(long_frame())
answer = {"losses": model.report_.losses, "seen": seen, "forecast": model.predict()["y"].to_list()}
with open(f"{sys.argv[2]}.{os.environ.get('LOCAL_RANK', 0)}", "w") as file:
    json.dump(answer, file)
"""


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no processes that train together")
def test_two_processes_see_every_window_once_and_learn_what_one_learns(tmp_path):
    script = tmp_path / "fit.py"
    script.write_text(SCRIPT)
    places = [str(Path(__file__).parent), str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}
    for processes in (1, 2):
        command = [sys.executable, str(script), str(processes), str(tmp_path / f"of{processes}")]
        subprocess.run(command, env=surroundings, check=True, capture_output=True)
    alone = json.loads((tmp_path / "of1.0").read_text())
    both = [json.loads((tmp_path / f"of2.{rank}").read_text()) for rank in (0, 1)]
    assert sorted(both[0]["seen"] + both[1]["seen"]) == sorted(alone["seen"])
    assert abs(len(both[0]["seen"]) - len(both[1]["seen"])) <= 2 * 12
    assert both[0]["losses"] == both[1]["losses"]
    for one, two in zip(alone["losses"], both[0]["losses"], strict=True):
        assert two == pytest.approx(one, abs=1e-5)
    assert both[0]["forecast"] == pytest.approx(alone["forecast"], abs=1e-4)


@pytest.mark.parametrize("count", [1, 2, 5, 64])
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_the_parts_of_a_step_weigh_as_much_as_their_windows(count, processes):
    batch = torch.arange(count) + 7
    parts = [list(draws.shared(iter([batch]), (rank, processes), True)) for rank in range(processes)]
    assert [len(part) for part in parts] == [1] * processes
    losses = [float(which.double().mean()) * share for ((which, share),) in parts]
    assert sum(losses) / processes == pytest.approx(float(batch.double().mean()))
    taken = torch.cat([which for ((which, share),) in parts if share])
    assert taken.sort().values.equal(batch)


def test_who_has_no_window_to_validate_on_is_left_out():
    parts = [list(draws.shared(iter([torch.tensor([3])]), (rank, 2), False)) for rank in (0, 1)]
    assert [len(part) for part in parts] == [1, 0]
