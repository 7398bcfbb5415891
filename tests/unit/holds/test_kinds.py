"""Of which kind libraries' managers and objects are, looked at with the real ones."""

from __future__ import annotations

import asyncio
import contextlib
import copyreg
import decimal
import gzip
import importlib
import io
import socket
import sys
import tarfile
import tempfile
import threading
import unittest.mock
import warnings
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import aiosqlite
import anthropic
import anyio
import asyncpg
import httpx
import mcp
import mcp.client.stdio
import numpy
import openai
import psycopg
import psycopg_pool
import pytest
import redis.asyncio
import rich.progress
import sqlalchemy.ext.asyncio
import tqdm
import websockets

import durable_import
from durable_import.aio.standard import make_asyncio_durable
from durable_import.holds import kinds
from durable_import.holds.kinds import advice_for, is_of_library, kind_of, type_name
from durable_import.holds.table import TABLE, Kind
from durable_import.hook.code_table import MODULES
from durable_import.snapshot.pickler import dump_state
from durable_import.snapshot.references import References
from durable_import.snapshot.unpickler import loads

REOPENABLE, SAVED, HOLDS, IF_PICKLABLE = Kind.REOPENABLE, Kind.SAVED, Kind.HOLDS, Kind.SAVED_IF_PICKLABLE


class Mine:
    """Of a module that is the user's own, and not marked."""


class MyClient(httpx.AsyncClient):
    """A library's client, derived."""


@contextlib.contextmanager
def mine() -> Iterator[int]:
    """A manager of the user's own."""
    yield 1


@contextlib.asynccontextmanager
async def mine_too() -> AsyncIterator[int]:
    """The same, asynchronous."""
    yield 1


def bare(cls: type) -> Any:
    """An instance of a class derived from it, not made by its ``__init__``."""
    return object.__new__(type("Bare", (cls,), {"__del__": lambda _: None}))


