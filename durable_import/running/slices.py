"""Shares the event loop with the rest of the application: instances take a slice of each pass of it, in turn."""

from __future__ import annotations

import asyncio
import time
from collections import deque

SLICE_SECONDS = 0.005  # of a pass that instances take, before the rest of the application has its turn
MOST_SECONDS = 0.002  # that one turn is taken to last: what the application does behind it is not ours


class Slices:
    """Of the instances of one runtime in the running loop.

    Who wants to do some work asks ``is_free``, and if it is not awaits ``turn``. How long the work takes is seen when the next
    one asks, so nobody has to tell that it is done.
    """

    __slots__ = ("_began", "_loop", "_turns", "_used", "_waiting")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None  # whose passes are counted now
        self._used = 0.0  # seconds of this pass
        self._turns = 0  # in this pass
        self._began: float | None = None  # the last turn, in this pass
        self._waiting: deque[asyncio.Future[None]] = deque()

    def is_free(self) -> bool:
        """Whether work may begin at once; then it counts from now on."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._used, self._turns, self._began = loop, 0.0, 0, None
            self._waiting.clear()  # in a loop that runs no more
            loop.call_soon(self._next_pass, loop)
        self._count()
        if self._waiting or self._used >= SLICE_SECONDS:
            return False
        self._begins()
        return True

    async def turn(self) -> None:
        """Return when work may begin; those who wait have their turns in the order in which they came."""
        if not self.is_free():
            await self.wait()

    async def wait(self) -> None:
        """The same, of who has just been told that it is not free."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn
        self._count()
        self._begins()

    def _begins(self) -> None:
        self._began = time.perf_counter()
        self._turns += 1

    def _count(self) -> None:
        """Add how long the last turn has taken."""
        if self._began is not None:
            self._used += min(time.perf_counter() - self._began, MOST_SECONDS)
            self._began = None

    def _next_pass(self, loop: asyncio.AbstractEventLoop) -> None:
        """A pass begins: some of those who wait have their turns in it, as many as are likely to fit."""
        if loop is not self._loop:
            return
        self._count()
        turns, used = self._turns, self._used
        self._used, self._turns = 0.0, 0
        if not self._waiting:
            self._loop = None  # until somebody asks again
            return
        loop.call_soon(self._next_pass, loop)
        most = max(int(turns * SLICE_SECONDS / used), 1) if used else 1
        while most and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                most -= 1
