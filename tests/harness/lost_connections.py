"""Connections of transactions that are lost at one of their calls; those of the program count as well as those of the store."""

from __future__ import annotations

import os
import socket
import sqlite3
from typing import Any

import psycopg
import pytest

from durable_import.stores.postgres import transaction as of_postgres
from durable_import.stores.sqlite import transaction as of_sqlite

_BEGIN = of_sqlite._begin


class Losses:
    """Of all connections that are made while it is in force. ``calls``: the statements of transactions, in order; ``fail``
    arranges that one of them is lost."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self._at, self._happens = 0, False
        losses = self

        class Losing(psycopg.AsyncConnection[tuple[Any, ...]]):
            """One to PostgreSQL."""

            async def execute(self, query: Any, *arguments: Any, **keywords: Any) -> Any:
                is_lost = losses.counts(str(query))
                if is_lost and losses.happens:
                    await super().execute(query, *arguments, **keywords)
                    query, arguments, keywords = "SELECT 1", (), {}
                if is_lost:
                    hang_up(self.pgconn.socket)
                return await super().execute(query, *arguments, **keywords)

        monkeypatch.setattr(of_postgres, "Connection", Losing)
        monkeypatch.setattr(of_sqlite, "_begin", lambda database: Undone(_BEGIN(database), losses))

    def fail(self, nth: int, *, happens: bool) -> None:
        """Lose the connection at the nth call from now, before it is done or, with ``happens``, before it is answered."""
        self.calls.clear()
        self._at, self._happens = nth, happens

    @property
    def happens(self) -> bool:
        """Whether what is lost is done."""
        return self._happens

    def counts(self, statement: str) -> bool:
        """Note a call; whether it is the one."""
        self.calls.append(statement)
        return len(self.calls) == self._at


class Undone:
    """A connection to SQLite, of which a device that fails ends the transaction."""

    def __init__(self, connection: sqlite3.Connection, losses: Losses) -> None:
        self._connection = connection
        self._losses = losses

    def execute(self, query: str, *arguments: Any) -> sqlite3.Cursor:
        """As ``sqlite3.Connection``."""
        is_lost = self._losses.counts(query)
        if is_lost and self._losses.happens:
            self._connection.execute(query, *arguments)
        if is_lost:
            self._connection.rollback()
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_IOERR, "SQLITE_IOERR"
            raise error
        return self._connection.execute(query, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def hang_up(descriptor: int) -> None:
    """Let nothing come through a socket any more."""
    with socket.socket(fileno=os.dup(descriptor)) as line:
        line.shutdown(socket.SHUT_RDWR)
