"""Questions to an instance that runs: each is answered once, by whom it is asked and wherever the instance is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import ModuleType

import pytest

from durable_import import (
    DurableError,
    DurableRuntime,
    InMemoryStateStore,
    InstanceFinishedError,
    InstanceHandle,
    StateStore,
    UnknownInstanceError,
    connect,
    on_ask,
    questions,
)
from durable_import.api.client import AsyncClient
from durable_import.stores.base import KeyedStore
from durable_import.stores.url import full_store
from durable_import.testing import Faults
from tests.harness.imports import imported_rewritten
from tests.harness.users_store import UsersStore
from tests.running.conftest import MakeRuntime
from tests.running.effects import open_gates, reached_gates, world
from tests.running.test_life import until, until_status

PRICES = {"pen": 2, "cup": [1, 2]}


@pytest.fixture(scope="session")
def asked() -> ModuleType:
    """The module of the flows, rewritten."""
    return imported_rewritten("tests.running.asked_flows")


def client_of(store: StateStore) -> AsyncClient:
    """A client of the store of the runtimes."""
    return AsyncClient(store, None if isinstance(store, KeyedStore) else bytes(32))


async def test_questions_are_answered(make_runtime: MakeRuntime, store: StateStore, asked: ModuleType) -> None:
    """In their order, to who has asked: by a handle of the runtime, and by a client; the last one as the instance ends."""
    async with make_runtime() as runtime:
        handle = await runtime.start(asked.sell, PRICES, instance_id="shop")
        client = client_of(store).handle("shop")
        assert await handle.ask("price", "pen", timeout=60) == 2
        assert await client.ask("price", "cup", timeout=60) == [1, 2]
        assert await asyncio.gather(*(each.ask("price", "pen", timeout=60) for each in (handle, client, handle))) == [2] * 3
        stack = await handle.stack()
        assert [task.waits_for for task in stack.tasks] == ["question 'price'"]
        assert await client.ask("price", "end", timeout=60) == ["pen", "cup", "pen", "pen", "pen"]
        assert await handle.result(timeout=60) == ["pen", "cup", "pen", "pen", "pen"]


async def test_answers_come_while_another_task_is_in_a_step(make_runtime: MakeRuntime, asked: ModuleType) -> None:
    """The state is committed for them, with the step in flight."""
    async with make_runtime() as runtime:
        handle = await runtime.start(asked.sell_beside_a_step, PRICES, instance_id="shop")
        await until(lambda: "step" in reached_gates)
        assert await handle.ask("price", "pen", timeout=60) == 2
        assert await handle.ask("price", "end", timeout=60) == ["pen"]
        open_gates.add("step")
        assert await handle.result(timeout=60) == ["pen"]


async def test_an_instance_out_of_memory_is_asked(make_runtime: MakeRuntime, store: StateStore, asked: ModuleType) -> None:
    """It is taken up for that, with what it has said that it answers; the functions read its variables as they are then."""
    async with make_runtime(evict_after=0.0) as runtime:
        handle = await runtime.start(asked.count_to, 7, instance_id="a")
        await until_status(handle, "waiting")
        await until(lambda: "a" not in runtime.running)
        assert await handle.ask("done", 2, timeout=60) == 0
        await handle.send("more", 5)
        await until(lambda: "a" not in runtime.running)
        assert await client_of(store).handle("a").ask("all", {"x"}, timeout=60) == ([5], {"x"})
    async with make_runtime() as runtime:
        await runtime.recover()
        assert await runtime.handle("a").ask("done", 2, timeout=60) == 2
        with pytest.raises(ZeroDivisionError):
            await runtime.handle("a").ask("done", 0, timeout=60)
        await runtime.handle("a").send("more", 2)
        with pytest.raises(TimeoutError, match=r"has not answered 'done' within 0\.3 s"):
            await runtime.handle("a").ask("done", 2, timeout=0.3)


async def test_a_question_from_before_waits(make_runtime: MakeRuntime, asked: ModuleType) -> None:
    """Until the program asks for questions of its name."""
    async with make_runtime() as runtime:
        handle = await runtime.start(asked.rest_then_sell, PRICES, instance_id="shop")
        asking = asyncio.ensure_future(handle.ask("price", "pen", timeout=60))
        await until(lambda: has_question(runtime))
        await handle.send("open")
        assert await asking == 2


async def test_what_an_instance_asks_is_asked_once(make_runtime: MakeRuntime, asked: ModuleType) -> None:
    """Suspended while it waits for an answer, it goes on with the same question."""
    async with make_runtime() as runtime:
        await runtime.start(asked.rest_then_sell, PRICES, instance_id="shop")
        await runtime.start(asked.ask_others, "shop", ["pen", "cup", "hat"], instance_id="buyer")
        await until(lambda: has_question(runtime))
    async with make_runtime() as runtime:
        await runtime.recover()
        shop, buyer = runtime.handle("shop"), runtime.handle("buyer")
        await shop.send("open")
        await until_status(buyer, "waiting")
        await buyer.send("end")
        assert await buyer.result(timeout=60) == [2, [1, 2], None]
        assert await shop.ask("price", "end", timeout=60) == ["pen", "cup", "hat"]
    assert [each for each in world if each.startswith("asked")] == [f"asked {each}" for each in ("pen", "cup", "hat", "end")]


def has_question(runtime: DurableRuntime) -> bool:
    """Whether the shop has a question that it has not taken yet."""
    run = runtime.running.get("shop")
    return run is not None and run.driver is not None and bool(run.driver.loop.inbox.kept)


async def test_what_ends_does_not_answer(make_runtime: MakeRuntime, store: StateStore, asked: ModuleType) -> None:
    """It is said at once, and when it ends while somebody waits; so is that there is no such instance."""
    async with make_runtime() as runtime:
        handle: InstanceHandle[object] = await runtime.start(asked.rest_then_sell, PRICES, instance_id="shop")
        waiting = [asyncio.ensure_future(each.ask("price", "pen")) for each in (handle, client_of(store).handle("shop"))]
        await until_status(handle, "waiting")
        await handle.cancel()
        for each in waiting:
            with pytest.raises(InstanceFinishedError, match="has ended \\(cancelled\\) without an answer to 'price'"):
                await each
        for end in (handle, client_of(store).handle("shop")):
            with pytest.raises(InstanceFinishedError, match="has ended"):
                await end.ask("price", "pen")
        with pytest.raises(UnknownInstanceError, match="no instance 'nobody'"):
            await runtime.handle("nobody").ask("price")
        with pytest.raises(TypeError, match="name"):
            await handle.ask(5)  # type: ignore[arg-type]


async def test_answers_that_are_none(make_runtime: MakeRuntime, asked: ModuleType) -> None:
    """An exception is raised where it was asked; a second answer, and what cannot be saved, is an error in the program."""
    async with make_runtime() as runtime:
        handle = await runtime.start(asked.answer_wrongly, instance_id="a")
        with pytest.raises(LookupError, match="no such thing"):
            await handle.ask("what", "fail", timeout=60)
        assert await handle.ask("what", "twice", timeout=60) == 1
        assert await handle.ask("what", "unsavable", timeout=60) == "sorry"
        elsewhere = await runtime.start(asked.answer_elsewhere, instance_id="b")
        assert await elsewhere.ask("where", timeout=60) == "in a thread"
    assert world == ["the question 'what' has its answer already: each is answered once", "UnsavableStateError"]


async def test_outside_of_an_instance_nobody_is_asked() -> None:
    """The error says so."""
    with pytest.raises(DurableError, match="outside of any"):
        on_ask("x", len)
    with pytest.raises(DurableError, match="outside of any"):
        await anext(aiter(questions("x")))


async def read(_: object) -> None: ...


async def test_on_ask_takes_plain_functions() -> None:
    """An async one is refused."""
    with pytest.raises(TypeError, match="plain function"):
        on_ask("x", read)


def test_a_client_without_a_loop_asks(asked: ModuleType, tmp_path: Path) -> None:
    """The same for scripts."""
    url = f"sqlite:///{tmp_path}/state.db"

    async def main() -> None:
        async with DurableRuntime(url) as runtime:
            await runtime.start(asked.sell, PRICES, instance_id="shop")
            assert await asyncio.to_thread(ask, url) == 2

    asyncio.run(main())


def ask(url: str) -> object:
    """What the shop answers."""
    with connect(url) as client:
        return client.handle("shop").ask("price", "pen", timeout=60)


async def test_old_answers_are_removed(store: StateStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that nobody has taken, when they are a day old; no other event."""
    full = full_store(store)
    await full.publish("@answer/x", "@answer", b"1")
    await full.publish("@answerable", "order", b"2")
    await full.remove_finished(0.0)
    assert [event.payload for event in await full.load_events("@answer/x")] == [b"1"]
    for module in ("plain.rows", "sqlite.looking", "postgres.looking"):
        monkeypatch.setattr(f"durable_import.stores.{module}.MIN_ID_AGE", -1.0)
    await full.remove_finished(0.0)
    assert await full.load_events("@answer/x") == []
    assert [event.payload for event in await full.load_events("@answerable")] == [b"2"]


async def test_a_store_of_the_users_own(asked: ModuleType) -> None:
    """It needs no more than to load and to save."""
    async with DurableRuntime(UsersStore(), key=bytes(32)) as runtime:
        handle = await runtime.start(asked.sell, PRICES, instance_id="shop")
        assert await handle.ask("price", "pen", timeout=60) == 2
        assert (await handle.info()).children is None
        assert await handle.ask("price", "end", timeout=60) == ["pen"]
        assert await handle.result(timeout=60) == ["pen"]


async def test_a_question_that_comes_during_a_commit(asked: ModuleType) -> None:
    """It is answered, whatever the moment."""
    store = InMemoryStateStore()
    Faults(store).delay(0.15, ("commit",))
    async with DurableRuntime(store, key=bytes(32)) as runtime:

        async def ask_after(seconds: float) -> int:
            handle = await runtime.start(asked.count_to, 7, instance_id=f"{seconds}")
            await asyncio.sleep(seconds)
            answer: int = await handle.ask("done", 1, timeout=60)
            return answer

        assert await asyncio.gather(*(ask_after(0.04 * number) for number in range(12))) == [0] * 12
