"""What is noted of an instance between two checkpoints, while it is held for long."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from durable_import import DurableRuntime
from durable_import.aio import timers
from durable_import.stores.memory import InMemoryStateStore
from tests.harness.imports import imported_rewritten


@contextlib.asynccontextmanager
async def block() -> AsyncIterator[None]:
    """Holds, as that of a library does."""
    yield


def noted() -> int:
    """How much is noted of the instance whose turn it is."""
    loop: Any = asyncio.get_running_loop()
    return len(loop.called) + len(loop.new_timers) + len(loop.changed_callbacks)


@pytest.mark.parametrize("tasks", [5, 50])
async def test_notes_do_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch, tasks: int) -> None:
    """Of hundreds of timers few are kept alive, and what is saved behind the hold is complete, with many tasks too."""
    monkeypatch.setattr(timers, "MOST_CHANGES", 30)
    flows, store = imported_rewritten("tests.running.held_flows"), InMemoryStateStore()
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        handle = await runtime.start(flows.hold, block, noted, tasks, instance_id="held")
        while await handle.status() != "waiting":
            await asyncio.sleep(0.01)
    async with DurableRuntime(store, key=bytes(32)) as runtime:
        handle = await runtime.start(flows.hold, block, noted, tasks, instance_id="held")
        await handle.send("go", "it goes on")
        count, said = await handle.result()
    assert (count < 30 + 5 * tasks, said) == (True, "it goes on")
