"""A program ends as natively, by the native effects, whichever call of its store fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import pytest

from durable_import import DurableRuntime, StoreUnavailableError
from durable_import.stores.base import KeyedStore
from durable_import.stores.url import open_store
from durable_import.testing.faults import AWAITED, KEEPING, Faults
from tests.harness.crash import PROGRAMS
from tests.harness.imports import fresh, imported_rewritten
from tests.harness.torture import native, observe
from tests.running.conftest import postgres_url
from tests.running.effects import world

PROGRAMS_OF_THE_SUITE = (
    "p064_await_many_steps",
    "p191_saga",
    "p205_agent_with_tools",
    "concurrent/c007_nested_taskgroups",
    "concurrent/c036_worker_pool",
    "concurrent/c055_saga_parallel",
)
SAGA, SHORT = PROGRAMS_OF_THE_SUITE[1], "p020_while_else"
KINDS = [*((kind, path) for kind in ("sqlite", "memory") for path in PROGRAMS_OF_THE_SUITE), ("disk", SAGA), ("postgres", SAGA)]
T = TypeVar("T")
Opened = Callable[[], AbstractAsyncContextManager[tuple[DurableRuntime, Faults]]]


@pytest.fixture
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Opened]:
    """Runtimes over empty stores of a kind, and what goes wrong with them."""
    numbers = count()

    @asynccontextmanager
    async def one(kind: str) -> AsyncIterator[tuple[DurableRuntime, Faults]]:
        place = tmp_path / f"store{next(numbers)}"
        urls = {"memory": "memory:", "disk": f"disk://{place}", "sqlite": f"sqlite:///{place}.db"}
        store = open_store(urls.get(kind) or postgres_url(request))
        faults, key = Faults(store), None if isinstance(store, KeyedStore) else bytes(32)
        try:
            async with DurableRuntime(store, key=key, poll_interval=0.02, lease_seconds=0.5) as runtime:
                yield runtime, faults
        finally:
            await store.close()  # type: ignore[attr-defined]

    return lambda kind: partial(one, kind)


async def repeated(ask: Callable[[], Awaitable[T]]) -> T:
    """What is asked for, by who is not in an instance and is told that the store was away."""
    while True:
        try:
            return await ask()
        except StoreUnavailableError:
            await asyncio.sleep(0)


async def at_each_call(opened: Opened, once: Callable[[DurableRuntime], Awaitable[None]]) -> int:
    """Let each call of a store fail in turn, before it is done and after; gives how many there are."""
    async with opened() as (runtime, faults):
        await once(runtime)
    calls = len(faults.calls)
    for number in range(1, calls + 1):
        for happens in (False, True):
            async with opened() as (runtime, faults):
                faults.fail(number, AWAITED, happens=happens)
                await once(runtime)
    return calls


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), [("memory", SHORT), *KINDS])
async def test_programs(
    kind: str, name: str, opened: Callable[[str], Opened], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store's calls are those of an instance from its beginning to its end, and of what looks for work meanwhile."""
    path, log = PROGRAMS / f"{name}.py", tmp_path / "effects"
    monkeypatch.syspath_prepend(str(PROGRAMS))
    monkeypatch.syspath_prepend(str(path.parent))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EFFECT_LOG", str(log))
    imported_rewritten(path.stem)

    async def once(runtime: DurableRuntime) -> None:
        log.write_text("")
        main = fresh(path.stem).main
        handle = await repeated(lambda: runtime.start(main, instance_id="it"))
        result = await repeated(lambda: handle.result(timeout=60))
        assert (repr(result), log.read_text().splitlines()) == expected

    expected = await asyncio.to_thread(observe, native, path, log)
    assert await at_each_call(opened(kind), once) > 10


@pytest.mark.parametrize("name", [pytest.param(each, marks=() if each == "renew" else pytest.mark.slow) for each in KEEPING])
async def test_what_keeps_the_lease(name: str, opened: Callable[[str], Opened], flows: ModuleType) -> None:
    """Whichever call of the thread that keeps the lease fails, what runs goes on, and no step happens again."""
    for number, happens in ((1, False), (1, True), (2, False), (2, True)):
        world.clear()
        async with opened("sqlite")() as (runtime, faults):
            faults.fail(number, (name,), happens=happens)
            handle = await repeated(partial(runtime.start, flows.steps, 4, 0.06, instance_id="steps"))
            assert await handle.result(timeout=60) == [0, 1, 2, 3]
        assert world == [f"step {step}" for step in range(4)]