async def managers() -> AsyncIterator[tuple[Any, Kind]]:
    """Real managers and objects, each with its kind."""
    engine = sqlalchemy.ext.asyncio.create_async_engine("sqlite+aiosqlite://")
    yield httpx.AsyncClient(), REOPENABLE
    yield httpx.Client(), REOPENABLE
    yield MyClient(), REOPENABLE
    yield httpx.AsyncClient().stream("GET", "http://localhost"), HOLDS
    async with aiohttp.ClientSession() as session:
        yield session, REOPENABLE
        getting = session.get("http://localhost")
        yield getting, HOLDS
        getting.close()
    yield asyncpg.create_pool("postgresql://localhost"), REOPENABLE
    yield bare(asyncpg.Connection), REOPENABLE
    yield bare(asyncpg.transaction.Transaction), HOLDS
    yield psycopg_pool.AsyncConnectionPool("", open=False), REOPENABLE
    yield psycopg_pool.AsyncConnectionPool("", open=False).connection(), HOLDS
    yield bare(psycopg.AsyncConnection), REOPENABLE
    yield bare(psycopg.AsyncTransaction), HOLDS
    yield aiosqlite.connect(":memory:"), REOPENABLE
    yield engine, REOPENABLE
    yield engine.connect(), REOPENABLE
    yield engine.begin(), HOLDS
    yield sqlalchemy.ext.asyncio.AsyncSession(engine), REOPENABLE
    yield sqlalchemy.ext.asyncio.async_sessionmaker(engine), REOPENABLE
    yield sqlalchemy.ext.asyncio.async_sessionmaker(engine).begin(), HOLDS
    yield redis.asyncio.Redis(), REOPENABLE
    yield redis.asyncio.Redis().pipeline(), REOPENABLE
    yield redis.asyncio.Redis().pubsub(), HOLDS
    yield redis.asyncio.Redis().lock("a"), REOPENABLE
    yield openai.AsyncOpenAI(api_key="a"), REOPENABLE
    yield openai.AzureOpenAI(api_key="a", azure_endpoint="http://a", api_version="1"), REOPENABLE
    yield anthropic.AsyncAnthropic(api_key="a"), REOPENABLE
    yield anthropic.AsyncAnthropic(api_key="a").messages.stream(max_tokens=1, messages=[], model="a"), HOLDS
    yield mcp.client.stdio.stdio_client(mcp.StdioServerParameters(command="a")), REOPENABLE
    yield bare(mcp.ClientSession), REOPENABLE
    yield websockets.connect("ws://localhost"), HOLDS
    yield anyio.create_task_group(), HOLDS
    yield anyio.CancelScope(), HOLDS
    yield anyio.fail_after(1), HOLDS
    yield anyio.Lock(), HOLDS
    yield anyio.CapacityLimiter(1), HOLDS
    yield tqdm.tqdm(disable=True), SAVED
    yield rich.progress.Progress(), REOPENABLE
    yield numpy.errstate(), HOLDS
    yield asyncio.Lock(), SAVED
    yield asyncio.Semaphore(), SAVED
    yield asyncio.TaskGroup(), SAVED
    yield asyncio.timeout(1), SAVED
    yield contextlib.closing(io.StringIO()), SAVED
    yield contextlib.AsyncExitStack(), SAVED
    yield contextlib.nullcontext(), SAVED
    yield contextlib.redirect_stdout(io.StringIO()), SAVED
    yield decimal.localcontext(), SAVED
    yield warnings.catch_warnings(), SAVED
    yield threading.Lock(), HOLDS
    yield threading.RLock(), HOLDS
    yield unittest.mock.patch("os.path"), HOLDS
    yield unittest.mock.patch.dict({}), HOLDS
    with tempfile.TemporaryDirectory() as folder:
        yield tempfile.TemporaryDirectory(dir=folder), HOLDS
        path = Path(folder, "file")
        with zipfile.ZipFile(path, "w") as archive:
            yield archive, HOLDS
        with tarfile.open(path, "w") as tape:
            yield tape, HOLDS
        with gzip.open(path, "wb") as compressed:
            yield compressed, IF_PICKLABLE
        with path.open() as opened:
            yield opened, IF_PICKLABLE
    with socket.socket() as connection:
        yield connection, HOLDS
    yield Mine(), IF_PICKLABLE
    yield mine(), HOLDS
    yield mine_too(), HOLDS


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
async def test_kinds_of_real_managers() -> None:
    """Each is what the table says, also by way of its base class or of the function that gives it; and again when asked again.

    That the functions of ``contextlib`` are durable too, as in each process with an instance, makes nothing else of it.
    """
    make_asyncio_durable()
    async for manager, kind in managers():
        assert kind_of(manager) is kind, manager
        assert kind_of(manager) is kind, manager


def test_names_of_the_table_are_spelled_once() -> None:
    """Each line names a module and something in it."""
    assert all(name.count(":") == 1 and all(name.split(":")) for name in TABLE)


def test_what_holds_says_what_to_do() -> None:
    """There is advice for nearly everything that holds, and it fits the object."""
    assert [name for name, known in TABLE.items() if known.kind is HOLDS and not known.advice] == []
    assert "asyncio.Lock" in advice_for(threading.Lock())
    assert advice_for(Mine()) == ""
    engine = sqlalchemy.create_engine("sqlite://")
    assert advice_for(engine.begin()) == ""
    assert "keep the block short" in advice_for(engine.begin(), is_open=True)


async def test_names_in_messages() -> None:
    """An object is called by its class; a generator's manager by the function that gave it, also when it is entered."""
    assert [type_name(value) for value in (1, Mine())] == ["int", f"{__name__}.Mine"]
    before, entered = mine_too(), mine_too()
    await entered.__aenter__()
    assert type_name(before) == type_name(entered) == f"{__name__}.mine_too()"
    await entered.__aexit__(None, None, None)


def test_what_the_program_says_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """``saved`` and ``reopenable`` are heard at once, also about what was met before."""
    monkeypatch.setattr(kinds, "_SAID", type(kinds._SAID)())
    monkeypatch.setattr(kinds, "_SETUPS", type(kinds._SETUPS)())
    assert kind_of(anyio.Lock()) is HOLDS
    durable_import.saved(anyio.Lock)
    assert kind_of(anyio.Lock()) is SAVED
    assert durable_import.reopenable(Mine, setup=print) is Mine
    assert kind_of(Mine()) is REOPENABLE
    assert kinds.setup_of(type("More", (Mine,), {})) is print
    durable_import.reopenable(mine)
    assert kind_of(mine()) is REOPENABLE
    kinds.forget_kinds()


