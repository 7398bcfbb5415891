"""Generators that await: which of them are frames, what the await chain shows of them, and saved call stacks with them."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Iterator

import pytest

from durable_import import CallStack
from durable_import.frames.awaiting import Awaiting, Delegated, passes_on
from durable_import.frames.capture import chain, frame_behind
from durable_import.frames.signals import PRIMED
from durable_import.hook.code_table import info_of
from tests.harness.torture import fresh_module

SOURCE = """# durable: on
import asyncio
import types

@types.coroutine
def turns(count):
    for number in range(count):
        yield
    return count

async def inner(count):
    return await turns(count)

@types.coroutine
def outer(count):
    first = yield from inner(count)
    yield from turns(1)
    return first, (yield from turns(count).__iter__())

def only_waits(future):
    for _ in range(2):
        yield
    return (yield from future)

def loops(awaitable):
    for given in awaitable.__await__():
        yield given

def steps(iterator):
    while True:
        yield next(iterator)

def keeps(iterator):
    kept = next(iterator)
    yield
    return kept
"""


@pytest.fixture
def program() -> Iterator[types.ModuleType]:
    with fresh_module(SOURCE, "program.py", rewritten=True) as module:
        yield module


def test_chain_leads_through_generators_and_coroutines(program: types.ModuleType) -> None:
    """Each frame of the chain awaits, or delegates to, the next one."""
    root = program.outer(2)
    root.send(None)
    assert [type(frame).__name__ for frame in chain(root)] == ["generator", "coroutine", "generator"]
    root.close()


async def test_call_stack_with_generators_goes_on_where_it_was(program: types.ModuleType) -> None:
    """Generators of a saved stack are restored in the middle, and can be awaited."""
    coroutine = program.inner(3)
    coroutine.send(None)
    coroutine.send(None)
    restored = CallStack.from_state(CallStack.capture(coroutine).to_state())
    coroutine.close()
    assert [call.name for call in restored] == ["inner", "turns"]
    assert restored[1].locals["number"] == 1
    assert await restored.resume() == 3


def test_code_of_types_coroutine_is_known(program: types.ModuleType) -> None:
    """Its code is another object than the one that was registered, of the same place."""
    info = info_of(program.turns.__code__)
    assert info is not None
    assert (info.place, info.code) == ("turns", program.turns.__code__)


@pytest.mark.parametrize(("name", "expected"), [("only_waits", False), ("loops", True), ("steps", True), ("keeps", False)])
def test_generators_that_may_pass_on_what_others_yield(program: types.ModuleType, name: str, expected: bool) -> None:
    """They advance something by themselves and yield values."""
    info = info_of(getattr(program, name).__code__)
    assert info is not None
    assert passes_on(info) is expected


async def test_what_is_behind_iterators(program: types.ModuleType) -> None:
    """A coroutine is behind its ``__await__()``, a generator behind its stand-in, nothing behind foreign ones."""
    coroutine, generator = program.inner(1), program.turns(1)
    assert frame_behind(coroutine.__await__()) is coroutine
    assert frame_behind(Awaiting(generator)) is generator
    assert frame_behind(asyncio.get_running_loop().create_future().__await__()) is None
    coroutine.close()


def test_delegated_has_the_methods_of_its_target() -> None:
    """It gives the marker once, and can be thrown into only as its target can."""
    target = Delegated(iter([1]))
    assert [next(target), next(target)] == [PRIMED, 1]
    assert not hasattr(target, "throw")
    assert hasattr(Delegated(n for n in range(2)), "throw")
