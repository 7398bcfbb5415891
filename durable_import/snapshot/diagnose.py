"""Finds which object inside a variable cannot be saved, and the shortest way to it.

Breadth first over the objects that fail to be saved, so the first culprit found is a nearest one. Each object is looked
at once; among many children the failing ones are found by halving, so a list of n good items costs one trial.
"""

from __future__ import annotations

import asyncio
import io
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pickle import PicklingError
from types import CellType, FunctionType, MethodType
from typing import Any, NamedTuple

from ..aio.task import DurableTask
from ..frames.capture import FRAME_TYPES, capture, contents_of, parts_of, variables_in
from ..frames.counted_exit import CountedExit
from ..frames.restart import parameters_of
from ..holds.in_use import in_use, is_unfinished
from ..holds.kinds import advice_for, kind_of, type_name
from ..holds.refused import Refused
from ..holds.spent import let_go_of_spent
from ..holds.table import Kind
from ..rewrite.analysis.names import is_hidden
from .frame_places import readable
from .table import TABLE, reduce_by_kind
from .with_blocks.blocks import readable_names

WAY_OUT = (
    "Keep plain values of it in place of the object, let go of it (`del`) before the next await, keep it at module level, or "
    "make, use and close it in one plain function called with asyncio.to_thread. A client or a connection that can be opened "
    "again is made known by durable_import.reopenable(...); a class of yours is saved by its __getstate__."
)
WAY_OUT_OF_ITERATOR = "Go through list(...) of it, or write it as a generator in a module with `# durable: on`."
WAY_OUT_OF_HELPER = (
    "What has it works in the background: durable_import.reopenable(its class, setup=what starts it) lets it be made and started "
    "again. Or stop it before the next await, or write it in a module with `# durable: on`."
)
_IN_BACKGROUND = (asyncio.Handle, asyncio.Future, threading.Thread)
_MOST_FOLLOWED = 8  # failing children of one object
_MOST_LOOKED_AT = 2_000  # objects in all
_SHORT = 40  # characters of a key's repr

Dumps = Callable[[Any], object]
Child = tuple[str, Any]


@dataclass(frozen=True)
class Culprit:
    """What cannot be saved: ``path`` from the variable's name on, ``type_name``, ``reason``, and what to do."""

    path: str
    type_name: str
    reason: str
    way_out: str = WAY_OUT
    value: Any = field(default=None, compare=False, repr=False)  # itself


def find_culprit(
    variables: Mapping[str, Any],
    dumps: Dumps,
    refusing: Callable[[Any], object] | None = None,
    saved_of: Callable[[str, Any], list[Child] | None] = lambda *_: None,
) -> Culprit | None:
    """The nearest object that ``dumps`` fails for though it can save everything inside it.

    ``dumps`` is called many times and must not keep anything. ``refusing`` raises for what it does not take, whatever is in it.
    ``saved_of`` gives, of an object at a path, what of it is saved, if that is not what is in it.
    None means that each variable can be saved alone, or leads to a task with frames, which are to be looked at by themselves. Of
    what an object without visible contents is saved by, the path does not speak.
    """
    queue = deque(_Found(path, obj, error) for path, obj, error in _failing(list(variables.items()), dumps))
    seen: dict[int, Any] = {}  # the objects too: some are made on the way, and an id must not be used again
    fallback: Culprit | None = None
    while queue and len(seen) < _MOST_LOOKED_AT:
        path, obj, error, is_hidden = queue.popleft()
        if id(obj) in seen:
            continue
        seen[id(obj)] = obj
        if type(obj) is DurableTask and obj.stack():
            continue
        if isinstance(error, RecursionError):
            return Culprit(path, type_name(obj), "it is nested too deeply")
        use = in_use(obj) if kind_of(obj) is Kind.REOPENABLE else ""
        if use:
            return Culprit(path, type_name(obj), use, way_out_of(obj, error), obj)
        is_taken = not _is_refused(obj, error, refusing)
        saved = saved_of(path, obj)
        children = saved if saved is not None else list(contents(path, obj)) if is_taken else []
        if is_taken and not children:
            children, is_hidden = [(path, part) for part in _reduced(obj)], True
        failing = _failing(children, dumps)
        if not failing:
            return _culprit(path, obj, error)
        fresh = [
            _Found(path if is_hidden else inner, child, why, is_hidden) for inner, child, why in failing if id(child) not in seen
        ]
        if not fresh and fallback is None:  # it only leads back to where we came from
            fallback = Culprit(path, type_name(obj), _reason(error))
        queue.extend(fresh)
    return fallback


