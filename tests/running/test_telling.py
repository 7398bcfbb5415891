"""What instances tell of themselves (tags, progress), and the instances that they have begun."""

from __future__ import annotations

import asyncio
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from durable_import import DurableError, DurableRuntime, InstanceQuery, StateStore, connect, progress, set_tag
from durable_import.stores.base import KeyedStore
from durable_import.stores.memory import MemoryStore
from durable_import.stores.owner import Owner
from durable_import.stores.state import InstanceState, Origin
from durable_import.tags import Progress
from durable_import.testing import Faults
from tests.harness.imports import imported_rewritten
from tests.harness.users_store import UsersStore
from tests.running.conftest import MakeRuntime
from tests.running.effects import open_gates, reached_gates, world
from tests.running.test_life import until, until_status


@pytest.fixture(scope="session")
def telling() -> ModuleType:
    """The module of the flows, rewritten."""
    return imported_rewritten("tests.running.telling_flows")


async def test_what_an_instance_tells_is_seen_while_it_waits(
    make_runtime: MakeRuntime, store: StateStore, telling: ModuleType
) -> None:
    """Tags find it, a later one replaces one, None removes it; progress is in its summary; both stay when it has ended."""
    key = None if isinstance(store, KeyedStore) else bytes(32)
    async with make_runtime() as runtime, connect(store, key=key) as client:
        handle = await runtime.options(instance_id="a", tags={"from": "start"}).start(telling.tell_and_wait)

        async def is_told(value: float) -> bool:
            found = (await client.handle("a").info()).progress
            return found is not None and found.value == value

        await until(partial(is_told, 1))
        found = await handle.info()
        assert (found.tags, found.progress) == ({"from": "start", "customer": "c1", "kind": "nap"}, Progress(1, None, "begun"))
        assert [each.id for each in await client.list(InstanceQuery(tag=("kind", "nap")))] == ["a"]
        await handle.send("go")
        await until(partial(is_told, 2.5))
        await handle.send("end")
        await handle.result(timeout=60)
        found = await handle.info()
        assert (found.tags, found.progress) == ({"from": "start", "customer": "c1"}, Progress(2.5, 5))
        assert [each.id for each in await client.list(InstanceQuery(tag=("kind", "nap")))] == []


async def test_all_that_was_told_is_kept_with_a_copy() -> None:
    """Also what is no tag of the user's."""
    store = MemoryStore()
    owner = store.register(Owner.current(), 30.0)
    state = InstanceState("pending", 0, "", "app:main", None, b"", b"")
    begun = await store.begin("a", owner, 1, state, b"call", Origin("up", (("@detached", "yes"), ("a", "b"))))
    await store.set_tags(begun.claim, {"@progress": Progress(1, 2, "é").to_tag()})
    found = await store.summary("a")
    assert found is not None
    assert found.all_tags() == {"a": "b", "@detached": "yes", "@progress": '[1, 2, "é"]'}
    assert str(found.progress) == "1 of 2 é"


async def test_it_is_written_seldom_and_at_the_end(make_runtime: MakeRuntime, store: StateStore, telling: ModuleType) -> None:
    """Of many in a short time the first and the last are written, before the end."""
    async with make_runtime() as runtime:
        faults = Faults(store)
        assert await runtime.run(telling.count_to, 50, instance_id="a") == 50
        found = await runtime.handle("a").info()
        assert (found.tags, found.progress) == ({"last": "49", "customer": "c1"}, Progress(50, 50, "50 done"))
        assert faults.calls.count("set_tags") < 20


async def test_what_was_not_written_is_kept_with_the_state(
    make_runtime: MakeRuntime, store: StateStore, telling: ModuleType
) -> None:
    """If the store refuses it, the next life writes it."""
    async with make_runtime() as runtime:
        faults = Faults(store)
        for number in (1, 2):
            faults.fail(number, ("set_tags",))
        handle = await runtime.start(telling.tell_and_wait, instance_id="a")
        await until_status(handle, "waiting")
    assert faults.calls.count("set_tags") == 2
    async with make_runtime() as runtime:
        await runtime.recover()
        handle = await runtime.retry("a")

        async def is_told() -> bool:
            return (await handle.info()).tags == {"customer": "c1", "kind": "nap"}

        await until(is_told)


async def test_libraries_and_threads_tell_for_the_instance(make_runtime: MakeRuntime, telling: ModuleType) -> None:
    """What a step calls belongs to the instance."""
    async with make_runtime() as runtime:
        handle = await runtime.start(telling.tell_elsewhere, instance_id="a")

        async def is_told() -> bool:
            return (await handle.info()).tags == {"library": "yes", "thread": "yes"}

        await until(is_told)


def test_outside_of_an_instance_there_is_nothing_to_tell() -> None:
    """The error says so."""
    with pytest.raises(DurableError, match=r"set_tag\(\).*outside of any"):
        set_tag(customer="c1")
    with pytest.raises(DurableError, match=r"progress\(\).*outside of any"):
        progress(1)


