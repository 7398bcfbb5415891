"""What a script changes in its process outside of its own variables, and would miss after a restart.

These are the current folder, environment variables, the generator of the module ``random``, logging, the handlers of signals,
that ``nest_asyncio`` was applied, and ``process_settings``. Only what differs from how it was when the run began is saved: the
rest is that of the process that resumes. An environment variable whose name says that it is secret is not saved, and named once.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import random
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ...log import logger
from ...pythons.library import encoded_environment
from ...pythons.modules import imports_lazily
from ..load_context import current
from .by_path import ModulesByPath, load_by_path
from .logging_state import LoggingState, sets_up_logging
from .process_settings import SettingsState, add_paths
from .signal_state import SignalState, uses_signals

STREAMS: dict[str, Any] = {}  # the standard streams as they were when the run began: the program may redirect them
GENERATOR: Any = getattr(random.seed, "__self__")  # noqa: B009  what the functions of the module are methods of


_MISSING = object()
_WORDS = "api_?key|keys?|pass|passwd|passphrase|secrets?|tokens?|credentials?|auth"
_SECRET = re.compile(f"(?i)(?<![a-z])({_WORDS})(?![a-z])|password|secret|apikey")


def _folder() -> str:
    """The current folder; empty if it was removed."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def _is_nested() -> bool:
    """Whether ``nest_asyncio.apply()`` was called, which lets loops run within one another."""
    return hasattr(asyncio, "_nest_patched")


@dataclass
class ProcessState:
    """How the process was when the run began. ``draws``: whether the script uses the module ``random``."""

    draws: bool = False
    folder: str = field(default_factory=_folder)
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def __post_init__(self) -> None:
        self._is_nested = _is_nested()
        self.logging, self.signals, self.settings = LoggingState(), SignalState(), SettingsState()
        self._told: set[str] = set()
        self.by_path = ModulesByPath()
        self.first: tuple[Any, ...] | None = None  # see ``set_first``
        self._encoded = dict(encoded_environment())
        STREAMS.update((name, getattr(sys, name)) for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is not None)

    def changes(self) -> dict[str, Any]:
        """What is different now."""
        found: dict[str, Any] = {}
        folder = _folder()
        if folder != self.folder:
            found["folder"] = folder
        if encoded_environment() != self._encoded:
            names = os.environ.keys() | self.environment.keys()
            changed = {n: os.environ.get(n) for n in names if os.environ.get(n) != self.environment.get(n)}
            found["environment"] = {n: value for n, value in changed.items() if value is None or not self._is_secret(n)}
        if _is_nested() and not self._is_nested:
            found["nested"] = True
        if self.draws:
            found["random"] = random.getstate()
        return found

    def _is_secret(self, name: str) -> bool:
        """Whether a variable is not to be kept; says so once."""
        if not looks_secret(name):
            return False
        if name not in self._told:
            self._told.add(name)
            logger.warning(
                "the program has set the environment variable %s, whose name says that it is secret: it is not kept, and not set "
                "after a restart. Set it at module level, or before the program is run",
                name,
            )
        return True

    def uses_names(self, imported: frozenset[str], names: frozenset[str], namespace: dict[str, Any]) -> None:
        """Functions of a module of the program use what these names stand for, and import these modules."""
        values = [namespace.get(name) for name in names]
        self.draws = self.draws or "random" in imported or uses_random(values)
        self.logging.is_set_up = self.logging.is_set_up or sets_up_logging(imported, values, names)
        self.signals.is_used = self.signals.is_used or uses_signals(imported, values)
        self.settings.mentioned |= names | imported

    def uses_also(self, other: ProcessState) -> None:
        """Another module of the program uses what that of ``other`` does."""
        self.draws = self.draws or other.draws
        self.logging.is_set_up = self.logging.is_set_up or other.logging.is_set_up
        self.signals.is_used = self.signals.is_used or other.signals.is_used
        self.settings.mentioned |= other.settings.mentioned


def looks_secret(name: str) -> bool:
    """Whether the name of an environment variable says that its value is nobody else's business."""
    return _SECRET.search(name) is not None


def uses_random(values: Iterable[Any]) -> bool:
    """Whether objects that a script uses draw from the generator of the module ``random``."""
    return any(
        value is random or getattr(value, "__self__", None) is GENERATOR or imports_lazily(value, "random") for value in values
    )


def find_first(state: ProcessState, contents: dict[str, tuple[Any, Any, Any]]) -> None:
    """Note which of the changes to be saved have to be made before a module is imported that a snapshot names."""
    changes = contents.get("the process", ("", None, {}))[-1]
    folder, environment = changes.get("folder", ""), changes.get("environment", {})
    paths = contents.get("the module search path", ("", None, ([], [])))[-1]
    front, back = ([each for each in part if type(each) is str] for part in paths)
    first = folder, environment, front, back, dict(state.by_path.files())
    state.first = first if any(first) else None


def set_first(folder: str, environment: dict[str, str | None], front: list[str], back: list[str], files: dict[str, str]) -> None:
    """Make the changes that come before all else in a snapshot, if it is read to go on in a process of its own.

    They are made once more with the others: what cannot be done is said there.
    """
    if current().owns_process:
        if not folder or os.path.isdir(folder):
            restore_changes({"folder": folder, "environment": environment})
        add_paths((front, back))
        load_by_path(files)


def restore_changes(changes: dict[str, Any]) -> None:
    """Change the process as the script had."""
    if changes.get("folder"):
        os.chdir(changes["folder"])
    for name, value in changes.get("environment", {}).items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    if "random" in changes:
        random.setstate(changes["random"])
    if changes.get("nested"):
        importlib.import_module("nest_asyncio").apply()
