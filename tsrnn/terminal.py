"""The program at its terminal: Ctrl-C at any moment, SIGTERM, streams that are closed, full or cut off, widths.

Imports nothing but what Python has loaded already or loads at once, since it is there before everything else.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from types import FrameType
from typing import Any

LEAST_WIDTH = 40  # columns
_MEND = "let it lead to a place with room, or name a file with --out where the command has it"
_STREAMS = (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w"))
_Handler = Callable[[int, FrameType | None], Any]


@contextmanager
def attached() -> Iterator[None]:
    """Around a whole command: exit 130 without a traceback at Ctrl-C, 2 with one sentence where output cannot go.

    A reader that has had enough (`| head`) is no error worth a word: exit 1.
    """
    _open_streams()
    _widen()
    try:
        with _handling({signal.SIGINT: _interrupted}):
            try:
                yield
            finally:
                sys.stdout.flush()  # what would fail as Python ends must fail while it can be told
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        _drop_output()
        sys.exit(1)
    except OSError as error:
        if error.filename is not None or not _output_fails():
            raise
        _drop_output()
        print(f"tsrnn: cannot write to standard output: {error.strerror or error}; {_MEND}", file=sys.stderr)
        sys.exit(2)


@contextmanager
def stoppable() -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM are KeyboardInterrupt, so that workers and claims are cleared away.

    Yields:
        The signals that came, by number.
    """
    signals: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        signals.append(number)
        raise KeyboardInterrupt

    with _handling({signal.SIGINT: stop, signal.SIGTERM: stop}):
        yield signals


@contextmanager
def _handling(handlers: dict[signal.Signals, _Handler]) -> Iterator[None]:
    """Signals are a process' own, and only its main thread may say who takes them."""
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()} if main else {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _interrupted(number: int, frame: FrameType | None) -> None:
    """End at once while something is imported: there an exception may be swallowed or shown, and nothing is to lose."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            os._exit(130)
        frame = frame.f_back
    raise KeyboardInterrupt


def _open_streams() -> None:
    """Give closed standard streams a place; output's is one that cannot be written, so that nothing is lost unsaid.

    Else the next file that is opened would take their numbers, and all that is printed.
    """
    for number, (name, flags, mode) in enumerate(_STREAMS):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, flags)
            if descriptor != number:
                os.dup2(descriptor, number)
                os.close(descriptor)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8"))
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a table goes on where the terminal has no letter for its ±


def _widen() -> None:
    """COLUMNS=0, or a few: a width that no terminal has and at which nothing can be read is not known."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) < LEAST_WIDTH:
        del os.environ["COLUMNS"]


def _output_fails() -> bool:
    """Whether an error was standard output's: then it does not take one character more."""
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError:
        return True
    return False


def _drop_output() -> None:
    """Let what is still to be written go nowhere, or Python would fail at its end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
