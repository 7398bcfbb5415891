"""Events: what others tell an instance, and waiting for it. Rewritten like asyncio's own code.

An event goes to exactly one of those who wait for its name, in the order in which they began to wait; if nobody does, it is
kept until somebody asks for it. One that was given to a task which was cancelled before it went on is given to the next.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from ..errors import DurableError
from ..frames import ambient


class Inbox:
    """The events of an instance, part of its state.

    ``accepted``: the names of the events taken from the store, by number; one that the store has forgotten may be removed.
    ``answerers``, ``answers``: see ``questions``; functions by the names of questions, and sealed answers by the questions' ids,
    which the store does not have yet.
    """

    answerers: dict[str, Callable[[Any], Any]] | None = None
    answers: dict[str, bytes] | None = None

    def __init__(self) -> None:
        self.accepted: dict[int, str] = {}
        self.kept: dict[str, deque[Any]] = {}  # payloads that nobody has waited for, by name
        self.waiting: dict[str, list[asyncio.Future[Any]]] = {}  # those who wait, by name, longest first
        self.paused: list[Any] = []  # the exceptions that the program has been paused by

    @property
    def holds_something(self) -> bool:
        """Whether there is anything to save."""
        return bool(self.accepted or self.kept or self.waiting or self.paused or self.answerers or self.answers)

    @property
    def is_waiting(self) -> bool:
        """Whether a task waits for an event."""
        return bool(self.waiting)

    @property
    def pauses(self) -> list[str]:
        """The names of the events that the program has been paused for, the longest pause first."""
        return [exception.event for exception in self.paused]

    def put(self, name: str, payload: Any, *, again: bool = False) -> None:
        """Give an event to the first that waits for it, or keep it; ``again``: it was given before, so it comes first."""
        for future in self.waiting.get(name, ()):
            if not future.done():
                future.set_result(payload)
                return
        kept = self.kept.setdefault(name, deque())
        if again:
            kept.appendleft(payload)
        else:
            kept.append(payload)

    def take(self, name: str) -> list[Any]:
        """The payload of an event that was kept, if there is one."""
        kept = self.kept.get(name)
        if not kept:
            return []
        payload = kept.popleft()
        if not kept:
            del self.kept[name]
        return [payload]

    def begin(self, name: str, future: asyncio.Future[Any], exception: Any) -> None:
        """``future`` is going to be given the next event that nobody else has waited for longer."""
        self.waiting.setdefault(name, []).append(future)
        if exception is not None:
            self.paused.append(exception)

    def end(self, name: str, future: asyncio.Future[Any], exception: Any) -> None:
        """It waits no more."""
        self.waiting[name].remove(future)
        if not self.waiting[name]:
            del self.waiting[name]
        self.paused = [each for each in self.paused if each is not exception]


async def wait_for_event(name: str, timeout: float | None = None) -> Any:
    """The payload of the next event ``name`` that was published for this instance, or of the first one that will be.

    Events may be published before they are waited for. Each goes to one wait, first come first served; one that is cancelled
    or runs into ``timeout`` (in seconds) loses none. Raises TimeoutError, and DurableError outside of an instance.
    """
    what = f"wait_for_event({name!r})"
    if timeout is None:
        return await next_event(name, what)
    async with asyncio.timeout(timeout):
        return await next_event(name, what)


async def pause(exception: Any) -> None:
    """Wait for the event that an exception names, whose payload is dropped."""
    await next_event(exception.event, f"a pause for event {exception.event!r}", exception)


async def next_event(name: str, what: str, exception: Any = None) -> Any:
    """What comes next under a name, for ``what``, which tells of it in errors.

    No variable holds the inbox: all who wait would share it, and be saved together."""
    for payload in inbox_for(what).take(name):
        return payload
    future: Any = asyncio.get_running_loop().create_future()
    inbox_for(what).begin(name, future, exception)
    try:
        return await future
    except asyncio.CancelledError:
        if future.done() and not future.cancelled():
            future.get_loop().inbox.put(name, future.result(), again=True)
        raise
    finally:
        future.get_loop().inbox.end(name, future, exception)


def inbox_for(what: str) -> Inbox:
    """That of the instance whose code runs."""
    driver: Any = ambient.current_driver.get()
    running: Any = asyncio.get_running_loop()
    if driver is None:
        raise DurableError(
            f"{what}: events are published for an instance, and this code runs outside of any. Await the outermost function "
            "under a DurableRuntime, or run the script by `python -m durable_import run`; mark its module with `# durable: on`"
        )
    if running is not driver:
        raise DurableError(
            f"{what}: code that is not durable has called this, and so it is part of a single step of instance "
            f"{driver.instance_id!r}, which cannot wait for events. Wait in a function that durable code awaits directly, or "
            "mark the module in between with `# durable: on`"
        )
    inbox: Inbox = driver.inbox
    return inbox
