"""Coroutines and generators of code that is not rewritten: one that has not begun is saved as the call that made it."""

from __future__ import annotations

import pickle
from typing import Any

from ...aio.wait_again import wait_again
from ...frames.capture import CREATED, FRAME_TYPES, SUSPENDED, parts_of, variables_in
from ...frames.restart import arguments_of
from ..definitions.foreign_functions import function_of
from ..load_context import current

Reduced = tuple[Any, ...]


def reduce_foreign_frame(value: Any, *, in_flight: bool = False) -> Reduced:
    """A coroutine or generator of foreign code that has not begun: the call that made it.

    Also of one that has, if it is the step ``in_flight``: it runs again, with what its parameters hold now.
    Raises ``pickle.PicklingError`` for others.
    """
    parts = parts_of(value)
    function = function_of(value)
    state = (CREATED, SUSPENDED) if in_flight else (CREATED,)
    if parts.state not in state or function is None or parts.frame is None:
        raise pickle.PicklingError(
            f"a {type(value).__name__} of {parts.code.co_qualname!r} "
            f"({parts.code.co_filename}:{parts.code.co_firstlineno}), which is not durable code, has begun: mark its module "
            "with `# durable: on`, or name it in durable_import.install(modules=[...])"
        )
    return begin_call, (function, *arguments_of(parts.code, variables_in(parts.frame)))


def begin_call(function: Any, positional: list[Any], keywords: dict[str, Any]) -> Any:
    """Make the coroutine or generator again; what code of an earlier version has called, as that calls it."""
    context = current()
    version = context.pins.get(len(context.frames))
    if version is not None:
        from ...upgrades.in_flight import own_call

        function, positional, keywords = own_call(version, function, positional, keywords)
    made = function(*positional, **keywords)
    if isinstance(made, FRAME_TYPES):
        context.made(made)
    return made


def reduce_wait(coroutine: Any) -> Reduced:
    """A method of one of asyncio's primitives that waits: it is called again, of the primitive that the module makes."""
    names = variables_in(coroutine.cr_frame)
    code = coroutine.cr_code
    future = next((names[name] for name in ("fut", "getter", "putter") if name in names), None)
    was_woken = future is not None and future.done() and not future.cancelled()
    arguments = {name: names[name] for name in code.co_varnames[1 : code.co_argcount]}
    return begin_call, (wait_again, [names["self"], code.co_name, arguments, was_woken], {})
