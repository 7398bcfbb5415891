"""What a fork of the process would harm: it comes to rest before, and starts over in the child.

A child has no threads but the one that forked, locks in whatever state they were, and connections that are its parent's as well.
Two connections of one process to one SQLite file know of each other: a child that opens the file while it has inherited an open
connection takes no lock, and its commits are lost when the parent closes the file. So files are closed before a fork.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

from ..log import logger

PATIENCE = 2.0  # seconds that a fork waits, in all, for what is being done


class Forking(Protocol):
    """``fork_rank``: those of lower rank use those of higher rank, and rest before them."""

    fork_rank: int

    def rest(self, seconds: float) -> None:
        """Begin nothing more until ``go_on``, and let go of what must not be inherited; wait no longer than that."""
        ...

    def go_on(self) -> None:
        """In the parent, whether it has come to rest or not."""
        ...

    def start_over(self) -> None:
        """In the child: nothing of before is to be used, or closed."""
        ...


class AtFork:
    """Calls something in the child, where nothing has to rest before; as long as this object lives."""

    fork_rank = 3

    def __init__(self, start_over: Callable[[], None]) -> None:
        self._start_over = weakref.WeakMethod(start_over)
        joins(self)

    def rest(self, seconds: float) -> None:
        """See ``Forking``."""

    def go_on(self) -> None:
        """See ``Forking``."""

    def start_over(self) -> None:
        """See ``Forking``."""
        start_over = self._start_over()
        if start_over is not None:
            start_over()


class Rest:
    """A lock that is taken for the time of a fork, if it can be had in time."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._has_lock = False

    def begin(self, seconds: float) -> bool:
        """Whether it could be had."""
        self._has_lock = self._lock.acquire(timeout=seconds)
        return self._has_lock

    def end(self) -> None:
        """Give it back."""
        if self._has_lock:
            self._has_lock = False
            self._lock.release()


_members: weakref.WeakSet[Forking] = weakref.WeakSet()
_lock = threading.Lock()  # of the members
_resting: list[Forking] = []
_inherited: list[object] = []


def joins(member: Forking) -> None:
    """It is told of each fork from now on."""
    with _lock:
        _members.add(member)


def keep(*inherited: object) -> None:
    """For the child: these stay as they are, also when it exits. To close them would harm the parent."""
    if not _inherited:
        import ctypes  # slow to import, and rarely needed

        ctypes.pythonapi.Py_IncRef(ctypes.py_object(_inherited))  # else they would go with the modules
    _inherited.extend(inherited)


def _rest() -> None:
    _lock.acquire()
    _resting[:] = sorted(_members, key=lambda member: member.fork_rank)
    deadline = time.monotonic() + PATIENCE
    for member in _resting:
        try:
            member.rest(max(deadline - time.monotonic(), 0.0))
        except Exception as error:  # the fork is made all the same
            logger.warning("%r did not come to rest before a fork: %r", member, error)


def _go_on() -> None:
    _lock.release()
    while _resting:
        _resting.pop().go_on()


def _start_over() -> None:
    _lock.release()
    while _resting:
        _resting.pop().start_over()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_rest, after_in_parent=_go_on, after_in_child=_start_over)
