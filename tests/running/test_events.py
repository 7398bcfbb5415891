"""Events: each is delivered once, whenever it was published and wherever the instance was then."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import pytest

from durable_import import (
    DurableBackend,
    DurableError,
    DurableRuntime,
    InstanceFinishedError,
    OrchestrationBackend,
    PauseForEventException,
    wait_for_event,
)
from durable_import.stores.memory import MemoryStore
from durable_import.stores.state import Event
from tests.harness.users_store import store_over
from tests.running.conftest import MakeRuntime
from tests.running.effects import world
from tests.running.test_life import until, until_status


async def test_event_before_anyone_waits(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """An event for an instance that does not exist yet is kept until it waits for it."""
    async with make_runtime() as runtime:
        await runtime.publish_event("order", "approval", [1, 2])
    async with make_runtime() as runtime:
        assert await runtime.run(flows.approve, "books", instance_id="order") == ("books", [1, 2])


async def test_events_come_in_order_and_once(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Two events of a name are two; others' events are not taken."""
    async with make_runtime() as runtime:
        for number in range(5):
            await runtime.publish_event("all", "number", number)
            await runtime.publish_event("other", "number", -number)
        assert await runtime.run(flows.collect, "number", 5, instance_id="all") == [0, 1, 2, 3, 4]
        handle = await runtime.start(flows.collect, "number", 6, instance_id="more")
        for number in range(6):
            await asyncio.sleep(0.01)
            await handle.send("number", number)
        assert await handle.result(timeout=60) == [0, 1, 2, 3, 4, 5]


