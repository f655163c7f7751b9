"""The command line's entry point: an error is one sentence. What is slow to import waits until Ctrl-C is seen to."""

import sys

from tsrnn import terminal


def main() -> None:
    """Exit 2 for what the user can mend, 1 for our own fault, 130 for Ctrl-C."""
    with terminal.attached():
        from tsrnn.errors import InputError

        try:
            from tsrnn.commands._app import app

            app()
        except InputError as error:
            print(f"tsrnn: {error}", file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    main()
