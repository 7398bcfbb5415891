"""Reducers for asyncio's primitives (locks, queues, events) with the instance's futures that wait for them.

Waiters that are not the instance's belong to steps in flight, which run again.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ...aio.loop import InstanceLoop
from ...aio.taking import OUT

Reduced = tuple[Any, ...] | str


_BOUND_BASES: tuple[type[Any], ...] = (
    asyncio.Queue, asyncio.Lock, asyncio.Event, asyncio.Condition, asyncio.BoundedSemaphore, asyncio.Semaphore,
    asyncio.Barrier,
)  # fmt: skip
_OWN_WAYS = ("__reduce__", "__reduce_ex__", "__getstate__")
_WAITING = ("_waiters", "_getters", "_putters")


def reduce_bound(primitive: Any) -> Any:
    """asyncio's Lock, Event, Queue, ... and their subclasses, with the futures that wait for them."""
    cls = type(primitive)
    base = next((b for b in cls.__mro__ if b in _BOUND_BASES), None)
    if base is None or any(name in vars(b) for b in cls.__mro__[:-1] for name in _OWN_WAYS):
        return NotImplemented
    if issubclass(cls, asyncio.Condition):
        return restore_condition, (cls, primitive._lock), bound_state(primitive), None, None, fill_bound
    return restore_bound, (cls, base), bound_state(primitive), None, None, fill_bound


def bound_state(primitive: Any) -> dict[str, Any]:
    """The attributes of a primitive, without its loop and without waiters of the process."""
    attributes = {name: value for name, value in vars(primitive).items() if name not in ("_loop", OUT)}
    for name in _WAITING:
        waiters = attributes.get(name)
        if waiters:
            attributes[name] = type(waiters)(w for w in waiters if type(w.get_loop()) is InstanceLoop)
    if isinstance(primitive, asyncio.Condition):
        for name in ("locked", "acquire", "release"):
            attributes.pop(name, None)
    return attributes


def restore_bound(cls: type[Any], base: type[Any]) -> Any:
    """A new primitive of ``cls``, initialised by the standard library's ``base`` only."""
    made = object.__new__(cls)
    if base is asyncio.Barrier:
        base.__init__(made, 1)
    else:
        base.__init__(made)
    return made


def restore_condition(cls: type[Any], lock: asyncio.Lock) -> Any:
    """A condition over ``lock``, whose methods it borrows."""
    made = object.__new__(cls)
    asyncio.Condition.__init__(made, lock)
    return made


def fill_bound(primitive: Any, attributes: dict[str, Any]) -> None:
    """What the primitive held; attributes that only another Python version has stay as they are."""
    if "_lock" in attributes and isinstance(primitive, asyncio.Condition):  # its module has made it, with another lock
        asyncio.Condition.__init__(primitive, attributes["_lock"])
    primitive.__dict__.update(attributes)
