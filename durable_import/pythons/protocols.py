"""What the interpreter does, and complains of, where syntax meets methods: ``with``, ``async for``, ``await``.

The words differ from one Python to the next. So where something is amiss the interpreter itself is had to do the same, to
objects that give what the program's own have given; a later Python speaks for itself.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Coroutine
from typing import Any

EXIT_FIRST = sys.version_info >= (3, 14)  # whether ``with`` looks up the method that leaves before the one that enters


def async_iterator_of(iterable: Any) -> Any:
    """What ``async for`` iterates over. An asynchronous generator expression asks for it when it is made, and holds it last."""
    return gc.get_referents(item async for item in iterable)[-1]


def complaint_of_with(manager: Any, *, is_async: bool) -> BaseException:
    """What ``with`` says of an object that lacks one of its methods."""
    return _complaint(_enter_async(manager) if is_async else _enter(manager))


def complaint_of_next(awaitable: Any) -> BaseException:
    """What ``async for`` says of the result of ``__anext__`` if that cannot be awaited; its cause is what ``await`` says."""
    return _complaint(_loop(_Iterator(awaitable)))


def complaint_of_await(kind: type, iterator: Any) -> BaseException | None:
    """What ``await`` says of what ``__await__`` of a class has given; None if it takes that."""
    return None if hasattr(type(iterator), "__next__") else _complaint(_await(awaited_as(kind, iterator)))


def awaited_as(kind: type, iterator: Any) -> Any:
    """An object with ``__await__`` that gives ``iterator``, of a class with the names of ``kind``."""
    names = {"__await__": lambda _: iterator, "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (), names)()


class _Iterator:
    def __init__(self, item: Any) -> None:
        self.item = item

    def __aiter__(self) -> _Iterator:
        return self

    def __anext__(self) -> Any:
        return self.item


async def _enter(manager: Any) -> None:
    with manager:
        pass


async def _enter_async(manager: Any) -> None:
    async with manager:
        pass


async def _loop(iterator: Any) -> None:
    async for _ in iterator:
        pass


async def _await(awaitable: Any) -> None:
    await awaitable


def _complaint(attempt: Coroutine[Any, Any, None]) -> BaseException:
    try:
        attempt.send(None)
    except TypeError as error:
        return error
    finally:
        attempt.close()
    raise RuntimeError("the interpreter takes what it is known not to take: its class has changed meanwhile")
