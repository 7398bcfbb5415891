"""anyio's ``to_thread.run_sync`` in instances: the call in a thread is a step, in the limiter and the scope that anyio gives it.

anyio's own function keeps a future that a thread is to set, and its threads until the outermost task has ended: nothing could be
saved from the first call on. Rewritten like asyncio's own code.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from types import ModuleType
from typing import Any

from ..hook.companions import when_rewritten
from .loop import InstanceLoop

_BACKEND = "anyio._backends._asyncio"
_NEEDED = ("AsyncIOBackend", "CancelScope", "claim_worker_thread", "set_current_async_library", "threadlocals")
_MOST = 10_000  # threads: how many there may be the limiter says

_original: list[Any] = []  # anyio's function
_pool: list[ThreadPoolExecutor] = []


class WorkerThreads:
    """The threads, for the event loop; those of each process."""

    def submit(self, call: WorkerCall) -> Future[Any]:
        """Make a call in a thread, with the context variables of the step."""
        if not _pool:
            _pool.append(ThreadPoolExecutor(_MOST, thread_name_prefix="AnyIO worker thread"))
        context = contextvars.copy_context()
        context.run(_backend().set_current_async_library, None)
        return _pool[0].submit(context.run, call)


class WorkerCall:
    """A call in a worker thread; ``scope`` and ``loop`` are what ``anyio.from_thread`` asks for in it."""

    def __init__(self, function: Any, arguments: tuple[Any, ...], scope: Any, loop: Any) -> None:
        self.function = function
        self.arguments = arguments
        self.scope = scope
        self.loop = loop

    def __call__(self) -> Any:
        """Make it, in the thread."""
        backend = _backend()
        with backend.claim_worker_thread(backend.AsyncIOBackend, self.loop):
            backend.threadlocals.current_cancel_scope = self.scope
            try:
                return self.function(*self.arguments)
            except StopIteration as error:
                raise RuntimeError("coroutine raised StopIteration") from error
            finally:
                del backend.threadlocals.current_cancel_scope


async def run_sync_in_worker_thread(
    cls: Any, func: Any, args: tuple[Any, ...], abandon_on_cancel: bool = False, limiter: Any = None
) -> Any:
    """What stands in the place of anyio's function, with the same meaning."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, InstanceLoop):
        return await _original[0](cls, func, args, abandon_on_cancel, limiter)
    await cls.checkpoint()
    async with limiter or cls.current_default_thread_limiter():
        with _backend().CancelScope(shield=not abandon_on_cancel) as scope:
            outer = None if abandon_on_cancel else scope._parent_scope
            return await loop.run_in_executor(WorkerThreads(), WorkerCall(func, args, outer or scope, loop))


def _backend() -> Any:
    return sys.modules[_BACKEND]


def _adopt(backend: ModuleType) -> None:
    """Put the function in the place of anyio's, if this version of it is as those that are known."""
    if _original or not all(hasattr(backend, name) for name in _NEEDED):
        return
    method = vars(backend.AsyncIOBackend).get("run_sync_in_worker_thread")
    if isinstance(method, classmethod):
        _original.append(method.__func__)
        backend.AsyncIOBackend.run_sync_in_worker_thread = classmethod(run_sync_in_worker_thread)


when_rewritten[_BACKEND] = _adopt
