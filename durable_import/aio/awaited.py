"""What a frame that is about to await belongs to, and what is behind an iterator of ``await``."""

from __future__ import annotations

import asyncio
import gc
from types import CoroutineType, FrameType, GeneratorType
from typing import Any

from ..frames.awaiting import COROUTINE_WRAPPER, coroutine_behind, is_own_iterator, passes_on
from ..frames.capture import ANEXT, ASEND, ATHROW, Continued, frame_behind, is_rewritten_function
from ..frames.intrinsics import NextItem
from ..frames.lookup import in_class
from ..hook.code_table import info_of
from ..ours import FOLDER
from ..pythons.frames import DELEGATING
from ..pythons.tasks import FUTURES
from .task import DurableTask
from .task_iterators import TaskIterator

_STEPS = {DurableTask._advance.__code__, DurableTask._throw.__code__}
_CACHE = 0  # of the instruction before
_instructions: dict[int, tuple[Any, bytes]] = {}  # by id of a code object


def is_awaited_by_task(frame: FrameType) -> bool:
    """Whether a frame is run by its task, through awaits only: a program may also call ``send`` of a coroutine by itself."""
    above = frame.f_back
    while above is not None and above.f_code not in _STEPS:
        code = above.f_code
        known = _instructions.get(id(code))
        if known is None:
            known = _instructions[id(code)] = code, code.co_code
        at = above.f_lasti
        while known[1][at] == _CACHE:
            at -= 2
        if known[1][at] not in DELEGATING and not code.co_filename.startswith(FOLDER):
            return False
        above = above.f_back
    return True


def own_iterator(awaitable: Any) -> Any:
    """What an object's own, rewritten ``__await__`` gives; None for awaitables of other kinds, whose is not called here.

    Of generators that ``types.coroutine`` has made it is they themselves.
    """
    if type(awaitable) is GeneratorType:
        return awaitable
    made = awaitable.awaitable if type(awaitable) is NextItem else awaitable
    method: Any = in_class(type(made), "__await__")
    if not is_rewritten_function(method):
        return None
    return awaitable.__await__() if type(awaitable) is NextItem else method(awaitable)


_STEPS_OF_OTHERS = (COROUTINE_WRAPPER, CoroutineType, GeneratorType, ASEND, ATHROW, ANEXT, Continued)


def is_foreign(iterator: Any) -> bool:
    """Whether what an iterator runs is to be a step; of iterators over futures it is not known here."""
    if not isinstance(iterator, _STEPS_OF_OTHERS):
        return not is_own_iterator(iterator)
    frame = frame_behind(iterator)
    if isinstance(frame, GeneratorType):
        info = info_of(frame.gi_code)
        return info is None or passes_on(info)
    return frame is None


def awaitable_behind(iterator: Any) -> Any:
    """What to await to begin again what an iterator is in the middle of."""
    if type(iterator) is COROUTINE_WRAPPER:
        return coroutine_behind(iterator)
    return future_behind(iterator) or iterator


def future_behind(iterator: Any) -> asyncio.Future[Any] | None:
    """The future that an iterator of ``await`` is of."""
    if type(iterator) is TaskIterator:
        return iterator.task
    if type(iterator).__name__ != "FutureIter":
        return None
    return next((r for r in gc.get_referents(iterator) if isinstance(r, FUTURES)), None)
