"""Clients, pools and connections of real libraries around kills: made and opened again by the calls of then, each one object."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.harness.postgres import PostgresServer
from tests.harness.processes import KILLED, Desk


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """A server of PostgreSQL."""
    server = PostgresServer()
    yield server
    server.remove()


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

    async def rows_of_session(session, statement):
        rows = [tuple(row) for row in await session.execute(statement)]
        await session.commit()
        return rows
"""


@pytest.mark.slow
def test_clients_are_made_again(desk: Desk) -> None:
    """In a `with` block and bare, with a cycle through the arguments, after a kill in each effect."""
    desk.write("sql.py", SQL)
    desk.write("clients.py", CLIENTS)
    for number in (1, 3, 5):
        assert desk.run("clients.py", kill_at=number).status == KILLED
    done = desk.run("clients.py")
    assert (done.status, done.err) == (0, ""), done
    assert "".join(each.out for each in desk.started) == "[(1,)] True True b False\nTrue True http://localhost\ndone\n"


POOL = """
    # durable: on
    import asyncio, os
    import asyncpg
    from world import effect

    async def named(conn):
        await conn.execute("set application_name to 'set up'")

    class Desk:
        def __init__(self, pool):
            self.pool = pool

    async def worker(desk, name):
        await effect(name)
        return desk.pool

    async def main():
        bare = await asyncpg.connect(os.environ["URL"])
        async with asyncpg.create_pool(os.environ["URL"], min_size=1, max_size=2) as pool, pool.acquire() as conn:
            alias, desk = conn, Desk(pool)
            await conn.execute("insert into t values (1)")
            await effect("one")
            await conn.execute("insert into t values (2)")
            tasks = [asyncio.create_task(worker(desk, name)) for name in ("two", "three")]
            pools = await asyncio.gather(*tasks)
            print(alias is conn, pools[0] is pool is pools[1], await conn.fetchval("select count(*) from t"), flush=True)
            await effect("four")
        print(await bare.fetchval("select count(*) from t"), flush=True)

    asyncio.run(main())
"""


@pytest.mark.slow
def test_pool_and_what_it_gives(desk: Desk, postgres: PostgresServer) -> None:
    """asyncpg's pool, a connection acquired from it, its alias, and tasks that share the pool."""
    postgres.execute("create table t (n integer)")
    desk.write("pool.py", POOL)
    desk.variables["URL"] = postgres.url()
    for number in (1, 3, 5, 7):
        assert desk.run("pool.py", kill_at=number).status == KILLED, desk.started[-1].err
    done = desk.run("pool.py")
    assert (done.status, done.err) == (0, ""), done
    assert done.out == "True True 2\n2\n"


ALCHEMY = """
    # durable: on
    import asyncio, contextlib
    import aiohttp
    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
    from sql import rows_of_session
    from world import effect

    async def main():
        engine = create_async_engine("sqlite+aiosqlite:///alchemy.db")
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        async with contextlib.AsyncExitStack() as stack:
            opened = [
                await stack.enter_async_context(aiohttp.ClientSession(headers={"a": "b"})),
                await stack.enter_async_context(sessions()),
                await stack.enter_async_context(engine.connect()),
            ]
            await effect("one")
            print(opened[0].headers["a"], opened[1].bind is engine, opened[2].engine is engine, flush=True)
            await effect("two")
            print(await rows_of_session(opened[1], sa.text("select 1")), flush=True)
            await effect("three")

    asyncio.run(main())
"""


@pytest.mark.slow
def test_exit_stack(desk: Desk) -> None:
    """A session of aiohttp, and SQLAlchemy's engine, session and connection, entered by way of a stack."""
    desk.write("sql.py", SQL)
    desk.write("alchemy.py", ALCHEMY)
    for number in (1, 3, 5):
        assert desk.run("alchemy.py", kill_at=number).status == KILLED, desk.started[-1].err
    assert [each.out for each in desk.started] == ["", "b True True\n", "b True True\n[(1,)]\n"]


SERVER = """
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("adder")

    @server.tool()
    def add(a: int, b: int) -> int:
        "Add two numbers"
        return a + b

    server.run(transport="stdio")
"""

MCP = """
    # durable: on
    import asyncio, sys
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from tools import added
    from world import effect

    async def main():
        parameters = StdioServerParameters(command=sys.executable, args=["server.py"])
        async with stdio_client(parameters) as (read, write), ClientSession(read, write) as session:
            streams = [read, write]
            await initialized(session)
            await effect("one")
            print(await added(session, 1, 2), streams[1] is write, flush=True)
            await effect("two")
            print(await added(session, 3, 4), flush=True)
        await effect("three")

    async def initialized(session):
        return str(type(await session.initialize()))

    asyncio.run(main())
"""

