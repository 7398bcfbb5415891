"""A store that fails delays progress, says so, and loses nothing."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable
from contextlib import closing
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import DurableRuntime, StoreRefusedError, StoreUnavailableError
from durable_import.running.instance import lease
from durable_import.stores import state
from durable_import.stores.memory import MemoryStore
from durable_import.stores.state import InstanceState
from durable_import.stores.store import Begun, Committing
from tests.harness.users_store import store_over
from tests.running.conftest import MakeRuntime
from tests.running.effects import world
from tests.running.test_life import until


class Moody(MemoryStore):
    """Refuses everything while ``is_down``."""

    is_down = False
    refusals = 0

    def commit(self, *arguments: Any) -> Awaitable[None]:
        return Committing(partial(self._commit, *arguments))

    async def _commit(self, *arguments: Any) -> None:
        self._refuse()
        super().commit(*arguments)

    async def end(self, *arguments: Any, **keywords: Any) -> None:
        self._refuse()
        await super().end(*arguments, **keywords)

    async def claim(self, *arguments: Any, **keywords: Any) -> list[Begun]:
        self._refuse()
        return await super().claim(*arguments, **keywords)

    async def load_events(self, *arguments: Any) -> list[Any]:
        self._refuse()
        return await super().load_events(*arguments)

    def _refuse(self) -> None:
        if self.is_down:
            self.refusals += 1
            raise StoreUnavailableError("the store is down")


async def test_commits_are_tried_again(flows: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    """While the store is down the program stands still before its next effect; then it goes on."""
    store = Moody()
    async with DurableRuntime(store_over(store), poll_interval=0.02) as runtime:
        handle = await runtime.start(flows.steps, 4, 0.01, instance_id="steps")
        await until(lambda: "step 1" in world)
        store.is_down = True
        before = len(world)
        await until(lambda: store.refusals > 3)
        assert len(world) <= before + 1
        assert not handle_is_done(runtime)
        store.is_down = False
        assert await handle.result(timeout=60) == [0, 1, 2, 3]
    assert world == [f"step {number}" for number in range(4)]
    told = [record for record in caplog.records if "is not kept yet" in record.getMessage()]
    assert told
    assert all((record.levelno, record.instance_id) == (logging.WARNING, "steps") for record in told)  # type: ignore[attr-defined]


def handle_is_done(runtime: DurableRuntime) -> bool:
    return "steps" not in runtime.running


class DownAfterCheckpoint(Moody):
    """Goes down when it has the checkpoint after the first effect of an instance."""

    async def _commit(self, *arguments: Any) -> None:
        await super()._commit(*arguments)
        state: InstanceState = arguments[1]
        self.is_down = (state.status, state.checkpoint) == ("running", 1)


async def test_failure_is_kept_when_the_store_is_back(flows: ModuleType, tmp_path: Path) -> None:
    """A program that fails while the store is down has failed, and can be tried again from its last checkpoint."""
    store, flag = DownAfterCheckpoint(), tmp_path / "flag"
    async with DurableRuntime(store_over(store), poll_interval=0.02) as runtime:
        handle = await runtime.start(flows.fail_once, flag, instance_id="flaky")
        await until(lambda: store.refusals > 1)
        assert "flaky" in runtime.running
        store.is_down = False
        with pytest.raises(LookupError):
            await handle.result(timeout=60)
        flag.touch()
        await (await runtime.retry("flaky")).result(timeout=60)
    assert world == ["first", "second"]


async def test_looking_for_work_goes_on(flows: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    """The background of a runtime survives a store that is down; events and timers come when it is back."""
    store = Moody()
    async with DurableRuntime(store_over(store), poll_interval=0.02, evict_after=0.01) as runtime:
        handle = await runtime.start(flows.approve, "books", instance_id="order")
        await until(lambda: not runtime.running)
        store.is_down = True
        await until(lambda: store.refusals > 2)
        await runtime.publish_event("order", "approval", "yes")
        store.is_down = False
        assert await handle.result(timeout=60) == ("books", "yes")
    assert "cannot be asked for work" in caplog.text


async def test_patience_can_end(flows: ModuleType) -> None:
    """With a patience the error goes to who waits; what was committed is kept and goes on later."""
    store = Moody()
    async with DurableRuntime(store_over(store), patience=0.1) as runtime:
        handle = await runtime.start(flows.steps, 3, 0.01, instance_id="steps")
        store.is_down = True
        with pytest.raises(StoreUnavailableError):
            await handle.result(timeout=60)
        store.is_down = False
        await asyncio.sleep(0)
        assert await runtime.run(flows.steps, 3, 0.01, instance_id="steps") == [0, 1, 2]


async def test_closing_while_the_store_is_down(flows: ModuleType) -> None:
    """A runtime can be closed although a commit cannot be made; the instance goes on from the one before it."""
    store = Moody()
    users = store_over(store)
    async with DurableRuntime(users) as runtime:
        await runtime.start(flows.steps, 3, 0.01, instance_id="steps")
        store.is_down = True
        await until(lambda: store.refusals > 0)
    store.is_down = False
    async with DurableRuntime(users) as runtime:
        assert await runtime.run(flows.steps, 3, 0.01, instance_id="steps") == [0, 1, 2]


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores keep little: a gigabyte takes long."""
    monkeypatch.setattr(state, "LARGEST", 100_000)
    monkeypatch.setattr(lease, "LARGEST", 100_000)


