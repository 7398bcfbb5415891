"""What the loop of an instance leaves to the loop of the process: all that it does not do itself.

A method of ``asyncio.AbstractEventLoop`` that is defined again asks ``is_asked_by_program``: what foreign code wants of it is the
process's too.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from asyncio.base_events import BaseEventLoop
from typing import Any

from ..hook.code_table import MODULES
from ..ours import FOLDER

_ASYNCIO = os.path.dirname(asyncio.__file__) + os.sep

_Base: Any = asyncio.AbstractEventLoop  # what is not defined here is filled in below


class DelegatingLoop(_Base):  # type: ignore[misc]
    """A loop over that of the process, which ``attach`` gives it.

    Each instance that waits has one: their attributes have slots, for memory.
    """

    __slots__ = ("_exception_handler", "is_dropped", "is_foreign", "is_inside", "real", "thread")

    def __init__(self) -> None:
        self.real: asyncio.AbstractEventLoop
        self.thread = 0
        self.is_dropped = False  # it is not going on here: what it held is garbage
        self.is_inside = False  # code of the instance runs, or foreign code called by it
        self.is_foreign = False  # ... which is a step
        self._exception_handler: Any = None  # of the program

    __class__ = property(lambda self: type(self.real) if hasattr(self, "real") else type(self))  # for isinstance

    def attach(self) -> None:
        """Run over the loop that is running."""
        self.real = asyncio.get_running_loop()
        self.thread = threading.get_ident()

    def is_asked_by_program(self) -> bool:
        """Whether the code that calls a method of this loop is the program's, directly or through asyncio."""
        if not self.is_inside or self.is_foreign:
            return False
        frame = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_filename.startswith(FOLDER):
                return True
            if not frame.f_code.co_filename.startswith(_ASYNCIO):
                return frame.f_globals.get("__name__") in MODULES
            frame = frame.f_back  # type: ignore[assignment]
        return False

    def is_running(self) -> bool:
        """See ``asyncio.AbstractEventLoop``; as for all methods below."""
        return True

    def is_closed(self) -> bool:
        return False

    def get_debug(self) -> bool:
        return hasattr(self, "real") and self.real.get_debug()

    def set_exception_handler(self, handler: Any) -> None:
        if not self.is_asked_by_program():
            self.real.set_exception_handler(handler)
            return
        if handler is not None and not callable(handler):
            raise TypeError(f"A callable object or None is expected, got {handler!r}")
        self._exception_handler = handler

    def get_exception_handler(self) -> Any:
        return self._exception_handler or self.real.get_exception_handler()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self.is_dropped or not hasattr(self, "real"):  # it does not go on here, or was loaded for nothing
            return
        if self._exception_handler is None:
            self.real.call_exception_handler(context)
        else:
            BaseEventLoop.call_exception_handler(self, context)

    def __getattr__(self, name: str) -> Any:
        if name == "real":
            raise AttributeError(name)
        return getattr(self.real, name)


def _delegate(name: str) -> Any:
    def method(self: DelegatingLoop, *arguments: Any, **keywords: Any) -> Any:
        return getattr(self.real, name)(*arguments, **keywords)

    method.__name__ = method.__qualname__ = name
    return method


for _name, _member in vars(asyncio.AbstractEventLoop).items():
    if callable(_member) and not _name.startswith("_") and _name not in vars(DelegatingLoop):
        setattr(DelegatingLoop, _name, _delegate(_name))
