"""The damage of ``tests/running/test_damage.py`` over PostgreSQL."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

import psycopg
import pytest

from durable_import.stores.postgres.rows import from_column
from tests.harness.postgres import PostgresServer
from tests.running.conftest import _nothing_done, flows  # noqa: F401  fixtures
from tests.running.rows import NONSENSE, Cell, Rows
from tests.running.test_damage import *  # noqa: F403  its tests, over these rows


class PostgresRows(Rows):
    """The tables of a schema."""

    TABLES: ClassVar = {"instance": "instance_id", "segment": "name", "event": "number"}
    nonsense = (*NONSENSE, b"", b"\xff\xfe")

    def __init__(self, server: PostgresServer, schema: str) -> None:
        self.url = server.url(schema=schema)
        self._connection = psycopg.connect(server.url(), autocommit=True, options=f"-c search_path={schema}")

    def close(self) -> None:
        self._connection.close()

    def _all(self, table: str) -> list[dict[str, Any]]:
        with self._connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            return cursor.execute(f"SELECT * FROM {table}").fetchall()

    def read(self) -> dict[Cell, Any]:
        rows = {table: self._all(table) for table in self.TABLES}
        ids = {row["key"]: from_column(row["instance_id"]) for table in ("instance", "event") for row in rows[table]}
        return {
            Cell(ids[row["key"]], table, row["key"].hex() + str(row[self.TABLES[table]]), column): value
            for table in self.TABLES
            for row in rows[table]
            for column, value in row.items()
            if column not in ("key", "instance_id", "number", "ended_at")
        }

    def write(self, cell: Cell, value: Any) -> None:
        key, name = bytes.fromhex(cell.record[:64]), cell.record[64:]
        change = f"UPDATE {cell.table} SET {cell.column} = %s WHERE key = %s AND {self.TABLES[cell.table]} = %s"
        try:
            self._connection.execute(change, (value, key, int(name) if cell.table == "event" else name))
        except (psycopg.DataError, psycopg.ProgrammingError, psycopg.IntegrityError):
            return  # it cannot hold that

    def keep(self) -> dict[str, list[dict[str, Any]]]:
        return {table: self._all(table) for table in self.TABLES}

    def put_back(self, kept: dict[str, list[dict[str, Any]]]) -> None:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            for table, rows in kept.items():
                cursor.execute(f"DELETE FROM {table}")
                for row in rows:
                    marks = ", ".join(f"%({column})s" for column in row)
                    cursor.execute(f"INSERT INTO {table} ({', '.join(row)}) OVERRIDING SYSTEM VALUE VALUES ({marks})", row)
            cursor.execute("DELETE FROM claim")

    def claim_badly(self, instance: str) -> None:
        change = "INSERT INTO claim SELECT key, 1, 'no JSON', 0, 0 FROM instance WHERE instance_id = %s"
        self._connection.execute(change, (instance,))


@pytest.fixture  # type: ignore[no-redef]
def rows(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The cells of a schema of its own."""
    monkeypatch.setenv("DURABLE_KEY", secrets.token_hex(32))
    made = PostgresRows(postgres_server, f"damage_{secrets.token_hex(4)}")
    yield made
    made.close()
