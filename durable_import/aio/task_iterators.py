"""What a task awaits that cannot be awaited as it is, and what awaiting a task iterates over."""

from __future__ import annotations

import asyncio
from types import CoroutineType
from typing import Any

from ..frames.hiding import hidden_from_tracebacks


def awaitable_of(coroutine: Any) -> Any:
    """A foreign coroutine as something that can be awaited; an object that is one by its methods only is driven by them."""
    return coroutine if type(coroutine) is CoroutineType else Driven(coroutine)


class Driven:
    """Awaits an object with ``send``, ``throw`` and ``close``, as a task does."""

    def __init__(self, coroutine: Any) -> None:
        self.coroutine = coroutine

    def __await__(self) -> Driven:
        return self

    def __iter__(self) -> Driven:
        return self

    def __next__(self) -> Any:
        return self.coroutine.send(None)

    def send(self, value: Any) -> Any:
        """Pass a value on."""
        return self.coroutine.send(value)

    def throw(self, error: BaseException) -> Any:
        """Pass an exception on."""
        return self.coroutine.throw(error)

    def close(self) -> None:
        """Pass the end on."""
        self.coroutine.close()


class TaskIterator:
    """What ``await task`` iterates over."""

    __slots__ = ("has_asked", "task")

    def __init__(self, task: asyncio.Future[Any]) -> None:
        self.task = task
        self.has_asked = False

    def __iter__(self) -> TaskIterator:
        return self

    @hidden_from_tracebacks
    def __next__(self) -> Any:
        if self.task.done():
            raise StopIteration(self.task.result())
        if self.has_asked:
            raise RuntimeError("await wasn't used with future")
        self.has_asked = True
        self.task._asyncio_future_blocking = True
        return self.task
