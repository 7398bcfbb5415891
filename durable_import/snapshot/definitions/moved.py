"""Frames and functions whose code has changed since they were saved, where the runtime lets them go on in the code of today.

The text that a frame began with is asked for by an error: whoever reads the snapshot gets it from the store, and reads again.
Code that has not changed, most of all, is found here; ``moving`` is loaded for what has.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CellType
from typing import TYPE_CHECKING, Any

from ...errors import CodeChangedError, MissingCodeError
from ...hook.code_table import MODULES, CodeInfo
from .. import library
from ..frame_places import label_today
from ..load_context import current
from ..names import module_today

if TYPE_CHECKING:
    from ...rewrite.analysis.suspensions import Place

Find = Callable[[str, str, str], CodeInfo]


def find_today(find: Find, module: str, place: str, digest: str) -> CodeInfo:
    """The function of today for one that was saved by its place: itself, or, where frames may move, one with another text.

    Raises CodeChangedError if its text is to be asked for, and if it is not certain which one it is.
    """
    try:
        return find(module, place, digest)
    except (CodeChangedError, MissingCodeError) as error:
        kept, known = current().kept_texts, MODULES.get(module_today(module))
        if kept is None or known is None or known.is_library or known.is_unrewritten:
            raise
        from .moving import counterpart

        return counterpart(known, place, digest, kept, error)


def note_moving(frame: Any, info: CodeInfo, digest: str, cells: dict[str, CellType]) -> None:
    """Remember of a frame that was built that it began with another text: it has no variables yet."""
    if info.digest != digest and not info.module.is_library and not info.module.is_unrewritten:
        current().moving[id(frame)] = digest, cells


def place_today(frame: Any, info: CodeInfo, place: Place | int, variables: dict[str, Any], *, has_awaited: bool = True) -> int:
    """The label at which a frame goes on; its variables become those of the code of today."""
    digest, cells = current().moving.pop(id(frame), ("", {}))
    if not digest:
        return label_today(info, place, variables, has_awaited=has_awaited)
    from .moving import move

    return move(info, digest, cells, place, variables, has_awaited=has_awaited)


def function_today(module: str, place: str, digest: str, cells: dict[str, CellType]) -> CodeInfo:
    """The function of today for one that is kept in a variable; its parameters must be the same, what it captures must exist."""
    info = find_today(library.find_function, module, place, digest)
    if info.digest != digest and not info.module.is_library:
        from .moving import check_function

        check_function(info, digest, cells)
    return info
