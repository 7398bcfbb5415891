"""Frames that tracebacks do not show: natively there is nothing in their place."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar

from ..ours import FOLDER

Function = TypeVar("Function", bound=Callable[..., Any])


def visible_part(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of this package that it begins with."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(FOLDER):
        traceback = traceback.tb_next
    return traceback


def hidden_from_tracebacks(function: Function) -> Function:
    """Take the function's own frames, and those of this package that it calls, out of the tracebacks of what it raises."""

    @wraps(function)
    def called(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except BaseException as error:
            error.__traceback__ = visible_part(error.__traceback__)
            raise  # a bare raise adds no entry for this frame

    return called  # type: ignore[return-value]
