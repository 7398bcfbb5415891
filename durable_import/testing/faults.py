"""Faults on purpose: makes a store of any kind fail, hesitate or lose its answers, to see what a program makes of it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from durable_import.errors import StoreUnavailableError
from durable_import.stores.base import StateStore
from durable_import.stores.store import Committing

COMMITS = ("save", "commit", "end")
AWAITED: Sequence[str] = ()  # for ``Faults.fail``: any of those that are awaited
KEEPING = ("register", "renew", "owners", "bury", "retire")  # of a full store: those that block, in the thread of a keeper


class Faults:
    """What goes wrong with ``store``, which stays what it is: its methods are wrapped.

    ``calls`` lists the methods that were called and awaited, in order. Without a fault arranged, all goes well.
    """

    def __init__(self, store: StateStore) -> None:
        self.calls: list[str] = []
        self._failures: list[_Failure] = []
        self._delays: dict[str, float] = {}
        self._is_refusing = False
        full: Any = getattr(store, "instances", None)  # of one that is more than it seems
        target, left = (store, ("close",)) if full is None else (full, ("close", "commit"))
        for name, function in inspect.getmembers(type(target), inspect.iscoroutinefunction):
            if not name.startswith("_") and name not in left:
                setattr(target, name, partial(self._call, name, partial(function, target)))
        if full is not None:
            full.commit = partial(self._commit, full.commit)
            for name in KEEPING:
                setattr(full, name, partial(self._keep, name, getattr(full, name)))

    def fail(
        self, nth: int = 1, names: Sequence[str] = COMMITS, *, happens: bool = False, error: Exception | None = None
    ) -> None:
        """Let the ``nth`` call from now of one of ``names`` fail; with ``happens`` it is done, and only its answer is lost.

        Without names: the nth of all that are awaited. Those of ``KEEPING`` block, and can be named too.
        """
        self._failures.append(_Failure(nth, tuple(names), happens, error or _unavailable()))

    def delay(self, seconds: float, names: Sequence[str] = COMMITS) -> None:
        """Let each call of ``names`` wait before it is done; 0: not any more."""
        self._delays.update(dict.fromkeys(names, seconds))

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Let every call fail within the block."""
        self._is_refusing = True
        try:
            yield
        finally:
            self._is_refusing = False

    def _commit(self, commit: Callable[..., Awaitable[None] | None], *arguments: Any) -> Awaitable[None]:
        async def committed() -> None:
            committing = commit(*arguments)
            if committing is not None:
                await committing

        return Committing(partial(self._call, "commit", committed))

    def _keep(self, name: str, method: Callable[..., Any], *arguments: Any) -> Any:
        """As ``_call``, for what blocks."""
        if self._is_refusing:
            raise _unavailable()
        due = [each for each in self._failures if each.counts(name)]
        if due and not due[0].happens:
            raise due[0].error
        result = method(*arguments)
        if due:
            raise due[0].error
        return result

    async def _call(self, name: str, method: Callable[..., Awaitable[Any]], *arguments: Any, **keywords: Any) -> Any:
        self.calls.append(name)
        if self._is_refusing:
            raise _unavailable()
        due = [each for each in self._failures if each.counts(name)]
        if self._delays.get(name):
            await asyncio.sleep(self._delays[name])
        if due and not due[0].happens:
            raise due[0].error
        result = await method(*arguments, **keywords)
        if due:
            raise due[0].error
        return result


class _Failure:
    def __init__(self, nth: int, names: tuple[str, ...], happens: bool, error: Exception) -> None:
        self._left = nth
        self._names = names
        self.happens = happens
        self.error = error

    def counts(self, name: str) -> bool:
        """Count a call; whether this is the one that fails."""
        is_one = name in self._names if self._names else name not in KEEPING
        self._left -= is_one
        return self._left == 0 and is_one


def _unavailable() -> StoreUnavailableError:
    return StoreUnavailableError("the store cannot be reached: a test has arranged it")
