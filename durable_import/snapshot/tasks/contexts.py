"""Reducers for contexts: of the variables, those that differ from what the instance began with."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Collection
from typing import Any

from ...aio.task import _NO_CONTEXT
from ...frames import ambient
from ...ours import PREFIX
from ..load_context import current, later

Reduced = tuple[Any, ...] | str


DECIMAL = "decimal_context"  # decimal's context variable, which no module holds under a name
_NOTHING: Any = object()


def no_context() -> contextvars.Context:
    """The context of the callbacks that are turns."""
    return _NO_CONTEXT


def new_context() -> contextvars.Context:
    """A context with the values that are not the program's."""
    context = contextvars.copy_context()
    context.run(ambient.current_driver.set, current().loop)
    return context


NEVER_SAVED: set[contextvars.ContextVar[Any]] = set()  # context variables that belong to one life of an instance


def is_ours(variable: contextvars.ContextVar[Any]) -> bool:
    """Whether a context variable is one of this library's."""
    return variable.name.startswith(PREFIX)


def base_of(context: contextvars.Context, own: Collection[contextvars.ContextVar[Any]]) -> contextvars.Context:
    """What snapshots of an instance that begins in a context need not hold: its variables without the instance's ``own``.

    ``context`` itself if there are none. decimal's context is compared by what it was like.
    """
    if not own:
        return context
    base = contextvars.Context()
    for variable, value in context.items():
        if variable.name == DECIMAL:
            base.run(variable.set, value.copy())
        elif variable not in own:
            base.run(variable.set, value)
    return base


def reduce_context(context: contextvars.Context, base: contextvars.Context) -> Reduced:
    """The variables that differ from ``base``, the context in which the instance began."""
    if context is _NO_CONTEXT:
        return no_context, ()
    items, decimals = [], None
    for variable, value in context.items():
        known = base.get(variable, _NOTHING)
        if known is value or variable in NEVER_SAVED or is_ours(variable):
            continue
        if variable.name == DECIMAL:
            if repr(known) != repr(value):
                decimals = value
        else:
            items.append((variable, value))
    if not items and decimals is None:
        return new_context, ()
    return new_context, (), (items, decimals), None, None, fill_context


def fill_context(context: contextvars.Context, state: tuple[list[tuple[Any, Any]], Any]) -> None:
    """Give the new context its values, after all tokens were made."""
    later(_fill_context, context, state)


def _fill_context(context: contextvars.Context, state: tuple[list[tuple[Any, Any]], Any]) -> None:
    items, decimals = state
    for variable, value in items:
        context.run(variable.set, value)
    if decimals is not None:
        import decimal  # which the program uses: others need not load it

        context.run(decimal.setcontext, decimals)


def reduce_lone_context(context: contextvars.Context) -> Reduced:
    """A context with all its variables, where no instance is known."""
    return reduce_context(context, contextvars.Context())


TABLE: dict[type, Callable[[Any], Any]] = {contextvars.Context: reduce_lone_context}
