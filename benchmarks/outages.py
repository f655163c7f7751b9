"""Sweeps while things break: a PostgreSQL server that restarts, workers that are killed, several tunes on one study.

    python benchmarks/outages.py restarts --runs 10     # 4 processes, simulated trials, two restarts of up to 60 s
    python benchmarks/outages.py kills                  # 60 simulated trials; processes and the server are killed
    python benchmarks/outages.py fits                   # 60 small real fits by `tsrnn tune --workers 2`, with kills
    python benchmarks/outages.py fits --on ray          # the same on a Ray of this machine

Each makes a server of its own in a temporary folder (Debian's `postgresql`) and prints a line of JSON per run: of
processes how many died by themselves, of trials how many ended, whether their numbers are dense, how many are left
running, and of those that a process saw end (a line in a log says so) how many the study does not hold as they were.
"""

import argparse
import json
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402  after the path
import optuna  # noqa: E402
import polars as pl  # noqa: E402
from server import Server  # noqa: E402

from tsrnn import tune  # noqa: E402
from tsrnn.panel import Panel  # noqa: E402
from tsrnn.tune import fitted, patience, storage  # noqa: E402
from tsrnn.tune import study as studies  # noqa: E402

ASKED = tune.Sweep("nlinear", 4, (12,), {"max_epochs": 2}, split={"ratios": [0.6, 0.2, 0.2]})
EPOCHS, EPOCH = 10, 0.15  # of a simulated trial, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["restarts", "kills", "fits"])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--longest", type=float, default=60, help="seconds of an outage")
    parser.add_argument("--on", default="processes", help="where fits run: processes, or ray")
    asked = parser.parse_args()
    for run in range(asked.runs):
        done = one(asked.what, run, asked.trials, asked.longest, asked.on)
        print(json.dumps({"what": asked.what, "on": asked.on, "run": run, **done}), flush=True)


def panel() -> Panel:
    t = np.arange(300)
    return Panel.of(pl.DataFrame({"ds": t, "y": np.sin(t / 4)}), source="wave")