async def test_event_survives_the_runtime(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """What an instance has accepted, but not asked for, is part of its state."""
    async with make_runtime() as runtime:
        handle = await runtime.start(flows.collect, "number", 4, instance_id="all")
        await handle.send("number", 0)
        await handle.send("number", 1)
        await asyncio.sleep(0.1)
    async with make_runtime() as runtime:
        await runtime.publish_event("all", "number", 2)
        handle = await runtime.start(flows.collect, "number", 4, instance_id="all")
        await handle.send("number", 3)
        assert await handle.result(timeout=60) == [0, 1, 2, 3]
        assert await runtime.instances.load_events("all") == []


class SlowAnswer(MemoryStore):
    """Its first answer to who asks for events is that of the moment, but comes late."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.answers, self.forgot = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def load_events(self, instance_id: str) -> list[Event]:
        events = await super().load_events(instance_id)
        if events and not self.asked.is_set():
            self.asked.set()
            await self.answers.wait()
        return events

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        await super().remove_events(instance_id, numbers)
        self.forgot.set()


async def test_late_answer_of_the_store(flows: ModuleType) -> None:
    """An event that the state has had, and the store has forgotten, since the store was asked is not given again."""
    store = SlowAnswer()
    async with DurableRuntime(store_over(store)) as runtime:
        handle = await runtime.start(flows.collect, "number", 3, instance_id="all")
        await until_status(handle, "waiting")
        first = asyncio.create_task(handle.send("number", 0))
        await store.asked.wait()
        await handle.send("number", 1)  # whose answer has both
        await store.forgot.wait()
        await asyncio.sleep(0.01)
        store.answers.set()
        await first
        await handle.send("number", 2)
        assert await handle.result(timeout=60) == [0, 1, 2]


async def test_event_from_another_runtime(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Who publishes need not run the instance."""
    async with make_runtime() as one, make_runtime() as two:
        handle = await one.start(flows.approve, "books", instance_id="order")
        await until_status(handle, "waiting")
        await two.publish_event("order", "approval", "from elsewhere")
        assert await handle.result(timeout=60) == ("books", "from elsewhere")
        assert await two.handle("order").result(timeout=60) == ("books", "from elsewhere")


async def test_timeout(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """An event that does not come in time raises TimeoutError, also over a restart."""
    async with make_runtime() as runtime:
        assert await runtime.run(flows.wait_at_most, "never", 0.05, instance_id="short") == "too late"
        handle = await runtime.start(flows.wait_at_most, "never", 0.2, instance_id="long")
        await until_status(handle, "waiting")
    async with make_runtime() as runtime:
        await runtime.recover()
        assert await runtime.handle("long").result(timeout=60) == "too late"


async def test_tasks_wait_for_events(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Each task of an instance may wait for events of its own."""
    async with make_runtime() as runtime:
        handle = await runtime.start(flows.collect_in_tasks, ["a", "b", "a"], instance_id="tasks")
        for name, payload in [("b", 1), ("a", 2), ("a", 3)]:
            await handle.send(name, payload)
        assert await handle.result(timeout=60) == [2, 1, 3]


async def test_finished_instance_gets_no_events(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Sending to one that has ended is an error, not a loss."""
    async with make_runtime() as runtime:
        await runtime.run(flows.add, 1, instance_id="sum")
        with pytest.raises(InstanceFinishedError, match="'sum' has ended"):
            await runtime.publish_event("sum", "late")


async def test_reserved_names(make_runtime: MakeRuntime) -> None:
    """Names that begin with @ are ours."""
    async with make_runtime() as runtime:
        with pytest.raises(ValueError, match="@cancel"):
            await runtime.publish_event("sum", "@cancel")


async def test_waiting_outside_of_an_instance() -> None:
    """There is nobody to publish for."""
    with pytest.raises(DurableError, match="outside of any"):
        await wait_for_event("never")


async def test_pause(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """The exception goes to the caller; after the event the program goes on behind the raise."""
    for _ in range(2):
        async with make_runtime() as runtime:
            with pytest.raises(PauseForEventException) as caught:
                await runtime.run(flows.pause, "Ada", instance_id="greet")
            assert caught.value.event == "allow"
            assert await runtime.handle("greet").status() == "waiting"
    async with make_runtime() as runtime:
        await runtime.publish_event("greet", "allow")
        assert await runtime.run(flows.pause, "Ada", instance_id="greet") == "hello Ada"
    assert world == ["before the pause", "after the pause"]


@pytest.mark.parametrize("why", ["one", "none"])
async def test_pause_with_a_cause(make_runtime: MakeRuntime, flows: ModuleType, why: str) -> None:
    """`raise ... from` pauses too; the program goes on behind it, in its handler."""
    async with make_runtime() as runtime:
        with pytest.raises(PauseForEventException, match="answer"):
            await runtime.run(flows.pause_because_of, why, instance_id="pauses")
        assert "finally" not in world
    async with make_runtime() as runtime:
        await runtime.publish_event("pauses", "answer")
        assert await runtime.run(flows.pause_because_of, why, instance_id="pauses") is None
    assert world[-1] == "finally"


async def test_what_might_be_a_pause_keeps_its_cause(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """A name that may mean the exception, and means another one: raised as written."""
    async with make_runtime() as runtime:
        for cause in (ValueError("why"), None):
            with pytest.raises(LookupError, match="no event") as caught:
                await runtime.run(flows.raise_because_of, cause, instance_id=f"raises {cause}")
            assert repr(caught.value.__cause__) == repr(cause)
            assert caught.value.__suppress_context__


async def test_pause_of_an_instance_in_the_background(make_runtime: MakeRuntime, flows: ModuleType) -> None:
    """Who waits for its result does not notice a pause; the event brings it back."""
    async with make_runtime() as runtime:
        handle = await runtime.start(flows.pause, "Ada", instance_id="greet")
        await until(lambda: not runtime.running)
        await handle.send("allow")
        assert await handle.result(timeout=60) == "hello Ada"


class DictBackend(OrchestrationBackend):
    """The smallest backend: its three methods over a dict and a future."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self.published: dict[tuple[str, str], asyncio.Future[Any]] = {}

    async def load_state(self, instance_id: str) -> dict[str, Any] | None:
        return self.states.get(instance_id)

    async def save_state(self, instance_id: str, state: dict[str, Any]) -> None:
        self.states[instance_id] = state

    async def wait_for_event(self, instance_id: str, name: str) -> Any:
        return await self.published.setdefault((instance_id, name), asyncio.get_running_loop().create_future())


async def test_event_of_a_backend(flows: ModuleType) -> None:
    """A runtime over a user's backend asks it for the events that its instances wait for."""
    backend = DictBackend()
    async with DurableRuntime(backend, key=bytes(32)) as runtime:
        handle = await runtime.start(flows.approve, "books", instance_id="order")
        await until(lambda: backend.published)
        backend.published["order", "approval"].set_result("yes")
        assert await handle.result(timeout=60) == ("books", "yes")
        assert backend.states["order"]["status"] == "completed"


async def test_event_of_the_durable_backend(flows: ModuleType) -> None:
    """What its ``publish_event`` was given reaches an instance of a runtime over it."""
    backend = DurableBackend()
    async with DurableRuntime(backend) as runtime:
        backend.publish_event("order", "approval", "yes")
        assert await runtime.run(flows.approve, "books", instance_id="order") == ("books", "yes")
