"""Clients, pools and connections of real libraries around kills: made and opened again by the calls of then, each one object."""

from __future__ import annotations

from tests.harness.processes import KILLED, Desk

CLIENTS = """
    # durable: on
    import asyncio
    import httpx, aiosqlite
    from sql import rows_of
    from world import effect

    class Reporter:
        def __init__(self, path):
            self.seen, self.path = [], path
            self.client = httpx.AsyncClient(base_url="http://localhost", event_hooks={"request": [self.note]})
        async def note(self, request):
            self.seen.append(str(request.url))

    async def main():
        reporter = Reporter("here.db")
        alias = reporter.client
        path = reporter.path
        async with aiosqlite.connect(path) as db, httpx.AsyncClient(headers={"a": "b"}) as client:
            path = "elsewhere.db"
            others = [db, (client,)]
            await rows_of(db, "create table t (n integer)")
            await effect("one")
            await rows_of(db, "insert into t values (1)")
            await effect("two")
            rows = await rows_of(db, "select n from t")
            print(rows, others[0] is db, others[1][0] is client, client.headers["a"], client.is_closed)
        print(alias is reporter.client, reporter.client.event_hooks["request"][0].__self__ is reporter, reporter.client.base_url)
        await effect("three")
        return "done"

    print(asyncio.run(main()))
"""


SQL = """
    async def rows_of(db, statement):
        async with db.execute(statement) as cursor:
            rows = [tuple(row) for row in await cursor.fetchall()]
        await db.commit()
        return rows
"""


def test_clients_are_made_again(desk: Desk) -> None:
    """In a `with` block and bare, with a cycle through the arguments, after a kill in each effect."""
    desk.write("sql.py", SQL)
    desk.write("clients.py", CLIENTS)
    for number in (1, 3, 5):
        assert desk.run("clients.py", kill_at=number).status == KILLED
    done = desk.run("clients.py")
    assert (done.status, done.err) == (0, ""), done
    assert "".join(each.out for each in desk.started) == "[(1,)] True True b False\nTrue True http://localhost\ndone\n"
