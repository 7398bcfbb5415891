"""Whose tables a SQLite file has, and of which release.

A file of our own has our application id, and its format in ``user_version``. In a file that is shared with another program
both are that program's, so there a table tells the format.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from durable_import.errors import StoreUnavailableError
from durable_import.stores import sql

APPLICATION_ID = 0x44555242  # 'DURB'
FORMAT = "durable_import_format"  # the table in a shared file
TABLES = (  # those that are made at first, on the way to the present ones, included
    "instance", "claim", "epoch", "source", "segment", "event", "event_id", "change", "history", "durable_owner",
    "durable_instance", "durable_state", "durable_call", "durable_outcome", "durable_tag", "durable_segment", "durable_key",
    "durable_history", "durable_event", "durable_event_id", "durable_source", "durable_before",
    "durable_past_segment",
)  # fmt: skip


def check_ours(connection: sqlite3.Connection, path: str, is_shared: bool) -> None:
    """Refuse the database of another program before anything is written to it, unless it may be shared."""
    tables, application_id = _tables(connection), _application_id(connection)  # so that a file in the making is ours too
    if application_id == APPLICATION_ID or FORMAT in tables or not (application_id or tables):
        return
    if not is_shared:
        raise StoreUnavailableError(
            f"the database {path} belongs to another program (application id {application_id:#x}, {len(tables)} tables). "
            f"Choose another file name, or keep the store's tables beside the others with ?shared=yes; this file was left "
            f"as it is."
        )
    taken = sorted(tables.intersection(TABLES))
    if taken:
        raise StoreUnavailableError(
            f"the database {path} cannot be shared: it has tables of its own that are called {', '.join(taken)}, as the "
            f"store's are. Choose another file name; this file was left as it is."
        )


def migrate(connection: sqlite3.Connection, path: str) -> None:
    """Make the tables, or bring those of an earlier release up to date; raises StoreUnavailableError for a newer one."""
    scripts = sql.migrations("sqlite")
    latest = scripts[-1][0]
    if _version(connection) < latest:
        connection.execute("BEGIN IMMEDIATE")
        try:
            before = _version(connection)  # another process may have been first
            if not before:
                _take(connection)
            for number, script in scripts:
                if number > before:
                    for statement in _statements(script):
                        connection.execute(statement)
            _note(connection, max(latest, before))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    if _version(connection) > latest:
        raise StoreUnavailableError(
            f"the database {path} has format {_version(connection)}, this durable_import knows up to {latest}. "
            f"Use the newer durable_import that wrote it; this file was left as it is."
        )


def _take(connection: sqlite3.Connection) -> None:
    """Mark the file as ours, or, if another program has tables in it, as shared."""
    if _tables(connection):
        connection.execute(f"CREATE TABLE {FORMAT} (version INTEGER NOT NULL)")
        connection.execute(f"INSERT INTO {FORMAT} (version) VALUES (0)")
    else:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _note(connection: sqlite3.Connection, version: int) -> None:
    if _application_id(connection) == APPLICATION_ID:
        connection.execute(f"PRAGMA user_version = {version}")
    else:
        connection.execute(f"UPDATE {FORMAT} SET version = ?", [version])


def _version(connection: sqlite3.Connection) -> int:
    if _application_id(connection) == APPLICATION_ID:
        [(version,)] = connection.execute("PRAGMA user_version").fetchall()
    elif FORMAT in _tables(connection):
        [(version,)] = connection.execute(f"SELECT version FROM {FORMAT}").fetchall()
    else:
        version = 0
    return int(version)


def _application_id(connection: sqlite3.Connection) -> int:
    [(application_id,)] = connection.execute("PRAGMA application_id").fetchall()
    return int(application_id)


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")}


def _statements(script: str) -> Iterator[str]:
    """``executescript`` would commit first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
