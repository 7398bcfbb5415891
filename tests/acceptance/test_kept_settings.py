"""What programs set of clients and connections after they were made, in programs that are killed between that and its use."""

from __future__ import annotations

import json
from textwrap import dedent, indent
from typing import TYPE_CHECKING

import pytest

from tests.harness.processes import KILLED, Desk

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.harness.postgres import PostgresServer

STEPS = """
    import asyncio, os

    async def place(number):
        await asyncio.sleep(0)
        if os.environ.get("KILL") == str(number):
            os.kill(os.getpid(), 9)
        await asyncio.sleep(0)
"""

PROGRAM = """
    # durable: on
    import asyncio, json, os
    from steps import place

    async def main():
    BODY

    asyncio.run(main())
"""

AIOSQLITE = """
    import aiosqlite
    async with aiosqlite.connect("rows.db") as db:
        await place(0)
        db.row_factory = aiosqlite.Row
        db.isolation_level = "IMMEDIATE"
        await place(1)
        cursor = await db.execute("select 1 as one")
        rows = [dict(row) for row in await cursor.fetchall()]
        db.text_factory = bytes
        await place(2)
        cursor = await db.execute("select 'two' as two")
        rows += [row["two"].decode() for row in await cursor.fetchall()]
        db.row_factory = None
        await place(3)
        cursor = await db.execute("select 3")
        print(json.dumps([*rows, *await cursor.fetchall(), db.isolation_level]))
"""

AIOSQLITE_BARE = """
    import aiosqlite
    db = await aiosqlite.connect("rows.db")
    db.row_factory = lambda cursor, row: {"n": row[0]}
    await place(1)
    cursor = await db.execute("select 1")
    rows = await cursor.fetchall()
    await place(2)
    rows += await (await db.execute("select 2")).fetchall()
    await db.close()
    await place(3)
    print(json.dumps(rows))
"""

HTTPX = """
    import httpx
    async with httpx.AsyncClient(headers={"a": "0"}) as client:
        await place(0)
        client.headers["a"] = "1"
        client.headers.update({"Authorization": "Bearer token"})
        headers = client.headers
        client.cookies.set("session", "s1", domain="example.org")
        await place(1)
        del client.headers["user-agent"]
        client.timeout = 7
        client.params = {"page": "2"}
        client.base_url = "https://example.org/v1"
        client.auth = ("me", "secret")
        await place(2)
        client.cookies.set("other", "s2")
        await place(3)
        request = client.build_request("GET", "/things")
        print(json.dumps([
            dict(request.headers), str(request.url), dict(client.cookies), client.timeout.read, client.headers is headers,
            next(client.auth.sync_auth_flow(request)).headers["authorization"],
        ]))
"""

HTTPX_SYNC = """
    import httpx
    client = httpx.Client()
    await place(1)
    client.headers["a"] = "1"
    await place(2)
    client.event_hooks["request"].append(print)
    await place(3)
    print(json.dumps([client.headers["a"], client.event_hooks["request"] == [print]]))
"""

AIOHTTP = """
    import aiohttp
    from yarl import URL
    async with aiohttp.ClientSession(headers={"a": "0"}) as session:
        await place(0)
        session.headers["a"] = "1"
        session.headers.add("a", "2")
        session.cookie_jar.update_cookies({"session": "s1"}, URL("https://example.org"))
        await place(1)
        session.headers.update({"Authorization": "Bearer token"})
        session.cookie_jar.update_cookies({"session": "s2"}, URL("https://example.org"))
        await place(2)
        session.cookie_jar.update_cookies({"other": "s3"}, URL("https://example.org"))
        await place(3)
        cookies = session.cookie_jar.filter_cookies(URL("https://example.org"))
        print(json.dumps([session.headers.getall("a"), session.headers["authorization"],
                          {key: morsel.value for key, morsel in cookies.items()}]))
"""

OPENAI = """
    import openai
    client = openai.AsyncOpenAI(api_key="first")
    await place(1)
    client.timeout, client.max_retries, client.base_url = 7, 5, "https://example.org/v1"
    await place(2)
    client.api_key = "second"
    await place(3)
    print(json.dumps([client.timeout, client.max_retries, str(client.base_url), client.api_key]))
"""

SESSION = """
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session
    with Session(create_engine("sqlite:///rows.db")) as session:
        session.autoflush = False
        session.info["tenant"] = "t1"
        await place(1)
        session.info["user"] = "u1"
        await place(2)
        session.expire_on_commit = False
        await place(3)
        print(json.dumps([session.autoflush, session.info, session.expire_on_commit]))
"""

ASYNC_SESSION = """
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
    sessions = async_sessionmaker(create_async_engine("sqlite+aiosqlite:///rows.db"))
    async with sessions() as session:
        session.autoflush = False
        session.info["tenant"] = "t1"
        await place(1)
        session.info["user"] = "u1"
        await place(2)
        await place(3)
        print(json.dumps([session.autoflush, session.info]))
"""

PSYCOPG = """
    import psycopg
    from psycopg.rows import dict_row
    db = await psycopg.AsyncConnection.connect(os.environ["DSN"])
    await db.set_autocommit(True)
    db.row_factory = dict_row
    await place(1)
    rows = await (await db.execute("select 1 as one")).fetchall()
    await db.set_isolation_level(psycopg.IsolationLevel.SERIALIZABLE)
    await place(2)
    async with db.transaction():
        rows += await (await db.execute("show transaction_isolation")).fetchall()
    await place(3)
    async with db.transaction():
        rows += await (await db.execute("show transaction_isolation")).fetchall()
    await db.close()
    print(json.dumps([rows, db.autocommit]))
"""

