"""The objects that a script has handed to the coroutine that it runs: arguments, captured variables, and what is in them.

The code that runs it has them too, in variables of its own, and looks at them when the coroutine has ended:

    def main():
        app = App()
        asyncio.run(app.run())
        print(app.done)

When a run is resumed, that code has made them again, and the coroutine has those of the snapshot. So they are kept under their
paths, and at the end those of today are given what has become of those.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from types import CellType, MethodType
from typing import Any

from ...frames.capture import capture, is_bound
from ...snapshot.module_data.borrowed import content_of_fillable, is_fillable
from ...snapshot.module_data.modules import content_of, fill, keeps_identity
from .records import Outcome
from .root import without_instance

_LEVELS = 3  # of objects in objects
_MOST = 200  # objects
_LARGE = 100  # items of a container: more are data

Handed = dict[str, Any]  # by paths such as ``self.state``


def handed_to(coroutine: Any) -> Handed:
    """What is handed to a coroutine that has not begun."""
    state = capture(coroutine)
    waiting = deque((name, value, _LEVELS) for name, value in (state.variables | state.cells).items())
    found: Handed = {}
    seen: dict[int, Any] = {}
    while waiting and len(found) < _MOST:
        path, value, levels = waiting.popleft()
        if id(value) in seen:
            continue
        seen[id(value)] = value
        if _content(value) is not None:
            found[path] = value
        if levels:
            waiting.extend((inner, each, levels - 1) for inner, each in _inside(path, value))
    return found


def handed_today(make: Callable[[], Any]) -> Handed:
    """What the code that resumes a run hands to it: ``make`` gives the coroutine."""
    fresh = without_instance(make)
    try:
        return handed_to(fresh)
    finally:
        fresh.close()


def give_back(outcome: Outcome, today: Handed) -> Outcome:
    """Let the objects of today be what those of the run have become, and be its result if one of those is."""
    pairs = [(outcome.handed[path], each) for path, each in today.items() if type(outcome.handed.get(path)) is type(each)]
    stands_for = {id(kept): each for kept, each in pairs}
    contents = [(each, _content(kept)) for kept, each in pairs if kept is not each]
    for each, content in contents:
        if content is not None:
            how, _, held = content
            fill(how, each, _replaced(held, stands_for))
    return replace(outcome, result=stands_for.get(id(outcome.result), outcome.result))


def _content(value: Any) -> tuple[str, Any, Any] | None:
    """How it is filled, and with what."""
    if type(value) is CellType:
        return ("cell", value, value.cell_contents) if is_bound(value) else None
    if keeps_identity(value):
        return content_of(value, rebound=False)
    return content_of_fillable(value) if is_fillable(value) else None


def _inside(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, MethodType):
        yield f"{path}.__self__", value.__self__
    elif isinstance(value, partial):
        yield f"{path}.func", value.func
        yield from ((f"{path}.{number}", each) for number, each in enumerate(value.args))
        yield from ((f"{path}.{name}", each) for name, each in value.keywords.items())
    elif type(value) is CellType:
        if is_bound(value):
            yield f"{path}.cell", value.cell_contents
    elif isinstance(value, (list, tuple, dict)):
        if len(value) <= _LARGE:
            items = value.items() if isinstance(value, dict) else enumerate(value)
            yield from ((f"{path}[{key!r}]", each) for key, each in items if type(key) in (str, int))
    elif keeps_identity(value) or is_fillable(value):
        yield from ((f"{path}.{name}", each) for name, each in getattr(value, "__dict__", {}).items())
    else:
        owner = getattr(value, "__self__", None)  # of a method that is written in C
        if owner is not None and type(owner) in (list, dict, set, deque):
            yield f"{path}.__self__", owner


def _replaced(held: Any, stands_for: dict[int, Any]) -> Any:
    """Contents, with the objects of today in place of those that they stand for."""
    if isinstance(held, dict):
        return {key: stands_for.get(id(value), value) for key, value in held.items()}
    if type(held) is list:
        return [_replaced(each, stands_for) if type(each) is tuple else stands_for.get(id(each), each) for each in held]
    if type(held) is tuple:
        return tuple(_replaced(each, stands_for) if type(each) is dict else stands_for.get(id(each), each) for each in held)
    return stands_for.get(id(held), held)
