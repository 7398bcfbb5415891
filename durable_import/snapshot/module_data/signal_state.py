"""Which signals a script handles by ``signal.signal``: those that it did not handle so when the run began.

What it asks of an event loop, ``add_signal_handler``, is state of the loop.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterable
from typing import Any

from ...log import logger
from ...pythons.library import handler_of_signal

_NUMBERS = sorted(set(range(1, 32)) & set(map(int, signal.valid_signals())))


class SignalState:
    """The handlers when the run began. ``is_used``: whether the script uses the module ``signal``."""

    def __init__(self) -> None:
        self.is_used = False
        self._known = self._handlers()

    @staticmethod
    def _handlers() -> list[Any]:
        return list(map(handler_of_signal, _NUMBERS))

    def changes(self) -> dict[int, Any]:
        """The handlers that are other ones now, by signal."""
        if not self.is_used:
            return {}
        now = self._handlers()
        if now == self._known:
            return {}
        changed = [(number, each) for number, each, known in zip(_NUMBERS, now, self._known, strict=True) if each != known]
        return {number: each for number, each in changed if each is not None and not _is_of_asyncio(each)}


def _is_of_asyncio(handler: Any) -> bool:
    """Whether an event loop has set a handler: it does so again."""
    return str(getattr(handler, "__module__", "")).startswith("asyncio.")


def uses_signals(imported: Iterable[str], values: Iterable[Any]) -> bool:
    """Whether functions that use these modules and values may set handlers."""
    return "signal" in imported or any(
        value is signal or getattr(value, "__module__", None) in ("signal", "_signal") for value in values
    )


def restore_signals(changes: dict[int, Any]) -> None:
    """Let the signals be handled as the script had asked for."""
    if changes and threading.current_thread() is not threading.main_thread():
        logger.warning("signals %s are not handled as before: the program runs outside of the main thread", list(changes))
        return
    for number, handler in changes.items():
        signal.signal(number, handler)
