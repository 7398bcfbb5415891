"""The damage of ``tests/running/test_damage.py`` over PostgreSQL."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

import psycopg
import pytest

from durable_import.stores.postgres.columns import from_column
from tests.harness.postgres import PostgresServer
from tests.running.conftest import _nothing_done, flows  # noqa: F401  fixtures
from tests.running.rows import NONSENSE, Cell, Rows
from tests.running.test_damage import *  # noqa: F403  its tests, over these rows

pytestmark = pytest.mark.slow


class PostgresRows(Rows):
    """The tables of a schema; what several of them have of an instance is one record."""

    nonsense = (*NONSENSE, b"", b"\xff\xfe")
    OF_INSTANCES: ClassVar = {
        "status": "state", "checkpoint": "state", "location": "state", "function": "instance", "wake_at": "state",
        "updated_at": "state", "snapshot": "state", "call": "call", "outcome": "outcome",
    }  # fmt: skip
    KEYS: ClassVar = {"segment": "name", "event": "number"}
    TABLES: ClassVar = ("instance", "state", "call", "outcome", "segment", "event")

    def __init__(self, server: PostgresServer, schema: str) -> None:
        self.url = server.url(schema=schema)
        self._connection = psycopg.connect(server.url(), autocommit=True, options=f"-c search_path={schema}")

    def close(self) -> None:
        self._connection.close()

    def _all(self, table: str) -> list[dict[str, Any]]:
        with self._connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            return cursor.execute(f"SELECT * FROM durable_{table}").fetchall()

    def read(self) -> dict[Cell, Any]:
        rows = {table: self._all(table) for table in self.TABLES}
        ids = {row["key"]: from_column(row["instance_id"]) for table in ("event", "instance") for row in rows[table]}
        found = {
            Cell(ids[row["key"]], "instance", row["key"].hex(), column): row[column]
            for column, table in self.OF_INSTANCES.items()
            for row in rows[table]
        }
        for table, name in self.KEYS.items():
            found |= {
                Cell(ids[row["key"]], table, row["key"].hex() + str(row[name]), column): value
                for row in rows[table]
                for column, value in row.items()
                if column not in ("key", "instance_id", "number")
            }
        return found

    def write(self, cell: Cell, value: Any) -> None:
        key, name = bytes.fromhex(cell.record[:64]), cell.record[64:]
        table = self.OF_INSTANCES[cell.column] if cell.table == "instance" else cell.table
        change, values = f"UPDATE durable_{table} SET {cell.column} = %s WHERE key = %s", [value, key]
        if cell.table in self.KEYS:
            change += f" AND {self.KEYS[cell.table]} = %s"
            values.append(int(name) if cell.table == "event" else name)
        try:
            self._connection.execute(change, values)
        except (psycopg.DataError, psycopg.ProgrammingError, psycopg.IntegrityError):
            return  # it cannot hold that

    def keep(self) -> dict[str, list[dict[str, Any]]]:
        return {table: self._all(table) for table in self.TABLES}

    def put_back(self, kept: dict[str, list[dict[str, Any]]]) -> None:
        with self._connection.transaction(), self._connection.cursor() as cursor:
            for table, rows in kept.items():
                cursor.execute(f"DELETE FROM durable_{table}")
                for row in rows:
                    marks = ", ".join(f"%({column})s" for column in row)
                    columns = ", ".join(row)
                    cursor.execute(f"INSERT INTO durable_{table} ({columns}) OVERRIDING SYSTEM VALUE VALUES ({marks})", row)
            cursor.execute("DELETE FROM durable_owner")

    def claim_badly(self, instance: str) -> None:
        self._connection.execute("INSERT INTO durable_owner VALUES (7, 'no JSON', 0, 0, 0, 0, true)")
        of = "(SELECT key FROM durable_instance WHERE instance_id = %s)"
        self._connection.execute(f"UPDATE durable_state SET owner = 7 WHERE key = {of}", (instance,))
        self._connection.execute("UPDATE durable_instance SET shelf = 0 WHERE instance_id = %s", (instance,))


@pytest.fixture  # type: ignore[no-redef]
def rows(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The cells of a schema of its own."""
    monkeypatch.setenv("DURABLE_KEY", secrets.token_hex(32))
    made = PostgresRows(postgres_server, f"damage_{secrets.token_hex(4)}")
    yield made
    made.close()
