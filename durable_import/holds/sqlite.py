"""Connections and cursors of ``sqlite3`` that a program makes in an instance: of classes that say what of them would be lost.

They are made by a function in the place of ``sqlite3.connect``, which is written in C and cannot be noted as it stands.
Connections that libraries make, as pools do, stay what they are.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

from ..hook.code_table import PROGRAM
from ..ours import NAME
from .kinds import is_of_library
from .notes import Notes

_PRAGMAS = (  # of a connection, and not of its file
    "foreign_keys", "synchronous", "busy_timeout", "recursive_triggers", "query_only", "temp_store", "cache_size",
)  # fmt: skip
_MOST_POSITIONAL = 5  # arguments before ``factory``


NotesNow = Callable[[], Notes | None]


def replace_connect(module: Any, notes_now: NotesNow) -> type[Any]:
    """Put another ``connect`` in the place of that of ``sqlite3``; gives the class of its connections.

    ``notes_now`` gives the notes of the instance whose code runs, or None.
    """
    before, noted = module.connect, connection_class(module, notes_now)

    def connect(*args: Any, **kwargs: Any) -> Any:
        notes = notes_now()
        if notes is None or len(args) > _MOST_POSITIONAL or _is_called_by_library():
            return before(*args, **kwargs)
        made = before(*args, **{"factory": noted, **kwargs})
        notes.add(made, connect, args, kwargs)
        return made

    connect.__module__, connect.__qualname__, connect.__doc__ = module.__name__, "connect", before.__doc__
    with suppress(ValueError):  # of a function in C whose signature cannot be read
        connect.__signature__ = inspect.signature(before)  # type: ignore[attr-defined]
    holders = [module, sys.modules.get(f"{module.__name__}.dbapi2"), *map(sys.modules.get, list(PROGRAM))]
    for holder in filter(None, holders):
        for name, value in list(vars(holder).items()):
            if value is before:
                setattr(holder, name, connect)
    return noted


def _is_called_by_library() -> bool:
    """Whether another library than those of Python itself calls ``connect``: the connection is its own affair."""
    module = str(sys._getframe(2).f_globals.get("__name__"))
    top = module.partition(".")[0]
    return top != NAME and top not in sys.stdlib_module_names and is_of_library(module)


@functools.cache
def connection_class(module: ModuleType, notes_now: NotesNow) -> type[Any]:
    """The class of such connections; it is called as that of the library is."""
    connection: Any = module.Connection
    cursors = cursor_class(module)

    class Connection(connection):  # type: ignore[misc]
        __slots__ = () if connection.__weakrefoffset__ else ("__weakref__",)

        def cursor(self, factory: Any = cursors) -> Any:
            return super().cursor(factory)

        def close(self) -> None:
            super().close()
            notes = notes_now()
            if notes is not None:
                notes.forget(self)

        def create_function(self, *args: Any, **kwargs: Any) -> None:
            super().create_function(*args, **kwargs)

        def create_aggregate(self, *args: Any, **kwargs: Any) -> None:
            super().create_aggregate(*args, **kwargs)

        def create_window_function(self, *args: Any, **kwargs: Any) -> None:
            super().create_window_function(*args, **kwargs)

        def create_collation(self, *args: Any, **kwargs: Any) -> None:
            super().create_collation(*args, **kwargs)

        @property
        def has_more_than_its_file(self) -> bool:
            """Whether it has temporary tables, or other databases attached."""
            return len(_rows(self, "database_list")) > 1

        @property
        def pragmas(self) -> tuple[Any, ...]:
            """Its own settings."""
            return tuple(value for name in _PRAGMAS for (value,) in _rows(self, name))

        @pragmas.setter
        def pragmas(self, values: tuple[Any, ...]) -> None:
            for name, value, now in zip(_PRAGMAS, values, self.pragmas, strict=True):
                if value != now:
                    _rows(self, f"{name} = {value}")

    def _rows(made: Any, pragma: str) -> list[Any]:
        cursor = connection.cursor(made)
        cursor.row_factory = None
        rows: list[Any] = cursor.execute(f"PRAGMA {pragma}").fetchall()
        return rows

    Connection.__module__, Connection.__qualname__, Connection.__doc__ = module.__name__, "Connection", connection.__doc__
    return Connection


@functools.cache
def cursor_class(module: ModuleType) -> type[Any]:
    """The class of their cursors, which know whether all rows were read."""
    cursor: Any = module.Cursor

    class Cursor(cursor):  # type: ignore[misc]
        __slots__ = ("has_unread_rows", "is_closed", "kept")

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.has_unread_rows = self.is_closed = False
            self.kept: dict[str, Any] = {}  # what it had before it was made again

        def execute(self, *args: Any) -> Any:
            self.kept, self.has_unread_rows = {}, False
            super().execute(*args)
            self.has_unread_rows = cursor.description.__get__(self) is not None
            return self

        def executemany(self, *args: Any) -> Any:
            self.kept, self.has_unread_rows = {}, False
            return super().executemany(*args)

        def executescript(self, *args: Any) -> Any:
            self.kept, self.has_unread_rows = {}, False
            return super().executescript(*args)

        def __next__(self) -> Any:
            try:
                return super().__next__()
            except StopIteration:
                self.has_unread_rows = False
                raise

        def fetchone(self) -> Any:
            row = super().fetchone()
            if row is None:
                self.has_unread_rows = False
            return row

        def fetchmany(self, *args: Any, **kwargs: Any) -> Any:
            rows = super().fetchmany(*args, **kwargs)
            if not rows:
                self.has_unread_rows = False
            return rows

        def fetchall(self) -> Any:
            rows = super().fetchall()
            self.has_unread_rows = False
            return rows

        def close(self) -> None:
            super().close()
            self.is_closed, self.has_unread_rows = True, False

        @property
        def description(self) -> Any:
            return self.kept["description"] if self.kept else cursor.description.__get__(self)

        @property
        def lastrowid(self) -> Any:
            return self.kept["lastrowid"] if self.kept else cursor.lastrowid.__get__(self)

        @property
        def rowcount(self) -> Any:
            return self.kept["rowcount"] if self.kept else cursor.rowcount.__get__(self)

    Cursor.__module__, Cursor.__qualname__, Cursor.__doc__ = module.__name__, "Cursor", cursor.__doc__
    return Cursor