def _culprit(path: str, obj: Any, error: Exception) -> Culprit:
    if type(obj) is not CountedExit:
        is_of_helper = "." in path and isinstance(obj, _IN_BACKGROUND)
        way_out = WAY_OUT_OF_HELPER if is_of_helper else way_out_of(obj, error)
        return Culprit(path, type_name(obj), _reason(error), way_out, obj)
    manager = getattr(obj.leave, "__self__", obj.leave)
    return Culprit(path, type_name(manager), "its block is open", way_out_of(manager), manager)


class _Found(NamedTuple):
    """An object that cannot be saved; ``is_hidden``: the path is that of an object which it is in, as a person would write it."""

    path: str
    obj: Any
    error: Exception
    is_hidden: bool = False


def way_out_of(obj: Any, error: Exception | None = None) -> str:
    """What to do about an object that cannot be saved."""
    if isinstance(error, Refused):
        return error.way_out
    advice = advice_for(obj)
    if advice and (kind_of(obj) is not Kind.REOPENABLE or in_use(obj)):  # it holds because something is open in it
        return f"{advice[:1].upper()}{advice[1:]}."
    return WAY_OUT_OF_ITERATOR if isinstance(obj, Iterator) and not isinstance(obj, io.IOBase) else WAY_OUT


def _failing(children: list[Child], dumps: Dumps) -> list[tuple[str, Any, Exception]]:
    """The children that cannot be saved, with their errors; at most a few."""
    found: list[tuple[str, Any, Exception]] = []
    pending = [children] if children else []
    while pending and len(found) < _MOST_FOLLOWED:
        group = pending.pop()
        error = _error(dumps, group[0][1] if len(group) == 1 else [value for _, value in group])
        if error is None:
            continue
        if len(group) == 1:
            found.append((*group[0], error))
        else:
            half = len(group) // 2
            pending += [group[half:], group[:half]]
    return found


def _error(dumps: Dumps, value: Any) -> Exception | None:
    try:
        dumps(value)
    except Exception as error:  # whatever a reduce method raises is the answer
        return error
    return None


def _is_refused(obj: Any, error: Exception, refusing: Callable[[Any], object] | None) -> bool:
    """Whether a reducer does not take the object itself, whatever is in it."""
    try:
        if refusing is not None:
            refusing(obj)
        TABLE.get(type(obj), reduce_by_kind)(obj)
    except Exception as refusal:  # the same that ``dumps`` has raised, or another
        return str(refusal) == str(error)
    return False


def contents(path: str, obj: Any) -> Iterator[Child]:
    """What is inside, labelled as a person would write it."""
    if isinstance(obj, type):
        return
    if type(obj) is CountedExit:  # the rest is not of the program
        yield path, obj.leave
        return
    if isinstance(obj, dict):
        for key, value in list(obj.items()):
            yield f"{path}[{_short(key)}]", value
            yield f"the key {_short(key)} of {path}", key
    elif isinstance(obj, list | tuple | deque):
        yield from ((f"{path}[{i}]", value) for i, value in enumerate(obj))
    elif isinstance(obj, set | frozenset):
        yield from ((f"{path}{{{_short(value)}}}", value) for value in list(obj))
    yield from _of_function(path, obj)
    yield from _of_frame(path, obj)
    yield from _of_exception(path, obj)
    yield from _attributes(path, obj)