TOOLS = """
    async def added(session, a, b):
        result = await session.call_tool("add", {"a": a, "b": b})
        return result.content[0].text
"""


@pytest.mark.slow
def test_mcp(desk: Desk) -> None:
    """A session over a server's own streams is initialised again."""
    desk.write("server.py", SERVER)
    desk.write("tools.py", TOOLS)
    desk.write("agent.py", MCP)
    for number in (1, 3, 5):
        assert desk.run("agent.py", kill_at=number).status == KILLED, desk.started[-1].err
    done = desk.run("agent.py")
    assert (done.status, done.out, done.err) == (0, "", ""), done
    assert [each.out for each in desk.started] == ["", "3 True\n", "3 True\n7\n", ""]


MINE = """
    import asyncio, contextlib
    from durable_import import reopenable

    log = []

    class Client:
        def __init__(self, name, secret=None):
            self.name, self.is_open, self.lock = name, False, __import__("threading").Lock()
        def __enter__(self):
            self.is_open = True
            print("enter", self.name, flush=True)
            return self
        def __exit__(self, *details):
            self.is_open = False
            print("exit", self.name, flush=True)

    async def set_up(client):
        await asyncio.sleep(0)
        print("set up", client.name, flush=True)

    reopenable(Client, setup=set_up)

    @reopenable
    @contextlib.asynccontextmanager
    async def session(url, *, retries):
        with Client(url) as client:
            yield client, retries

    @reopenable
    async def connected(url):
        return Client(url)
"""

OWN = """
    # durable: on
    import asyncio
    from mine import Client, connected, session
    from world import effect

    async def main():
        url = "a"
        with Client(url) as client:
            url = "b"
            async with session(url, retries=3) as (inner, retries):
                url = await connected("c")
                kept = {"inner": inner, "outer": [client]}
                await effect("one")
                print(kept["inner"] is inner, kept["outer"][0] is client, flush=True)
                print(inner.is_open, client.is_open, retries, url.name, flush=True)
        await effect("two")

    asyncio.run(main())
"""


@pytest.mark.slow
def test_own_classes_and_functions(desk: Desk) -> None:
    """A class, an asynchronous generator's manager and a function, each made with the arguments of then and set up again."""
    desk.write("mine.py", MINE)
    desk.write("own.py", OWN)
    for number in (1, 3):
        assert desk.run("own.py", kill_at=number).status == KILLED, desk.started[-1].err
    done = desk.run("own.py")
    assert (done.status, done.err) == (0, ""), done
    first, second, third = (each.out.splitlines() for each in desk.started)
    assert first == ["enter a", "enter b"]
    assert second == ["enter a", "set up a", "enter b", "True True", "True True 3 c", "exit b", "exit a"]
    assert third == ["enter a", "set up a", "set up b", "exit a"]


MANY = """
    # durable: on
    import asyncio
    import aiosqlite, httpx
    from world import effect

    async def worker(client, db, number, start):
        await start.wait()
        for turn in range(3):
            await effect(f"{number}.{turn}")
        return client, db

    async def main():
        async with httpx.AsyncClient(headers={"a": "b"}) as client, aiosqlite.connect("many.db") as db:
            own = httpx.AsyncClient()
            start = asyncio.Event()
            tasks = [asyncio.create_task(worker(client, db, number, start)) for number in range(40)]
            for number in range(20):
                await effect(f"alone {number}")
            start.set()
            for task in tasks:
                same, same_db = await task
                assert same is client and same_db is db
            print(client.headers["a"], flush=True)
            del tasks, task, same, same_db

    asyncio.run(main())
"""


@pytest.mark.slow
def test_many_tasks_share_a_client(desk: Desk) -> None:
    """Snapshots in segments have the calls too."""
    desk.write("many.py", MANY)
    for number in (1, 12, 22, 60, 100):
        assert desk.run("many.py", kill_at=number).status == KILLED, desk.started[-1].err
    done = desk.run("many.py")
    assert (done.status, done.out, done.err) == (0, "b\n", ""), done


LEFT = """
    # durable: on
    from durable_import import wait_for_event
    from mine import Client, session

    async def main():
        with Client("a") as client:
            async with session("b", retries=3) as (inner, retries):
                await wait_for_event("go")
                print("goes on", flush=True)
                await wait_for_event("never")
"""

SERVICE = """
    import asyncio, sys
    import durable_import
    durable_import.install()
    from left import main

    async def serve(begins):
        async with durable_import.DurableRuntime("sqlite:///service.db") as runtime:
            kept = await runtime.store.load("one") or {"checkpoint": 0}
            if begins:
                await runtime.start(main, instance_id="one")
            else:
                await runtime.recover()
                await runtime.publish_event("one", "go")
            while (now := await runtime.store.load("one"))["status"] != "waiting" or now["checkpoint"] <= kept["checkpoint"]:
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(serve("start" in sys.argv), 60))
"""


