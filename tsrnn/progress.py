"""One bar with the time left, for whatever takes more than two seconds, where somebody looks on.

`progress="auto"` shows it on a terminal and in a notebook, and nowhere else: not in a pipe, under CI, in a worker
process or another thread. True always shows it, and at once, False never. What runs inside a job that has a bar shows
none of its own, so that there is one at a time. It is drawn on standard error by the thread that works, without one of
its own, and taken away at the end. tqdm is imported when a bar is first drawn.
"""

import logging
import multiprocessing
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

AUTO = "auto"
DELAY = 2.0  # seconds
_FORMAT = "{desc} {percentage:3.0f} % |{bar}| {elapsed}, {remaining} left at most{postfix}"
_outer = threading.local()

T = TypeVar("T")


class Bar:
    """A job of so many steps; nothing is drawn before it has taken `delay` seconds."""

    def __init__(self, job: str, steps: int, visible: bool, delay: float = 0.0) -> None:
        self.job, self.steps, self.visible, self.delay = job, steps, visible, delay
        self.done, self.began, self.note = 0, time.monotonic(), ""
        self.drawn: Any = None

    def advance(self, steps: int = 1) -> None:
        """So many steps more are done."""
        self.done += steps
        if not self.visible or (self.drawn is None and time.monotonic() - self.began < self.delay):
            return
        first = self.drawn is None
        if first:
            self.drawn = _drawn(self.job, self.steps, self.began)
        self.drawn.set_postfix_str(self.note, refresh=False)
        if not self.drawn.update(self.done - self.drawn.n) and first:
            self.drawn.refresh()

    def close(self) -> None:
        """Take the bar away."""
        if self.drawn is not None:
            self.drawn.close()


@contextmanager
def bar(job: str, steps: int, asked: bool | str = AUTO) -> Iterator[Bar]:
    """A bar for the job within; hidden inside another job, or where `asked` says so.

    Args:
        job: what is done, in a word or two.
        steps: of which it consists, at most.
        asked: True, False or "auto".
    """
    outermost = not getattr(_outer, "busy", False)
    auto = asked == AUTO
    made = Bar(job, steps, outermost and (watched() if auto else bool(asked)), DELAY if auto else 0.0)
    _outer.busy = True
    try:
        yield made
    finally:
        made.close()
        if outermost:
            _outer.busy = False


@contextmanager
def hidden() -> Iterator[None]:
    """No bar within: what runs there is shown in another way."""
    with bar("", 0, False):
        yield


def track(items: Collection[T], job: str, asked: bool | str = AUTO) -> Iterator[T]:
    """The items one by one, under a bar that advances as each is done with."""
    return counted(items, lambda item: 1, job, len(items), asked)


def counted(
    parts: Iterable[T], size: Callable[[T], int], job: str, steps: int, asked: bool | str = AUTO
) -> Iterator[T]:
    """The parts one by one, under a bar that advances by the `size` of each as it is done with."""
    with bar(job, steps, asked) as shown:
        for part in parts:
            yield part
            shown.advance(size(part))


def watched() -> bool:
    """Whether somebody looks on: a terminal or a notebook, and the main thread of the main process."""
    if multiprocessing.parent_process() is not None or threading.current_thread() is not threading.main_thread():
        return False
    if os.environ.get("CI"):
        return False
    return _in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    made = shell.get_ipython() if shell is not None and hasattr(shell, "get_ipython") else None
    return type(made).__name__ == "ZMQInteractiveShell"


def _drawn(job: str, steps: int, began: float) -> Any:
    from tqdm import tqdm

    class Drawn(tqdm):  # type: ignore[misc]  # tqdm has no types
        monitor_interval = 0  # no thread that looks after it: a fork must not find its locks taken

    columns, lines = shutil.get_terminal_size()  # where tqdm, told of none, would draw nothing
    drawn = Drawn(
        total=steps,
        desc=job,
        delay=sys.float_info.min,  # the first look is at steps done
        smoothing=0,
        leave=False,
        file=sys.stderr,
        ncols=columns - 1,
        nrows=lines,
        bar_format=_FORMAT,
    )
    drawn.start_t -= time.monotonic() - began
    return drawn


@contextmanager
def silenced(*names: str) -> Iterator[None]:
    """Loggers of other packages, by their names, say nothing but errors for as long as it lasts."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)
