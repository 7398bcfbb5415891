"""Transactions of a script's own rows, under SIGKILL in every effect, with both databases."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.processes import KILLED, Desk

BOOKS = """
    # durable: on
    import asyncio

    import bookkeeping
    from durable_import import current_runtime
    from world import effect

    async def main():
        for number in range(4):
            await effect(f"before {number}")
            async with current_runtime().transaction() as connection:
                await bookkeeping.book(connection, number)
                await effect(f"inside {number}")
            await effect(f"after {number}")
        return "done"

    print(asyncio.run(main()))
"""

BOOKKEEPING = """
    import inspect

    async def book(connection, number):
        made = connection.execute(f"INSERT INTO ledger VALUES ({number})")
        if inspect.isawaitable(made):
            await made
"""


def sqlite_ledger(desk: Desk) -> tuple[dict[str, str], Callable[[], list[Any]]]:
    desk.write("nothing.py", "# durable: on\nimport asyncio\nasync def main(): await asyncio.sleep(0)\nasyncio.run(main())")
    assert desk.run("nothing.py").status == 0
    desk.rows("CREATE TABLE ledger (number INTEGER)")
    return {}, lambda: [row for (row,) in desk.rows("SELECT number FROM ledger ORDER BY rowid")]


def postgres_ledger(desk: Desk, server: Any) -> tuple[dict[str, str], Callable[[], list[Any]]]:  # noqa: ARG001
    server.execute("DROP TABLE IF EXISTS ledger; CREATE TABLE ledger (number int, place serial)")
    url = server.url(schema=f"s{secrets.token_hex(8)}")
    variables = {"DURABLE_STORE": url, "DURABLE_KEY": "00" * 32}
    return variables, lambda: [row for (row,) in server.execute("SELECT number FROM ledger ORDER BY place")]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def test_rows_are_there_once_under_kills(desk: Desk, kind: str, request: pytest.FixtureRequest) -> None:
    """Whenever it is killed, the script's rows are those of the transactions whose end it has seen; at the end all, once."""
    if kind == "sqlite":
        variables, rows = sqlite_ledger(desk)
    else:
        variables, rows = postgres_ledger(desk, request.getfixturevalue("postgres_server"))
    desk.write("books.py", BOOKS)
    desk.write("bookkeeping.py", BOOKKEEPING)
    kills = 0
    while kills < 40:  # each life does again what was under way, and dies in what comes next
        ended = desk.run("books.py", kill_at=len(desk.effects) + 2, variables=variables)
        begun = [int(line.split()[1]) for line in desk.effects if line.startswith("after")]
        assert rows() == list(range(max(begun, default=-1) + 1)), desk.effects
        if ended.status != KILLED:
            break
        kills += 1
    assert (ended.status, ended.out) == (0, "done\n"), ended
    assert rows() == [0, 1, 2, 3]
    assert kills > 8
