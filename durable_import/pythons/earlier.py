"""Functions of asyncio that wait, as other versions of Python have them: what had begun in one of those ends by it.

They are CPython's text but for comments (Python Software Foundation License): a saved place is found again by the text of what is
awaited there. Nothing calls them; see ``waiting``.
"""

from __future__ import annotations

import functools
import types
from asyncio import coroutines, events, exceptions, futures, queues, timeouts
from asyncio.tasks import ensure_future
from typing import Any

from .names import private
from .versions import KNOWS_ITS_LOOP

_release_waiter: Any = private("asyncio.tasks._release_waiter")
_cancel_and_wait_today: Any = private("asyncio.tasks._cancel_and_wait")


def _cancel_and_wait(fut: Any, loop: Any = None) -> Any:
    if KNOWS_ITS_LOOP:
        return _cancel_and_wait_today(fut)
    return _cancel_and_wait_today(fut, loop or events.get_running_loop())


async def wait_for_until_3_11(fut: Any, timeout: Any) -> Any:
    """``asyncio.wait_for``, which made a task of what it waited for."""
    loop = events.get_running_loop()
    if timeout is None:
        return await fut
    if timeout <= 0:
        fut = ensure_future(fut, loop=loop)
        if fut.done():
            return fut.result()
        await _cancel_and_wait(fut, loop=loop)
        try:
            return fut.result()
        except exceptions.CancelledError as exc:
            raise exceptions.TimeoutError() from exc
    waiter = loop.create_future()
    timeout_handle = loop.call_later(timeout, _release_waiter, waiter)
    cb = functools.partial(_release_waiter, waiter)
    fut = ensure_future(fut, loop=loop)
    fut.add_done_callback(cb)
    try:
        try:
            await waiter
        except exceptions.CancelledError:
            if fut.done():
                return fut.result()
            fut.remove_done_callback(cb)
            await _cancel_and_wait(fut, loop=loop)
            raise
        if fut.done():
            return fut.result()
        fut.remove_done_callback(cb)
        await _cancel_and_wait(fut, loop=loop)
        try:
            return fut.result()
        except exceptions.CancelledError as exc:
            raise exceptions.TimeoutError() from exc
    finally:
        timeout_handle.cancel()


async def wait_for(fut: Any, timeout: Any) -> Any:
    """``asyncio.wait_for`` since 3.12."""
    if timeout is not None and timeout <= 0:
        fut = ensure_future(fut)
        if fut.done():
            return fut.result()
        await _cancel_and_wait(fut)
        try:
            return fut.result()
        except exceptions.CancelledError as exc:
            raise TimeoutError from exc
    async with timeouts.timeout(timeout):
        return await fut


def as_completed(fs: Any, *, timeout: Any = None) -> Any:
    """``asyncio.as_completed`` until 3.12: a generator."""
    if futures.isfuture(fs) or coroutines.iscoroutine(fs):
        raise TypeError(f"expect an iterable of futures, not {type(fs).__name__}")
    done: Any = queues.Queue()
    loop = events.get_event_loop()
    todo = {ensure_future(f, loop=loop) for f in set(fs)}
    timeout_handle = None

    def _on_timeout() -> None:
        for f in todo:
            f.remove_done_callback(_on_completion)
            done.put_nowait(None)
        todo.clear()

    def _on_completion(f: Any) -> None:
        if not todo:
            return
        todo.remove(f)
        done.put_nowait(f)
        if not todo and timeout_handle is not None:
            timeout_handle.cancel()

    async def _wait_for_one() -> Any:
        f = await done.get()
        if f is None:
            raise exceptions.TimeoutError
        return f.result()

    for f in todo:
        f.add_done_callback(_on_completion)
    if todo and timeout is not None:
        timeout_handle = loop.call_later(timeout, _on_timeout)
    for _ in range(len(todo)):
        yield _wait_for_one()


class _AsCompletedIterator:
    """What ``asyncio.as_completed`` gives since 3.13."""

    _todo: set[Any]
    _todo_left: int
    _done: Any
    _timeout_handle: Any

    def __aiter__(self) -> Any:
        return self

    def __iter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        if not self._todo_left:
            raise StopAsyncIteration
        self._todo_left -= 1
        return await self._wait_for_one()

    def __next__(self) -> Any:
        if not self._todo_left:
            raise StopIteration
        self._todo_left -= 1
        return self._wait_for_one(resolve=True)

    def _handle_timeout(self) -> None:
        for f in self._todo:
            f.remove_done_callback(self._handle_completion)
            self._done.put_nowait(None)
        self._todo.clear()

    def _handle_completion(self, f: Any) -> None:
        if not self._todo:
            return
        self._todo.remove(f)
        self._done.put_nowait(f)
        if not self._todo and self._timeout_handle is not None:
            self._timeout_handle.cancel()

    async def _wait_for_one(self, resolve: bool = False) -> Any:
        try:
            f = await self._done.get()
        except BaseException:
            self._todo_left += 1
            raise
        if f is None:
            raise exceptions.TimeoutError
        return f.result() if resolve else f


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
