"""Reducers for progress bars: those of ``tqdm`` go on where they were, and show themselves again when they are next updated.

Of ``rich`` the thread that counts the items of a ``track`` loop is started again.
"""

from __future__ import annotations

import importlib
from typing import Any

from ..load_context import later

Reduced = tuple[Any, ...]

_MADE_AGAIN = ("fp", "sp")  # what it writes to, wrapped, and how


def reduce_bar(bar: Any) -> Reduced:
    """A bar, with what it goes over and its file."""
    attributes = {name: value for name, value in vars(bar).items() if name not in _MADE_AGAIN}
    if bar.disable:  # it is closed, and has a function that nothing calls any more
        attributes = {name: value for name, value in attributes.items() if getattr(value, "__name__", "") != "<lambda>"}
    file = vars(bar).get("fp")
    state = attributes, getattr(file, "_wrapped", file), "sp" in vars(bar)
    return restore_bar, (type(bar), bool(bar.disable)), state, None, None, fill_bar


def restore_bar(cls: Any, is_closed: bool) -> Any:
    """A bar that shows nothing yet; one that is not closed is among those that are on the screen."""
    return object.__new__(cls) if is_closed else cls.__new__(cls)


def fill_bar(bar: Any, state: tuple[dict[str, Any], Any, bool]) -> None:
    """What it had."""
    attributes, file, is_shown = state
    vars(bar).update(attributes)
    if file is not None:
        bar.fp = importlib.import_module("tqdm.utils").DisableOnWriteError(file, tqdm_instance=bar)
    if is_shown:
        bar.sp = bar.status_printer(bar.fp)


def reduce_track_thread(thread: Any) -> Reduced:
    """The thread of a ``track`` loop, with the number of items."""
    return restore_track_thread, (type(thread),), (_made_with(thread), thread.is_alive()), None, None, fill_track_thread


def _made_with(thread: Any) -> tuple[Any, ...]:
    return thread.progress, thread.task_id, thread.update_period, thread.completed


def restore_track_thread(cls: Any) -> Any:
    """A thread that was not initialised."""
    return cls.__new__(cls)


def fill_track_thread(thread: Any, state: tuple[tuple[Any, ...], bool]) -> None:
    """Initialise it; it starts when all else is there, and counts all items again."""
    (progress, task_id, period, completed), is_alive = state

    def begin() -> None:
        type(thread).__init__(thread, progress, task_id, period)
        thread.completed = completed
        if is_alive and getattr(progress, "live", None) is not None:
            progress.update(task_id, completed=0)
            thread.start()

    later(begin)
