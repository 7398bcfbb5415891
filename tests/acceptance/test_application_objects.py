"""Clients and pools that an application has made, in modules that are not marked: instances use those of their process."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from tests.harness.postgres import PostgresServer
from tests.harness.processes import KILLED, Desk, Finished

pytestmark = pytest.mark.slow

APP = """
    import asyncio, sys
    import durable_import

    durable_import.install()

    import clients, flows
    from durable_import import DurableRuntime

    async def main():
        await clients.begin()
        async with DurableRuntime("sqlite:///app.db") as runtime:
            await runtime.recover()
            handle = await runtime.start(flows.flow, instance_id="a")
            print(await handle.result())

    asyncio.run(main())
"""
CLIENTS = """
    import httpx

    class Services:
        def __init__(self):
            self.client = httpx.AsyncClient(headers={"by": "services"})

    async def begin():
        global client, services
        client, services = httpx.AsyncClient(headers={"by": "module"}), Services()
"""
NOTHING = """
    client = services = None
    async def begin():
        pass
"""
FLOWS = """
    # durable: on
    import clients
    from world import effect

    async def flow():
        one, other = clients.client, clients.services.client
        await effect("one")
        async with clients.client as entered:
            await effect("two")
            print(one is clients.client is entered, other is clients.services.client, one.is_closed)
        await effect("three")
        return one.headers["by"], other.headers["by"], one is clients.client
"""


POOL = """
    import os
    import asyncpg

    pool = None

    async def begin():
        global pool
        pool = await asyncpg.create_pool(os.environ["DSN"], min_size=1, max_size=2)
"""
ORDERS = """
    # durable: on
    import clients
    from world import effect

    async def add(count):
        async with clients.pool.acquire() as connection:
            async with connection.transaction():
                await connection.execute("update stock set left_over = left_over + $1", count)
            await effect(f"committed {count}")

    async def flow():
        for count in (1, 10, 100):
            await add(count)
        async with clients.pool.acquire() as connection:
            return await connection.fetchval("select left_over from stock")
"""


def lives(desk: Desk, clients: str, flows: str, *places: int) -> Finished:
    """The application is killed in each of these effects of the log, one life after the other; gives the last life."""
    kill(desk, clients, flows, *places)
    return desk.native("app.py")


def kill(desk: Desk, clients: str, flows: str, *places: int) -> None:
    for name, text in {"app.py": APP, "clients.py": clients, "flows.py": flows}.items():
        desk.write(name, text)
    for number in places:
        killed = desk.start_command([sys.executable, "app.py"], KILL_AT=str(number)).end()
        assert killed.status == KILLED, (number, killed)


def test_clients_of_other_modules(desk: Desk) -> None:
    """Variables hold those of each process, and a block of one is entered again."""
    done = lives(desk, CLIENTS, FLOWS, 1, 3, 5)
    assert (done.status, done.out) == (0, "('module', 'services', True)\n"), done
    assert Counter(desk.effects) == {"one": 2, "two": 2, "three": 2}
    assert "held" not in done.err


def test_a_client_that_is_not_there(desk: Desk) -> None:
    """The error says what the application has to make first."""
    kill(desk, CLIENTS, FLOWS, 2)
    desk.write("clients.py", "client = services = None\n\nasync def begin():\n    pass\n")
    failed = desk.native("app.py")
    assert failed.status == 1
    assert "uses `services.client` of module 'clients', a httpx.AsyncClient that the application makes" in failed.err, failed


def test_pool_of_another_module(desk: Desk) -> None:
    """Behind a transaction all is saved while its connection goes back to the pool: what was committed does not run again."""
    server = PostgresServer()
    try:
        server.execute("create table stock (left_over int)")
        server.execute("insert into stock values (0)")
        desk.variables["DSN"] = server.url()
        done = lives(desk, POOL, ORDERS, 1, 3, 5)
        assert (done.status, done.out) == (0, "111\n"), done
        assert server.execute("select left_over from stock") == [(111,)]
    finally:
        server.remove()


DEEP = """
    from types import SimpleNamespace
    import httpx
    from starlette.applications import Starlette

    app, services, by_name = Starlette(), SimpleNamespace(http=SimpleNamespace()), {}

    async def begin():
        app.state.client = httpx.AsyncClient(headers={"by": "state"})
        services.http.client = httpx.AsyncClient(headers={"by": "services"})
        by_name["first"] = httpx.AsyncClient(headers={"by": "name"})
"""
DEEP_FLOWS = """
    # durable: on
    import clients
    from world import effect

    async def flow():
        found = [clients.app.state.client, clients.services.http.client, clients.by_name["first"]]
        await effect("one")
        await effect("two")
        await effect("three")
        now = [clients.app.state.client, clients.services.http.client, clients.by_name["first"]]
        return [one.headers["by"] for one in found], [one is other for one, other in zip(found, now)]
"""


def test_clients_in_what_stands_at_module_level(desk: Desk) -> None:
    """So are those in attributes of such an object, as `app.state` has them, and in dicts."""
    done = lives(desk, DEEP, DEEP_FLOWS, 1, 3, 5)
    assert (done.status, done.out) == (0, "(['state', 'services', 'name'], [True, True, True])\n"), done
    assert Counter(desk.effects) == {"one": 2, "two": 2, "three": 2}
