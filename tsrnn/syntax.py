"""Python read as text, by one thread at a time.

Where two threads build a syntax tree at once, and a switch falls between, CPython before 3.12 ends one of them with
"AST constructor recursion depth mismatch" (python/cpython issue 106905): it counts the depth of both in one place.
"""

import ast
import inspect
from threading import Lock

_ONE = Lock()


def parse(text: str) -> ast.Module:
    """The syntax tree of a text.

    Raises:
        SyntaxError: it is not Python.
    """
    with _ONE:
        return ast.parse(text)


def source(kind: type) -> str:
    """The text that defines a class.

    Raises:
        OSError: no source is at hand.
        TypeError: it is built in.
    """
    with _ONE:
        return inspect.getsource(kind)
