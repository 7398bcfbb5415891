"""Functions of asyncio that wait, as other versions of Python have them: what had begun in one of those ends by it.

A saved place is found again by the text of what is awaited there, and the blocks around it are those of CPython. Nothing calls
these functions, so what a coroutine does before its first place is left out; see ``waiting``.
"""

from __future__ import annotations

import types
from asyncio import CancelledError, ensure_future, events, queues, timeouts
from typing import Any

from .names import private
from .versions import KNOWS_ITS_LOOP

_cancel_and_wait_today: Any = private("asyncio.tasks._cancel_and_wait")


def _cancel_and_wait(fut: Any, loop: Any = None) -> Any:
    if KNOWS_ITS_LOOP:
        return _cancel_and_wait_today(fut)
    return _cancel_and_wait_today(fut, loop or events.get_running_loop())


def _result_in_time(future: Any) -> Any:
    """The result of a future that was cancelled because time was up, unless it has ended all the same."""
    try:
        return future.result()
    except CancelledError as error:
        raise TimeoutError from error


async def wait_for_until_3_11(fut: Any, timeout: Any) -> Any:
    """``asyncio.wait_for``, which made a task of what it waited for."""
    waiter: Any = None
    loop: Any = None
    timeout_handle: Any = None
    cb: Any = None
    if timeout is None:
        return await fut
    if timeout <= 0:
        await _cancel_and_wait(fut, loop=loop)
        return _result_in_time(fut)
    try:
        try:
            await waiter
        except CancelledError:
            if fut.done():
                return fut.result()
            fut.remove_done_callback(cb)
            await _cancel_and_wait(fut, loop=loop)
            raise
        if fut.done():
            return fut.result()
        fut.remove_done_callback(cb)
        await _cancel_and_wait(fut, loop=loop)
        return _result_in_time(fut)
    finally:
        timeout_handle.cancel()


async def wait_for(fut: Any, timeout: Any) -> Any:
    """``asyncio.wait_for`` since 3.12."""
    if timeout is not None and timeout <= 0:
        await _cancel_and_wait(fut)
        return _result_in_time(fut)
    async with timeouts.timeout(timeout):
        return await fut


def as_completed(fs: Any, *, timeout: Any = None) -> Any:
    """``asyncio.as_completed`` until 3.12: a generator."""
    loop = events.get_running_loop()
    done: Any = queues.Queue()
    todo = {ensure_future(future, loop=loop) for future in set(fs)}
    timeout_handle: Any = None

    def _on_timeout() -> None:
        for future in todo:
            future.remove_done_callback(_on_completion)
            done.put_nowait(None)
        todo.clear()

    def _on_completion(f: Any) -> None:
        if f in todo:
            todo.remove(f)
            done.put_nowait(f)
            if timeout_handle is not None and not todo:
                timeout_handle.cancel()

    async def _wait_for_one() -> Any:
        f = await done.get()
        return _result_of(f)

    for future in todo:
        future.add_done_callback(_on_completion)
    if todo and timeout is not None:
        timeout_handle = loop.call_later(timeout, _on_timeout)
    for _ in range(len(todo)):
        yield _wait_for_one()


def _result_of(future: Any) -> Any:
    """The result of a future, none of which is left when time is up."""
    if future is None:
        raise TimeoutError
    return future.result()


class _AsCompletedIterator:
    """What ``asyncio.as_completed`` gives since 3.13."""

    _todo: set[Any]
    _todo_left: int
    _done: Any
    _timeout_handle: Any

    def __iter__(self) -> Any:
        return self

    __aiter__ = __iter__

    async def __anext__(self) -> Any:
        if not self._takes_one():
            raise StopAsyncIteration
        return await self._wait_for_one()

    def __next__(self) -> Any:
        if not self._takes_one():
            raise StopIteration
        return self._wait_for_one(resolve=True)

    def _takes_one(self) -> bool:
        if self._todo_left:
            self._todo_left -= 1
            return True
        return False

    def _handle_timeout(self) -> None:
        for future in self._todo:
            future.remove_done_callback(self._handle_completion)
            self._done.put_nowait(None)
        self._todo.clear()

    def _handle_completion(self, f: Any) -> None:
        if f in self._todo:
            self._todo.remove(f)
            self._done.put_nowait(f)
            if self._timeout_handle is not None and not self._todo:
                self._timeout_handle.cancel()

    async def _wait_for_one(self, resolve: bool = False) -> Any:
        try:
            f = await self._done.get()
        except BaseException:
            self._todo_left += 1
            raise
        return _result_of(f) if resolve or f is None else f


class TaskGroup:
    """Of ``asyncio.TaskGroup``."""

    async def __aexit__(self: Any, et: Any, exc: Any, tb: Any) -> Any:
        """Since 3.14: the rest is ``_aexit``, which goes on as ``__aexit__`` of the version that has no such method."""
        try:
            return await self._aexit(et, exc)
        finally:
            self._parent_task = None
            self._errors = None
            self._base_error = None
            exc = None


@types.coroutine
def _wrap_awaitable_until_3_11(awaitable: Any) -> Any:
    """What ``asyncio.ensure_future`` made a coroutine with."""
    return (yield from awaitable.__await__())


async def _wrap_awaitable(awaitable: Any) -> Any:
    """The same since 3.12."""
    return await awaitable


def _clear_awaited_by_callback(inner: Any) -> None:
    """Of ``asyncio.shield`` since 3.14: it only serves to tell who waits for whom."""
