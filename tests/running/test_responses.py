"""Instances that are let go of in the block of a response that they have read: they go on in it, and nothing is read again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from types import ModuleType

import httpx
import pytest

from durable_import import DurableRuntime
from durable_import.stores.memory import InMemoryStateStore
from tests.harness.imports import imported_rewritten
from tests.running.test_life import until

BEGUN: list[int] = []


class Asked(httpx.AsyncBaseTransport):
    """Answers each request with its path, in two parts, and counts them."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked[request.url.path] += 1

        async def parts() -> AsyncIterator[bytes]:
            yield b"page "
            yield request.url.path.encode()

        return httpx.Response(200, content=parts())


@pytest.fixture
def flows() -> ModuleType:
    """Functions that read responses, rewritten."""
    return imported_rewritten("tests.running.response_flows")


@pytest.fixture
async def transport(flows: ModuleType) -> AsyncIterator[Asked]:
    """What the client of the application sends by."""
    transport = Asked()
    async with httpx.AsyncClient(transport=transport) as client:
        flows.CLIENTS.append(client)
        yield transport
        flows.CLIENTS.clear()
        flows.MANAGERS.clear()
        flows.NOTES.clear()


async def test_evicted_in_its_block(flows: ModuleType, transport: Asked) -> None:
    """The manager of the process is left; the instance comes back without it, and opens the next block inside of that one."""
    async with DurableRuntime(InMemoryStateStore(), key=bytes(32), evict_after=0.01) as runtime:
        handle = await runtime.start(flows.read_and_wait)
        await until(lambda: bool(flows.MANAGERS) and flows.MANAGERS[0].gen.ag_frame is None)
        assert await handle.status() == "waiting"
        await handle.send("go", "it goes on")
        assert await handle.result() == ("page /one", "it goes on", "page /two")
    assert transport.asked == {"/one": 1, "/two": 1}


async def test_many_in_their_blocks(flows: ModuleType, transport: Asked) -> None:
    """So do forty tasks of one instance."""
    store, count = InMemoryStateStore(), 40
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        handle = await runtime.start(flows.read_many, count, instance_id="many")
        await until(lambda: transport.asked.total() == count)
        while await handle.status() != "waiting":
            await asyncio.sleep(0.01)
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        handle = await runtime.start(flows.read_many, count, instance_id="many")
        for _ in range(count):
            await handle.send("go")
        assert await handle.result() == [f"page /{number}" for number in range(count)]
    assert transport.asked.total() == count


async def test_one_checkpoint_for_each(flows: ModuleType, transport: Asked) -> None:
    """Neither to enter such a block, which would be entered again all the same, nor to leave it is worth one of its own."""
    count = 40
    async with DurableRuntime(InMemoryStateStore(), key=bytes(32)) as runtime:
        handle = await runtime.start(flows.read_each, count)
        assert await handle.result() == count
        assert count <= (await handle.info()).checkpoint <= 1.5 * count  # a few more where the machine pauses
    assert transport.asked.total() == count


async def forever() -> None:
    """Is asked, and has no answer."""
    BEGUN.append(1)
    await asyncio.Future()


async def test_what_was_done_behind_it_is_saved_a_moment_later(flows: ModuleType, transport: Asked) -> None:
    """Also while a step waits that has begun since."""
    store = InMemoryStateStore()
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        handle = await runtime.start(flows.read_and_ask, [], forever, instance_id="one")
        await until(lambda: bool(flows.NOTES))
        before = (await handle.info()).checkpoint
        while (await handle.info()).checkpoint == before:
            await asyncio.sleep(0.01)
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        await runtime.start(flows.read_and_ask, [], forever, instance_id="one")
        await until(lambda: len(BEGUN) > 1)
    assert flows.NOTES == ["read"]
    assert transport.asked == {"/one": 1}
