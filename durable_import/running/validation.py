"""Mistakes of callers that would show later, and elsewhere: they are told at once."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Mapping
from typing import Any

from ..errors import DurableError
from ..frames.capture import FRAME_TYPES, parts_of
from ..hook.live_code import stands_in_file
from ..hook.marker import file_is_marked
from ..tags import checked_tags


def check_id(instance_id: Any) -> None:
    """Raise TypeError or ValueError for what is no name of an instance."""
    if not isinstance(instance_id, str):
        raise TypeError(f"an instance id is a str, not {_told(instance_id)}: give str(...) of it")
    if not instance_id:
        raise ValueError("the instance id is empty: choose one, or give None for a random one")


def check_tags(tags: Any) -> tuple[tuple[str, str], ...]:
    """Tags as they are kept. Raises TypeError for what are no texts by names, ValueError for those that cannot be."""
    if not isinstance(tags, Mapping):
        raise TypeError(f"tags are texts by names, such as {{'customer': 'c1'}}, not {_told(tags)}")
    return tuple(checked_tags(tags).items())


def check_event(name: Any) -> None:
    """Raise TypeError for what is no name of an event."""
    if not isinstance(name, str):
        raise TypeError(f"the name of an event is a str, not {_told(name)}")


def check_function(function: Any) -> None:
    """Raise TypeError for a call that was made already, and for what cannot be called."""
    if inspect.isawaitable(function):
        if inspect.iscoroutine(function):
            function.close()
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(
            f"an instance is made of a function and its arguments, and {name} was called already: give run(function, argument, "
            "...), not run(function(argument, ...))"
        )
    if not callable(function):
        raise TypeError(f"an instance is made of a function and its arguments, not of {_told(function)}")


def check_seconds(least: float = 0.0, **options: Any) -> None:
    """Raise TypeError or ValueError for options that are no number of seconds above ``least``, and not None."""
    for name, value in options.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"{name} is a number of seconds, not {_told(value)}")
        if math.isnan(value) or value < least:
            raise ValueError(f"{name} is {value!r}: it has to be at least {least:g} seconds")


def check_loop(host: asyncio.AbstractEventLoop | None) -> None:
    """Raise DurableError in another event loop than the one that a runtime lives in, while that runs."""
    if host is not None and host is not asyncio.get_running_loop() and host.is_running():
        raise DurableError(
            "this runtime lives in another event loop, which runs in another thread: hand the call over with "
            "asyncio.run_coroutine_threadsafe(call, loop), or open a runtime of this loop's own over the same store"
        )


def why_not_durable(made: Any) -> str:
    """What a call gave that made no durable coroutine, why that is none, and the way out."""
    if not isinstance(made, FRAME_TYPES):
        return f"{type(made).__name__!r}, not a coroutine of durable code. Write it with `async def`, in a marked module"
    parts = parts_of(made)
    code, namespace = parts.code, parts.frame.f_globals if parts.frame is not None else {}
    where = f"{code.co_filename}:{code.co_firstlineno}"
    gave = f"a {type(made).__name__} of {code.co_qualname} ({where}), which is not durable code. "
    if not stands_in_file(code.co_filename, namespace):
        return gave + (
            "It was typed in, at a prompt or in a notebook, or made by exec: no later process could find its source. Put it into "
            "a module that begins with `# durable: on`, and import that after durable_import.install()"
        )
    if not _is_marked(code.co_filename):
        return gave + (
            "Put the comment `# durable: on` at the top of that file (and install() before it is imported), or wrap the "
            "function with make_durable(). If it is a decorator's, let an async function of a marked module call the decorated "
            "one: then that is one step"
        )
    if namespace.get("__name__") == "__main__":
        return gave + (
            "The file is marked, but a script that Python runs itself is not rewritten: run it by `python -m durable_import "
            "run`, or move the function to a module that the script imports"
        )
    return gave + "The file is marked, but was imported before durable_import.install(): call that first in your program"


def _is_marked(filename: str) -> bool:
    try:
        return file_is_marked(filename)
    except OSError:  # code of exec, of an archive
        return False


def _told(value: Any) -> str:
    return f"{value!r:.80} ({type(value).__name__})" if value is not None else "None"
