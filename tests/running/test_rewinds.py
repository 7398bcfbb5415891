"""Going back: an instance is again what it was at an earlier checkpoint; what it has done since runs once more."""

from __future__ import annotations

from types import ModuleType

import pytest

from durable_import import DurableError, DurableRuntime, UnknownInstanceError, connect
from tests.harness.imports import imported_rewritten
from tests.running.effects import world
from tests.running.test_life import until, until_status


@pytest.fixture(scope="session")
def flows() -> ModuleType:
    """The flows that go back, rewritten."""
    return imported_rewritten("tests.running.forked_flows")


async def test_one_that_has_ended_goes_back_and_forth(history: str, flows: ModuleType) -> None:
    """The history goes on from there; to undo it gives the result of before, and nothing runs for that."""
    async with DurableRuntime(history) as runtime:
        result = await runtime.run(flows.order, 2, instance_id="one")
        past = await runtime.history("one")
        done = list(world)
        for checkpoint in (3, 6, 0):
            world.clear()
            assert await runtime.rewind("one", checkpoint)
            assert await runtime.handle("one").result() == result
            assert world == done[len(done) - len(world) :]
            assert [each.checkpoint for each in await runtime.history("one")] == [each.checkpoint for each in past]
        world.clear()
        assert await runtime.rewind("one", undo=True)
        assert (await runtime.handle("one").status(), await runtime.handle("one").result()) == ("completed", result)
        with pytest.raises(ValueError, match="nothing to undo"):
            await runtime.rewind("one", undo=True)
        assert world == []


async def test_the_keys_are_those_of_before(history: str, flows: ModuleType) -> None:
    """What is asked for once more has the key that it had."""
    async with DurableRuntime(history) as runtime:
        keys = await runtime.run(flows.note_keys, 3, instance_id="one")
        await runtime.rewind("one", 2)
        assert await runtime.handle("one").result() == keys
        assert len(set(keys)) == 3


async def test_one_that_runs_obeys(history: str, flows: ModuleType) -> None:
    """Whoever has it: the runtime that is asked itself, or another one, of which the client knows nothing."""
    async with DurableRuntime(history) as runtime:
        handle = await runtime.start(flows.wait_for_two, 5, instance_id="one")
        for times in (1, 2, 3):
            await handle.send("first", times)
            await until(lambda times=times: world == ["between"] * times)
            await until_status(handle, "waiting")
            first = next(each.checkpoint for each in await runtime.history("one") if each.status == "waiting")
            if times == 3:
                break
            if times == 1 or history.startswith("memory"):
                assert not await runtime.rewind("one", first)
            else:
                async with connect(history) as client:
                    lost = (await client.plan_rewind("one", first)).lost
                    assert [each.checkpoint for each in lost] == list(range(first + 1, lost[-1].checkpoint + 1))
                    assert not await client.rewind("one", first)

            async def is_back(first: int = first) -> bool:
                return (await handle.info()).checkpoint <= first + 1  # as it waits again it is kept again

            await until(is_back)
        await handle.send("second", 4)
        assert await handle.result() == (3, 6, 4)


@pytest.mark.parametrize("history", ["disk", "sqlite", "postgres"], indirect=True)
async def test_one_that_nobody_runs_goes_back_by_a_client(history: str, flows: ModuleType) -> None:
    """It needs none of the program; to undo it lets it go on as if nothing had been."""
    async with DurableRuntime(history) as runtime:
        handle = await runtime.start(flows.wait_for_two, 5, instance_id="one")
        await handle.send("first", 1)
        await until(lambda: world == ["between"])
        await until_status(handle, "waiting")
    with connect(history) as client:
        one = client.handle("one")
        last = one.info().checkpoint
        assert client.rewind("one", 1)
        assert (one.info().checkpoint, one.info().owner) == (1, None)
        assert client.rewind("one", undo=True)
        assert one.info().checkpoint == last
        one.send("second", 2)
    async with DurableRuntime(history) as runtime:
        assert await runtime.handle("one").result() == (1, 6, 2)
    assert world == ["between"]


async def test_one_that_has_failed_goes_back(history: str, flows: ModuleType) -> None:
    """Before what has led to the failure."""
    async with DurableRuntime(history) as runtime:
        with pytest.raises(ZeroDivisionError):
            await runtime.run(flows.divide, 6, 0, instance_id="one")
        await runtime.rewind("one", 0)
        with pytest.raises(ZeroDivisionError):
            await runtime.handle("one").result()
        assert world == ["before", "before"]
        await runtime.rewind("one", undo=True)
        assert await runtime.handle("one").status() == "failed"


async def test_what_cannot_go_back_is_refused(history: str, flows: ModuleType) -> None:
    """By one sentence each."""
    async with DurableRuntime(history) as runtime:
        await runtime.run(flows.order, 1, instance_id="one")
        with pytest.raises(UnknownInstanceError):
            await runtime.rewind("nobody", 1)
        with pytest.raises(ValueError, match="no checkpoint 99: there are 0 to"):
            await runtime.rewind("one", 99)
        with pytest.raises(ValueError, match="choose an earlier one"):
            await runtime.rewind("one", (await runtime.history("one"))[-1].checkpoint)
        with pytest.raises(TypeError, match="or undo=True"):
            await runtime.rewind("one")
    async with DurableRuntime("memory:") as runtime:
        await runtime.run(flows.order, 1, instance_id="one")
        with pytest.raises(DurableError, match="keeps no history"):
            await runtime.rewind("one", 1)


@pytest.mark.slow
@pytest.mark.parametrize("history", ["sqlite", "postgres"], indirect=True)
async def test_states_that_stay_keep_their_segments(history: str, flows: ModuleType) -> None:
    """Of an instance with many tasks that has gone back, each earlier state can still be forked, and so can each new one."""
    async with DurableRuntime(history) as runtime:
        many = await runtime.start(flows.crowd_in_turn, 40, instance_id="many")
        result = await many.result(timeout=60)
        running = [each.checkpoint for each in await runtime.history("many") if each.status == "running"]
        middle = running[len(running) // 2]
        assert await runtime.rewind("many", middle)
        assert await many.result(timeout=60) == result
        for checkpoint in (running[1], middle - 1, middle, middle + 2):
            fork = await runtime.fork("many", checkpoint)
            assert await fork.result(timeout=60) == result
