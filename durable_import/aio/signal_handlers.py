"""Handlers of signals that a program asks its loop for: callbacks of the instance, and state of it.

The loop of the process listens to the signals, for as long as the instance runs. They are listened to again in its next life if
the process is the program's own; in an application they are the application's.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from ..hook.code_table import MODULES
from ..log import about, logger
from .timers import TimerLoop


class SignalLoop(TimerLoop):
    """``owns_process``: whether the process is that of a program that is run. ``signal_handlers``: by signal."""

    __slots__ = ("instance_id", "owns_process", "signal_handlers")

    def __init__(self, instance_id: str | None = None) -> None:
        super().__init__()
        self.instance_id = instance_id
        self.owns_process = True
        self.signal_handlers: dict[int, asyncio.Handle] | None = None

    def attach(self) -> None:
        """Run over the loop that is running."""
        super().attach()
        if self.signal_handlers and self.owns_process:
            for number in self.signal_handlers:
                self.real.add_signal_handler(number, self._take_signal, number)

    def ignore_signals(self) -> None:
        """The instance runs no longer, here at least."""
        for number in self.signal_handlers or ():
            self.real.remove_signal_handler(number)

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        """See ``asyncio.AbstractEventLoop``; as for the next method."""
        self.real.add_signal_handler(sig, callback, *args)  # which checks the arguments
        if not self.is_asked_by_program():
            return
        self.real.add_signal_handler(sig, self._take_signal, int(sig))
        if not self.owns_process:
            frame = frame_of_program(sys._getframe(1))
            logger.warning(
                "%s:%s, in %s: instance %s handles signal %s of an application, which it does only until it leaves this process: "
                "let the application handle it, and publish an event",
                frame.f_code.co_filename,
                frame.f_lineno,
                frame.f_code.co_qualname,
                self.instance_id,
                int(sig),
                extra=about(self.instance_id),
            )
        self.signal_handlers = self.signal_handlers or {}
        self.signal_handlers[int(sig)] = asyncio.Handle(callback, args, self)

    def remove_signal_handler(self, sig: int) -> bool:
        if self.signal_handlers and self.is_asked_by_program():
            self.signal_handlers.pop(int(sig), None)
        return self.real.remove_signal_handler(sig)

    def _take_signal(self, number: int) -> None:
        """A signal came: what handles it is called with all else that is ready."""
        known = (self.signal_handlers or {}).get(number)
        if known is not None and not known.cancelled():
            held: Any = known
            self._accept(asyncio.Handle(held._callback, held._args, self, held._context))


def frame_of_program(frame: FrameType) -> FrameType:
    """The innermost frame of rewritten code, else the one given."""
    found: FrameType | None = frame
    while found is not None and found.f_globals.get("__name__") not in MODULES:
        found = found.f_back
    return found or frame
