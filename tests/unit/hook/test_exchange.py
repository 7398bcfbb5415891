"""Modules that were imported before there was a runtime: their functions get the fast variant, and what has begun goes on."""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import durable_import
from durable_import import DurableRuntime, UnsavableStateError, UnsupportedSyntaxError
from durable_import.frames import ambient
from durable_import.hook.code_table import PENDING, info_of
from durable_import.hook.exchange import exchange
from durable_import.rewrite import compiler
from tests.harness.torture import fresh_module, tortured

SOURCE = '''# durable: on
import asyncio
import functools
import sys
import types

def is_fast():
    return "@pc" in sys._getframe(1).f_code.co_varnames

def through(function):
    @functools.wraps(function)
    async def wrapper(*args):
        return await function(*args)
    return wrapper

def make():
    count = 0
    async def add(n):
        nonlocal count
        await asyncio.sleep(0)
        count += n
        return count, is_fast()
    return add

closure = make()

async def simple(n=1, *, k=2):
    await asyncio.sleep(0)
    return n + k, is_fast()

@through
async def decorated():
    return await simple()

class Box:
    async def method(self):
        return await simple(3)

    @staticmethod
    async def static():
        return await simple(4)

    @classmethod
    async def of_class(cls):
        return cls.__name__, await simple(5)

    @property
    def later(self):
        return self.method()

kept = {"partial": functools.partial(simple, 6), "lambda": lambda: simple(7)}

@types.coroutine
def awaitable_generator(n):
    yield from simple(n).__await__()
    return n

async def everything():
    box = Box()
    return [
        await closure(1), await simple(), await decorated(), await box.method(), await box.static(), await Box.of_class(),
        await box.later, await kept["partial"](), await kept["lambda"](), await awaitable_generator(8), is_fast(),
    ]

class Steps:
    def __init__(self, make):
        self.make = make
    def __await__(self):
        return self.make(2).__await__()

async def begun_before(run, how):
    """Has begun without a runtime; gives functions of its own to an instance."""
    base = 10
    async def add(n):
        nonlocal base
        await asyncio.sleep(0)
        base += n
        await asyncio.sleep(0)
        return base, is_fast()
    def call(n):
        return (yield from add(n).__await__())
    async def instance():
        if how == "await":
            return await add(2)
        if how == "task":
            return await asyncio.create_task(add(2))
        if how == "gather":
            return (await asyncio.gather(add(2), asyncio.sleep(0)))[0]
        if how == "kept":
            coroutine = add(2)
            await asyncio.sleep(0)
            return await coroutine
        if how == "__await__":
            return await Steps(add)
        return await types.coroutine(call)(2)
    return await run(instance), base

def count(n):
    for i in range(n):
        yield i

async def count_slowly(n):
    for i in range(n):
        await asyncio.sleep(0)
        yield i

async def sums(items, slow):
    found = []
    for item in items:
        await asyncio.sleep(0)
        found.append(item)
    return found, [item async for item in slow]

async def wait_for(thing):
    await asyncio.sleep(0)
    return await thing
'''


@pytest.fixture
def module() -> Iterator[types.ModuleType]:
    """The module, imported before there is a runtime."""
    with fresh_module(SOURCE, "late.py", rewritten=True, plain=True) as found:
        yield found


def test_nothing_is_registered_before_it_is_needed(module: types.ModuleType) -> None:
    """The fast variant is made when there is a runtime, or when somebody asks."""
    assert PENDING
    assert asyncio.run(module.simple()) == (3, False)
    assert PENDING
    assert info_of(module.simple.__code__) is not None
    assert not PENDING
    assert asyncio.run(module.simple()) == (3, False)


def test_functions_of_all_kinds_are_exchanged(module: types.ModuleType) -> None:
    """They stay the same objects, give the same results, and can be saved at every await."""
    before = {name: id(value) for name, value in vars(module).items()}
    plain = asyncio.run(module.everything())
    assert asyncio.run(tortured(module.everything)) == [
        (2, True), (3, True), (3, True), (5, True), (6, True), ("Box", (7, True)), (5, True), (8, True), (9, True), 8, True,
    ]  # fmt: skip
    assert plain == [
        (1, False), (3, False), (3, False), (5, False), (6, False), ("Box", (7, False)), (5, False), (8, False), (9, False), 8,
        False,
    ]  # fmt: skip
    assert {name: id(value) for name, value in vars(module).items()} == before


def test_functions_hidden_from_the_collector_are_exchanged(module: types.ModuleType) -> None:
    """What a server has frozen before it forks is found by its name."""
    gc.freeze()
    try:
        exchange()
    finally:
        gc.unfreeze()
    for function in (module.simple, module.Box.method, module.Box.__dict__["static"].__func__):
        assert "@pc" in function.__code__.co_varnames


