"""Reopenable objects in snapshots: in which order they are opened, what is refused, and what is there to be looked at."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from durable_import.aio.loop import InstanceLoop
from durable_import.aio.task import DurableTask
from durable_import.frames import ambient
from durable_import.holds import noting
from durable_import.holds.kinds import reopenable
from durable_import.holds.opening import Opener, Unopened
from durable_import.snapshot.load_context import Loading, reading
from durable_import.snapshot.pickler import dump_state
from durable_import.snapshot.references import References
from durable_import.snapshot.tasks.tasks import new_task
from durable_import.snapshot.unpickler import loads, reading_of

opened: list[str] = []


@reopenable
class Client:
    """Refers to whatever it is given; entering it gives another object."""

    def __init__(self, name: str, *others: Any) -> None:
        self.name, self.others = name, others

    def __enter__(self) -> Connection:
        opened.append(self.name)
        return Connection(self)

    def __exit__(self, *details: object) -> None:
        pass


class Connection:
    """What entering gives: no class that is known."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __reduce__(self) -> Any:
        raise pickle.PicklingError("a connection")


@reopenable
def connected(name: str, *others: Any) -> Client:
    """A function that makes one."""
    return Client(name, *others)


async def nothing() -> None:
    """What the task runs."""


@contextlib.contextmanager
def instance() -> Iterator[References]:
    """In the block, the test's code is that of an instance, in its first task."""
    noting.begin()
    opened.clear()
    loop = InstanceLoop("one")
    loop.attach()
    token = ambient.current_driver.set(loop)
    ambient.ON.append(loop)
    coroutine = nothing()
    loop.root = DurableTask(coroutine, loop=loop, path="0")
    references = References(has_loop=True)
    references.notes = noting.notes_of(loop)
    outside = loop.enter(loop.root)
    try:
        yield references
    finally:
        loop.leave(outside)
        loop.root.drop()
        coroutine.close()
        ambient.ON.remove(loop)
        ambient.current_driver.reset(token)


async def restored(data: bytes) -> Any:
    """What was saved, with all of it opened again."""
    loading = Loading(reading_of(data))

    def task(path: str) -> DurableTask:
        with reading(loading.context):
            return new_task(path)

    opener = Opener(loading.context.loop, loading.context.opened, task)
    ambient.ON.append(opener)
    try:
        while (what := loading.next_opening()) is not None:
            await opener.open(what)
    finally:
        ambient.ON.remove(opener)
    return loading.value[0]


def saved(value: Any, references: References) -> bytes:
    return b"".join(dump_state(value, references)[0])


async def test_identity_holds() -> None:
    """Through lists, cycles by way of arguments, what entering gave, and its bound methods."""
    with instance() as references:
        around: list[Any] = []
        client = Client("a", around)
        around.append(client)
        given = Client.__enter__(client)
        data = saved([client, around, given, [given], client.__exit__], references)
    first, again, connection, inner, leave = await restored(data)
    assert first.others[0] is again
    assert again[0] is first
    assert inner[0] is connection
    assert connection.client is first
    assert leave.__self__ is first
    assert opened == ["a", "a"]


async def test_what_is_needed_is_opened_first() -> None:
    """Arguments may lead to what is opened later: then that is opened before."""
    with instance() as references:
        shared: list[Any] = []
        early, late = Client("early", shared), connected("late")
        shared.append(late)
        shared.append(Client.__enter__(late))
        data = saved([early], references)
    (again,) = await restored(data)
    assert [each.name for each in (again, again.others[0][0])] == ["early", "late"]
    assert again.others[0][1].client is again.others[0][0]


async def test_what_needs_itself_is_refused() -> None:
    """The arguments of what a function made cannot lead to it: it would have to be there before it is made."""
    with instance() as references:
        around: list[Any] = []
        around.append(connected("a", around))
        with pytest.raises(pickle.PicklingError, match="neither can be made again before the other"):
            saved(around, references)


async def test_what_nobody_refers_to_is_not_opened() -> None:
    """Also if it was saved before."""
    with instance() as references:
        kept, gone = Client("kept"), Client("gone")
        saved([kept, gone], references)
        data = saved([kept], references)
    (again,) = await restored(data)
    assert again.name == "kept"
    assert b"gone" not in data


async def test_snapshots_can_be_looked_at() -> None:
    """Then nothing is made or opened."""
    with instance() as references:
        client = Client("a")
        data = saved([client, Client.__enter__(client), client.__exit__], references)
    opened.clear()
    found = loads(data)
    assert [type(each) for each in found] == [Unopened] * 3
    assert opened == []


async def test_objects_of_elsewhere_are_refused() -> None:
    """One that was not made in the instance has no call that could be saved."""
    client = Client("outside")
    with instance() as references, pytest.raises(pickle.PicklingError, match=r"Client that was not made in this instance"):
        saved([client], references)
