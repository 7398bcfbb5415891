"""What a program sets of its loop, as a rule once when it begins: state of the instance, and set on the loop of the process.

It is set again in its next life if the process is the program's own; in an application it is the application's, and told.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ..log import about, logger
from .signal_handlers import SignalLoop, frame_of_program

_PLAIN = (type(None), bool, int, float, str, bytes)
EXECUTOR = "default executor"
_WATCHED = "which is of this process: after a restart nothing is called. Read or write in a task, or with asyncio.to_thread"


class SettingLoop(SignalLoop):
    """``settings``: what the program has set, by what it is called in messages."""

    __slots__ = ("_asked", "_told", "settings")

    def __init__(self, instance_id: str | None = None) -> None:
        super().__init__(instance_id)
        self.settings: dict[str, Any] | None = None
        self._told: frozenset[str] = frozenset()
        self._asked: tuple[Any, bool] | None = None  # an executor, and whether it can be saved

    def attach(self) -> None:
        """Run over the loop that is running."""
        super().attach()
        if self.settings and self.owns_process:
            for name, value in self.settings.items():
                _set(self.real, name, value)

    def set_debug(self, enabled: bool) -> None:
        """See ``asyncio.AbstractEventLoop``; as for the others."""
        self.real.set_debug(enabled)
        self._was_set("debug mode", enabled)

    def set_default_executor(self, executor: Any) -> None:
        self.real.set_default_executor(executor)
        self._was_set(EXECUTOR, executor)

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        self.real.add_reader(fd, callback, *args)
        if self.is_asked_by_program():
            self._tell_once(f"reader of {fd!r}", _WATCHED)

    def add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        self.real.add_writer(fd, callback, *args)
        if self.is_asked_by_program():
            self._tell_once(f"writer of {fd!r}", _WATCHED)

    @property
    def slow_callback_duration(self) -> float:
        return self.real.slow_callback_duration

    @slow_callback_duration.setter
    def slow_callback_duration(self, seconds: float) -> None:
        self.real.slow_callback_duration = seconds
        self._was_set("slow_callback_duration", seconds)

    def _was_set(self, name: str, value: Any) -> None:
        if not self.is_inside or self.is_foreign:
            return
        self.settings = {**(self.settings or {}), name: value}
        self.is_dirty = True
        if not self.owns_process:
            self._tell(name)

    def kept_settings(self, can_be_saved: Callable[[Any], bool]) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """What is saved of it, to be pickled: the settings, and attributes of the program's own; None if there is nothing.

        What cannot be brought back is told once.
        """
        attributes = vars(self)
        if self.settings is None and not attributes:
            return None
        settings = dict(self.settings or {})
        if EXECUTOR in settings and not self._can_be_kept(settings[EXECUTOR], can_be_saved):
            del settings[EXECUTOR]
            self._tell_once(EXECUTOR, "which cannot be saved: after a restart it is not set again. Make it at module level")
        kept = {name: value for name, value in attributes.items() if isinstance(value, _PLAIN)}
        for name in attributes.keys() - kept.keys():
            self._tell_once(f"attribute {name!r}", "which is not saved: keep it in a variable, or in a context variable")
        return (settings, kept) if settings or kept else None

    def _can_be_kept(self, executor: Any, can_be_saved: Callable[[Any], bool]) -> bool:
        if self._asked is None or self._asked[0] is not executor:
            self._asked = executor, can_be_saved(executor)
        return self._asked[1]

    def fill_settings(self, kept: tuple[dict[str, Any], dict[str, Any]] | None) -> None:
        """The opposite."""
        self.settings, attributes = kept or (None, {})
        for name, value in attributes.items():
            setattr(self, name, value)

    def _tell_once(self, name: str, what: str) -> None:
        if name not in self._told:
            self._told |= {name}
            logger.warning(
                "instance %s has set the %s of its loop, %s", self.instance_id, name, what, extra=about(self.instance_id)
            )

    def _tell(self, name: str) -> None:
        frame = frame_of_program(sys._getframe(3))
        logger.warning(
            "%s:%s, in %s: instance %s sets the %s of its loop, which is the application's: after a restart that is not done "
            "again. Do it where the application begins",
            frame.f_code.co_filename,
            frame.f_lineno,
            frame.f_code.co_qualname,
            self.instance_id,
            name,
            extra=about(self.instance_id),
        )


def _set(loop: Any, name: str, value: Any) -> None:
    if name == "debug mode":
        loop.set_debug(value)
    elif name == EXECUTOR:
        loop.set_default_executor(value)
    else:
        setattr(loop, name, value)