def test_suspending_leaves_what_is_open(desk: Desk) -> None:
    """Innermost first, each once; and it is opened again when the program goes on."""
    desk.write("mine.py", MINE)
    desk.write("left.py", LEFT)
    desk.write("service.py", SERVICE)
    first = desk.native("service.py", "start")
    assert (first.out.splitlines(), first.err) == (["enter a", "enter b", "exit b", "exit a"], "")
    second = desk.native("service.py")
    assert (second.out.splitlines(), second.err) == (["enter a", "set up a", "enter b", "goes on", "exit b", "exit a"], "")


FAILING = """
    # durable: on
    import asyncio
    from refusing import Refusing
    from mine import Client
    from world import effect

    async def main():
        with Client("a"), Client("b"), Refusing():
            await effect("one")
            await effect("two")

    asyncio.run(main())
"""

REFUSING = """
    import os
    from durable_import import reopenable

    @reopenable
    class Refusing:
        def __enter__(self):
            if os.path.exists("down"):
                raise ConnectionError("the server is down")
        def __exit__(self, *details):
            pass
"""


def test_what_was_opened_is_left_if_another_one_fails(desk: Desk) -> None:
    """The error names the object; nothing is lost, and the next run goes on."""
    desk.write("mine.py", MINE)
    desk.write("refusing.py", REFUSING)
    desk.write("failing.py", FAILING)
    assert desk.run("failing.py", kill_at=2).status == KILLED
    (desk.folder / "down").touch()
    failed = desk.run("failing.py")
    assert failed.status != 0
    assert "the server is down" in failed.said + failed.err
    assert "while opening again a refusing.Refusing" in failed.said + failed.err
    assert failed.out.splitlines() == ["enter a", "set up a", "enter b", "set up b", "exit b", "exit a"]
    (desk.folder / "down").unlink()
    done = desk.run("failing.py")
    assert (done.status, done.out.splitlines()[-2:]) == (0, ["exit b", "exit a"]), done


SCOPES = """
    # durable: on
    import asyncio, anyio
    from world import effect

    async def child(number, out):
        await effect(f"child {number}")
        await anyio.sleep(0.01)
        out.append(number)

    async def main():
        out = []
        async with anyio.create_task_group() as group:
            for number in range(3):
                group.start_soon(child, number, out)
            await effect("main")
        with anyio.move_on_after(60) as scope:
            await effect("inside")
            await effect("inside 2")
        try:
            with anyio.fail_after(0.2):
                await effect("sleeps")
                await anyio.sleep(30)
        except TimeoutError:
            out.append("timeout")
        await effect("end")
        return out, scope.cancel_called

    print(asyncio.run(main()))
"""


@pytest.mark.slow
def test_scopes_of_anyio(desk: Desk) -> None:
    """Its groups and timeouts are as they were after kills: it is rewritten because a marked module imports it."""
    desk.write("scopes.py", SCOPES)
    kills = 0
    while (last := desk.run("scopes.py", kill_at=len(desk.effects) + 2 + kills)).status == KILLED:
        kills += 1
    assert (last.status, last.out, last.err) == (0, "([0, 1, 2, 'timeout'], False)\n", ""), last
    assert kills >= 2


REDIS = """
    # durable: on
    import asyncio, os
    from redis.asyncio import Redis, from_url
    from world import effect

    async def main():
        bare = from_url(os.environ["URL"], decode_responses=True)
        async with Redis(port=int(os.environ["PORT"])) as client:
            kept = [client, bare]
            await client.set("a", "1")
            await effect("one")
            await bare.incr("a")
            await effect("two")
            print(kept[0] is client, kept[1] is bare, await bare.get("a"), await client.get("a"), flush=True)
        await effect("three")

    asyncio.run(main())
"""

REDIS_SERVER = """
    from fakeredis import TcpFakeServer

    server = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    print(server.server_address[1], flush=True)
    server.serve_forever()
"""


@pytest.mark.slow
def test_redis(desk: Desk) -> None:
    """A client in a block, and a bare one that `from_url` gave."""
    desk.write("server.py", REDIS_SERVER)
    desk.write("client.py", REDIS)
    server = desk.start_command([sys.executable, "server.py"])
    server.wait_until(lambda: server.out.endswith("\n"))
    port = server.out.strip()
    desk.variables.update(PORT=port, URL=f"redis://127.0.0.1:{port}")
    for number in (1, 3, 5):
        assert desk.run("client.py", kill_at=number).status == KILLED, desk.started[-1].err
    done = desk.run("client.py")
    assert (done.status, done.err) == (0, ""), done
    assert desk.started[3].out == "True True 2 b'2'\n"
