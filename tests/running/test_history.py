"""History: each state that an instance has had can be looked at, and opened by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import ModuleType

import pytest

from durable_import import DurableError, DurableRuntime, UnknownInstanceError, UnknownStoreError
from durable_import.running.instance.driver import InstanceDriver
from durable_import.snapshot.encoder import Encoder
from durable_import.snapshot.sealing.segment_seal import SegmentSeal
from durable_import.stores.url import open_store
from tests.harness.imports import imported_rewritten
from tests.running.conftest import postgres_url
from tests.running.effects import open_gates, world
from tests.running.test_life import until, until_status

PLACES = {"memory": "memory:", "disk": "disk://{}/store", "sqlite": "sqlite:///{}/state.db"}


@pytest.fixture(params=(*PLACES, "postgres"))
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a store of each kind, up to what is said of history."""
    if request.param in PLACES:
        return PLACES[request.param].format(tmp_path) + "?"
    monkeypatch.setenv("DURABLE_KEY", bytes(range(32)).hex())
    return postgres_url(request) + "&"


async def test_each_state_is_kept(place: str, flows: ModuleType) -> None:
    """The summaries tell the life of an instance from its beginning to its end."""
    async with DurableRuntime(f"{place}history=true") as runtime:
        await runtime.run(flows.steps, 5, instance_id="steps")
        past = await runtime.history("steps")
        assert [each.checkpoint for each in past] == list(range(len(past)))
        assert [each.status for each in past] == ["pending", *["running"] * 5, "completed"]
        assert all("flows.py" in each.location for each in past[1:-1])
        with pytest.raises(UnknownInstanceError):
            await runtime.history("nobody")


async def test_each_state_can_be_opened_by_itself(place: str, flows: ModuleType) -> None:
    """Also of an instance with many tasks, and resumed in between; nothing runs by that."""
    async with DurableRuntime(f"{place}history=true") as runtime:
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
            segments = await runtime.instances.history.load_past_segments("many", state.checkpoint)
            snapshot = encoder.decode(SegmentSeal(runtime.seal, "many").open(state.snapshot, segments), segments)
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


@pytest.fixture(scope="session")
def forked() -> ModuleType:
    """Flows that wait, or have a large state, rewritten."""
    return imported_rewritten("tests.running.forked_flows")


@pytest.mark.parametrize("most", [2, 3, 10])
async def test_so_many_are_kept(place: str, most: int, flows: ModuleType) -> None:
    """The last ones, with the present one."""
    async with DurableRuntime(f"{place}history={most}") as runtime:
        await runtime.run(flows.steps, 8, instance_id="steps")
        assert [each.checkpoint for each in await runtime.history("steps")] == list(range(10))[-most:]


async def test_for_so_long_they_are_kept(place: str, forked: ModuleType) -> None:
    """Since another one took the place of each."""
    async with DurableRuntime(f"{place}history=0.2s") as runtime:
        handle = await runtime.start(forked.wait_for_two, 1, instance_id="waits")
        await until_status(handle, "waiting")
        assert len(await runtime.history("waits")) > 1
        await asyncio.sleep(0.3)
        last = (await handle.info()).checkpoint
        assert [each.checkpoint for each in await runtime.history("waits")] == [last]
        for event in ("first", "second"):
            await handle.send(event, 1)
        await handle.result()
        assert (await runtime.history("waits"))[0].checkpoint == last


@pytest.mark.parametrize("bound", ["yes", "1", "0", "7w", "-3", "0d"])
def test_what_is_no_bound_is_refused(bound: str) -> None:
    """With the ways to say it."""
    with pytest.raises(UnknownStoreError, match="'true', 'false', how many states"):
        open_store(f"sqlite:///app.db?history={bound}")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_history_costs_what_has_changed(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, forked: ModuleType
) -> None:
    """Of a large state that hardly changes."""
    url = f"sqlite:///{tmp_path}/a.db?history=true" if kind == "sqlite" else f"{postgres_url(request)}&history=true"
    async with DurableRuntime(open_store(url), key=bytes(range(32))) as runtime:
        handle = await runtime.start(forked.carry, 600_000, instance_id="large")
        await until_status(handle, "waiting")
        blobs, _ = await runtime.instances.load_blobs("", 100)
        assert len(await runtime.history("large")) == 5
        assert 600_000 < sum(map(len, blobs)) < 900_000
        await runtime.instances.close()
