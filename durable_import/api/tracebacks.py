"""Tracebacks as the program's author expects them: without the machinery between its frames."""

from __future__ import annotations

from types import TracebackType

from ..hook.code_table import info_of
from ..ours import FOLDER
from .runtime import DurableRuntime

_INSTANCE = DurableRuntime._awaited.__code__


def without_machinery(error: BaseException, seen: set[int] | None = None) -> None:
    """Remove our frames, in place, from the tracebacks of an exception and of all it is chained to."""
    seen = seen if seen is not None else set()
    if id(error) in seen:
        return
    seen.add(id(error))
    error.__traceback__ = _cleaned(error.__traceback__)
    related = [error.__cause__, error.__context__, *getattr(error, "exceptions", ())]
    for other in related:
        if other is not None:
            without_machinery(other, seen)


def _cleaned(traceback: TracebackType | None) -> TracebackType | None:
    kept: list[TracebackType] = []
    while traceback is not None:
        following = traceback.tb_next
        if not _is_machinery(traceback, following):
            kept.append(traceback)
        traceback = following
    following = None
    for entry in reversed(kept):
        entry.tb_next = following
        following = entry
    return following


def _is_machinery(entry: TracebackType, following: TracebackType | None) -> bool:
    code = entry.tb_frame.f_code
    if code.co_filename.startswith(FOLDER):
        return True
    # the entry of a function that became an instance; the function itself runs further down
    return following is not None and following.tb_frame.f_code is _INSTANCE and info_of(code) is not None
