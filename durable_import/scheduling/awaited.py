"""What a frame that is about to await belongs to, and what is behind an iterator of ``await``."""

from __future__ import annotations

import asyncio
import dis
import gc
import os
from typing import Any

from .task import DurableTask, _TaskIterator

_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep
_STEPS = {DurableTask._advance.__code__, DurableTask._throw.__code__}
_CALLS = {dis.opmap[name] for name in ("PRECALL", "CALL", "CALL_KW", "CALL_FUNCTION_EX", "FOR_ITER") if name in dis.opmap}
_instructions: dict[int, tuple[Any, bytes]] = {}  # by id of a code object


def is_awaited_by_task(frame: Any) -> bool:
    """Whether a frame is run by its task, through awaits only: a program may also call ``send`` of a coroutine by itself."""
    frame = frame.f_back
    while frame is not None and frame.f_code not in _STEPS:
        code = frame.f_code
        known = _instructions.get(id(code))
        if known is None:
            known = _instructions[id(code)] = code, code.co_code
        if known[1][frame.f_lasti] in _CALLS and not code.co_filename.startswith(_OURS):
            return False
        frame = frame.f_back
    return True


def future_behind(iterator: Any) -> asyncio.Future[Any] | None:
    """The future that an iterator of ``await`` is of."""
    if type(iterator) is _TaskIterator:
        return iterator.task
    if type(iterator).__name__ != "FutureIter":
        return None
    return next((r for r in gc.get_referents(iterator) if isinstance(r, asyncio.Future)), None)