PROGRAMS = {
    "aiosqlite": AIOSQLITE,
    "aiosqlite-bare": AIOSQLITE_BARE,
    "httpx": HTTPX,
    "httpx-sync": HTTPX_SYNC,
    "aiohttp": AIOHTTP,
    "openai": OPENAI,
    "session": SESSION,
    "async-session": ASYNC_SESSION,
}
SECOND_TASKS = """
    # durable: on
    import asyncio, httpx, json
    from steps import place

    async def look(client, go):
        await go.wait()
        return client.headers["a"]

    async def main():
        async with httpx.AsyncClient(headers={"a": "0"}) as client:
            go = asyncio.Event()
            tasks = [asyncio.create_task(look(client, go)) for _ in range(100)]
            for number in range(1, 4):
                await place(number)
                client.headers["a"] = str(number)
                await asyncio.sleep(0)
            await place(4)
            go.set()
            print(json.dumps(sorted({await task for task in tasks})))

    asyncio.run(main())
"""


def killed(desk: Desk, program: str, places: tuple[int, ...], **variables: str) -> None:
    """A program that is killed at each of these places, one life after the other, says what it does natively."""
    desk.write("steps.py", STEPS)
    desk.write("main.py", program)
    desk.variables |= variables
    native = desk.native("main.py")
    assert native.status == 0, native
    for place in places:
        ended = desk.start("main.py", variables={"KILL": str(place)}).end()
        assert ended.status == KILLED, ended
    done = desk.start("main.py").end()
    assert done.status == 0, done
    assert json.loads(done.out) == json.loads(native.out)
    assert "not saved" not in done.err


def program_of(body: str) -> str:
    """A program whose main function has this body."""
    return dedent(PROGRAM).replace("BODY", indent(dedent(body), "    "))


QUICK = ("aiosqlite", "httpx")


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in PROGRAMS])
def test_settings_are_there_again(desk: Desk, name: str) -> None:
    """What was set after an object was made is set again after each kill, also what changed in place."""
    killed(desk, program_of(PROGRAMS[name]), (1, 2, 3))


def test_settings_of_postgres(desk: Desk, postgres_server: PostgresServer) -> None:
    """So it is with a connection to a server, whose settings are parts of its transactions."""
    killed(desk, program_of(PSYCOPG), (1, 2, 3), DSN=postgres_server.url())


def test_settings_with_many_tasks(desk: Desk) -> None:
    """A snapshot in segments has the settings once, as they are now."""
    killed(desk, SECOND_TASKS, (1, 2, 3, 4))


AT_MODULE_LEVEL = """
    # durable: on
    import asyncio, json

    import clients
    import httpx
    import openai
    from clients import shared
    from steps import place

    client = httpx.AsyncClient(headers={"a": "0"})
    model = openai.AsyncOpenAI(api_key="first")

    async def main():
        await place(0)
        client.headers["a"] = "1"
        client.cookies.set("session", "s1", domain="example.org")
        shared.headers["b"] = "2"
        await place(1)
        clients.other.timeout = 7
        model.api_key = "second"
        headers = client.headers
        await place(2)
        client.headers["c"] = "3"
        await place(3)
        print(json.dumps([
            client.headers["a"], dict(client.cookies), shared.headers["b"], clients.other.timeout.read, model.api_key,
            client.headers["c"], headers is client.headers,
        ]))

    asyncio.run(main())
"""


def test_settings_at_module_level(desk: Desk) -> None:
    """What is set of clients that modules have made, marked ones and others, is set again."""
    desk.write("clients.py", "import httpx\nshared = httpx.AsyncClient()\nother = httpx.AsyncClient()\n")
    killed(desk, AT_MODULE_LEVEL, (1, 2, 3))


UNSAVABLE = """
    import httpx, socket
    client = httpx.Client()
    client.event_hooks["request"] = [socket.socket().send]
    await asyncio.sleep(0.01)
    client.event_hooks = {}
    await place(1)
    print(json.dumps(client.event_hooks))
"""


def test_setting_that_cannot_be_saved(desk: Desk) -> None:
    """It holds for as long as it is set, and its path is told."""
    desk.write("steps.py", STEPS)
    desk.write("main.py", program_of(UNSAVABLE))
    first = desk.start("main.py", variables={"KILL": "1"}).end()
    assert first.status == KILLED, first
    assert "`client.event_hooks['request'][0]" in first.said, first
    done = desk.start("main.py").end()
    assert (done.status, json.loads(done.out)) == (0, {"request": [], "response": []}), done


SAID_BY_HAND = """
    import httpx
    import durable_import
    durable_import.reopenable(httpx.AsyncClient, setup=print)
    async with httpx.AsyncClient() as client:
        client.headers["a"] = "1"
        await place(1)
        await place(2)
    await place(3)
    print(json.dumps(client.headers["a"] if client.is_closed else None))
"""


def test_what_the_table_says_stays(desk: Desk) -> None:
    """A program that adds a ``setup`` to a class of the table loses nothing of what is known of it."""
    desk.write("steps.py", STEPS)
    desk.write("main.py", program_of(SAID_BY_HAND))
    for place in (1, 2):
        ended = desk.start("main.py", variables={"KILL": str(place)}).end()
        assert ended.status == KILLED, ended
    done = desk.start("main.py").end()
    assert (done.status, done.out.splitlines()[-1]) == (0, '"1"'), done