@pytest.mark.parametrize(
    ("what", "arguments", "keywords", "error", "words"),
    [
        ("tag", (), {"a": 5}, TypeError, "both its name and its value have to be str"),
        ("tag", (), {"@a": "x"}, ValueError, "begins with '@'"),
        ("tag", (), {"@progress": None}, ValueError, "begins with '@'"),
        ("tag", (), {"a": "x" * 500}, ValueError, "501 characters"),
        ("progress", ("7",), {}, TypeError, "a progress is a number"),
        ("progress", (1,), {"text": 5}, TypeError, "is a str"),
    ],
)
async def test_what_cannot_be_told_is_refused(
    what: str, arguments: tuple[Any, ...], keywords: dict[str, Any], error: type[Exception], words: str, telling: ModuleType
) -> None:
    """At once, in the program."""
    async with DurableRuntime("memory:") as runtime:
        with pytest.raises(error, match=words):
            await runtime.run(telling.tell_wrongly, what, arguments, keywords)
        with pytest.raises(ValueError, match="begins with '@'"):
            runtime.options(tags={"@detached": "yes"})


async def test_children_end_with_their_parent(make_runtime: MakeRuntime, store: StateStore, telling: ModuleType) -> None:
    """Those that it has begun, and theirs, are listed below it, and cancelled with it, but for detached ones."""
    key = None if isinstance(store, KeyedStore) else bytes(32)
    async with make_runtime() as runtime, connect(store, key=key) as client:
        handle = await runtime.start(telling.begin_others, instance_id="root")

        async def are_there() -> bool:
            ids = {each.id for each in await runtime.list(InstanceQuery(status="sleeping"))}
            return ids == {"child", "detached", "grandchild", "awaited", "parent"}

        await until(are_there)
        assert str(await handle.tree()).splitlines() == [
            "root running begin_others",
            "  child sleeping rest",
            "  detached sleeping rest (detached)",
            "  parent sleeping begin_rest",
            "    grandchild sleeping rest",
            "  awaited sleeping rest",
        ]
        assert [each.id for each in await client.handle("root").children()] == ["child", "detached", "parent", "awaited"]
        info = await handle.info()
        assert (info.parent, info.children) == (None, ("child", "detached", "parent", "awaited"))
        found = await runtime.handle("detached").info()
        assert (found.parent, found.is_detached, found.tags) == ("root", True, {"a": "b"})
        assert await client.handle("root").cancel()
        for name in ("root", "child", "parent", "grandchild", "awaited"):
            await until_status(runtime.handle(name), "cancelled")
        assert await runtime.handle("detached").status() == "sleeping"
    assert world.count("rest cancelled") == 3


async def test_children_that_nobody_runs_end_with_their_parent(make_runtime: MakeRuntime, telling: ModuleType) -> None:
    """They are taken up for that."""
    async with make_runtime() as runtime:
        await runtime.start(telling.begin_rest, "child", instance_id="parent")
        await until_status_of(runtime, "child", "sleeping")
        await until_status_of(runtime, "parent", "sleeping")
    async with make_runtime() as runtime:
        await runtime.handle("parent").cancel()
        await until_status_of(runtime, "parent", "cancelled")
        await until_status_of(runtime, "child", "cancelled")


async def until_status_of(runtime: DurableRuntime, name: str, status: str) -> None:
    """As ``until_status``, of one that does not exist yet, perhaps."""

    async def is_reached() -> bool:
        found = await runtime.instances.summary(name)
        return found is not None and found.status == status

    await until(is_reached)


async def test_what_is_held_tells_and_answers_later(make_runtime: MakeRuntime, telling: ModuleType) -> None:
    """Tags and progress are beside the state; an answer waits for the next commit."""
    async with make_runtime() as runtime:
        handle = await runtime.start(telling.tell_while_held, 5, instance_id="a")
        await until(lambda: "held" in reached_gates)

        async def is_told() -> bool:
            found = await handle.info()
            return (found.tags, found.progress, found.checkpoint) == ({"kind": "held"}, Progress(1, 5), 0)

        await until(is_told)
        asking = asyncio.ensure_future(handle.ask("number", 2, timeout=60))
        await asyncio.wait([asking], timeout=0.2)
        assert not asking.done()
        open_gates.add("held")
        assert await asking == 7
        open_gates.add("open")
        await handle.result(timeout=60)


async def test_children_in_a_store_of_the_users_own(telling: ModuleType) -> None:
    """Which cannot list them: those that run in this process end with their parent."""
    async with DurableRuntime(UsersStore(), key=bytes(32)) as runtime:
        handle = await runtime.start(telling.begin_others, instance_id="root")
        await until(lambda: {"child", "detached", "grandchild", "awaited", "parent"} <= runtime.running.keys())
        await until_status_of(runtime, "awaited", "sleeping")
        await handle.cancel()
        for name in ("root", "child", "parent", "grandchild", "awaited"):
            await until_status_of(runtime, name, "cancelled")
        assert await runtime.handle("detached").status() == "sleeping"
