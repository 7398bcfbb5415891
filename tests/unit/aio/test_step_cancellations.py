"""A cancellation that a step makes for itself is the library's; one that the program asks for is the program's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.harness.torture import hard_torture, native
from tests.unit.aio import cancelling

CANCELLED_BY_ITSELF = """
import asyncio
from tests.unit.aio import cancelling

async def ask(kind):
    try:
        return await cancelling.call(getattr(cancelling, kind)), asyncio.current_task().cancelling()
    except BaseException as error:
        return repr(error), asyncio.current_task().cancelling()

async def main():
    task = asyncio.create_task(ask("KIND"))
    await cancelling.fire()
    return await task
"""
CANCELLED_BY_THE_PROGRAM = """
import asyncio
from tests.unit.aio import cancelling

async def ask():
    try:
        await cancelling.call(cancelling.timed_out)
    except asyncio.CancelledError as error:
        await asyncio.sleep(0)
        return "cancelled", error.args, asyncio.current_task().cancelling()

async def main():
    task = asyncio.create_task(ask())
    await cancelling.until_it_waits()
    task.cancel("by the program")
    FIRST
    return await task
"""
CANCELLED_BY_BOTH = """
import asyncio
from tests.unit.aio import cancelling

async def ask():
    try:
        return await cancelling.call(cancelling.KIND)
    except asyncio.CancelledError:
        return asyncio.current_task().cancelling()

async def main():
    task = asyncio.create_task(ask())
    await cancelling.fire(ORDER)
    return await task
"""


@pytest.fixture(autouse=True)
def _again() -> None:
    cancelling.begin()


@pytest.mark.parametrize("forms", ["", "s"])
@pytest.mark.parametrize("kind", cancelling.SELF_CANCELLED, ids=lambda kind: kind.__name__)
def test_step_that_cancels_itself_is_made_again(kind: Callable[[], Awaitable[None]], forms: str) -> None:
    """Saved while its cancellation is on its way, a step is made again, and its caller comes to know nothing of that."""
    source = CANCELLED_BY_ITSELF.replace("KIND", kind.__name__)
    assert native(source) == "('made', 0)"
    cancelling.begin()
    assert hard_torture(source, forms=forms) == "('made', 0)"


@pytest.mark.parametrize("first", ["pass", "await asyncio.sleep(0)", "await cancelling.until_it_waits()"])
def test_program_that_cancels_is_told(first: str) -> None:
    """What the program asks of a task that is in a step is still asked of it after a resume, and counted."""
    source = CANCELLED_BY_THE_PROGRAM.replace("FIRST", first)
    told = "('cancelled', ('by the program',), 1)"
    assert native(source) == told
    cancelling.begin()
    resumed = hard_torture(source)
    assert resumed in (told, told.replace("'by the program',", ""))  # the message went to the future, as asyncio's does


@pytest.mark.parametrize("order", ["None, task.cancel", "task.cancel, None"])
@pytest.mark.parametrize("kind", ["timed_out", "cancelled_task"])
def test_both_cancel(kind: str, order: str) -> None:
    """Of the two, a resume knows the request of the program, and counts that one only."""
    source = CANCELLED_BY_BOTH.replace("KIND", kind).replace("ORDER", order)
    assert hard_torture(source) == "1"
