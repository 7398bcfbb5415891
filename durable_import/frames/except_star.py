"""The state of an ``except*`` statement whose handlers suspend (PEP 654, "Raising exceptions in an except* block")."""

from __future__ import annotations

from typing import Any, NoReturn


class ExceptStar:
    """Splits the exception caught among the handlers, collects what they raise, and raises the result at the end."""

    def __init__(self, caught: BaseException) -> None:
        self.caught = caught
        self.rest: BaseException | None = caught
        self.matched: BaseException | None = None
        self.raised: list[BaseException] = []
        self.reraised: list[BaseException] = []

    def match(self, kinds: Any) -> bool:
        """Take from the rest what the handler's types match; whether that is anything."""
        for kind in kinds if isinstance(kinds, tuple) else (kinds,):
            if not (isinstance(kind, type) and issubclass(kind, BaseException)):
                raise TypeError("catching classes that do not inherit from BaseException is not allowed")
            if issubclass(kind, BaseExceptionGroup):
                raise TypeError("catching ExceptionGroup with except* is not allowed. Use except instead.")
        self.matched = None
        if isinstance(self.rest, BaseExceptionGroup):
            self.matched, self.rest = self.rest.split(kinds)
        elif self.rest is not None and isinstance(self.rest, kinds):
            self.matched, self.rest = BaseExceptionGroup("", [self.rest]), None
        if self.matched is not None and self.matched is not self.caught:
            self.matched.__traceback__ = self.caught.__traceback__
        return self.matched is not None

    def raise_match(self) -> NoReturn:
        """Make what matched the exception being handled."""
        assert self.matched is not None
        traceback, context = self.matched.__traceback__, self.matched.__context__
        try:
            raise self.matched
        finally:
            self.matched.__traceback__, self.matched.__context__ = traceback, context

    def collect(self, exception: BaseException) -> None:
        """Note what a handler raised."""
        same = exception is self.matched or (
            isinstance(exception, BaseExceptionGroup)
            and isinstance(self.matched, BaseExceptionGroup)
            and exception.__cause__ is self.caught.__cause__
            and exception.__context__ is self.caught.__context__
            and exception.__traceback__ is self.caught.__traceback__
        )
        (self.reraised if same else self.raised).append(exception)

    def finish(self) -> None:
        """Raise what was raised or not matched; return if nothing is left."""
        remaining = self._unhandled()
        if not self.raised:
            result = remaining
        elif not isinstance(self.caught, BaseExceptionGroup) and len(self.raised) == 1:
            result = self.raised[0]
        else:
            result = BaseExceptionGroup("", [*self.raised, *([remaining] if remaining is not None else [])])
        if result is not None:
            context = result.__context__
            try:
                raise result
            finally:
                result.__context__ = context

    def _unhandled(self) -> BaseException | None:
        """The part of the caught exception that no handler dealt with, with its structure and metadata."""
        parts = [*self.reraised, *([self.rest] if self.rest is not None else [])]
        if not isinstance(self.caught, BaseExceptionGroup):
            return self.caught if parts else None
        kept = {id(leaf) for part in parts for leaf in _leaves(part)}
        if not kept:
            return None
        return self.caught.subgroup(lambda e: not isinstance(e, BaseExceptionGroup) and id(e) in kept)


def _leaves(exception: BaseException) -> list[BaseException]:
    if isinstance(exception, BaseExceptionGroup):
        return [leaf for inner in exception.exceptions for leaf in _leaves(inner)]
    return [exception]