def test_what_cannot_be_said() -> None:
    """What is no class, cannot be called, or is not found by a name is refused in words."""
    with pytest.raises(TypeError, match="takes a class, not 1"):
        durable_import.saved(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="callable, not 1"):
        durable_import.reopenable(1)
    with pytest.raises(TypeError, match="by which it is found on resume"):
        durable_import.reopenable(lambda: 1)


def test_libraries_speak_for_themselves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An installed library's entry point gives lines of the table, which are read once."""
    installed = tmp_path / "speaking-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: speaking\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[{kinds.GROUP}]\nspeaking = speaking_of_holds:TOLD\n")
    (tmp_path / "speaking_of_holds.py").write_text(f"TOLD = {{'{__name__}:Mine': 'holds', 'other:Thing': 'saved'}}")
    monkeypatch.syspath_prepend(tmp_path)
    kinds.of_libraries.cache_clear()
    kinds.forget_kinds()
    try:
        assert kind_of(Mine()) is HOLDS
        assert kinds.of_libraries()["other:Thing"].kind is SAVED
    finally:
        kinds.of_libraries.cache_clear()
        kinds.forget_kinds()


def test_a_library_may_have_a_way_of_its_own() -> None:
    """A class of a library that says how it is pickled is asked when it is saved; any other one holds."""

    class Own:
        def __reduce__(self) -> tuple[Any, ...]:
            return Own, ()

    class Registered:
        pass

    Own.__module__ = Registered.__module__ = "json"
    assert kind_of(Own()) is IF_PICKLABLE
    copyreg.pickle(Registered, lambda _: (Registered, ()))
    try:
        assert kind_of(Registered()) is IF_PICKLABLE
    finally:
        del copyreg.dispatch_table[Registered]

    class Plain:
        pass

    Plain.__module__ = "json"
    assert kind_of(Plain()) is HOLDS


def test_rewritten_modules_are_known_by_their_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Classes of a library that was rewritten are saved, whatever module they say that they are of."""
    kinds.forget_kinds()
    monkeypatch.setitem(MODULES, "anyio._core._synchronization", None)
    assert kind_of(anyio.Semaphore(1)) is SAVED
    kinds.forget_kinds()


async def test_instances_of_rewritten_libraries_are_saved_without_their_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would hold if its library were not rewritten is saved as instances of other classes are: by their attributes."""
    kinds.forget_kinds()
    monkeypatch.setitem(MODULES, "anyio._backends._asyncio", None)
    limiter = anyio.CapacityLimiter(3)
    assert loads(b"".join(dump_state(limiter, References())[0])).total_tokens == 3
    kinds.forget_kinds()


def test_whose_a_module_is() -> None:
    """The standard library and what is installed are libraries; a test is the user's own."""
    assert is_of_library("json")
    assert is_of_library("httpx")
    assert not is_of_library(__name__)


@pytest.mark.parametrize(("name", "is_library"), [("vendored_one", True), ("vendored_two", True), ("own_beside_them", False)])
def test_what_is_installed_into_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_library: bool) -> None:
    """What ``pip install --target`` has put into a folder of the program are libraries; what is beside them is not."""
    (tmp_path / "some-1.0.dist-info").mkdir()
    record = "vendored_one/__init__.py,sha256=x,2\nvendored_two.py,,\nsome-1.0.dist-info/RECORD,,\n"
    (tmp_path / "some-1.0.dist-info" / "RECORD").write_text(record)
    (tmp_path / "vendored_one").mkdir()
    for file in ("vendored_one/__init__.py", "vendored_two.py", "own_beside_them.py"):
        (tmp_path / file).write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    try:
        importlib.import_module(name)
        assert is_of_library(name) is is_library
    finally:
        sys.modules.pop(name, None)
        is_of_library.cache_clear()
