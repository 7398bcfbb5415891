"""The step that foreign code belongs to, as that code sees it: its key, and the ids of what it sets going."""

from __future__ import annotations

import itertools
from contextvars import ContextVar
from typing import Any, Protocol


class AskedLoop(Protocol):
    """What a running step needs of the loop of its instance."""

    def is_asked_inside(self) -> None:
        """Foreign code has asked for the key of a step whose call is not committed yet."""
        ...


class AskingCall(Protocol):
    """What is known of calls like that of a step, and remembered."""

    def has_asked(self) -> None:
        """It has asked for its key."""
        ...


class RunningStep:
    """A step from its beginning to its end; tasks and threads that its code begins have the same one.

    ``run_name`` is what all keys of this run of the instance begin with. ``is_kept``: whether the call was committed before it
    began, so that it is made again with the same arguments.
    """

    __slots__ = ("_ids", "_loop", "call", "has_waited", "is_kept", "key", "run_name")

    def __init__(
        self, key: str, run_name: str, loop: AskedLoop | None = None, call: AskingCall | None = None, is_kept: bool = True
    ) -> None:
        self.key = key
        self.run_name = run_name
        self.call = call
        self.is_kept = is_kept
        self.has_waited = False  # for anything
        self._loop = loop
        self._ids = itertools.count()

    def ask(self) -> str:
        """Its key, for those who tell others."""
        if not self.is_kept:
            self.is_kept = True
            if self.call is not None:
                self.call.has_asked()
            if self._loop is not None:
                self._loop.is_asked_inside()
        return self.key

    def take_id(self) -> str:
        """A key for the next thing that it sets going, the same when the step runs again and comes to it."""
        number = next(self._ids)
        return f"{self.ask()}+{number}" if number else self.ask()

    def __reduce__(self) -> tuple[Any, ...]:
        return RunningStep, (self.key, self.run_name)  # in a process pool


running_step: ContextVar[RunningStep | None] = ContextVar("durable_import.running_step", default=None)
