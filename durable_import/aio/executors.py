"""Calls in thread and process pools: steps, with the key of the step in the thread too."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from ..frames.hiding import visible_part
from .running_step import RunningStep, running_step


class ExecutorCall:
    """A call in a thread or process pool, as a step."""

    def __init__(self, executor: Any, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.executor = executor
        self.function = function
        self.arguments = arguments

    def __await__(self) -> Any:
        call = self.function
        if _passes_calls_on(self.executor):
            call = partial(_call_in_step, running_step.get(), call)
        return asyncio.get_running_loop().run_in_executor(self.executor, call, *self.arguments).__await__()


def _passes_calls_on(executor: Any) -> bool:
    """Whether it is one of the standard library's, which do not look at what they are given."""
    pools = sys.modules.get("concurrent.futures.process")
    return executor is None or isinstance(executor, (ThreadPoolExecutor, *((pools.ProcessPoolExecutor,) if pools else ())))


def _call_in_step(step: RunningStep | None, function: Callable[..., Any], *arguments: Any) -> Any:
    """In the executor, which does not get the context of the call: it is part of this step."""
    token = running_step.set(step)
    try:
        return function(*arguments)
    except BaseException as error:
        error.__traceback__ = visible_part(error.__traceback__)
        raise
    finally:
        running_step.reset(token)


async def begin_call(call: ExecutorCall) -> Any:
    """Foreign code, so a step; saved as this call."""
    return await call
