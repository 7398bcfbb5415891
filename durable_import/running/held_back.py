"""Instances that somebody has started here, and that wait until others which may kill the process have ended or made progress."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class HeldBack:
    """Those that wait, by the group that they share a limit with: see ``stores.suspects``. ``ensure`` lets somebody look at the
    store now and then, who calls ``let_ask``."""

    def __init__(self, ensure: Callable[[], None]) -> None:
        self._ensure = ensure
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}

    def wait(self, group: int, *, is_again: bool) -> asyncio.Future[None]:
        """A future that is done when the instance may ask once more; ``is_again``: it was the next one, and is so still."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(group, deque())
        if is_again:
            waiting.appendleft(turn)
        else:
            waiting.append(turn)
        self._ensure()
        return turn

    def let_ask(self) -> None:
        """Let the first of each group ask."""
        for group in list(self._waiting):
            self.let_next_ask(group)

    def let_next_ask(self, group: int) -> None:
        """The same for one group: there may be room for one more."""
        waiting = self._waiting.get(group, ())
        while waiting:
            turn = waiting.popleft()
            if not turn.done():  # else it was let go of meanwhile
                turn.set_result(None)
                return
        self._waiting.pop(group, None)

    def start_over(self) -> None:
        """In a forked process: those that wait do so in the parent."""
        self._waiting.clear()