@pytest.mark.usefixtures("_small")
async def test_what_is_too_large_is_given_up_at_once(flows: ModuleType, make_runtime: MakeRuntime) -> None:
    """The step whose result cannot be kept does not run again; calls and events are refused where they are made."""
    async with make_runtime(poll_interval=0.02) as runtime:
        with pytest.raises(StoreRefusedError, match=r"'large' has [0-9,]+ bytes, and no store keeps more"):
            await runtime.run(flows.grow, [1000, 150_000, 1], instance_id="large")
        assert await runtime.run(flows.grow, [1000, 1], instance_id="small") == 1
        info = await runtime.handle("large").info()
        assert (info.status, info.attempts, (info.error or "")[:18]) == ("stuck", 1, "StoreRefusedError:")
        with pytest.raises(StoreRefusedError, match="the call of instance 'called'"):
            await runtime.run(flows.add, bytes(150_000), instance_id="called")
        with pytest.raises(StoreRefusedError, match="event 'news' of instance 'other'"):
            await runtime.publish_event("other", "news", bytes(150_000))
    assert world == ["size 1000", "size 150000", "size 1000", "size 1"]


async def test_tables_that_are_gone_are_no_delay(flows: ModuleType, tmp_path: Path) -> None:
    """Nobody waits for them to come back."""
    async with DurableRuntime(f"sqlite:///{tmp_path / 'app.db'}", poll_interval=0.02) as runtime:
        handle = await runtime.start(flows.steps, 1000, 0.01, instance_id="steps")
        await until(lambda: "step 1" in world)
        with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
            connection.execute("DROP TABLE durable_state")
        with pytest.raises(StoreRefusedError, match="no such table"):
            await handle.result()


async def test_a_claim_that_fails_while_the_runtime_is_closed() -> None:
    """The close comes back, and nothing looks for work any more."""

    class Late(MemoryStore):
        """Fails a claim when it is told to."""

        asked, fails = asyncio.Event(), asyncio.Event()

        async def claim(self, *_: Any, **__: Any) -> list[Begun]:
            self.asked.set()
            await self.fails.wait()
            raise StoreUnavailableError("the store is away")

    store = Late()
    async with DurableRuntime(store_over(store), poll_interval=0.02):
        await store.asked.wait()
        asyncio.get_running_loop().call_later(0.05, store.fails.set)
        store.asked.clear()
    assert not store.asked.is_set()


async def test_who_was_taken_for_dead_takes_up_all_the_same(flows: ModuleType) -> None:
    """A process that has stalled for longer than its lease registers again when it is told so, and recovers what there is."""

    class Burying(MemoryStore):
        """Buries who claims something, once, when it is told to."""

        buries = False

        async def claim(self, owner: int, epoch: int, room: int, *arguments: Any, **keywords: Any) -> list[Begun]:
            if self.buries and room:
                self.buries = False
                (row,) = [row for row in self.owners() if row.id == owner]
                self.bury(owner, row.beat, 10)
            return await super().claim(owner, epoch, room, *arguments, **keywords)

    store = Burying()
    users = store_over(store)
    async with DurableRuntime(users, poll_interval=60) as runtime:
        handle = await runtime.start(flows.pass_gate, "held", instance_id="held")
    async with DurableRuntime(users, poll_interval=60) as runtime:
        await runtime.dispatcher.wait_for_look()
        store.buries = True
        assert [taken.id for taken in await runtime.recover()] == [handle.id]
        assert not store.buries
