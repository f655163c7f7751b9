"""The sha256 of the numbers in a table: what tells one simulated world, or one user's frame, from another."""

import hashlib
from collections.abc import Container

import polars as pl

from tsrnn.roles import Roles


def of_table(table: pl.DataFrame, roles: Roles, words: Container[str]) -> str:
    """Of the columns that count, in the order of their roles, as float64; `words`: those that hold text."""
    digest = hashlib.sha256(repr(table.schema).encode())
    for name in (*roles.targets, *roles.past, *roles.future, *roles.static):
        column = table[name]
        if name in words:
            digest.update("\0".join(column.cast(pl.String).fill_null("")).encode())
        else:
            digest.update(column.cast(pl.Float64).fill_null(float("nan")).to_numpy().tobytes())
    return digest.hexdigest()