def _of_function(path: str, obj: Any) -> Iterator[Child]:
    if isinstance(obj, FunctionType):
        for name, cell in zip(obj.__code__.co_freevars, obj.__closure__ or (), strict=True):
            yield f"{path}.<closure>.{name}", cell
        yield from ((f"{path}.__defaults__[{i}]", value) for i, value in enumerate(obj.__defaults__ or ()))
        yield from ((f"{path}.__kwdefaults__[{k!r}]", value) for k, value in (obj.__kwdefaults__ or {}).items())
    elif isinstance(obj, MethodType):
        yield f"{path}.__self__", obj.__self__
        if getattr(type(obj.__self__), obj.__func__.__name__, None) is not obj.__func__:  # else it is found there
            yield f"{path}.__func__", obj.__func__
    elif isinstance(obj, partial):
        yield f"{path}.func", obj.func
        yield from ((f"{path}.args[{i}]", value) for i, value in enumerate(obj.args))
        yield from ((f"{path}.keywords[{k!r}]", value) for k, value in obj.keywords.items())
    elif isinstance(obj, CellType):
        try:
            yield path, obj.cell_contents
        except ValueError:  # an empty cell
            return


def _of_frame(path: str, obj: Any) -> Iterator[Child]:
    """The variables of a suspended coroutine or generator; of foreign code, what it was called with."""
    if not isinstance(obj, FRAME_TYPES):
        return
    try:
        state = capture(obj)
    except PicklingError:
        parts = parts_of(obj)
        names = variables_in(parts.frame) if parts.frame is not None else {}
        yield from ((f"{path}.{name}", names[name]) for name in parameters_of(parts.code) if name in names)
        return
    let_go_of_spent(state)
    live = readable_names(state)
    for name, value in (state.variables | contents_of(state.cells)).items():
        if name in live or is_unfinished(value):
            yield f"{path}.{readable(state, name) if is_hidden(name) else name}", value


def _of_exception(path: str, obj: Any) -> Iterator[Child]:
    if isinstance(obj, BaseException):
        yield from ((f"{path}.args[{i}]", value) for i, value in enumerate(obj.args))
        yield f"{path}.__cause__", obj.__cause__
        yield f"{path}.__context__", obj.__context__


def _attributes(path: str, obj: Any) -> Iterator[Child]:
    attributes = getattr(obj, "__dict__", None)
    if isinstance(attributes, dict):
        yield from ((f"{path}.{name}", value) for name, value in list(attributes.items()))
    for cls in type(obj).__mro__:
        slots = vars(cls).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots):
            mangled = f"_{cls.__name__.lstrip('_')}{name}" if name.startswith("__") and name[-2:] != "__" else name
            if name not in ("__dict__", "__weakref__") and hasattr(obj, mangled):
                yield f"{path}.{mangled}", getattr(obj, mangled)


def _reduced(obj: Any) -> Iterator[Any]:
    """Of an object without visible contents: what it is saved by."""
    reducer = TABLE.get(type(obj), reduce_by_kind)
    try:
        reduced = reducer(obj)
        if reduced is NotImplemented:
            reduced = obj.__reduce_ex__(5)
    except Exception:  # it cannot even begin to be saved: it is a culprit, and why is known already
        return
    if isinstance(reduced, tuple):
        yield from (value for value in _flat(reduced[1:3]) if value is not obj)


def _flat(parts: Iterable[Any]) -> Iterator[Any]:
    for part in parts:
        if isinstance(part, tuple):
            yield from _flat(part)
        elif part is not None:
            yield part


def _short(key: Any) -> str:
    try:
        text = repr(key)
    except Exception as error:  # a user's __repr__ must not hide the culprit
        text = f"<{type(key).__name__} whose repr raises {type(error).__name__}>"
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 3]}..."


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0]
