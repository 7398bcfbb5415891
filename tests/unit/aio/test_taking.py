"""Who has taken what: the notes about asyncio's locks and semaphores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from durable_import.aio.standard import make_asyncio_durable
from durable_import.aio.taking import OUT, leave_queue, waiters_of


def run(test: Callable[[], object]) -> object:
    """What an async test gives, in a process in which asyncio tells what is taken."""
    make_asyncio_durable()
    return asyncio.run(test())  # type: ignore[arg-type]


def out(semaphore: asyncio.Semaphore) -> int:
    """How many of its slots are noted as taken."""
    return vars(semaphore).get(OUT, 0)  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", [asyncio.Semaphore, asyncio.BoundedSemaphore])
def test_slots_are_counted(kind: type[asyncio.Semaphore]) -> None:
    """Taken at once or after a wait, in a block or by itself, and given back."""

    async def test() -> list[int]:
        semaphore = kind(2)
        seen = [out(semaphore)]
        await semaphore.acquire()
        async with semaphore:
            seen.append(out(semaphore))
            waiting = asyncio.create_task(semaphore.acquire())
            await asyncio.sleep(0)
        await waiting
        seen.append(out(semaphore))
        semaphore.release()
        semaphore.release()
        return [*seen, out(semaphore)]

    assert run(test) == [0, 2, 2, 0]


def test_a_wait_that_is_cancelled_takes_nothing() -> None:
    """Not even where the slot had been given to it already."""

    async def test() -> tuple[int, bool]:
        semaphore = asyncio.Semaphore(1)
        await semaphore.acquire()
        waiting = asyncio.create_task(semaphore.acquire())
        await asyncio.sleep(0)
        semaphore.release()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return out(semaphore), semaphore.locked()

    assert run(test) == (0, False)


def test_a_semaphore_that_tells_is_no_gate() -> None:
    """One that is released by who has taken nothing counts no more."""

    async def test() -> list[int]:
        semaphore, seen = asyncio.Semaphore(0), []
        for _ in range(2):
            semaphore.release()
            await semaphore.acquire()
            seen.append(out(semaphore))
        return seen

    assert run(test) == [-1, -1]


def waits(coroutine: object) -> dict[str, object]:
    """The variables of the frame of ``acquire`` in which a task waits."""
    return dict(coroutine.cr_frame.f_locals)  # type: ignore[attr-defined]


@pytest.mark.parametrize("make", [asyncio.Lock, lambda: asyncio.Semaphore(1)], ids=["lock", "semaphore"])
@pytest.mark.parametrize("is_woken", [False, True])
def test_who_is_let_go_of_leaves_the_queue(make: Callable[[], asyncio.Lock], is_woken: bool) -> None:
    """The next one behind it gets what it waited for, also where that had been given to it already."""

    async def test() -> bool:
        primitive = make()
        await primitive.acquire()
        dropped = primitive.acquire()
        first = asyncio.create_task(dropped)
        second = asyncio.create_task(primitive.acquire())
        await asyncio.sleep(0)
        assert len(list(waiters_of(primitive))) == 2
        if is_woken:
            primitive.release()
        leave_queue(primitive, waits(dropped))
        if not is_woken:
            primitive.release()
        got = await asyncio.wait_for(second, 10)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        return got

    assert run(test) is True
