"""A library, not rewritten, whose calls cancel themselves just when another task of the program is saved."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable

import anyio

waiting: list[tuple[contextvars.Context, Callable[[], object]]] = []  # how the calls under way are cancelled
has_fired: list[None] = []
NEVER = 3600.0


def _is_to_be_cancelled_by(cancel: Callable[[], object]) -> None:
    waiting[:] = [(contextvars.copy_context(), cancel)]


async def timed_out() -> None:
    """By a timeout of asyncio."""
    async with asyncio.timeout(None) as timeout:
        _is_to_be_cancelled_by(timeout._on_timeout)  # type: ignore[attr-defined]
        await asyncio.sleep(NEVER)


async def timed_out_waiting() -> None:
    """By a timeout of asyncio that is short and fires while nobody looks."""
    async with asyncio.timeout(None) as timeout:
        _is_to_be_cancelled_by(lambda: timeout.reschedule(0))
        await asyncio.sleep(NEVER)


async def left_scope() -> None:
    """By a scope of anyio."""
    with anyio.CancelScope() as scope:
        _is_to_be_cancelled_by(scope.cancel)
        await asyncio.sleep(NEVER)


async def failed_child() -> None:
    """By a group whose child fails."""
    stop = asyncio.Event()

    async def fail() -> None:
        await stop.wait()
        raise TimeoutError

    async with asyncio.TaskGroup() as group:
        group.create_task(fail())
        _is_to_be_cancelled_by(stop.set)
        await asyncio.sleep(NEVER)


async def failed_child_of_anyio() -> None:
    """By a group of anyio whose child fails."""
    stop = anyio.Event()

    async def fail() -> None:
        await stop.wait()
        raise TimeoutError

    async with anyio.create_task_group() as group:
        group.start_soon(fail)
        _is_to_be_cancelled_by(stop.set)
        await asyncio.sleep(NEVER)


async def cancelled_task() -> None:
    """By its task, twice, which it takes back."""
    task = asyncio.current_task()
    assert task is not None

    def cancel() -> None:
        task.cancel("first")
        task.cancel("second")

    _is_to_be_cancelled_by(cancel)
    try:
        await asyncio.sleep(NEVER)
    except asyncio.CancelledError:
        task.uncancel()
        task.uncancel()


async def call(kind: Callable[[], Awaitable[None]]) -> str:
    """Is cancelled until it was once; gives "made" then."""
    while not has_fired:
        try:
            await kind()
        except (TimeoutError, ExceptionGroup):
            continue
    return "made"


async def fire(*cancels: Callable[[], object] | None) -> None:
    """Cancel the call under way, and end at once, so that the state is saved before the call comes to know.

    ``cancels``: what else is done, and where (None) the call cancels itself.
    """
    while not waiting:
        await asyncio.sleep(0)
    context, cancel = waiting.pop()
    for each in cancels or (None,):
        if each is None:
            context.run(cancel)
        else:
            each()
    has_fired.append(None)


async def until_it_waits() -> None:
    """Until the call is under way."""
    while not waiting:
        await asyncio.sleep(0)


def begin() -> None:
    """Nothing was called yet."""
    waiting.clear()
    has_fired.clear()


SELF_CANCELLED = [timed_out, timed_out_waiting, left_scope, failed_child, failed_child_of_anyio, cancelled_task]
