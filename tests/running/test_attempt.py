"""``attempt`` in instances that are suspended and resumed, in each store, beside other instances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import durable_import
from durable_import import DurableRuntime, attempt
from tests.harness.users_store import UsersStore
from tests.running.attempt_steps import noted
from tests.running.conftest import MakeRuntime
from tests.running.test_life import until


@pytest.fixture(autouse=True)
def _nothing_noted() -> Iterator[None]:
    noted.clear()
    yield
    noted.clear()


@pytest.fixture
def flow() -> Callable[[str], Any]:
    """The functions, rewritten."""
    durable_import.install()
    from tests.running import attempt_flows

    return lambda name: getattr(attempt_flows, name)


async def live(make_runtime: MakeRuntime, flow: Callable[[str], Any], name: str, seen: set[str]) -> list[str]:
    """One life of an instance, until all of this is noted; what it has noted."""
    before = len(noted)
    async with make_runtime() as runtime:
        await runtime.start(flow(name), "end", instance_id="i")
        await runtime.run(flow("another"), instance_id=f"another {before}")
        await until(lambda: seen <= set(noted[before:]))
    return noted[before:]


async def test_lives_are_counted(make_runtime: MakeRuntime, flow: Callable[[str], Any]) -> None:
    """Each life begins what was in the middle once more, from the call on, and then from a checkpoint."""
    for life in (1, 2, 3):
        both = [f"begin {life}", f"first {life}"]
        assert await live(make_runtime, flow, "alone", set(both)) == both
    noted.append("end")
    assert await live(make_runtime, flow, "alone", {"second 1"}) == ["begin 4", "first 4", "middle 1", "second 1"]
    for life in (2, 3):
        assert await live(make_runtime, flow, "alone", {f"second {life}"}) == [f"middle {life}", f"second {life}"]
    noted.append("end again")
    async with make_runtime() as runtime:
        await runtime.run(flow("alone"), "end", instance_id="i")
    assert noted[-3:] == ["middle 4", "second 4", "end 1"]


async def test_lives_are_counted_in_a_store_of_the_users(flow: Callable[[str], Any]) -> None:
    """It has states only, and each process another object for it: what counts lives is in the state."""
    first = UsersStore()

    def runtime() -> DurableRuntime:
        store = UsersStore()
        store.states = first.states
        return DurableRuntime(store, key=bytes(32))

    for life in (1, 2, 3):
        both = [f"begin {life}", f"first {life}"]
        assert await live(runtime, flow, "alone", set(both)) == both


async def test_each_step_has_its_own_number(make_runtime: MakeRuntime, flow: Callable[[str], Any]) -> None:
    """A step that others end beside, and are committed, has begun as often as before."""
    assert sorted(await live(make_runtime, flow, "beside", {"long 1", "other 1"})) == ["long 1", "other 1", "short 1"]
    assert sorted(await live(make_runtime, flow, "beside", {"long 2", "other 2"})) == ["long 2", "other 2"]
    noted.append("go")
    assert sorted(await live(make_runtime, flow, "beside", {"short 1", "long 3"})) == ["long 3", "other 3", "short 1"]
    assert await live(make_runtime, flow, "beside", {"long 4"}) == ["long 4"]


def test_outside_of_instances() -> None:
    """It is 1 there."""
    assert attempt() == 1