def work(url: str, trials: int, log: Path) -> None:
    """A process that sweeps: trials without a fit, which report, ask whether to stop, and take a second or two."""

    def simulated(trial: Any, panel: Panel, asked: tune.Sweep, url: str) -> list[float]:
        drawn = tune.suggest(trial, asked.model, asked.fixed)
        error = abs(float(np.log(drawn["learning_rate"] / 0.003))) + 0.01
        for epoch in range(1, EPOCHS + 1):
            time.sleep(EPOCH)
            trial.report(error * (1 + 1 / epoch), epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return [error]

    def told(trial: Any, ended: int, lowest: float) -> None:
        with log.open("a") as lines:
            lines.write(json.dumps([trial.number, trial.state.name, _value(trial)]) + "\n")

    fitted._objective = simulated
    tune.run(panel(), ASKED, trials, url, "s", on_trial=told)


def one(what: str, run: int, trials: int, longest: float, on: str) -> dict[str, Any]:
    """One sweep and what was left of it."""
    chance = random.Random(run)
    began = time.monotonic()
    with Server() as server, tempfile.TemporaryDirectory() as place:
        url, log = server.create("sweeps"), Path(place) / "log"
        log.touch()
        if what == "fits":
            broken, deaths = fits(server, url, Path(place), trials, chance, on)
        else:
            broken, deaths = simulated(server, url, log, trials, chance, longest, kills=what == "kills")
        seconds = time.monotonic() - began
        return {**broken, "died by themselves": deaths, **left(url, log, trials), "seconds": round(seconds)}


def left(url: str, log: Path, trials: int) -> dict[str, Any]:
    """What the study holds, held against what the processes saw end."""
    study = optuna.load_study(study_name="s", storage=storage.connected(url))
    told = {trial.number: trial for trial in study.get_trials(deepcopy=False)}
    seen = [json.loads(line) for line in log.read_text().splitlines()]
    lost = [
        number for number, state, value in seen if (told[number].state.name, _value(told[number])) != (state, value)
    ]
    return {
        "asked": trials,
        "ended": studies.counted(study),
        "states": dict(Counter(trial.state.name for trial in told.values())),
        "numbers dense": sorted(told) == list(range(len(told))),
        "seen to end": len(seen),
        "seen twice": len(seen) - len({number for number, *_ in seen}),
        "lost": len(lost),
        "left running": sum(trial.state.name in ("RUNNING", "WAITING") for trial in told.values()),
    }


def _value(trial: Any) -> float | None:
    return round(trial.values[0], 4) if trial.state.name == "COMPLETE" else None


def simulated(
    server: Server, url: str, log: Path, trials: int, chance: random.Random, longest: float, kills: bool
) -> tuple[dict[str, Any], int]:
    """Four processes on one study. The server is stopped twice; with kills a process dies between, and is replaced."""
    context = multiprocessing.get_context("fork")  # of this process, which has imported all and runs nothing

    def process() -> Any:
        made = context.Process(target=work, args=(url, trials, log))
        made.start()
        return made

    processes = [process() for _ in range(4)]
    outages, killed, deaths = [], 0, 0
    try:
        for share in (0.2, 0.5):
            while _lines(log) < share * trials and any(each.is_alive() for each in processes):
                time.sleep(0.2)
            for _ in range(3 if kills else 0):
                if victims := [each for each in processes if each.is_alive()]:
                    victim = chance.choice(victims)
                    victim.kill()
                    victim.join()
                    processes.remove(victim)
                    killed += 1
                    processes.append(process())
                    time.sleep(chance.uniform(0, 4))
            outages.append(_outage(server, chance, longest))
        for each in processes:
            each.join()
            deaths += each.exitcode != 0
    finally:
        for each in processes:
            each.kill()
    return {"outages": outages, "killed": killed}, deaths


def fits(
    server: Server, url: str, folder: Path, trials: int, chance: random.Random, on: str
) -> tuple[dict[str, Any], int]:
    """`tsrnn tune --workers 2`: workers, what started them, the server and the driver die, which starts again."""
    panel().frame.write_csv(folder / "wave.csv")
    task = ["--model", "nlinear", "--input-size", "12", "--horizon", "4", "--set", "max_epochs=3"]
    more = ["--trials", str(trials), "--study", "s", "--storage", url, "--workers", "2", "--on", on]
    command = [sys.executable, "-m", "tsrnn.cli", "tune", "wave.csv", *task, *more]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def process() -> "subprocess.Popen[bytes]":
        with (folder / "told").open("a") as told:
            return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=told)

    parent = "fork server" if on == "processes" else "worker"  # what starts Ray's is the node itself
    plan = ((0.1, "worker"), (0.2, "worker"), (0.3, parent), (0.5, "PostgreSQL"), (0.7, "driver"))
    outages, victims = [], []
    with ended([process()]) as processes:
        for share, victim in plan:
            _until(lambda share=share: _ended(url) >= share * trials, processes)
            victims.append(victim)
            if victim == "worker":
                os.kill(_running(url)[0], signal.SIGKILL)
            elif victim == "fork server":
                os.kill(_parent(_running(url)[0]), signal.SIGKILL)
            elif victim == "PostgreSQL":
                outages.append(_outage(server, chance, 20))
            else:
                processes[0].kill()
                processes[0].wait()
                processes[0] = process()
        deaths = sum(each.wait() != 0 for each in processes)
    lines = re.findall(r"^trial (\d+): (\w+)(?: (\d+\.\d+))?", (folder / "told").read_text(), re.MULTILINE)
    seen = [[int(number), state.upper(), float(value) if value else None] for number, state, value in lines]
    (folder / "log").write_text("".join(json.dumps(each) + "\n" for each in seen))
    return {"outages": outages, "killed": victims}, deaths


@contextmanager
def ended(processes: list["subprocess.Popen[bytes]"]) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Processes, none of which outlives what is within."""
    try:
        yield processes
    finally:
        for each in processes:
            each.kill()
            each.wait()


def _outage(server: Server, chance: random.Random, longest: float) -> float:
    seconds = round(chance.uniform(1, longest), 1)
    server.stop(chance.choice(["fast", "immediate"]))
    time.sleep(seconds)
    server.start()
    return seconds


def _until(true: Any, processes: list["subprocess.Popen[bytes]"]) -> None:
    """Wait until something is so, or no process is left that could make it so."""
    while not true() and any(each.poll() is None for each in processes):
        time.sleep(0.2)


def _lines(log: Path) -> int:
    return log.read_bytes().count(b"\n")


_KEPT: dict[str, studies.Kept] = {}


def _study(url: str) -> optuna.Study | None:
    with suppress(KeyError, patience.exc.SQLAlchemyError, patience.StorageInternalError):
        if url not in _KEPT:
            _KEPT[url] = studies.found(url, "s")
        return _KEPT[url].study
    return None


def _ended(url: str) -> int:
    study = _study(url)
    return 0 if study is None else studies.counted(study)


def _running(url: str) -> list[int]:
    """Processes that run a trial; waits for one."""
    while True:
        study = _study(url)
        running = [] if study is None else study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
        pids = [each.user_attrs["process"]["pid"] for each in running]
        if alive := [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
            return alive
        time.sleep(0.02)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    main()
