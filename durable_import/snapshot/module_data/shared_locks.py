"""Locks and semaphores in what stands at module level: ``LOCKS[key]``, an attribute of what a list holds, and the like.

Each process makes them again, some only when they are first asked for: so such a lock is saved as the way to it, with what it is
made with if nothing is there. A lock that is found is known for as long as it lives; the others belong to those who have them.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any
from weakref import WeakValueDictionary

from ...aio.taking import OUT
from ...holds.kinds import is_of_library
from ...log import logger
from ...pythons.classes import ByClass
from ...pythons.tasks import LoopBound

LOCKS = (asyncio.Lock, asyncio.Semaphore, asyncio.Condition)  # a queue or an event is more than a name
# "item" or "attribute", which, and how a lock is made that is not there: class and arguments, or None
Step = tuple[str, Any, Any]
_DEEP = 3
_SAMPLE = 8  # the first parts of a holder, which say what the others are
_MOST = 2000  # parts of holders inside of holders that are looked at for one lock

_orphans: WeakValueDictionary[Any, Any] = WeakValueDictionary()  # by way


def is_holder(value: Any) -> bool:
    """Whether what stands at module level may have locks in it."""
    if isinstance(value, type):
        return not is_of_library(value.__module__)
    kind = type(value)
    known = _holders.get(kind)
    return known if known is not None else _holders.keep(kind, _is_holder(value))


_holders: ByClass[bool] = ByClass()


def _is_holder(value: Any) -> bool:
    if isinstance(value, (dict, list, tuple, WeakValueDictionary, asyncio.Condition)):
        return True
    if isinstance(value, (FunctionType, ModuleType)) or not isinstance(getattr(value, "__dict__", None), dict):
        return False
    return not is_of_library(type(value).__module__)


def find_steps(lock: Any, holder: Any) -> tuple[Step, ...] | None:
    """The way from a holder to a lock; None if there is none."""
    return _find(lock, holder, _DEEP, [_MOST])


def _find(lock: Any, holder: Any, depth: int, budget: list[int]) -> tuple[Step, ...] | None:
    if not any(isinstance(value, LOCKS) or (depth > 1 and is_holder(value)) for value in _sample(holder)):
        return None
    for kind, key, value in _parts(holder):
        if value is lock:
            return ((kind, key, _making(value)),)
    for kind, key, value in _parts(holder) if depth > 1 else ():
        if not is_holder(value):
            continue
        budget[0] -= 1
        if budget[0] < 0:
            return None
        found = _find(lock, value, depth - 1, budget)
        if found is not None:
            return (kind, key, _making(value)), *found
    return None


def _sample(holder: Any) -> list[Any]:
    """Some of its values, without a copy of what may be large."""
    if isinstance(holder, (list, tuple)):
        return list(holder[:_SAMPLE])
    values = holder.values() if isinstance(holder, (dict, WeakValueDictionary)) else vars(holder).values()
    return list(itertools.islice(values, _SAMPLE if isinstance(holder, dict) else _MOST))


def _parts(holder: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(holder, (dict, WeakValueDictionary)):
        yield from (("item", key, value) for key, value in list(holder.items()))
    elif isinstance(holder, (list, tuple)):
        yield from (("item", place, value) for place, value in enumerate(holder))
    else:
        yield from (("attribute", key, value) for key, value in list(vars(holder).items()) if not key.startswith("__"))


def _making(value: Any) -> tuple[Any, tuple[Any, ...]] | None:
    kind = type(value)
    if kind in (asyncio.Lock, asyncio.Condition):
        return kind, ()
    if kind is asyncio.Semaphore:
        return kind, (value._value + max(vars(value).get(OUT, 0), 0),)
    return (kind, (value._bound_value,)) if kind is asyncio.BoundedSemaphore else None


def follow(found: Any, steps: tuple[Step, ...], where: tuple[str, str]) -> Any:
    """What a way leads to today. Where nothing is there yet, what is made is put there."""
    for place, (kind, key, making) in enumerate(steps):
        if kind == "attribute":
            found = getattr(found, key)
            continue
        try:
            found = found[key]
        except LookupError:
            if making is None or not isinstance(found, (dict, WeakValueDictionary)):
                return _orphan(steps[place:], (*where, repr(steps)), steps[-1][2])
            found = found.setdefault(key, making[0](*making[1]))
    return found


def _orphan(missing: tuple[Step, ...], way: tuple[str, ...], making: tuple[Any, tuple[Any, ...]] | None) -> Any:
    """A lock for those who knew the one that was there: the module makes its own when it is asked for it."""
    found = _orphans.get(way)
    if found is None and making is not None:
        found = _orphans[way] = making[0](*making[1])
        logger.warning(
            "%s of module %s has no %r in this process yet: instances that go on share a new %s, which those that begin do not "
            "know. Make it when the module is imported, or keep the lock itself in a dict",
            way[1], way[0], missing[0][1], type(found).__name__,
        )  # fmt: skip
    if not isinstance(found, LoopBound):
        raise LookupError(f"there is no {missing[0][1]!r} in {way[1]} of module {way[0]} in this process: make it on import")
    return found
