"""A program whose steps never wait, and whose commits need no turn of the event loop: the process gets turns all the same."""

from __future__ import annotations

import asyncio
from types import ModuleType

import pytest

from durable_import import InstanceCancelledError
from durable_import.stores import inline_commit_policy as inline_commits
from tests.running.conftest import MakeRuntime
from tests.running.effects import world


@pytest.fixture(autouse=True)
def _takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits count as quick, however busy the machine is."""
    monkeypatch.setattr(inline_commits, "QUICK_SECONDS", 60.0)


async def test_others_get_their_turns(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Timers fire and tasks go on while the program runs; it is suspended when the runtime is closed, and goes on from there."""
    async with make_runtime() as runtime:
        await runtime.start(flows.for_ever, instance_id="busy")
        while (await runtime.summary_of("busy")).status != "running":
            await asyncio.sleep(0.005)
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert set(runtime.running) == {"busy"}
    state = await runtime.store.load("busy")
    assert state is not None
    assert (state["status"], world) == ("running", ["begun"])
    async with make_runtime() as runtime:
        [handle] = await runtime.recover()
        before = state["checkpoint"]
        while (await runtime.summary_of("busy")).checkpoint == before:
            await asyncio.sleep(0.01)
        assert await handle.cancel()
        with pytest.raises(InstanceCancelledError):
            await handle.result(timeout=60)
    assert world == ["begun", "cancelled", "finally"]


async def test_a_cancellation_arrives(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """The task that awaits the program is cancelled: the program is, soon."""
    async with make_runtime():
        task = asyncio.ensure_future(flows.for_ever())
        while not world:
            await asyncio.sleep(0.01)
        task.cancel()
        async with asyncio.timeout(60):
            with pytest.raises(asyncio.CancelledError):
                await task
    assert world == ["begun", "cancelled", "finally"]
