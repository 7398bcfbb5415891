"""How a script has set up logging: of each logger that differs from how it was when the run began, what it is set to.

A script that sets it up at module level does so again by itself. Handlers are objects of the state like others: those of the
standard library are saved as what they are made of, and their files as files are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from ...ours import NAME
from ...pythons.library import add_handler_reference

Settings = tuple[int, bool, bool, list[Any], list[Any]]  # level, propagate, disabled, handlers, filters

CONFIGURING = frozenset(
    ("addFilter", "addHandler", "basicConfig", "captureWarnings", "dictConfig", "disable", "disabled", "fileConfig", "handlers",
     "propagate", "removeFilter", "removeHandler", "setFormatter", "setLevel")
)  # fmt: skip


_restored: list[int] = []  # grows each time that logging is set up as it was


def sets_up_logging(imported: Iterable[str], values: Iterable[Any], names: Iterable[str]) -> bool:
    """Whether functions that use these names, modules and values set up logging."""
    if CONFIGURING.isdisjoint(names):
        return False
    modules = ("logging", "logging.config", "logging.handlers")
    return any(name in modules for name in imported) or any(
        value is logging or getattr(value, "__name__", None) in modules or getattr(value, "__module__", None) in modules
        for value in values
    )


def _settings() -> dict[str, Settings]:
    """Those of all loggers, that of the root under ''; not of our own, which each process sets up."""
    known = list(logging.root.manager.loggerDict.items())
    loggers = {"": logging.root} | {name: each for name, each in known if isinstance(each, logging.Logger) and name != NAME}
    return {
        name: (logger.level, logger.propagate, logger.disabled, list(logger.handlers), list(logger.filters))
        for name, logger in loggers.items()
    }


_UNSET: Settings = (logging.NOTSET, True, False, [], [])


class LoggingState:
    """How logging was when the run began.

    ``is_set_up``: whether the script's own functions set it up; else only what nearly all such code changes is looked at.
    """

    def __init__(self) -> None:
        self.is_set_up = False
        self._known = _settings()
        self._disabled = logging.root.manager.disable
        self._sign = self._signature()
        self._changes: dict[str, Any] = {}

    @staticmethod
    def _signature() -> tuple[Any, ...]:
        root = logging.root
        return root.level, [*map(id, root.handlers)], len(root.manager.loggerDict), root.manager.disable, len(_restored)

    def changes(self) -> dict[str, Any]:
        """What is different now."""
        sign = self._signature()
        if not self.is_set_up and sign == self._sign:
            return self._changes
        self._sign = sign
        changed = {name: now for name, now in _settings().items() if now != self._known.get(name, _UNSET)}
        self._changes = {"loggers": changed} if changed else {}
        if logging.root.manager.disable != self._disabled:
            self._changes["disable"] = logging.root.manager.disable
        return self._changes


def restore_logging(changes: dict[str, Any]) -> None:
    """Set up logging as the script had."""
    _restored.append(1)
    for name, (level, propagate, disabled, handlers, filters) in changes.get("loggers", {}).items():
        logger = logging.root.manager.getLogger(name) if name else logging.root
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled
        logger.handlers[:] = handlers
        logger.filters[:] = filters
        for handler in handlers:
            add_handler_reference(handler)
    if "disable" in changes:
        logging.disable(changes["disable"])
