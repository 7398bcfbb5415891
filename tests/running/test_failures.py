"""Instances of applications that have failed, and did something while the exception was on its way out."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from durable_import import DurableRuntime
from durable_import.errors import InstanceStuckError, RanAfterFailureError
from tests.harness.imports import imported_rewritten
from tests.running.conftest import MakeRuntime
from tests.running.effects import world


@pytest.fixture(scope="module")
def failing() -> ModuleType:
    """The module of the flows, rewritten."""
    return imported_rewritten("tests.running.failing_flows")


async def fail(runtime: DurableRuntime, flow: object, flag: Path) -> None:
    """Run it as long as the flag is not there, then set that."""
    with pytest.raises(LookupError):
        await runtime.run(flow, flag, instance_id="a")  # type: ignore[call-overload]
    flag.touch()


async def test_retry_lists_what_ran(make_runtime: MakeRuntime, failing: ModuleType, tmp_path: Path) -> None:
    """It goes on from before the failure only if it is told to, by another runtime too."""
    async with make_runtime() as runtime:
        await fail(runtime, failing.pay, tmp_path / "flag")
        with pytest.raises(RanAfterFailureError, match=r"refund|from_failure=True") as caught:
            await runtime.retry("a")
        called = [line.partition(" ")[0] for line in caught.value.steps]
        assert called == ["effect", "effect", "effect"] or called == ["effect", "effect"]
        assert "failing_flows.py" in caught.value.location
        assert await runtime.handle("a").status() == "failed"
    async with make_runtime() as runtime:
        handle = runtime.handle("a")
        await handle.retry(from_failure=True)
        assert await handle.result() == [None, None]
    assert [line.partition(" ")[0] for line in world] == [
        "reserve", "need", "refund", "one", "two", "need", "ship", "one", "two",
    ]  # fmt: skip


async def test_no_key_is_given_twice(make_runtime: MakeRuntime, failing: ModuleType, tmp_path: Path) -> None:
    """The call that failed has the key that it had; those behind it have others than what ran on the way out."""
    async with make_runtime() as runtime:
        await fail(runtime, failing.pay, tmp_path / "flag")
        await (await runtime.retry("a", from_failure=True)).result()
    keys = {name: [line.split(" ")[1] for line in world if line.startswith(name + " ")] for name in ("need", "refund", "ship")}
    first, again = keys["need"]
    assert first == again
    assert len({first, *keys["refund"], *keys["ship"]}) == 3


async def test_whoever_takes_it_up_leaves_it(make_runtime: MakeRuntime, failing: ModuleType, tmp_path: Path) -> None:
    """Where the store was told to retry it, by somebody without the key, it is stuck with what ran, and can still go on."""
    async with make_runtime() as runtime:
        await fail(runtime, failing.pay, tmp_path / "flag")
        assert await runtime.instances.retry("a")
        await runtime.recover()
        with pytest.raises((InstanceStuckError, RanAfterFailureError), match="effect"):
            await runtime.handle("a").result()
        assert await runtime.handle("a").status() == "stuck"
        assert await (await runtime.retry("a", from_failure=True)).result() == [None, None]


async def test_an_exception_that_only_passes_tasks(make_runtime: MakeRuntime, failing: ModuleType, tmp_path: Path) -> None:
    """Retried, it goes on."""
    async with make_runtime() as runtime:
        await fail(runtime, failing.pass_on, tmp_path / "flag")
        await (await runtime.retry("a")).result()
    assert world.count("need key") == 2
    assert world.count("begun") == 1


@pytest.mark.parametrize("name", ["change_large_data", "keep_large_data"])
async def test_large_data(make_runtime: MakeRuntime, failing: ModuleType, tmp_path: Path, name: str) -> None:
    """What is kept in pieces is there as it was before the failure."""
    async with make_runtime() as runtime:
        await fail(runtime, getattr(failing, name), tmp_path / "flag")
    async with make_runtime() as runtime:
        assert await (await runtime.retry("a", from_failure=True)).result()
    assert world.count("begun") == 1


async def test_an_event_that_was_taken_on_the_way_out(make_runtime: MakeRuntime, failing: ModuleType, tmp_path: Path) -> None:
    """It is there for the state before, which has not had it."""
    async with make_runtime() as runtime:
        await runtime.publish_event("a", "answer", 42)
        await fail(runtime, failing.take_event, tmp_path / "flag")
        assert world == ["begun", "need key", 42]
        assert await (await runtime.retry("a", from_failure=True)).result() == 42
