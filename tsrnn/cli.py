"""The command line's entry point: an error is one sentence. What is slow to import waits until Ctrl-C is seen to."""

import sys

try:
    import warnings
    from typing import Any

    from tsrnn import terminal
except KeyboardInterrupt:  # nobody listens yet, and nothing is to lose
    sys.exit(130)


def main() -> None:
    """Exit 2 for what the user can mend, 1 for our own fault, 130 for Ctrl-C."""
    terminal.in_utf8()
    with terminal.attached(), warnings.catch_warnings():
        from tsrnn.errors import InputError

        _show_notices()
        try:
            from tsrnn.commands._app import app

            app()
        except InputError as error:
            print(f"tsrnn: {error}", file=sys.stderr)
            sys.exit(2)


def _show_notices() -> None:
    """Print each notice once, as one line of standard error; other warnings are shown as they were."""
    from tsrnn import spoken
    from tsrnn.errors import Notice

    before, shown = warnings.showwarning, set()

    def show(message: Warning | str, category: type[Warning], *where: Any) -> None:
        if not issubclass(category, Notice):
            before(message, category, *where)
        elif (text := spoken.worded(str(message))) not in shown:
            shown.add(text)
            print(f"tsrnn: {text}", file=sys.stderr)

    warnings.simplefilter("always", Notice)
    warnings.showwarning = show  # type: ignore[assignment]  # the places are handed on as they come


if __name__ == "__main__":
    main()
