"""The task that awaits an instance is the program's first task as far as cancellation goes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from durable_import.frames import ambient
from tests.harness.soft_torture import SoftTortureDriver, UnsavedDriver
from tests.harness.torture import fresh_module

SOURCE = """
import asyncio

async def wait(log):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError as error:
        log.append((error.args, asyncio.current_task().cancelling()))
        raise

async def take_back(log):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        log.append([asyncio.current_task().uncancel() for _ in range(2)])
    return "went on"

async def cancel_itself(log):
    asyncio.current_task().cancel("mine")
    asyncio.current_task().cancel("mine again")
    await asyncio.sleep(0)

async def swallow(log):
    log.append(asyncio.current_task().cancelling())
    asyncio.current_task().cancel()
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        return "swallowed"

async def time_out(log):
    try:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()
    except TimeoutError:
        log.append(asyncio.current_task().cancelling())
    return "in time"
"""
TWO_WAYS = [UnsavedDriver, SoftTortureDriver]


async def _seen(awaitable: Awaitable[Any], cancellations: int, log: list[Any]) -> list[Any]:
    """What becomes of a task that awaits the program, is cancelled so many times, and then goes on by itself."""

    async def outer() -> Any:
        try:
            result: Any = await awaitable
        except asyncio.CancelledError as error:
            result = error.args
        task = asyncio.current_task()
        assert task is not None
        before = task.cancelling()
        await asyncio.sleep(0)
        return result, before, task.cancelling()

    task = asyncio.create_task(outer())
    await asyncio.sleep(0.01)
    for number in range(cancellations):
        task.cancel(f"number {number}")
    return [await task, task.cancelling(), *log]


@pytest.mark.parametrize("driver", TWO_WAYS)
@pytest.mark.parametrize(
    ("function", "cancellations"),
    [("wait", 1), ("wait", 3), ("take_back", 1), ("take_back", 2), ("cancel_itself", 0), ("swallow", 0), ("time_out", 0)],
)
async def test_requests_are_counted_as_natively(function: str, cancellations: int, driver: type[UnsavedDriver]) -> None:
    """Both the program and what awaits it see as many requests to cancel as there are natively."""
    with fresh_module(SOURCE, "<program>", rewritten=True) as module:
        log: list[Any] = []
        native = await _seen(getattr(module, function)(log), cancellations, log)
        log = []
        ambient.switch_on(driver)
        try:
            durable = await _seen(driver(getattr(module, function)(log)), cancellations, log)
        finally:
            ambient.ON.remove(driver)
    assert durable == native
