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
from ...hook.program_version import split
from ...upgrades.kept import KeptTexts, VersionAsked
from ...upgrades.policies import policy_of
from .. import library
from ..frame_places import label_today
from ..load_context import current
from ..names import module_today
from ..new_names import place_today as place_of_today

if TYPE_CHECKING:
    from ...rewrite.analysis.suspensions import Place

Find = Callable[[str, str, str], CodeInfo]


def find_today(find: Find, module: str, place: str, digest: str) -> CodeInfo:
    """The function of today for one that was saved by its place: itself, or, where frames may move, one with another text; the
    one of then, if it is pinned.

    Raises CodeChangedError if its text is to be asked for, and if it is not certain which one it is; VersionAsked.
    """
    name, version = split(module)
    kept = current().kept_texts
    if version and not (kept is not None and kept.unpins):
        from ...upgrades.versions import known_version

        return known_version(version).find(module_today(name), place, digest)
    try:
        found = find(name, place, digest)
        if version and kept is not None:
            kept.moved[name, place] = f"the code of {place!r} of today"
        return found
    except (CodeChangedError, MissingCodeError) as error:
        module = name
        name, today = place_of_today(module, place)
        known = MODULES.get(name)
        if kept is None or known is None or known.is_library or known.is_unrewritten:
            raise
        policy = "move" if kept.by_hand else policy_of(name, today) or kept.policy
        if policy == "refuse":
            raise
        if policy == "pin":
            return _pinned(kept, module_today(module), place, digest, error)
        from .moving import counterpart

        return counterpart(known, today, digest, kept, error, (module, place, version or kept.version))


def frame_function(find: Find, module: str, place: str, digest: str) -> CodeInfo:
    """The same for a frame that is about to be built: it is pinned too if the frame that awaits it is."""
    context = current()
    if not context.pins:
        info = _unchanged(module, place, digest)
        if info is not None and info.code.co_flags & library.SUSPENDS:
            return info
    version = context.pins.get(len(context.frames))
    if version is not None and (info := _of_version(version, module_today(module), place, digest)) is not None:
        return info
    info = find_today(find, module, place, digest)
    if not info.code.co_flags & library.SUSPENDS:
        from .moving import refuse_call

        refuse_call(info, digest)
    return info


def _unchanged(module: str, place: str, digest: str) -> CodeInfo | None:
    """The function of today, if it is the one that was saved: most are."""
    known = MODULES.get(module_today(module))
    info = known.by_place.get(place) if known is not None else None
    return info if info is not None and info.digest == digest else None


def _pinned(kept: KeptTexts, module: str, place: str, digest: str, error: CodeChangedError | MissingCodeError) -> CodeInfo:
    if not kept.version:
        raise VersionAsked(error)
    from ...upgrades.versions import known_version

    info = known_version(kept.version).find(module, place, digest)
    kept.pinned[module, place] = f"the code of {place!r} that it began with"
    return info


def gone_today(module: str, name: str, error: MissingCodeError) -> Any:
    """What is not found by its name today: that of then, where something goes on in the code of then. Raises the error if not."""
    kept, first = current().kept_texts, name.partition(".")[0]
    known = MODULES.get(module)
    if kept is None or known is None or known.is_library:
        raise error
    if not kept.version:
        raise VersionAsked(error)
    from ...upgrades.then import then
    from ...upgrades.versions import known_version

    version = next((each for each in kept.versions if first in known_version(each).bound.get(module, ())), None)
    if version is None:
        raise error
    found = then(version, module, first)
    for part in name.split(".")[1:]:
        found = getattr(found, part)
    return found


def _of_version(version: str, module: str, place: str, digest: str) -> CodeInfo | None:
    """A function as it was in a version, if it has that and may be pinned."""
    if policy_of(module, place) == "latest":
        return None
    from ...upgrades.versions import known_version

    known = known_version(version).module(module)
    info = known.by_place.get(place) if known is not None else None
    return info if info is not None and info.digest == digest else None


def note_moving(frame: Any, info: CodeInfo, digest: str, cells: dict[str, CellType]) -> None:
    """Remember of a frame that was built that it began with another text: it has no variables yet."""
    if info.module.version:
        current().pinned.append((frame, info.module.version))
    elif info.digest != digest and not info.module.is_library and not info.module.is_unrewritten:
        current().moving[id(frame)] = digest, cells


def place_today(frame: Any, info: CodeInfo, place: Place | int, variables: dict[str, Any], *, has_awaited: bool = True) -> int:
    """The label at which a frame goes on; its variables become those of the code of today."""
    digest, cells = current().moving.pop(id(frame), ("", {}))
    if not digest:
        label = label_today(info, place, variables, has_awaited=has_awaited)
        if info.module.version and label:
            from ...upgrades.then import own_operands

            own_operands(info, label, variables)
        return label
    from .moving import move

    return move(info, digest, cells, place, variables, has_awaited=has_awaited)


def function_today(module: str, place: str, digest: str, cells: dict[str, CellType]) -> CodeInfo:
    """The function of today for one that is kept in a variable; its parameters must be the same, what it captures must exist."""
    info = find_today(library.find_function, module, place, digest)
    if info.module.version:
        return info
    if info.digest != digest and not info.module.is_library:
        from .moving import check_function

        check_function(info, digest, cells)
    return info
