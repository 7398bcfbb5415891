"""Rewritten functions that something else than an event loop of asyncio advances, while a runtime exists."""

from __future__ import annotations

import logging
import types
from collections.abc import Iterator

import pytest

import durable_import
from durable_import import DurableError, DurableRuntime
from durable_import.stores import InMemoryStateStore
from tests.harness.torture import fresh_module

SOURCE = """\
import types

@types.coroutine
def wait(value):
    return (yield value)

async def add(first):
    return first + await wait(first)

async def main():
    return [await add(1), await add(2)]
"""


@pytest.fixture
def program() -> Iterator[types.ModuleType]:
    with fresh_module(SOURCE, "program.py", rewritten=True) as module:
        yield module


@pytest.fixture
def runtime() -> Iterator[DurableRuntime]:
    runtime = DurableRuntime(InMemoryStateStore(), key=bytes(32))
    runtime.activate()
    yield runtime
    runtime.deactivate()


def by_hand(program: types.ModuleType) -> tuple[list[object], object]:
    coroutine = program.main()
    seen = [coroutine.send(None), coroutine.send(10)]
    with pytest.raises(StopIteration) as ended:
        coroutine.send(20)
    return seen, ended.value.value


@pytest.mark.usefixtures("runtime")
def test_it_runs_as_natively(program: types.ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    """A coroutine that is advanced by hand gives what it gives natively, and it is told once that nothing of it is saved."""
    with caplog.at_level(logging.WARNING, "durable_import"):
        assert by_hand(program) == by_hand(program) == ([1, 2], [11, 22])
    told = [record.getMessage() for record in caplog.records]
    assert [text.partition(" runs")[0] for text in told] == ["program.py:10: main", "program.py:7: add"]


@pytest.mark.usefixtures("runtime")
def test_in_strict_mode_it_refuses(program: types.ModuleType) -> None:
    """Strict mode lets nothing run that is not saved."""
    durable_import.install(strict=True)
    try:
        with pytest.raises(DurableError, match="main refuses to run: no event loop of asyncio runs it"):
            by_hand(program)
    finally:
        durable_import.install(strict=False)
