"""asyncio's and contextlib's own code that waits, where it differs between versions of Python: for snapshots of another one.

A place is a module and the qualified name of a function in it. A bugfix release may move code as well: the same tables serve.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import MethodType
from typing import Any

from .names import private
from .versions import THIS, Version

Place = tuple[str, str]
Variables = dict[str, Any]

EARLIER = "durable_import.pythons.earlier"
_TASKS, _GROUPS, _LOCKS, _CONTEXTS = "asyncio.tasks", "asyncio.taskgroups", "asyncio.locks", "contextlib"
_ITERATOR, _WAIT, _AEXIT = "_AsCompletedIterator", "_wait_for_one", ".".join(("TaskGroup", "_aexit"))

#: Where what was at a place goes on if that has no such await: the first of these that has. Nested functions go with theirs.
ELSEWHERE: dict[Place, tuple[Place, ...]] = {
    (_GROUPS, "TaskGroup.__aexit__"): ((_GROUPS, _AEXIT), (EARLIER, "TaskGroup.__aexit__")),  # 3.14: two of one
    (_GROUPS, _AEXIT): ((_GROUPS, "TaskGroup.__aexit__"),),
    (_TASKS, "wait_for"): ((EARLIER, "wait_for"), (EARLIER, "wait_for_until_3_11")),  # 3.12: by ``asyncio.timeout``
    (_TASKS, "as_completed"): ((EARLIER, "as_completed"),),  # 3.13: an iterator instead of a generator
    (_TASKS, f"{_ITERATOR}.__anext__"): ((EARLIER, f"{_ITERATOR}.__anext__"),),
    (_TASKS, f"{_ITERATOR}.{_WAIT}"): ((EARLIER, f"{_ITERATOR}.{_WAIT}"),),
    (_TASKS, "_wrap_awaitable"): ((EARLIER, "_wrap_awaitable_until_3_11"),),  # 3.12: a coroutine, inside of its function
    (_TASKS, "ensure_future.<locals>._wrap_awaitable"): ((EARLIER, "_wrap_awaitable"),),
    (_TASKS, "shield.<locals>._clear_awaited_by_callback"): ((EARLIER, "_clear_awaited_by_callback"),),  # since 3.14
    (_CONTEXTS, "AsyncContextDecorator.__call__.<locals>.inner"): (  # 3.15: for each kind of function
        (_CONTEXTS, "AsyncContextDecorator.__call__.<locals>.async_inner"),
    ),
    (_CONTEXTS, "AsyncContextDecorator.__call__.<locals>.async_inner"): (
        (_CONTEXTS, "AsyncContextDecorator.__call__.<locals>.inner"),
    ),
}  # fmt: skip


def _takes_manager(variables: Variables) -> None:
    variables["_exit"] = type(variables["cm"]).__aexit__


def _is_bound(variables: Variables) -> None:
    variables["_exit"] = MethodType(variables["_exit"], variables["cm"])


def _nothing(variables: Variables) -> None:
    """The variables are the same."""


#: Awaits that mean the same: the text as saved and that of today, and what makes variables of today of those that were saved.
SAME_AWAIT: dict[tuple[str, str], Callable[[Variables], None]] = {
    ("self.gen.athrow(typ, value, traceback)", "self.gen.athrow(value)"): _nothing,  # 3.12
    ("self.gen.athrow(value)", "self.gen.athrow(typ, value, traceback)"): _nothing,
    ("_enter(cm)", "_enter()"): _is_bound,  # 3.15
    ("_enter()", "_enter(cm)"): _takes_manager,
}


def _keep_cancellation(variables: Variables) -> None:
    """3.13: the exception that came while the lock was taken again, instead of whether one came."""
    if "cancelled" in variables:
        variables["err"] = asyncio.CancelledError() if variables["cancelled"] else None
    elif "err" in variables:
        variables["cancelled"] = variables["err"] is not None


#: Variables that another version holds otherwise.
VARIABLES: dict[Place, Callable[[Variables], None]] = {(_LOCKS, "Condition.wait"): _keep_cancellation}

#: Defaults of nested functions, for those that were saved by a version without the parameter.
DEFAULTS: dict[Place, dict[str, Any]] = {
    (_TASKS, "gather.<locals>._done_callback"): {"cur_task": None},  # since 3.14
}

#: The captured variables of functions that were saved without their names, by number.
CAPTURED: dict[Place, dict[int, tuple[str, ...]]] = {
    (_TASKS, "_wait.<locals>._on_completion"): {4: ("counter", "return_when", "timeout_handle", "waiter")},  # 3.14: one more
}

#: Attributes that objects have since some version: those that were saved before get them from their class.
ATTRIBUTES: tuple[tuple[Version, tuple[Any, str, Any]], ...] = (
    ((3, 14), (private("asyncio.tasks._AsCompletedIterator"), "_cur_task", None)),
    ((3, 15), (asyncio.TaskGroup, "_cancel_on_enter", False)),
)


def attributes_today() -> list[tuple[Any, str, Any]]:
    """Class, attribute and default, of those that this version has."""
    return [row for since, row in ATTRIBUTES if since <= THIS]


def alternatives(module: str, place: str) -> list[Place]:
    """Where to look for what another version of Python has at a place, that place itself first."""
    found = [(module, place), *ELSEWHERE.get((module, place), ())]
    function, dot, nested = place.partition(".<locals>")
    if dot:
        found += [(other, name + dot + nested) for other, name in ELSEWHERE.get((module, function), ())]
    return found


_ORIGINALS = {other: place for place, others in ELSEWHERE.items() for other in others if other[0] == EARLIER}


def original(module: str, place: str) -> Place:
    """The place in the standard library that a function of ``earlier`` stands for; any other place is its own."""
    function, dot, nested = place.partition(".<locals>")
    found = _ORIGINALS.get((module, function))
    return (found[0], found[1] + dot + nested) if found else (module, place)
