"""An instance is cancelled, or let go of, while what it had open is being opened again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import ModuleType

import pytest

from durable_import import DurableRuntime, InstanceCancelledError
from durable_import.running.instance.mail import CANCEL
from durable_import.stores.memory import InMemoryStateStore
from durable_import.stores.state import Event
from tests.harness.imports import imported_rewritten
from tests.running import opened_slowly
from tests.running.test_life import until


@pytest.fixture
def flows() -> Iterator[ModuleType]:
    """Functions that open something, rewritten; it opens at once."""
    opened_slowly.HANGS.clear()
    opened_slowly.ASKED.clear()
    yield imported_rewritten("tests.running.opening_flows")
    opened_slowly.HANGS.clear()


@pytest.fixture
def store() -> InMemoryStateStore:
    """Where two runtimes, one after the other, keep their instances."""
    return InMemoryStateStore()


async def begun(store: InMemoryStateStore, flows: ModuleType, name: str) -> None:
    """One instance that has something open and waits, let go of; from then on nothing opens."""
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        handle = await runtime.start(getattr(flows, name), instance_id="i")
        while await handle.status() != "waiting":
            await asyncio.sleep(0.01)
    opened_slowly.HANGS.append(True)


NAMES = ("in_a_block", "in_a_variable", "in_two_tasks")


@pytest.mark.parametrize("name", NAMES)
async def test_cancelled(store: InMemoryStateStore, flows: ModuleType, name: str) -> None:
    """It is cancelled then, though nothing that it had open has come; it does not count as one that cannot go on."""
    await begun(store, flows, name)
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        await runtime.recover()
        handle = runtime.handle("i")
        await handle.cancel()
        with pytest.raises(InstanceCancelledError):
            await asyncio.wait_for(handle.result(), 30)
        assert await handle.status() == "cancelled"


async def test_forged_cancellation(store: InMemoryStateStore, flows: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that nobody with the key has asked for cancels nothing, then as at any other time."""
    await begun(store, flows, "in_a_block")
    load, looks = store.instances.load_events, list[str]()

    async def load_events(instance_id: str) -> list[Event]:
        events = await load(instance_id)
        looks.extend(event.name for event in events)
        return events

    monkeypatch.setattr(store.instances, "load_events", load_events)
    monkeypatch.setattr("durable_import.running.instance.opening.PATIENCE", 0.0)
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        await runtime.recover()
        await runtime.publish_event("i", "go")
        await until(lambda: bool(opened_slowly.ASKED))
        await store.instances.publish("i", CANCEL, b"forged")
        await runtime.publish_event("i", "look")
        await until(lambda: CANCEL in looks)
        for _ in range(20):
            await asyncio.sleep(0.01)
        await asyncio.wait_for(runtime.close(), 30)
    opened_slowly.HANGS.clear()
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        await runtime.recover()
        await asyncio.wait_for(runtime.handle("i").result(), 30)


@pytest.mark.parametrize("name", NAMES)
async def test_closed(store: InMemoryStateStore, flows: ModuleType, name: str) -> None:
    """A runtime that is closed meanwhile does not wait for it, and it goes on in the next one."""
    await begun(store, flows, name)
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        await runtime.recover()
        for _ in range(2):
            await runtime.publish_event("i", "go")
        await until(lambda: bool(opened_slowly.ASKED))
        await asyncio.wait_for(runtime.close(), 30)
    opened_slowly.HANGS.clear()
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        await runtime.recover()
        await asyncio.wait_for(runtime.handle("i").result(), 30)
