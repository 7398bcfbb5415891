"""Where in the program something happens."""

from __future__ import annotations

from types import FrameType

from ..hook.code_table import info_of


def frame_of_program(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of the program from one on, outwards; None if there is none."""
    while frame is not None:
        info = info_of(frame.f_code)
        if info is not None and not info.module.is_library:
            return frame
        frame = frame.f_back
    return None


def place_of(frame: FrameType) -> str:
    """The innermost place in the program from a frame on: ``file:line function``; that of the frame if there is none."""
    frame = frame_of_program(frame) or frame
    return f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"


def line_of_place(place: str) -> str:
    """``file:line`` of a place."""
    return place.rpartition(" ")[0] or place
