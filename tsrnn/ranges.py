"""How a Config says what a sweep may try: the range stands beside the default, in the field itself."""

from dataclasses import field
from typing import Any


def choice(default: Any, *values: Any) -> Any:
    """A Config field and the values a sweep may give it."""
    return field(default=default, metadata={"choices": list(values)})


def span(default: Any, low: float, high: float, log: bool = False) -> Any:
    """A Config field and the range (inclusive) a sweep may take it from; whole numbers where `default` is one."""
    return field(default=default, metadata={"low": low, "high": high, "log": log})
