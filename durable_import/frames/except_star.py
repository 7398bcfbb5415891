"""The state of an ``except*`` statement whose handlers suspend (PEP 654, "Raising exceptions in an except* block")."""

from __future__ import annotations

import sys
from types import FrameType, TracebackType
from typing import Any

from ..pythons.versions import WRAPPED_HAS_TRACEBACK
from .hiding import hidden_from_tracebacks


class ExceptStar:
    """Splits the exception caught among the handlers, collects what they raise, and raises the result at the end."""

    def __init__(self, caught: BaseException) -> None:
        self.caught = caught
        self.rest: BaseException | None = caught
        self.matched: BaseException | None = None
        self.raised: list[BaseException] = []
        self.reraised: list[BaseException] = []
        self.stashed: tuple[TracebackType | None, BaseException | None] = None, None

    @hidden_from_tracebacks
    def match(self, kinds: Any) -> bool:
        """Take from the rest what the handler's types match; whether that is anything."""
        for kind in kinds if isinstance(kinds, tuple) else (kinds,):
            if not (isinstance(kind, type) and issubclass(kind, BaseException)):
                raise TypeError("catching classes that do not inherit from BaseException is not allowed")
        for kind in kinds if isinstance(kinds, tuple) else (kinds,):
            if issubclass(kind, BaseExceptionGroup):
                raise TypeError("catching ExceptionGroup with except* is not allowed. Use except instead.")
        self.matched = None
        if self.rest is not None and isinstance(self.rest, kinds):
            whole = isinstance(self.rest, BaseExceptionGroup)  # one that is an instance of the type by itself
            self.matched, self.rest = self.rest if whole else _wrapped(self.rest, sys._getframe(2)), None
        elif isinstance(self.rest, BaseExceptionGroup):
            self.matched, self.rest = self.rest.split(kinds)
        return self.matched is not None

    def raise_match(self) -> None:
        """Make what matched the exception being handled; ``settle`` then undoes what raising changes of it."""
        assert self.matched is not None
        self._raise(self.matched)

    def collect(self, exception: BaseException) -> None:
        """Note what a handler raised."""
        same = isinstance(self.caught, BaseExceptionGroup) and self._has_metadata_of_caught(exception)
        (self.reraised if same else self.raised).append(exception)

    def finish(self) -> None:
        """Raise what was raised or not matched; return if nothing is left. ``settle`` belongs to it as well."""
        remaining = self._unhandled()
        results = [*self.raised, *([remaining] if remaining is not None else [])]
        if results:
            self._raise(results[0] if len(results) == 1 else BaseExceptionGroup("", results))

    def settle(self, exception: BaseException) -> None:
        """Give an exception raised here the traceback and context that it had before."""
        exception.__traceback__, exception.__context__ = self.stashed
        self.stashed = None, None

    def _raise(self, exception: BaseException) -> None:
        self.stashed = exception.__traceback__, exception.__context__
        raise exception

    def _has_metadata_of_caught(self, exception: BaseException) -> bool:
        caught = self.caught
        return (
            isinstance(exception, BaseExceptionGroup)
            and getattr(exception, "__notes__", None) is getattr(caught, "__notes__", None)
            and exception.__cause__ is caught.__cause__
            and exception.__context__ is caught.__context__
            and exception.__traceback__ is caught.__traceback__
        )

    def _unhandled(self) -> BaseException | None:
        """The part of the caught exception that no handler dealt with, with its structure and metadata."""
        if not isinstance(self.caught, BaseExceptionGroup):
            return self.rest
        parts = [*self.reraised, *([self.rest] if self.rest is not None else [])]
        kept = {id(leaf) for part in parts for leaf in _leaves(part)}
        if not kept:
            return None
        return self.caught.subgroup(lambda e: not isinstance(e, BaseExceptionGroup) and id(e) in kept)


def _leaves(exception: BaseException) -> list[BaseException]:
    if isinstance(exception, BaseExceptionGroup):
        return [leaf for inner in exception.exceptions for leaf in _leaves(inner)]
    return [exception]


def _wrapped(exception: BaseException, frame: FrameType) -> BaseException:
    """The group that an exception which is none is handled as, in a frame."""
    group = BaseExceptionGroup("", (exception,))
    return group.with_traceback(TracebackType(None, frame, frame.f_lasti, frame.f_lineno)) if WRAPPED_HAS_TRACEBACK else group
