"""Clients that were closed, and are still in what the program has: each is closed again after a resume."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

CLOSED = """
    # durable: on
    import asyncio
    from dataclasses import dataclass
    from pathlib import Path

    import aiohttp
    import httpx
    from world import effect

    @dataclass
    class Crawler:
        session: aiohttp.ClientSession
        client: httpx.AsyncClient
        plain: httpx.Client
        pages: int = 0

    async def main():
        async with aiohttp.ClientSession() as session, httpx.AsyncClient(headers={"x": "1"}) as client:
            with httpx.Client() as plain:
                crawler = Crawler(session, client, plain)
                await effect("open")
                crawler.pages += 1
        await effect("closed")
        with open("pages", "w") as file:
            file.write(str(crawler.pages))
            await effect("in a block")
        await effect("end")
        told = []
        try:
            await crawler.client.get("http://127.0.0.1:9")
        except RuntimeError as error:
            told.append(str(error))
        try:
            await crawler.session.get("http://127.0.0.1:9")
        except RuntimeError as error:
            told.append(str(error))
        print(crawler.pages, told, crawler.session.closed, client.is_closed, plain.is_closed, client is crawler.client)

    asyncio.run(main())
"""


@pytest.mark.slow
def test_closed_clients_are_closed_again(desk: Desk) -> None:
    """They hold nothing, though an object has them that is read later; what is tried with them fails as natively."""
    for done in killed_at(desk, {"closed.py": CLOSED}, 2, 3, 4, (1, 3, 5, 7)):
        assert "held" not in done.said, done


ASKED = """
    # durable: on
    import asyncio
    import threading

    from world import effect

    class Crawler:
        def __init__(self):
            self.thread = threading.Thread()

    async def main():
        crawler = Crawler()
        await effect("held")
        with open("one", "w") as file:
            file.write("1")
        with open("two", "w") as file:
            file.write("2")
            await effect("in a block")
        crawler = crawler.thread.is_alive()
        await effect("saved")
        print(crawler)

    asyncio.run(main())
"""


@pytest.mark.slow
def test_a_block_begins_while_its_frame_holds(desk: Desk) -> None:
    """Before a block it is asked whether a checkpoint is due: what the frame itself has that cannot be saved is no error."""
    killed_at(desk, {"asked.py": ASKED}, 1, 2, 3)
