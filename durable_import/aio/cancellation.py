"""What a task knows of its cancellations: whose they are, and which of them count if its step is made again.

A step may cancel the task that it runs in, as the timeouts and scopes of libraries do, and take that back. The program is not to
hear of it; nor is what the program has asked for to be lost.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from ..frames.step import Step
from ..pythons.versions import UNCANCEL_CLEARS

_LENT = (  # attributes
    "_must_cancel", "_num_cancels_requested", "_cancels_in_step", "_is_cancel_of_step", "_cancel_message", "_fut_waiter",
    "is_step_cancelled",
)  # fmt: skip


class CancellationLoop(Protocol):
    """What is needed of the loop of the instance; ``is_dirty``: something has happened since the last checkpoint."""

    is_dirty: bool

    def touch(self, task: Any) -> None:
        """The state of a task is about to change."""
        ...

    def runs_step_of(self, task: Any) -> bool:
        """Whether what runs belongs to the step that a task is in: foreign code, or what that has set going."""
        ...


class Cancellable(asyncio.Future[Any]):
    """The part of ``DurableTask`` that is about cancellations; its methods without a word are those of ``asyncio.Task``."""

    __slots__ = (
        "_cancelled_exc",
        "_cancels_in_step",
        "_fut_waiter",
        "_is_cancel_of_step",
        "_must_cancel",
        "_num_cancels_requested",
        "is_step_cancelled",
        "loop",
        "step",
    )  # fmt: skip

    def _set_up_cancellations(self, loop: CancellationLoop) -> None:
        self.loop = loop
        self.step: Step | None = None  # in flight
        self._fut_waiter: Any = None
        self._must_cancel = False
        self._num_cancels_requested = 0
        self._is_cancel_of_step = False  # whether the cancellation that is due is that of the step in flight itself
        self._cancels_in_step = 0  # requests that the step in flight has made, less those that it took back
        self._cancelled_exc: BaseException | None = None
        self.is_step_cancelled = False  # whether the program has asked the step in flight to end

    def cancel(self, msg: Any = None) -> bool:
        self.loop.touch(self)
        self._log_traceback = False
        if self.done():
            return False
        is_of_step = self.loop.runs_step_of(self)
        self._num_cancels_requested += 1
        self._cancels_in_step += is_of_step
        if self._fut_waiter is not None and self._cancel_waiter(msg, is_of_step):
            return True
        self._is_cancel_of_step = is_of_step and (self._is_cancel_of_step or not self._must_cancel)
        self._must_cancel = True
        self._cancel_message = msg
        self.loop.is_dirty = self.loop.is_dirty or not is_of_step
        return True

    def cancelling(self) -> int:
        return self._num_cancels_requested

    def uncancel(self) -> int:
        self.loop.touch(self)
        if self._num_cancels_requested > 0:
            self._num_cancels_requested -= 1
            self._cancels_in_step -= self.loop.runs_step_of(self)
            if self._num_cancels_requested == 0 and UNCANCEL_CLEARS:
                self._must_cancel = False
        return self._num_cancels_requested

    def _cancel_waiter(self, msg: Any, is_of_step: bool) -> bool:
        if not self._fut_waiter.cancel(msg=msg):
            return False
        self.is_step_cancelled = self.is_step_cancelled or (self.step is not None and not is_of_step)
        return True

    def _is_cancelled(self, msg: Any = None) -> None:
        """It has ended by a cancellation."""
        super().cancel(msg=msg)

    def _make_cancelled_error(self) -> BaseException:
        if self._cancelled_exc is not None:
            error, self._cancelled_exc = self._cancelled_exc, None
            return error
        return super()._make_cancelled_error()  # type: ignore[misc, no-any-return]

    # --- turns and steps

    def is_to_be_cancelled(self) -> bool:
        """Whether its next turn begins with a CancelledError."""
        return self._must_cancel

    def _cancelled_turn(self, error: BaseException | None) -> BaseException | None:
        """What is thrown in when a turn begins, by a cancellation that is due or by whoever wakes the task."""
        if not self._must_cancel:
            return error
        if not isinstance(error, asyncio.CancelledError):
            error = self._make_cancelled_error()
        self._must_cancel = False
        self.is_step_cancelled = self.is_step_cancelled or (self.step is not None and not self._is_cancel_of_step)
        self._is_cancel_of_step = False
        return error

    def _cancel_new_waiter(self) -> None:
        """It begins to wait: a cancellation that is due ends that."""
        if self._must_cancel and self._cancel_waiter(self._cancel_message, self._is_cancel_of_step):
            self._must_cancel = self._is_cancel_of_step = False

    def _step_has_ended(self) -> None:
        """What it has left of its own requests is the program's now."""
        self.step = None
        self.is_step_cancelled = self._is_cancel_of_step = False
        self._cancels_in_step = 0

    # --- saved

    def cancellation_kept(self) -> tuple[bool, int]:
        """Whether the program is to be told that it was cancelled, and the requests that count, if its step is made again.

        What a step has asked for itself (a timeout of a library) is none of the program's: it will ask again.
        """
        is_due = self.is_step_cancelled or (self._must_cancel and not self._is_cancel_of_step)
        return is_due, self._num_cancels_requested - self._cancels_in_step

    def message_kept(self) -> Any:
        """The message of a cancellation that is due, unless the step in flight has asked for that itself."""
        return None if self._is_cancel_of_step else self._cancel_message

    # --- lent: see ``holds.in_task``

    def lend(self) -> tuple[Any, ...]:
        """Another coroutine is going to run as if this task ran it; gives what ``take_back`` needs."""
        lent = tuple(getattr(self, name) for name in _LENT)
        self._must_cancel = self._is_cancel_of_step = False
        self._num_cancels_requested = self._cancels_in_step = 0
        self._fut_waiter = None
        return lent

    def waits_lent(self, given: Any) -> None:
        """That coroutine waits: who cancels the task ends the wait."""
        self._fut_waiter = given if asyncio.isfuture(given) else None
        if self._must_cancel and self._fut_waiter is not None and self._cancel_waiter(self._cancel_message, True):
            self._must_cancel = False

    def goes_on_lent(self, error: BaseException | None) -> BaseException | None:
        """It goes on; gives what is to be thrown into it."""
        self._fut_waiter = None
        if not self._must_cancel:
            return error
        self._must_cancel = False
        return error or self._make_cancelled_error()

    def take_back(self, lent: tuple[Any, ...]) -> None:
        """It has ended; what it asked of the task is over."""
        for name, value in zip(_LENT, lent, strict=True):
            setattr(self, name, value)
