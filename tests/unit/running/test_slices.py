"""Instances share the passes of the event loop with the rest of the application."""

from __future__ import annotations

import asyncio

import pytest

from durable_import.running import slices
from durable_import.running.slices import SLICE_SECONDS, Slices


class Clock:
    """Goes on only when somebody works."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the module reads."""
    clock = Clock()
    monkeypatch.setattr(slices, "time", clock)
    return clock


class Application:
    """Counts the passes of the loop; ``longest``: the seconds of the longest one."""

    def __init__(self, clock: Clock) -> None:
        self.longest = 0.0
        self._clock = clock
        self._task = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            before = self._clock.now
            await asyncio.sleep(0)
            self.longest = max(self.longest, self._clock.now - before)


@pytest.mark.parametrize("seconds", [0.0001, 0.001, 0.0019])
async def test_a_pass_is_short(clock: Clock, seconds: float) -> None:
    """However many want to begin at once, and all have their turn, in order."""
    shared, application, order = Slices(), Application(clock), []

    async def work(number: int) -> None:
        await shared.turn()
        order.append(number)
        clock.now += seconds
        await asyncio.sleep(0)
        await shared.turn()
        clock.now += seconds

    await asyncio.gather(*map(work, range(500)))
    assert order == list(range(500))
    assert SLICE_SECONDS / 2 < application.longest < 2 * SLICE_SECONDS


async def test_who_is_alone_does_not_wait(clock: Clock) -> None:
    """Nobody is kept from going on in a pass that has time left."""
    shared = Slices()
    for _ in range(100):
        assert shared.is_free()
        clock.now += SLICE_SECONDS
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_what_the_application_does_is_not_counted(clock: Clock) -> None:
    """It may be busy for long behind one turn: that is not ours."""
    shared = Slices()
    assert shared.is_free()
    clock.now += 10 * SLICE_SECONDS
    assert shared.is_free()


async def test_who_gives_up_waiting_is_passed_over(clock: Clock) -> None:
    """The next one has its turn."""
    shared, done = Slices(), []

    async def work(number: int) -> None:
        await shared.turn()
        done.append(number)
        clock.now += SLICE_SECONDS

    tasks = [asyncio.create_task(work(number)) for number in range(20)]
    await asyncio.sleep(0)
    tasks[10].cancel()
    await asyncio.wait(tasks)
    assert done == [number for number in range(20) if number != 10]


def test_another_loop_begins_afresh(clock: Clock) -> None:
    """What waited in one that was closed does not keep others waiting."""
    shared = Slices()

    async def leave_waiting() -> None:
        while shared.is_free():
            clock.now += SLICE_SECONDS
        waiting = asyncio.create_task(shared.turn())
        await asyncio.sleep(0)
        waiting.cancel()

    async def work() -> None:
        await asyncio.wait_for(shared.turn(), 5)

    asyncio.run(leave_waiting())
    asyncio.run(work())
