"""The command line's entry: what goes wrong is one sentence, what is stopped ends quietly.

Nothing is imported before `main` runs but what every Python has, so that Ctrl-C meets it while the rest is read.
"""

import os
import signal
import sys
from types import FrameType

_STOPPED, _TERMINATED = 130, 143  # exit codes, as shells give them for Ctrl-C and SIGTERM


def main() -> None:
    """Exit 2 for what the user can mend, 1 for our own fault, 130 for Ctrl-C and 143 for SIGTERM."""
    terminated: list[int] = []

    def terminate(number: int, frame: FrameType | None) -> None:
        terminated.append(number)
        raise KeyboardInterrupt  # workers and files are left as Ctrl-C leaves them

    try:
        _at_sigterm(terminate)
        _run()
    except KeyboardInterrupt:
        sys.exit(_TERMINATED if terminated else _STOPPED)
    except SystemExit as stop:
        sys.exit(_TERMINATED if terminated and stop.code == _STOPPED else stop.code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _run() -> None:
    from tsrnn.commands._app import app
    from tsrnn.errors import InputError

    if os.environ.get("COLUMNS", "").strip("0") == "":  # some terminals say 0 where they do not know
        os.environ.pop("COLUMNS", None)
    try:
        app()
    except InputError as error:
        print(f"tsrnn: {error}", file=sys.stderr)
        sys.exit(2)


def _at_sigterm(handler: "signal._HANDLER") -> None:
    try:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, handler)
    except ValueError:  # not the main thread
        pass


if __name__ == "__main__":
    main()
