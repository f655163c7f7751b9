"""The logger `tsrnn`: rows, series, windows, what was skipped, seconds. Silent until somebody gives it a level.

logging.basicConfig(); logging.getLogger("tsrnn").setLevel("INFO")
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LOGGER = logging.getLogger("tsrnn")
LOGGER.addHandler(logging.NullHandler())


@contextmanager
def noted(deed: str, **facts: Any) -> Iterator[dict[str, Any]]:
    """One line of level INFO once the deed is done: what it was, its facts, and the seconds that it took.

    Yields:
        The facts, to which more may be added; those that are 0 or None are left out.
    """
    began = time.perf_counter()
    yield facts
    note(deed, time.perf_counter() - began, **facts)


def note(deed: str, seconds: float, **facts: Any) -> None:
    """The line itself."""
    if LOGGER.isEnabledFor(logging.INFO):
        said = [
            f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
            for name, value in facts.items()
            if value
        ]
        LOGGER.info("%s: %s, seconds %.2f", deed, ", ".join(said), seconds)
