"""Events: waiting, pausing, and who gets what, with the state saved and restored around each event."""

from __future__ import annotations

import gc
import os
import pickle
import traceback
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from durable_import import DurableError, PauseForEventException, wait_for_event
from tests.harness.rewriting import PROGRAMS, sources
from tests.harness.torture import fresh_module, hard_torture, native, rewritten

EVENT_PROGRAMS = sources(PROGRAMS / "events", (3, 11))


def constants(path: Path) -> tuple[list[tuple[str, Any]], str]:
    """The events that a program is to be given, and the repr of what it gives then."""
    with fresh_module(path.read_text(), str(path), rewritten=False) as module:
        return module.EVENTS, repr(module.EXPECTED)


@pytest.mark.parametrize("forms", ["", "s", "ws"])
@pytest.mark.parametrize("path", EVENT_PROGRAMS, ids=lambda path: path.stem)
def test_programs_get_their_events(path: Path, forms: str) -> None:
    """With its state dropped and restored around each event, a program gets each event once, and goes on after a pause."""
    events, expected = constants(path)
    assert hard_torture(path, events=events, forms=forms) == expected


RAISES = """# durable: on
import asyncio
import sys
from durable_import import PauseForEventException
import durable_import.frames.ambient

class Approval(PauseForEventException):
    pass

async def inner(error):
    await asyncio.sleep(0)
    try:
        raise KeyError(1)
    except KeyError:
        raise Approval(
            "allow"
        )

async def main():
    try:
        await inner(None)
    except PauseForEventException as error:
        tb, lines = error.__traceback__, []
        while tb is not None:
            code = tb.tb_frame.f_code
            lines.append((code.co_name, tb.tb_lineno, list(code.co_positions())[tb.tb_lasti // 2]))
            tb = tb.tb_next
        return str(error), error.args, repr(error.__context__), lines

async def kept():
    raise Approval("x")

async def wrong():
    try:
        raise PauseForEventException
    except TypeError as error:
        return str(error)
"""


def test_without_a_runtime_a_pause_is_raised_as_natively() -> None:
    """Same message, context, traceback and positions."""
    assert rewritten(RAISES) == native(RAISES)


@pytest.fixture
def raising() -> Iterator[types.ModuleType]:
    with fresh_module(RAISES, "raising.py", rewritten=True) as module:
        yield module


async def test_pause_raised_natively_makes_no_cycle(raising: types.ModuleType) -> None:
    """No hidden variable of the frame keeps the exception whose traceback leads to the frame."""
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(PauseForEventException) as caught:
            await raising.kept()
        frame = traceback.walk_tb(caught.value.__traceback__)
        held = [value for each, _ in frame for name, value in each.f_locals.items() if name.startswith("@")]
    finally:
        gc.enable()
    assert caught.value not in [part for value in held for part in (value, *(value if isinstance(value, list) else ()))]


async def test_class_that_cannot_be_called_fails_as_natively(raising: types.ModuleType) -> None:
    """``raise PauseForEventException`` without an event is a TypeError."""
    assert "event" in await raising.wrong()


def test_pause_exception_survives_pickle() -> None:
    """Its event is kept, and its text is the original library's."""
    error = pickle.loads(pickle.dumps(PauseForEventException("allow")))
    assert (error.event, str(error)) == ("allow", "Execution waiting for event allow")


async def test_waiting_outside_of_an_instance_is_an_error() -> None:
    """The error says what to do."""
    with pytest.raises(DurableError, match="DurableRuntime"):
        await wait_for_event("x")


FOREIGN = """# durable: on
import asyncio
import contextlib
from durable_import import DurableError, PauseForEventException, wait_for_event
import {foreign} as foreign

async def waits():
    return await wait_for_event("x")

async def pauses():
    raise PauseForEventException("x")

async def main():
    seen = []
    try:
        await foreign.calls(waits)
    except DurableError as error:
        seen.append("is not durable has called this" in str(error))
    try:
        await foreign.calls(pauses)
    except PauseForEventException as error:
        seen.append(error.event)
    coroutine = pauses()
    try:
        coroutine.send(None)
    except PauseForEventException as error:
        seen.append("by hand")
    return seen
"""


def test_foreign_code_cannot_wait_or_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that foreign code calls is part of one step: waiting is an error, a pause is an exception like any other."""
    (tmp_path / "events_foreign.py").write_text("async def calls(function):\n    return await function()\n")
    monkeypatch.syspath_prepend(os.fspath(tmp_path))
    assert hard_torture(FOREIGN.format(foreign="events_foreign")) == repr([True, "x", "by hand"])


HANDED_ON = """# durable: on
import asyncio
from durable_import import wait_for_event

async def waiter(seen):
    try:
        seen.append(await wait_for_event("job"))
    except asyncio.CancelledError:
        seen.append("cancelled")
        raise

async def main():
    seen = []
    waiters = [asyncio.create_task(waiter(seen)) for _ in range(3)]
    await asyncio.sleep(0)
    asyncio.get_running_loop().inbox.put("job", 1)  # the first one has it, but has not gone on yet
    asyncio.get_running_loop().inbox.put("job", 2)
    waiters[0].cancel()
    late = asyncio.create_task(waiter(seen))
    await asyncio.gather(*waiters, late, return_exceptions=True)
    return seen
"""


@pytest.mark.parametrize("forms", ["", "s", "ws"])
def test_event_of_a_cancelled_waiter_is_handed_on(forms: str) -> None:
    """Who is cancelled in the turn in which it got its event gives it to the next, before those who come later."""
    assert hard_torture(HANDED_ON, events=[("job", 3)], forms=forms) == repr(["cancelled", 2, 1, 3])


MANY = """# durable: on
import asyncio
from durable_import import wait_for_event

async def worker(n):
    return await wait_for_event(f"e{n % 7}"), n % 7

async def main():
    found = await asyncio.gather(*(worker(n) for n in range(60)))
    return all(payload % 7 == kind for payload, kind in found), sorted(payload for payload, _ in found)
"""


@pytest.mark.slow
def test_many_waiters_in_segments() -> None:
    """Sixty tasks wait for seven events; only what an event concerns is restored differently."""
    events = [(f"e{n % 7}", n) for n in reversed(range(60))]
    assert hard_torture(MANY, events=events, forms="s") == repr((True, list(range(60))))
