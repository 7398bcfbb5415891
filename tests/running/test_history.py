"""History: each state that an instance has had can be looked at, and opened by itself."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from durable_import import DurableError, DurableRuntime, UnknownInstanceError
from durable_import.running.instance.driver import InstanceDriver
from durable_import.snapshot.encoder import Encoder
from tests.running.effects import open_gates, world
from tests.running.test_life import until

URLS = ("memory:?history=true", "disk://{}/store?history=true", "sqlite:///{}/state.db?history=true")


@pytest.mark.parametrize("url", URLS)
async def test_each_state_is_kept(url: str, tmp_path: Path, flows: ModuleType) -> None:
    """The summaries tell the life of an instance from its beginning to its end."""
    async with DurableRuntime(url.format(tmp_path)) as runtime:
        await runtime.run(flows.steps, 5, instance_id="steps")
        past = await runtime.history("steps")
        assert [each.checkpoint for each in past] == list(range(len(past)))
        assert [each.status for each in past] == ["pending", *["running"] * 5, "completed"]
        assert all("flows.py" in each.location for each in past[1:-1])
        with pytest.raises(UnknownInstanceError):
            await runtime.history("nobody")


@pytest.mark.parametrize("url", URLS)
async def test_each_state_can_be_opened_by_itself(url: str, tmp_path: Path, flows: ModuleType) -> None:
    """Also of an instance with many tasks, and resumed in between; nothing runs by that."""
    async with DurableRuntime(url.format(tmp_path)) as runtime:
        await runtime.start(flows.collect_after_gates, ["first"], "go", instance_id="many")
        await until(lambda: len(world) == 40)
        open_gates.add("first")
        await runtime.handle("many").send("go", 1)
        await runtime.handle("many").result(timeout=60)
        done = list(world)
        assert runtime.instances.history is not None
        states = await runtime.instances.history.load_history("many")
        assert len(states) > 3
        for state in states[1:-1]:
            encoder = Encoder("many")
            snapshot = encoder.decode(runtime.seal.open("many", state.snapshot))
            assert snapshot.facts["checkpoint"] == state.checkpoint
            assert snapshot.loop is not None
            InstanceDriver(snapshot.loop, encoder, _never).drop()
        assert world == done


async def _never(_: object) -> None:
    raise AssertionError("nothing is committed")


async def test_no_history_unless_asked_for(flows: ModuleType) -> None:
    """A store keeps the last state only, and the error says how to get more."""
    async with DurableRuntime("memory:") as runtime:
        await runtime.run(flows.steps, 2, instance_id="steps")
        with pytest.raises(DurableError, match=r"history=true"):
            await runtime.history("steps")
