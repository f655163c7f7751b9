"""What the speed scripts share: clocks, memory, and rows that say whether a reach holds.

Seconds are medians of repeats after a warm-up. Two sides of a ratio or a difference take turns inside one run, on one
torch thread, with the allocator set the same way, so that a busy machine slows both. Memory is read from `/proc`.
"""

import argparse
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One figure. `reach` says what was promised, None where nothing was; then `holds` is true."""

    what: str
    value: float
    unit: str
    reach: str | None = None
    holds: bool = True


def at_most(what: str, value: float, unit: str, reach: float) -> Row:
    return Row(what, value, unit, f"at most {reach:g}", value <= reach)


def at_least(what: str, value: float, unit: str, reach: float) -> Row:
    return Row(what, value, unit, f"at least {reach:g}", value >= reach)


def seconds(f: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds that one call takes, by the wall or by another clock."""
    began = clock()
    f()
    return clock() - began


def bench(f: Callable[[], object], repeats: int = 100, warm_up: int = 10) -> float:
    """Median seconds of a call."""
    return sides(f, repeats=repeats, warm_up=warm_up)[0]


def sides(*calls: Callable[[], object], repeats: int = 100, warm_up: int = 10) -> list[float]:
    """Median seconds of each of several calls that take turns."""
    for call in calls * warm_up:
        call()
    laps = [[seconds(call) for call in calls] for _ in range(repeats)]
    return [statistics.median(each) for each in zip(*laps, strict=True)]


def one_thread() -> None:
    """One torch thread, and freed pages kept, as in every training."""
    import torch

    from tsrnn.allocator import tune_allocator

    torch.set_num_threads(1)
    tune_allocator()


def in_child(f: Callable[..., Any], *args: Any) -> Any:
    """The result of a call in a fresh process, whose memory nobody has used before."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as child:
        return child.submit(f, *args).result()


def resident() -> int:
    """Bytes of this process that are in memory now."""
    return _status("VmRSS")


def peak() -> int:
    """Most bytes of this process that were in memory at once since `forget_peak`."""
    return _status("VmHWM")


def forget_peak() -> None:
    """Let the peak start again from what is in memory now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def tree(root: int) -> int:
    """Bytes of a process and all its descendants, shared pages counted once (the sum of their PSS)."""
    parents = {int(path.parent.name): _parent(path) for path in Path("/proc").glob("[0-9]*/stat")}
    members = {root}
    while more := {child for child, parent in parents.items() if parent in members} - members:
        members |= more
    return sum(_proportional(member) for member in members)


def report(about: str, measure: Callable[..., Iterable[Row]], **options: str) -> None:
    """Measure and print: a table, or with `--json` one list of rows.

    `options`: further options of the command line with their help; those given reach `measure` by name.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--json", action="store_true", help="print one JSON list of rows")
    for name, purpose in options.items():
        parser.add_argument(f"--{name}", help=purpose, default=argparse.SUPPRESS)
    given = vars(parser.parse_args())
    as_json = given.pop("json")
    rows = list(measure(**given))
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    wide = max(len(row.what) for row in rows)
    for row in rows:
        verdict = "" if row.reach is None else f"{row.reach}: {'holds' if row.holds else 'MISSED'}"
        print(f"{row.what:<{wide}}  {row.value:>9.4g} {row.unit:<4} {verdict}".rstrip())


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise RuntimeError(f"/proc/self/status has no {field}: memory is measured on Linux only")


def _parent(stat: Path) -> int:
    """The parent's id; 0 where the process has ended meanwhile."""
    try:
        return int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _proportional(process: int) -> int:
    """PSS in bytes; 0 where the process has ended meanwhile."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:")), 0)
