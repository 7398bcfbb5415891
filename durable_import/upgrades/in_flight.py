"""What frames of earlier versions have in flight: the calls and tasks that they had made, or held, when they were saved.

These were made by code of then, though perhaps before anything had changed: what was passed on in them is saved by its name. So
functions in the arguments of such a call, and in the variables of asyncio's own frames that wait for it, are to be those of then,
and frames of the program among them are pinned.

Looked at is what a frame awaits, and what its variables hold: coroutines, tasks that its own task has made, futures, containers
of these, objects of asyncio's own classes (a TaskGroup). Not looked at are other objects: they may be of anybody.
"""

from __future__ import annotations

import functools
import gc
from collections import deque
from collections.abc import Iterable, Iterator
from types import CellType, FunctionType
from typing import Any

from ..aio.awaited import future_behind
from ..aio.executors import ExecutorCall
from ..aio.task import DurableTask
from ..aio.task_iterators import Driven
from ..aio.worker_threads import WorkerCall
from ..frames.awaiting import COROUTINE_WRAPPER, Awaiting, coroutine_behind
from ..frames.capture import CREATED, FRAME_TYPES, chain, frame_behind, is_bound, parts_of, variables_in
from ..frames.step import Step
from ..hook.code_table import MODULES, CodeInfo, info_of
from ..pythons.tasks import FUTURES
from ..rewrite.analysis.names import STATE
from ..rewrite.analysis.places import without_number
from .policies import is_never_pinned
from .then import own
from .versions import known_version

SEQUENCES = (list, tuple, set, frozenset, deque)
LEAVES = (str, bytes, int, float, bool, type(None))


def frames_in_flight(pinned: Iterable[tuple[Any, str]], tasks: Iterable[DurableTask]) -> Iterator[tuple[Any, str]]:
    """The frames and calls that frames of earlier versions have in flight, with the version; ``tasks``: all that were read."""
    alive = [task for task in tasks if not task.done()]
    owners = {id(frame): task for task in alive for frame in chain(frame_behind(task.root))}
    seen: set[int] = set()
    for frame, version in pinned:
        waiting = [(each, owners.get(id(frame))) for each in _held(frame)]
        while waiting:
            value, owner = waiting.pop()
            if isinstance(value, LEAVES) or id(value) in seen:
                continue
            seen.add(id(value))
            value = _behind(value)
            if isinstance(value, FRAME_TYPES):
                seen.add(id(value))
                info = info_of(parts_of(value).code)
                if info is not None and not info.module.is_library and not _is_of(version, info):
                    continue
                yield value, version
                waiting += [(each, owner) for each in _held(value)]
            elif type(value) is DurableTask:
                if owner is not None and not value.done() and value.path.rpartition(".")[0] == owner.path:
                    waiting.append((value.root, value))
            else:
                waiting += [(each, owner) for each in _parts(value)]


def _is_of(version: str, info: CodeInfo) -> bool:
    """Whether a function of today is one that the version has, and may be pinned to it."""
    if info.module.version or is_never_pinned(info):
        return False
    module = known_version(version).module(info.module.name)
    among = module.namesakes.get(without_number(info.place), []) if module is not None else []
    return any(each.digest == info.digest for each in among)


def _held(frame: Any) -> list[Any]:
    """What the variables of a restored frame hold, captured ones too; of calls that are made again nothing."""
    parts = parts_of(frame)
    restored = variables_in(parts.frame).get(STATE) if parts.frame is not None and parts.state == CREATED else None
    return [*restored.values(), *(each for each in gc.get_referents(frame) if type(each) is CellType)] if restored else []


def _behind(value: Any) -> Any:
    """What is behind what awaits it."""
    kind = type(value)
    if kind is Step:
        return _behind(value.iterator or value.awaitable)
    if kind is Awaiting:
        return _behind(value.iterator)
    if kind is COROUTINE_WRAPPER:
        return coroutine_behind(value)
    if kind is Driven:
        return value.coroutine
    return frame_behind(value) or future_behind(value) or value


def _parts(value: Any) -> Iterable[Any]:
    kind = type(value)
    if kind in SEQUENCES:
        return value  # type: ignore[no-any-return]
    if kind is dict:
        return value.values()  # type: ignore[no-any-return]
    if kind is CellType:
        return [value.cell_contents] if is_bound(value) else []
    if isinstance(value, FUTURES):
        callbacks = [] if value.done() else [_captured(callback) for callback, _ in value._callbacks or ()]
        held: Any = object.__getstate__(value)  # its attributes: those of asyncio's own class show no ``__dict__``
        return [*(held.values() if type(held) is dict else ()), *callbacks]
    return vars(value).values() if _is_of_asyncio(kind) and hasattr(value, "__dict__") else ()


def _is_of_asyncio(value: type | FunctionType) -> bool:
    known = MODULES.get(value.__module__) if isinstance(value.__module__, str) else None
    return known is not None and known.is_library


def _captured(callback: Any) -> list[Any]:
    """What a function of asyncio's own, that is called when a future is done, holds."""
    if isinstance(callback, functools.partial):
        return [_captured(callback.func), callback.args]
    return list(callback.__closure__ or ()) if isinstance(callback, FunctionType) and _is_of_asyncio(callback) else []


def own_call(
    version: str, function: Any, positional: list[Any], keywords: dict[str, Any]
) -> tuple[Any, list[Any], dict[str, Any]]:
    """A call as code of the version makes it: the function, and its arguments."""
    for call in positional:
        while isinstance(call, (ExecutorCall, WorkerCall)):
            call.function = own(version, call.function)
            call.arguments = tuple(own(version, each) for each in call.arguments)
            call = call.function
    passed = [own(version, each) for each in positional], {name: own(version, each) for name, each in keywords.items()}
    return own(version, function), *passed


def own_variables(version: str, variables: dict[str, Any]) -> None:
    """The same for one of asyncio's own frames: its variables have the arguments of its call."""
    variables.update([(name, own(version, value)) for name, value in variables.items()])
