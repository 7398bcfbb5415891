"""No statement of a SQLite store goes through a table of many instances: each finds what it wants by an index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from durable_import.stores import sql
from durable_import.stores.sqlite import looking
from durable_import.stores.sqlite.schema import migrate
from durable_import.stores.state import STATUSES, InstanceQuery

# Of few rows, or what is wanted is all that is there.
MAY_BE_SCANNED = (
    "durable_owner",
    "durable_source",
    "durable_instance USING INDEX durable_instance_left",
    "each_owner",
    "sqlite_schema",
)
PARTS = ("CONSTANT ROW", "(subquery", "2 CONSTANT ROWS")  # what was found before
UNFINISHED = ("summary", "clear_history")  # conditions are put behind them, or into them


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """An empty store."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as opened:
        migrate(opened, ":memory:")
        yield opened


def scans(connection: sqlite3.Connection, text: str) -> list[str]:
    """What a statement goes through from one end to the other."""
    names = re.findall(r"[ (]:([a-z_]+)", text)
    values = dict.fromkeys(names) if names else [None] * text.count("?")
    plan = connection.execute(f"EXPLAIN QUERY PLAN {text}", values).fetchall()
    found = [row[3].removeprefix("SCAN ") for row in plan if row[3].startswith("SCAN ")]
    return [each for each in found if each not in MAY_BE_SCANNED and not each.startswith(PARTS)]


@pytest.mark.parametrize("name", sorted(set(sql.queries("sqlite")) - set(UNFINISHED)))
def test_statements(name: str, connection: sqlite3.Connection) -> None:
    """Those that are written down."""
    assert scans(connection, sql.queries("sqlite")[name]) == []


@pytest.mark.parametrize("status", [None, "stuck", *STATUSES])
@pytest.mark.parametrize(
    "more", [{}, {"function": "f"}, {"prefix": "p"}, {"tag": ("a", "b")}, {"parent": "p"}, {"since": 1.0}], ids=str
)
def test_lists(status: str | None, more: dict[str, str], connection: sqlite3.Connection) -> None:
    """Those that are made of parts, with an end: they follow an index until there is enough."""
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    looking.list_page(InstanceQuery(status=status, **more), connection)  # type: ignore[arg-type]
    connection.set_trace_callback(None)
    assert asked
    wrong = [each for text in asked for each in scans(connection, text) if "USING" not in each]
    assert wrong == []
