"""The step that foreign code belongs to, as that code sees it: its key, and the ids of what it sets going."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Protocol


class AskedLoop(Protocol):
    """What a running step needs of the loop of its instance; ``run_name``: what all keys of this run of it begin with."""

    @property
    def run_name(self) -> str: ...

    def is_asked_inside(self, step: RunningStep) -> None:
        """Foreign code has asked for the key of a step whose call is not committed yet."""
        ...


class AskingCall(Protocol):
    """What is known of calls like that of a step, and remembered."""

    condition: Any  # on which it asks: of calls of ours, which are the step itself

    def has_asked(self) -> None:
        """It has asked for its key."""
        ...


class RunningStep:
    """A step from its beginning to its end; tasks and threads that its code begins have the same one.

    ``place``: what its key ends with, two parts, put together when they are asked for. ``is_kept``: whether the call was
    committed before it began, so that it is made again with the same arguments. ``attempt``: how often it has begun.
    """

    __slots__ = ("_loop", "_place", "_taken", "attempt", "call", "has_ended", "has_waited", "is_kept", "scope")

    def __init__(
        self,
        loop: AskedLoop,
        place: tuple[str, Any],
        call: AskingCall | None = None,
        is_kept: bool = True,
        attempt: int = 1,
    ) -> None:
        self._loop = loop
        self._place = place
        self._taken: dict[bytes, int] = {}  # how often for each content
        self.attempt = attempt
        self.call = call
        self.is_kept = is_kept
        self.scope: Any = None  # of anyio, in which it began: see ``foreign_scopes``
        self.has_waited = False  # for anything
        self.has_ended = False

    @property
    def key(self) -> str:
        """See ``step_key``."""
        path, number = self._place
        return f"{self._loop.run_name}/{path}/{number}"

    @property
    def run_name(self) -> str:
        """What all keys of this run of the instance begin with."""
        return self._loop.run_name

    def ask(self) -> str:
        """Its key, for those who tell others."""
        if not self.is_kept:
            self.is_kept = True
            if self.call is not None:
                self.call.has_asked()
            self._loop.is_asked_inside(self)
        return self.key

    @property
    def is_ours(self) -> bool:
        """Whether it is a call of ours that sets something going, not other code that makes such calls."""
        return self.call is not None and self.call.condition is not None

    def take_key(self, content: bytes = b"") -> tuple[str, bytes, int]:
        """A key for what it sets going now, the same when the step runs again and comes to it. ``content`` tells what that is
        from others that it sets going: when it runs again these may be other ones."""
        number = self._taken.get(content, 0)
        self._taken[content] = number + 1
        return self.ask(), content, number

    def __reduce__(self) -> tuple[Any, ...]:
        return RunningStep, (_Elsewhere(self.run_name), self._place, None, True, self.attempt)


class _Elsewhere:
    """What stands for the loop in a process of a pool."""

    def __init__(self, run_name: str) -> None:
        self.run_name = run_name

    def is_asked_inside(self, step: RunningStep) -> None:
        """Nothing is committed there."""


running_step: ContextVar[RunningStep | None] = ContextVar("durable_import.running_step", default=None)
