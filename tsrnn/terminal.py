"""The program at its terminal: Ctrl-C at any moment, SIGTERM, streams that are closed, full or cut off, widths.

Imports nothing but what Python has loaded already or loads at once, since it is there before everything else.
"""

import codecs
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from types import FrameType

LEAST_WIDTH = 40  # columns
_MEND = "let it lead to a place with room, or name a file with --out where the command has it"
_STREAMS = (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w"))
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STOPPED = 128 + signal.SIGINT


@contextmanager
def attached() -> Iterator[None]:
    """Around a whole command: what stops it ends it quietly, output that cannot go anywhere is one sentence.

    Exit 130 at Ctrl-C, 143 at SIGTERM, 2 with the sentence, 1 where a reader has had enough (`| head`).
    """
    signals: list[int] = []
    try:
        _open_streams()
        _widen()
        with _handling(signals, at_once=_importing):
            try:
                yield
            finally:
                sys.stdout.flush()  # what would fail as Python ends must fail while it can be told
    except KeyboardInterrupt:
        sys.exit(status(signals))
    except SystemExit as stop:
        sys.exit(status(signals) if stop.code == _STOPPED else stop.code)
    except BrokenPipeError:
        _drop_output()
        sys.exit(1)
    except OSError as error:
        if error.filename is not None or not _output_fails():
            raise
        _drop_output()
        print(f"tsrnn: cannot write to standard output: {error.strerror or error}; {_MEND}", file=sys.stderr)
        sys.exit(2)


def in_utf8() -> None:
    """Start the program again, in Python's UTF-8 mode, where names would pass as ASCII: by the locale C and its kin.

    Nothing else lets a file, a column or a series keep an umlaut in its name there, from the words that were typed to
    the folders that are made. Other encodings have letters of their own and are left alone.
    """
    narrow = codecs.lookup(sys.getfilesystemencoding()).name == "ascii"
    if narrow and sys.executable and os.environ.get("PYTHONUTF8") != "1":  # it says so where this was tried
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


@contextmanager
def stoppable() -> Iterator[list[int]]:
    """Within `attached`, where workers and claims must be cleared away also while something is imported.

    Yields:
        The signals that came, for `status`.
    """
    signals: list[int] = []
    with _handling(signals, at_once=lambda frame: False):
        yield signals


@contextmanager
def _handling(signals: list[int], at_once: Callable[[FrameType | None], bool]) -> Iterator[None]:
    """Ctrl-C and SIGTERM are KeyboardInterrupt, or end the process `at_once`; `signals` lists those that came.

    Left alone where they are ignored, as under nohup, and outside the main thread, which alone may say who takes them.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        signals.append(number)
        if at_once(frame):
            os._exit(status(signals))
        raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    heard = [each for each in _SIGNALS if main and signal.getsignal(each) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def status(signals: list[int]) -> int:
    """The exit status that shells give for the last of these signals."""
    return 128 + signals[-1] if signals else _STOPPED


def _importing(frame: FrameType | None) -> bool:
    """Whether modules are being imported: there an exception may be swallowed or shown, and nothing is to lose."""
    while frame is not None and frame.f_code.co_filename != "<frozen importlib._bootstrap>":
        frame = frame.f_back
    return frame is not None


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
