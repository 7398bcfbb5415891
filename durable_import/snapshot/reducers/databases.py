"""Reducers for rows of ``sqlite3``, for its cursors whose rows were all read, and for connections that are closed."""

from __future__ import annotations

from functools import lru_cache
from pickle import PicklingError
from typing import Any

Reduced = tuple[Any, ...]

_KEPT = ("description", "lastrowid", "rowcount")  # what the last statement has left
_SET = ("arraysize", "row_factory")


def restore_closed_connection() -> Any:
    """An SQLite connection after its ``close()``."""
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.close()
    return connection


def reduce_connection(connection: Any) -> Reduced:
    """An SQLite connection of which nothing is noted: kept only if it is closed."""
    if is_closed(connection):
        return restore_closed_connection, ()
    raise PicklingError(
        "an open SQLite connection that was not made by `sqlite3.connect(...)` in this instance: make it in the program's own "
        "code, or keep it at module level"
    )


def is_closed(connection: Any) -> bool:
    """Whether an SQLite connection was closed."""
    import sqlite3

    try:
        connection.total_changes  # noqa: B018  # the cheapest thing that a closed one refuses
    except sqlite3.ProgrammingError as error:
        return "closed" in str(error)
    return False


def reduce_cursor(cursor: Any) -> Reduced:
    """See ``holds.sqlite``. Raises ``pickle.PicklingError`` for one that may have rows which were not read."""
    if getattr(cursor, "has_unread_rows", True):
        raise PicklingError("rows of it may not have been read")
    if cursor.is_closed or is_closed(cursor.connection):
        return restore_closed_cursor, ()
    kept = {name: getattr(cursor, name) for name in _KEPT}
    return restore_cursor, (cursor.connection, kept, {name: getattr(cursor, name) for name in _SET})


def restore_cursor(connection: Any, kept: dict[str, Any], attributes: dict[str, Any]) -> Any:
    """A cursor that stands behind its last row."""
    cursor = connection.cursor()
    cursor.kept = kept
    for name, value in attributes.items():
        setattr(cursor, name, value)
    return cursor


def restore_closed_cursor() -> Any:
    """A cursor after its ``close()``, or that of its connection."""
    import sqlite3

    connection = sqlite3.connect(":memory:")
    cursor = connection.cursor()
    cursor.close()
    connection.close()
    return cursor


def reduce_row(row: Any) -> Reduced:
    """A row: its names and values are all that it has."""
    return restore_row, (tuple(row.keys()), tuple(row))


def restore_row(names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    """A row that equals the one that was saved."""
    import sqlite3

    return sqlite3.Row(_cursor_with(names), values)


@lru_cache(maxsize=64)
def _cursor_with(names: tuple[str, ...]) -> Any:
    """A cursor whose rows would have these names."""
    import sqlite3

    columns = ", ".join('null as "{}"'.format(name.replace('"', '""')) for name in names)
    return sqlite3.connect(":memory:", check_same_thread=False).execute(f"select {columns}")
