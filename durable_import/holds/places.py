"""Where in the program something happens."""

from __future__ import annotations

from types import FrameType

from ..hook.code_table import info_of


def place_of(frame: FrameType) -> str:
    """The innermost place in the program from a frame on: ``file:line function``; that of the frame if there is none."""
    caller: FrameType | None = frame
    while caller is not None:
        info = info_of(caller.f_code)
        if info is not None and not info.module.is_library:
            frame = caller
            break
        caller = caller.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"
