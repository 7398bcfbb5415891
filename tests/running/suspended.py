"""A library, not rewritten, whose calls clean up when they are cancelled, and take their time for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class Pool:
    """A pool of one connection, which it gets back by an await."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(1)
        self.log: list[str] = []
        self.kept: list[object] = []

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[None]:
        await self.free.acquire()
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await asyncio.sleep(0.01)  # the other side is told
            self.free.release()
            self.log.append("given back")

    async def fetch(self) -> str:
        """Waits for ever, until it is cancelled, if nobody has been here before."""
        async with self.acquire():
            if "given back" not in self.log:
                await asyncio.sleep(3600)
            return "fetched"

    async def fetch_in_child(self) -> str:
        """The same, in a child of a group of anyio."""
        found = []

        async def fetch() -> None:
            found.append(await self.fetch())

        async with anyio.create_task_group() as group:
            group.start_soon(fetch)
        return found[0]

    async def fetch_in_group(self) -> str:
        """The same, in a child of a group."""
        async with asyncio.TaskGroup() as group:
            child = group.create_task(self.fetch())
        return child.result()

    async def fetch_in_time(self) -> str:
        """The same, with a timeout around it, and one of anyio around that."""
        with anyio.fail_after(3600):
            return await asyncio.wait_for(self.fetch(), 3600)

    async def fetch_for_rows(self) -> str:
        """The same, by an asynchronous generator."""

        async def rows() -> AsyncIterator[str]:
            yield await self.fetch()

        return "".join([row async for row in rows()])

    async def fetch_by_polling(self) -> str:
        """The same, without ever waiting for a future."""
        async with self.acquire():
            while "given back" not in self.log:
                await asyncio.sleep(0)
            return "fetched"

    async def hold_on(self) -> str:
        """Does not end when it is cancelled, nor at once when it is closed."""
        await self.free.acquire()
        while len(self.log) < 2:
            try:
                await asyncio.sleep(3600)
            except (asyncio.CancelledError, GeneratorExit) as error:
                self.log.append(f"goes on after {type(error).__name__}")
                if len(self.log) == 2:
                    await asyncio.sleep(0)  # which it may not
        return "never"

    async def fail(self) -> str:
        """Fails when it is cancelled."""
        async with self.acquire():
            try:
                if "given back" not in self.log:
                    await asyncio.sleep(3600)
            except asyncio.CancelledError:
                raise OSError("the other side is gone") from None
            return "fetched"


POOLS: list[Pool] = []  # the one of the application


def pool() -> Pool:
    """That of the application."""
    return POOLS[-1]
