"""A step: an await of something that is not rewritten code. Its completion is a checkpoint.

A ``Step`` stands between a frame and the foreign awaitable: it passes everything through until the awaitable has ended,
then gives itself to the driver, which commits, and then hands the outcome to the frame. An exception is thrown straight
into the frame, so that tracebacks show nothing of ours.
"""

from __future__ import annotations

from types import CoroutineType, GeneratorType
from typing import Any

from ..log import logger
from ..pythons.protocols import complaint_of_await
from . import ambient
from .awaiting import COROUTINE_WRAPPER, coroutine_behind
from .hiding import visible_part
from .lookup import MISSING, lookup_special
from .signals import Suspension

NEW, PENDING, DONE, FAILED = "new", "pending", "done", "failed"
SECOND = 2  # attempt, of a step that was in flight at a checkpoint of the life before


class Step:
    """One foreign awaitable that a frame awaits, and its outcome once it has one."""

    __slots__ = ("announced", "attempt", "awaitable", "is_restored", "iterator", "raises", "state", "value")

    def __init__(
        self,
        awaitable: Any,
        state: str = NEW,
        value: Any = None,
        is_restored: bool = False,
        attempt: int = 0,
        *,
        iterator: Any = None,
    ) -> None:
        self.awaitable = awaitable
        self.iterator = iterator  # what ``await`` iterates over, once known
        self.state = state
        self.value = value  # the result, or the exception
        self.announced = False
        self.is_restored = is_restored
        self.attempt = attempt or (SECOND if is_restored else 0)  # how often it has begun, if it begins now; 0: the loop says
        self.raises = False

    cr_frame = None  # for ``asyncio.capture_call_graph``: it has no frame to show, what it awaits may

    @property
    def cr_await(self) -> Any:
        """What it is in the middle of: the foreign coroutine, or an iterator."""
        return coroutine_behind(self.iterator) if type(self.iterator) is COROUTINE_WRAPPER else self.iterator

    def __await__(self) -> Step:
        return self

    def __iter__(self) -> Step:
        return self

    def __next__(self) -> Any:
        if not self.raises:
            return self.send(None)
        try:
            return self._raise()
        except BaseException as error:
            error.__traceback__ = visible_part(error.__traceback__)
            raise  # a bare raise adds no entry for this frame

    def send(self, value: Any) -> Any:
        """Go on; gives what the event loop is to wait for, or itself when the driver has something to do."""
        if self.state == PENDING:
            return self._advance(self.iterator.send if value is not None else self.iterator.__next__, value)
        if self.state == DONE:
            result, self.value = self.value, None
            raise StopIteration(result)
        if self.state == FAILED:
            return next(self) if self.raises else self  # the driver says how it is to be delivered
        driver = ambient.current_driver.get()
        if driver is not None and not self.announced and driver.wants_announcement(self):
            self.announced = True
            return self
        self.state = PENDING
        return self._advance(self._begin, None)

    def _begin(self) -> Any:
        if self.iterator is None:
            self.iterator = iterator_of(self.awaitable)
        return self.iterator.__next__()

    def deliver(self) -> BaseException | None:
        """For the driver, of a failed step: what to throw into the frame; None if going on raises it from here.

        Throwing shows nothing of ours in tracebacks; but it would replace a context by the exception being handled, and
        a GeneratorExit would close the frames instead.
        """
        error: BaseException = self.value
        self.raises = error.__context__ is not None or isinstance(error, GeneratorExit)
        return None if self.raises else error

    def _raise(self) -> Any:
        error, self.value = self.value, None
        context = error.__context__
        try:
            raise error
        finally:
            error.__context__ = context
            del error

    def __getattr__(self, name: str) -> Any:
        # Only while the awaitable runs there is someone to throw to; else the exception belongs to the frame itself.
        if self.state == PENDING and name in ("throw", "close"):
            return self._throw if name == "throw" else self._close
        raise AttributeError(name)

    def _throw(self, *details: Any) -> Any:
        error = details[-1] if len(details) > 1 and details[1] is not None else details[0]
        if isinstance(error, type):
            error = error()
        if isinstance(error, Suspension):
            self._close_quietly()
            raise error
        if isinstance(error, GeneratorExit):
            self._close()
            raise error
        return self._advance(getattr(self.iterator, "throw", self._fail), error)

    @staticmethod
    def _fail(error: BaseException) -> Any:
        """What throwing into an iterator without ``throw`` comes to."""
        raise error

    def _close(self) -> None:
        close = getattr(self.iterator, "close", None)
        self._ends(NEW, None)
        if close is not None:
            close()

    def _close_quietly(self) -> None:
        """Close the awaitable of a frame that is dropped: what its cleanup raises is not for the program to see."""
        try:
            self._close()
        except Exception as error:
            logger.warning("foreign code failed when it was dropped with an instance: %r", error, exc_info=error)

    def drop(self) -> None:
        """Let go of the awaitable: it is not going to be awaited here."""
        awaitable = self.awaitable
        if self.state == PENDING:
            self._close_quietly()
        if isinstance(awaitable, CoroutineType):
            awaitable.close()

    def _advance(self, advance: Any, value: Any) -> Any:
        driver = ambient.current_driver.get()
        token = driver.step_goes_on(self) if driver is not None else None
        try:
            return advance() if value is None else advance(value)
        except StopIteration as stop:
            return self._ends(DONE, stop.value)
        except Suspension:
            self._ends(NEW, None)
            raise
        except BaseException as error:  # every outcome is the program's, to be saved and handed on
            error.__traceback__ = visible_part(error.__traceback__)  # these frames are none of the program's
            return self._ends(FAILED, error)
        finally:
            if driver is not None:
                driver.step_rests(self, token)

    def _ends(self, state: str, value: Any) -> Step:
        self.state, self.value = state, value
        self.iterator = self.awaitable = None
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if self.state in (DONE, FAILED):
            return Step, (None, self.state, self.value, True)
        if self.attempt < SECOND:
            return Step, (self.awaitable, NEW, None, True)
        return Step, (self.awaitable, NEW, None, True, self.attempt + 1)

    def has_begun_again(self, times: int) -> None:
        """It was made again so often since it was saved."""
        if self.is_restored and self.state == NEW:
            self.attempt += times


def iterator_of(awaitable: Any) -> Any:
    """What ``await`` iterates over."""
    if type(awaitable) is GeneratorType:
        return awaitable
    method = lookup_special(awaitable, "__await__")
    if method is MISSING:
        return awaitable  # an iterator that a generator delegates to
    iterator = method()
    complaint = complaint_of_await(type(awaitable), iterator)
    if complaint is not None:
        raise complaint
    return iterator
