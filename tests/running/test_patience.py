"""Who looks at a store, or asks for something in it, need not mind that it is away for a moment: calls are made again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from durable_import import DurableRuntime, InstanceQuery, StoreUnavailableError
from durable_import.api import copies, patient_store
from durable_import.api.client import AsyncClient
from durable_import.running import patience
from durable_import.stores.url import full_store, open_store
from durable_import.testing.faults import Faults
from tests.harness.imports import imported_rewritten
from tests.running.effects import world
from tests.running.test_fault_at_each_call import at_each_call, repeated

SENDS = 5  # of ``acts``
EFFECTS = ["child", "others", "looked"]
FOUND = [True, 7, 7, True, "InstanceCancelledError", "as always", "completed", ["child"], 1, 0]


@pytest.mark.slow
async def test_an_instance_is_not_told_that_the_store_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends by what it ends by with a store that is there, whichever call fails, before it is done or after."""
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.001)
    flows: Any = imported_rewritten("tests.running.asking_flows")

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[DurableRuntime, Faults]]:
        store = open_store("memory:")
        faults = Faults(store)
        async with DurableRuntime(store, key=bytes(32), poll_interval=0.02, lease_seconds=0.5) as runtime:
            yield runtime, faults

    async def once(runtime: DurableRuntime) -> None:
        world.clear()
        handle = await repeated(lambda: runtime.start(flows.looks_around, instance_id="it"))
        assert await repeated(lambda: handle.result(timeout=60)) == FOUND
        assert list(dict.fromkeys(world)) == EFFECTS

    assert await at_each_call(opened, once) > 30


def acts(client: AsyncClient, has_history: bool) -> list[Callable[[], Awaitable[Any]]]:
    """What a client can do with the instance "it", which waits for an event, and others."""
    it = client.handle("it")
    return [
        *([it.history] if has_history else []),
        it.info, it.children, it.tree, it.stack, it.events, lambda: it.send("more", 1), it.retry, it.cancel,
        lambda: client.list(InstanceQuery()), client.count, lambda: client.cancel_all(InstanceQuery()),
        lambda: client.retry_all(InstanceQuery()), it.delete,
    ]  # fmt: skip


@pytest.mark.parametrize("happens", [False, True])
@pytest.mark.parametrize("kind", ["memory:", "sqlite:///{}/state.db?history=true"])
async def test_a_client_asks_again(kind: str, happens: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call of a store that fails once is made again; an event is sent once."""
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.001)
    flows: Any = imported_rewritten("tests.running.asking_flows")
    store = open_store(kind.format(tmp_path))
    faults = Faults(store)
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        await runtime.start(flows.waits, instance_id="it")
    client = AsyncClient(store, key=bytes(32))
    with pytest.raises(StoreUnavailableError), faults.refusing():
        await client.count()  # it was never there
    assert await client.count() == 1
    has_history = full_store(store).history is not None
    for number, act in enumerate(acts(client, has_history), -has_history):
        faults.calls.clear()
        faults.fail(1, (), happens=happens)
        await act()
        assert faults.calls[0] == faults.calls[1], number
        if number == SENDS:
            assert [event.name for event in await client.handle("it").events()] == ["more"]
    await store.close()  # type: ignore[attr-defined]


async def test_a_client_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told that the store is away."""
    monkeypatch.setattr(patient_store, "PATIENCE", 0.05)
    store = open_store("memory:")
    faults = Faults(store)
    client = AsyncClient(store, key=bytes(32))
    assert await client.count() == 0
    with faults.refusing(), pytest.raises(StoreUnavailableError):
        await client.count()
    assert await client.count() == 0


async def test_who_copies_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call for what is exported may fail once, but the first: then the store was never there."""
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.001)
    flows: Any = imported_rewritten("tests.running.asking_flows")
    store = open_store("memory:")
    faults = Faults(store)
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        await runtime.start(flows.waits, instance_id="it")
    monkeypatch.setattr(copies, "open_store", lambda _: store)
    faults.calls.clear()
    whole, calls = await copies.export_instance("", "it"), len(faults.calls)
    with faults.refusing(), pytest.raises(StoreUnavailableError):
        await copies.export_instance("", "it")
    for number in range(2, calls + 1):
        faults.fail(number, ())
        assert await copies.export_instance("", "it") == whole
    assert calls > 5
