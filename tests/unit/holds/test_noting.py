"""Calls of real libraries that are noted in an instance, and what is noted of them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import aiosqlite
import asyncpg
import httpx
import openai
import psycopg_pool
import pytest
import redis.asyncio
import sqlalchemy.ext.asyncio

from durable_import.aio.loop import InstanceLoop
from durable_import.frames import ambient
from durable_import.holds import noting
from durable_import.holds.notes import Notes, refuse_busy, refuse_in_memory
from durable_import.holds.wrapping import is_wrapped, wrap


class Mine(httpx.AsyncClient):
    """A client of the user's own, over a library's."""

    def __init__(self, token: str, *, host: str = "localhost") -> None:
        self.token = token
        super().__init__(base_url=f"http://{host}")


@contextlib.contextmanager
def instance() -> Iterator[Notes]:
    """In the block, calls are those of an instance's code."""
    noting.begin()
    loop = InstanceLoop("one")
    loop.attach()
    token = ambient.current_driver.set(loop)
    ambient.ON.append(loop)
    try:
        yield noting.notes_of(loop)
    finally:
        ambient.ON.remove(loop)
        ambient.current_driver.reset(token)


CALLS: list[tuple[Callable[[], Any], Any, tuple[Any, ...], dict[str, Any]]] = [
    (lambda: httpx.AsyncClient(base_url="http://a"), None, (), {"base_url": "http://a"}),
    (lambda: Mine("secret", host="b"), None, ("secret",), {"host": "b"}),
    (lambda: aiosqlite.connect("a.db"), "aiosqlite.core.connect", ("a.db",), {}),
    (lambda: openai.AsyncOpenAI(api_key="k"), None, (), {"api_key": "k"}),
    (
        lambda: sqlalchemy.ext.asyncio.create_async_engine("sqlite+aiosqlite:///a.db"),
        "sqlalchemy.ext.asyncio.engine.create_async_engine", ("sqlite+aiosqlite:///a.db",), {},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "function", "args", "kwargs"), CALLS)
async def test_calls_are_noted(make: Callable[[], Any], function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Each with what the program has given, and with none of what the library has made of it; outside of instances none."""
    with instance() as notes:
        made = make()
        note = notes.find(made)
        assert note is not None
        name = note.function and f"{note.function.__module__}.{note.function.__qualname__}"
        assert (name, note.args, note.kwargs) == (function, args, kwargs)
    assert notes.find(make()) is None


async def test_methods_of_classes_are_noted() -> None:
    """What ``from_url`` gave is made again by it."""
    with instance() as notes:
        note = notes.find(redis.asyncio.from_url("redis://localhost"))
        assert note is not None
        assert note.function == redis.asyncio.Redis.from_url
        assert note.args == ("redis://localhost",)


async def test_notes_go_with_their_objects() -> None:
    """An object that takes no weak reference is kept; others are not."""
    with instance() as notes:
        pool = asyncpg.create_pool("postgresql://localhost", min_size=1)
        assert notes.find(pool) is not None
        client = httpx.AsyncClient()
        number = id(client)
        del client
        gc.collect()
        assert number not in notes.by_id


async def test_databases_in_memory_are_refused() -> None:
    """What would be empty when it is opened again is not opened again."""
    with instance() as notes:
        for made in (
            aiosqlite.connect(":memory:"),
            aiosqlite.connect("file:a?mode=memory", uri=True),
            sqlalchemy.ext.asyncio.create_async_engine("sqlite+aiosqlite://"),
        ):
            note = notes.find(made)
            assert note is not None
            with pytest.raises(pickle.PicklingError, match="is gone with this process"):
                refuse_in_memory(made, note)


async def test_closed_ones_are_refused() -> None:
    """They would be open again, but for those that can be closed again at once."""
    pool, client, notes = psycopg_pool.AsyncConnectionPool(open=False), httpx.AsyncClient(), Notes()
    noted = {made: notes.add(made, None, (), {}) for made in (pool, client)}
    for made, note in noted.items():
        note.is_ending = True
        refuse_busy(made, note)
        note.is_ending = False
    await client.aclose()
    refuse_busy(client, noted[client])
    assert noted[client].end == "aclose"
    with pytest.raises(pickle.PicklingError, match="it was closed"):
        refuse_busy(pool, noted[pool])


async def answer(x: int = 2) -> int:
    """A coroutine function."""
    if x < 0:
        raise ValueError(x)
    return x


def test_functions_stay_what_they_are() -> None:
    """Name, signature, source and kind are as before; tracebacks show nothing of ours."""
    seen: list[Any] = []

    def noted(before: Any) -> Any:
        def call(args: Any, kwargs: Any) -> Any:
            seen.append(args)
            return before(*args, **kwargs)

        return call

    signature, source = inspect.signature(answer), inspect.getsource(answer)
    wrap(answer, noted)
    assert is_wrapped(answer)  # type: ignore[arg-type]  # typeshed has other types for what def makes
    assert (inspect.signature(answer), inspect.getsource(answer)) == (signature, source)
    assert inspect.iscoroutinefunction(answer)
    assert pickle.loads(pickle.dumps(answer)) is answer
    assert asyncio.run(answer()) == 2
    with pytest.raises(ValueError, match="-1") as caught:
        asyncio.run(answer(-1))
    assert seen == [(), (-1,)]
    files = [frame.filename for frame in traceback.extract_tb(caught.tb)]
    assert not any("durable_import/holds" in file for file in files)