def test_coroutine_made_before_there_is_a_runtime(module: types.ModuleType) -> None:
    """One that has not begun is part of the instance that awaits it."""
    made = module.everything()
    assert asyncio.run(tortured(lambda: made))[-1] is True
    made = module.simple(1, k=5)
    assert asyncio.run(tortured(functools.partial(module.wait_for, made))) == (6, True)


@pytest.mark.parametrize("how", ["await", "task", "gather", "kept", "__await__", "types.coroutine"])
def test_functions_of_code_that_has_begun_before(module: types.ModuleType, how: str) -> None:
    """They are part of the instance that calls them, with the variables that they have captured."""

    async def main() -> Any:
        return await module.begun_before(tortured, how)

    (result, base) = asyncio.run(main())
    assert result == (12, True)
    assert base in (10, 12)  # the instance has gone on in a copy of the variables


def test_generators_begun_before_there_is_a_runtime(module: types.ModuleType) -> None:
    """They are saved where they are."""

    async def main() -> Any:
        items, slow = module.count(4), module.count_slowly(4)
        assert (next(items), await anext(slow)) == (0, 0)
        return await tortured(functools.partial(module.sums, items, slow))

    assert asyncio.run(main()) == ([1, 2, 3], [1, 2, 3])


def test_coroutine_begun_before_there_is_a_runtime(module: types.ModuleType) -> None:
    """It runs to its end without a runtime; an instance that holds it cannot be saved, and is told why."""

    async def main() -> None:
        thing = module.simple()
        thing.send(None)
        try:
            await tortured(functools.partial(module.wait_for, thing))
        finally:
            with pytest.raises(StopIteration):
                thing.send(None)

    with pytest.raises(UnsavableStateError, match=r"`thing`.*simple.*late\.py:\d+.* when there was no runtime"):
        asyncio.run(main())


async def test_awaiting_begins_an_instance(module: types.ModuleType) -> None:
    """A function of code that has begun before becomes an instance when it is awaited."""
    async with DurableRuntime("memory:", name_instance=lambda: "it") as runtime:

        async def run(function: Any) -> Any:
            return await function()

        token = ambient.current_runtime.set(None)
        begun = module.begun_before(run, "await")
        ambient.current_runtime.reset(token)
        assert await begun == ((12, True), 12)
        assert await runtime.handle("it").status() == "completed"


EXECUTING = """# durable: on
from durable_import.frames import ambient
from durable_import.rewrite import compiler
import asyncio
async def before(): await asyncio.sleep(0)
ambient.switch_on("a runtime")
async def after(): await asyncio.sleep(0)
ambient.switch_on("another")
async def last(): await asyncio.sleep(0)
"""


def test_module_that_is_being_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it defines after there is a runtime is exchanged when the next instance begins, or runtime."""
    (tmp_path / "m_executing.py").write_text(EXECUTING)
    monkeypatch.syspath_prepend(str(tmp_path))
    durable_import.install()
    try:
        late = importlib.import_module("m_executing")
        is_fast = ["@pc" in getattr(late, name).__code__.co_varnames for name in ("before", "after", "last")]
        assert is_fast == [True, True, False]
        ambient.switch_on("a third")
        assert "@pc" in late.last.__code__.co_varnames
    finally:
        ambient.ON.clear()
        durable_import.uninstall()
        del sys.modules["m_executing"]


REFUSED = """# durable: on
async def simple(): return 1
"""
FINE = """# durable: on
import asyncio
async def add(n):
    await asyncio.sleep(0)
    return n + 1
async def call():
    import m_refused
    return await m_refused.simple()
"""


async def test_module_that_cannot_be_rewritten_is_refused_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each use of it in an instance raises what is wrong with it; other modules go on, and it does itself without a runtime."""

    def refuse(source: bytes, path: str, name: str) -> Any:
        if name == "m_refused":
            raise UnsupportedSyntaxError("too odd", filename=path, lineno=2, way_out="Do it otherwise.")
        return compile_module(source, path, name)

    compile_module = compiler.compile_module
    monkeypatch.setattr(compiler, "compile_module", refuse)
    (tmp_path / "m_refused.py").write_text(REFUSED)
    (tmp_path / "m_goes_on.py").write_text(FINE)
    monkeypatch.syspath_prepend(str(tmp_path))
    durable_import.install()
    try:
        refused, fine = map(importlib.import_module, ("m_refused", "m_goes_on"))
        assert await refused.simple() == 1
        async with DurableRuntime("memory:") as runtime:
            for number in range(2):
                assert await runtime.run(fine.add, number, instance_id=f"fine{number}") == number + 1
                for name, call in (("root", refused.simple), ("called", fine.call)):
                    with pytest.raises(UnsupportedSyntaxError, match=r"m_refused\.py:2: .*too odd.*Do it otherwise"):
                        await runtime.run(call, instance_id=f"{name}{number}")
        assert await refused.simple() == 1
    finally:
        durable_import.uninstall()
        del sys.modules["m_refused"], sys.modules["m_goes_on"]
