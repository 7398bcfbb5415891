"""Backends: what a user implements, events in memory, and states as plain dicts."""

from __future__ import annotations

import asyncio
import json
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from durable_import import DurableBackend, InMemoryStateStore, OrchestrationBackend
from durable_import.stores.backend import BackendStore

STATE = {
    "status": "waiting", "checkpoint": 7, "location": "shop.py:3 main", "function": "main", "wake_at": 12.5, "call": b"\x00call",
    "snapshot": b"\xff\x00snap", "outcome": b"",
}  # fmt: skip


class DictBackend(OrchestrationBackend):
    """A user's own, over a plain dict, with just the three methods."""

    def __init__(self, dumps: Callable[[Any], Any], loads: Callable[[Any], Any]) -> None:
        self.states: dict[str, Any] = {}
        self.dumps, self.loads = dumps, loads

    async def load_state(self, instance_id: str) -> dict[str, Any] | None:
        return self.loads(self.states[instance_id]) if instance_id in self.states else None

    async def save_state(self, instance_id: str, state: dict[str, Any]) -> None:
        self.states[instance_id] = self.dumps(state)

    async def wait_for_event(self, instance_id: str, name: str) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize(("dumps", "loads"), [(json.dumps, json.loads), (pickle.dumps, pickle.loads)], ids=["json", "pickle"])
async def test_state_goes_through_a_backend(dumps: Callable[[Any], Any], loads: Callable[[Any], Any]) -> None:
    """A backend sees the original library's keys, and may write them as JSON."""
    backend = DictBackend(dumps, loads)
    store = BackendStore(backend)
    assert await store.load("a") is None
    await store.save("a", STATE)
    assert await store.load("a") == STATE
    kept = await backend.load_state("a")
    assert kept is not None
    assert (kept["instance_id"], kept["status"]) == ("a", "waiting")
    assert kept["call_stack"]
    assert "snapshot" not in kept


async def test_durable_backend_keeps_states_in_its_store() -> None:
    """Its states are those of the store, as backends show them."""
    store = InMemoryStateStore()
    backend = DurableBackend(store)
    await BackendStore(backend).save("a", STATE)
    assert await store.load("a") == STATE
    state = await backend.load_state("a")
    assert state is not None
    assert state["instance_id"] == "a"
    assert await backend.load_state("b") is None


async def test_events_are_kept_until_somebody_waits() -> None:
    """In their order, by instance and name; whether ``publish_event`` is awaited or not."""
    backend = DurableBackend()
    backend.publish_event("a", "allow", 1)
    await backend.publish_event("a", "allow", 2)
    backend.publish_event("b", "allow", 3)
    assert await backend.wait_for_event("b", "allow") == 3
    assert [await backend.wait_for_event("a", "allow") for _ in range(2)] == [1, 2]
    assert backend.events == {}


async def test_waiting_ends_when_an_event_is_published() -> None:
    """Each event is given to one who waits, also from another thread; who is cancelled takes none with it."""
    backend = DurableBackend()
    tasks = [asyncio.create_task(backend.wait_for_event("a", "allow")) for _ in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    for payload in (1, 2):
        thread = threading.Thread(target=backend.publish_event, args=("a", "allow", payload))
        thread.start()
        thread.join()
    assert sorted(await asyncio.wait_for(asyncio.gather(*tasks[1:]), 10)) == [1, 2]
    backend.publish_event("a", "other")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(backend.wait_for_event("a", "allow"), 0.01)
    assert backend.events == {"a": [("other", None)]}


def test_backend_needs_its_three_methods() -> None:
    """One that lacks a method cannot be made."""
    with pytest.raises(TypeError, match="wait_for_event"):
        type("Half", (OrchestrationBackend,), {"load_state": 1, "save_state": 1})()
