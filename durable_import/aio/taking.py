"""Who has taken asyncio's locks and semaphores, with or without ``async with``.

``Lock.acquire`` and ``Semaphore.acquire`` tell when they have taken something, and ``release`` of both when it was given back:
see ``standard``. What an instance takes of its own is its own affair, and part of its state; what it shares with others is noted
here until it is given back, whichever function, task or instance does that.

A semaphore that is released by those who have taken nothing is no gate: it tells others that there is something to do. Nobody
owns what is taken of such a one.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

from ..frames import ambient
from ..frames.step import PENDING, Step

OUT = "@out"  # attribute of semaphores: how many slots are taken, by whomever; -1 of one that is no gate
_WAIT = asyncio.Condition.wait.__qualname__


class Taker:
    """The loop of an instance. ``taken``: what it shares with others and has taken, the last one last, if there was anything;
    ``current``: the task whose turn it is."""

    __slots__ = ()

    taken: list[Taken] | None
    current: Any

    def takes(self, primitive: Any, frame: FrameType) -> None:
        """A lock, or a slot of a semaphore, was taken by what ``frame`` is awaited by."""
        raise NotImplementedError


class Block(Protocol):
    """What counts as open while something is taken."""

    def is_left(self) -> None:
        """It was given back; may be told more than once."""
        ...


@dataclass(eq=False, slots=True)
class Taken:
    """A lock, or a slot of a semaphore, that an instance has taken, and where: ``file:line function``.

    ``step``: what has taken it, if that was foreign code: it takes it again by itself
    when it is made again. ``block``: what holds the instance meanwhile, if that does.
    """

    primitive: Any
    by: Any  # a ``Taker``
    task: Any
    place: str
    step: Step | None = None
    block: Block | None = None

    def begin(self) -> None:
        """Note it."""
        self.by.taken = [*(self.by.taken or ()), self]
        _TAKEN.setdefault(id(self.primitive), []).append(self)

    def end(self) -> None:
        """It was given back."""
        self.forget()
        if self.block is not None:
            self.block.is_left()

    def forget(self) -> None:
        """It is not taken now."""
        self.by.taken = [each for each in self.by.taken or () if each is not self]
        taken = _TAKEN.get(id(self.primitive), [])
        if self in taken:
            taken.remove(self)
        if not taken:
            _TAKEN.pop(id(self.primitive), None)

    def is_of_step(self) -> bool:
        """Whether foreign code that is under way has taken it."""
        return self.step is not None and self.step.state == PENDING


_TAKEN: dict[int, list[Taken]] = {}  # by id of the lock or semaphore, which each of them keeps alive
_WAITING: dict[tuple[int, Any], Taken] = {}  # by id of the lock and task: while that waits for a condition of the lock


def has_taken(primitive: Any) -> bool:
    """Called by ``acquire``, whose result this gives."""
    if isinstance(primitive, asyncio.Semaphore):
        attributes = vars(primitive)
        out = attributes.get(OUT, 0)
        if out < 0:
            return True
        attributes[OUT] = out + 1
    driver: Any = ambient.current_driver.get() if ambient.ON else None
    if isinstance(driver, Taker) and driver.current is not None:
        waited = _WAITING.pop((id(primitive), driver.current), None) if _WAITING else None
        if waited is not None:
            waited.begin()
        else:
            driver.takes(primitive, sys._getframe(1))
    return True


def is_given_back(primitive: Any) -> None:
    """Called by ``release``."""
    if isinstance(primitive, asyncio.Semaphore):
        attributes = vars(primitive)
        out = attributes.get(OUT, 0)
        if out <= 0:
            attributes[OUT] = -1
            return
        attributes[OUT] = out - 1
    else:
        out = 1
    taken = _TAKEN.get(id(primitive))
    if not taken:
        return
    driver: Any = ambient.current_driver.get()
    found = next((each for each in reversed(taken) if each.by is driver), None)
    if found is None and out > len(taken):
        return  # it is that of somebody who is no instance
    found = found or taken[-1]
    if found.by is driver and sys._getframe(2).f_code.co_qualname == _WAIT:
        found.forget()
        _WAITING[id(primitive), driver.current] = found
    else:
        found.end()


def give_back(taker: Taker) -> list[Taken]:
    """Give back all that an instance has taken, which ends or is let go of: the last first. Gives what that was."""
    given = (taker.taken or [])[::-1]
    for each in given:
        each.end()
        if each.primitive.locked() or isinstance(each.primitive, asyncio.Semaphore):
            each.primitive.release()
    for key in [key for key, each in _WAITING.items() if each.by is taker]:
        del _WAITING[key]
    return given


_QUEUES = {"fut": "_waiters", "getter": "_getters", "putter": "_putters"}


def waiters_of(primitive: Any) -> Iterator[Any]:
    """The futures that tasks wait for at one of asyncio's primitives."""
    for attribute in _QUEUES.values():
        yield from getattr(primitive, attribute, None) or ()


def leave_queue(primitive: Any, variables: dict[str, Any]) -> None:
    """A frame of asyncio's own that waits for one of its primitives is let go of: others wait no longer behind it.

    ``variables``: those of the frame. If it was woken already, the next one is.
    """
    for name, attribute in _QUEUES.items():
        waiter, waiters = variables.get(name), getattr(primitive, attribute, None)
        if waiter is None or not waiters or waiter not in waiters:
            continue
        waiters.remove(waiter)
        if not waiter.done() or waiter.cancelled():
            continue
        if isinstance(primitive, asyncio.Semaphore):
            primitive._value += 1
            primitive._wake_up_next()
        elif not isinstance(primitive, asyncio.Lock) or not primitive.locked():
            following = next((each for each in waiters if not each.done()), None)
            if following is not None:
                following.set_result(True)
