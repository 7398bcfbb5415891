"""anyio's scopes that the foreign code of steps in flight has entered: they are no part of the state.

Such a step is made again, and enters its scopes again. anyio keeps the innermost scope of each task beside the task, also where
the scopes of the program's own code are: so while a snapshot is made, those of steps are taken out of there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..hook.code_table import MODULES

BACKEND = "anyio._backends._asyncio"


def scope_of(task: Any) -> Any:
    """The innermost scope of a task, if anyio is rewritten and has one."""
    state = _states().get(task) if anyio_is_rewritten() else None
    return state.cancel_scope if state is not None else None


def anyio_is_rewritten() -> bool:
    """Whether the frames of anyio are saved; else its scopes are never."""
    return BACKEND in MODULES and "_task_states" in vars(sys.modules.get(BACKEND, sys))


def _states() -> Any:
    return vars(sys.modules[BACKEND])["_task_states"]


@contextmanager
def without_scopes_of_steps(begun_in: Mapping[Any, Any]) -> Iterator[None]:
    """In the block, tasks with steps in flight are in the scopes in which these have begun."""
    undo: list[Callable[[], None]] = []
    try:
        states = _states()
        for task, scope in begun_in.items():
            state = states.get(task)
            if state is not None and state.cancel_scope is not scope:
                _leave(task, state, scope, undo)
        yield
    finally:
        for each in reversed(undo):
            each()


def _leave(task: Any, state: Any, scope: Any, undo: list[Callable[[], None]]) -> None:
    """Let ``scope`` be the innermost one of a task."""
    entered = outermost = state.cancel_scope
    while outermost is not None and outermost._parent_scope is not scope:
        outermost = outermost._parent_scope
    if outermost is None:
        return  # it was left: the step has not begun in it, or it is none of this task's

    def enter() -> None:
        state.cancel_scope = entered
        if scope is not None:
            scope._child_scopes.add(outermost)
            scope._tasks.discard(task)

    undo.append(enter)
    state.cancel_scope = scope
    if scope is not None:
        scope._child_scopes.discard(outermost)
        scope._tasks.add(task)
