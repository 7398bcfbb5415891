"""Instances that are taken up in one process, one after the other: what each has is its own, also after others were refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import durable_import
from durable_import import DurableRuntime, SnapshotError
from tests.running.effects import open_gates, world
from tests.running.test_life import until

pytestmark = pytest.mark.filterwarnings("error:coroutine .* was never awaited")  # what is read in vain is closed
GATE = "gate"
FLOWS = ("connect", "connect_in_circle", "keep_all", "open_inside")


@pytest.fixture
def connected() -> Iterator[ModuleType]:
    """The module of the flows, rewritten."""
    durable_import.install()
    from tests.running import connected

    yield connected
    for connection in connected.connections:
        connection.socket.close()
    for noted in (connected.connections, connected.broken, connected.letters):
        noted.clear()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store that all runtimes of the test share."""
    return f"sqlite:///{tmp_path}/state.db"


async def leave_at_gate(url: str, flow: Callable[..., Awaitable[Any]], names: list[str]) -> None:
    """Begin an instance for each name, and let go of all when they wait."""
    async with DurableRuntime(url) as runtime:
        handles = [await runtime.start(flow, GATE, name, instance_id=name) for name in names]
        await until(lambda: world.count("holding") == len(names))
        for handle in handles:  # that is kept, too
            while (await handle.info()).checkpoint < 1:
                await asyncio.sleep(0.002)


async def recovered(url: str) -> dict[str, object]:
    """What instances end with that are taken up, or why they are not; by id."""
    open_gates.add(GATE)
    results: dict[str, object] = {}
    async with DurableRuntime(url) as runtime:
        for handle in await runtime.recover():
            try:
                results[handle.id] = await handle.result(timeout=60)
            except SnapshotError as error:
                results[handle.id] = error
    return results


@pytest.mark.parametrize("flow", FLOWS)
async def test_each_has_its_own_connection(url: str, connected: ModuleType, flow: str) -> None:
    """What cannot be saved is made again for each instance, and everything that referred to it refers to its own."""
    names = ["a", "b", "c", "d"]
    await leave_at_gate(url, getattr(connected, flow), names)
    assert await recovered(url) == {name: ({name}, True) for name in names}
    assert len(connected.connections) in (2 * len(names), 3 * len(names))  # once more, or twice if it has to be read twice
    assert all(connection.socket.fileno() == -1 for connection in connected.connections)


@pytest.mark.parametrize("refused", [("a",), ("b", "c"), ("a", "d"), ("a", "b", "c")], ids="".join)
@pytest.mark.parametrize("flow", FLOWS)
async def test_refused_instances_leave_nothing_behind(
    url: str, connected: ModuleType, flow: str, refused: tuple[str, ...]
) -> None:
    """An instance that cannot be restored takes nothing with it into those that are loaded after it; it can be mended."""
    names = ["a", "b", "c", "d"]
    await leave_at_gate(url, getattr(connected, flow), names)
    connected.broken.update(refused)
    results = await recovered(url)
    refusals = {name: str(results.pop(name)) for name in refused if name in results}
    assert results == {name: ({name}, True) for name in names if name not in refused}
    assert all(f"no parcel for {name}" in said for name, said in refusals.items()), refusals
    connected.broken.clear()
    assert await recovered(url) == {name: ({name}, True) for name in refused}
