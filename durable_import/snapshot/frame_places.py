"""Where a saved frame stands, and what its hidden variables are, in the words that snapshots have for it.

A snapshot names both by the user's tree and by role: see ``Suspend.place``. It is one object for all frames that stand there, so
a snapshot has it once. If the rewriter of today has other names, the frame gets them when it is read. Until payload format 4 it
was the label, and the names are today's; a frame that has not begun has the label 0 in all formats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import SnapshotFormatError
from ..frames.capture import FrameState
from ..frames.liveness import live_at
from ..hook.code_table import CodeInfo
from ..rewrite.analysis.names import AWAITED, is_hidden
from ..rewrite.analysis.relative_paths import absolute

if TYPE_CHECKING:
    from ..rewrite.analysis.suspensions import Hidden, Place

WORDS = {
    "operand": "an operand", "copy": "an unpacked mapping", "iterator": "the iterator of a loop",
    "advance": "what gives the next item of a loop", "going": "whether a loop goes on", "item": "an item that is being unpacked",
    "manager": "the manager of a with block", "leave": "the exit method of a with block",
    "argument": "a part of the call in a with block", "entered": "what entering a with block gave",
    "normal": "whether a with block has failed",
    "outcome": "the pending outcome of a try block", "exception": "the exception being handled",
    "group": "the exception group being handled", "subject": "the subject of a match statement",
    "result": "what a comprehension has made so far", "key": "a key of a dict comprehension",
}  # fmt: skip
# What variables of a role hold, where that is quickly seen.
KINDS: dict[str, Any] = {
    "going": bool, "normal": bool, "exception": BaseException, "outcome": (type(None), str, tuple, BaseException),
}  # fmt: skip


def place_of(state: FrameState) -> Place | int:
    """What a snapshot says of where a frame stands."""
    return state.info.suspensions[state.label] if state.label else 0


def readable(state: FrameState, name: str) -> str:
    """A hidden variable of a frame in words."""
    if name == AWAITED:
        return "what is awaited"
    here = state.info.suspensions.get(state.label)
    role = next((its for other, its, _ in here[2] if other == name), "") if here is not None else ""
    return WORDS.get(role, "a hidden variable")


def label_today(info: CodeInfo, place: Place | int, variables: dict[str, Any], *, has_awaited: bool = True) -> int:
    """The label where a saved frame goes on; its variables get the names that they have there, and are checked.

    ``has_awaited``: whether what it awaits is among them. Raises SnapshotFormatError for what cannot go on.
    """
    if place == 0:
        return 0
    if isinstance(place, int):
        label = _numbered(info, place, variables)
    else:
        known = info.label_of(place)
        label = known if known is not None else _renamed(info, place, variables)
    check(info, label, variables, has_awaited=has_awaited)
    return label


def _numbered(info: CodeInfo, number: int, variables: dict[str, Any]) -> int:
    """A frame of payload format 4, which kept some variables that are not read any more, and knew no commit points."""
    labels = [label for label, (_, role, _) in sorted(info.suspensions.items()) if role != "commit"]
    if not 0 < number <= len(labels):
        raise _refusal(info, f"it waits at suspension {number}, of which there is none")
    label = labels[number - 1]
    names = {*info.names(label), AWAITED}
    for name in [name for name in variables if is_hidden(name) and name not in names]:
        del variables[name]
    return label


def _renamed(info: CodeInfo, place: Place, variables: dict[str, Any]) -> int:
    path, role, kept = place
    label = next((label for label, here in info.suspensions.items() if here[:2] == (path, role)), None)
    if label is None:
        raise _refusal(info, f"it waits in the {role} at {path}, where this version does not suspend")
    today = {hidden[1:]: hidden[0] for hidden in info.suspensions[label][2]}
    found = {hidden[0]: variables.pop(hidden[0]) for hidden in kept if hidden[0] in variables}
    lost = next((hidden for hidden in kept if hidden[0] in found and hidden[1:] not in today), None)
    if lost is not None:
        raise _refusal(info, f"it has {_said(lost, path)}, which this version does not keep there")
    stray = next((name for name in variables if is_hidden(name) and name != AWAITED), None)
    if stray is not None:
        raise _refusal(info, f"it has a hidden variable {stray!r}, of which it does not say what it is")
    variables.update((today[hidden[1:]], found[hidden[0]]) for hidden in kept if hidden[0] in found)
    return label


def check(info: CodeInfo, label: int, variables: dict[str, Any], *, has_awaited: bool = True) -> None:
    """Make sure that a frame can go on at a label with its variables. Raises SnapshotFormatError if it cannot.

    Those that nothing reads may have been left out.
    """
    way, _, kept = info.suspensions[label]
    for hidden in kept:
        name, role, _ = hidden
        if name not in variables:
            if role != "argument" and name in live_at(info, label):  # without those the call is made as it is written
                raise _refusal(info, f"it lacks {_said(hidden, way)}")
        elif role in KINDS and not isinstance(variables[name], KINDS[role]):
            raise _refusal(info, f"{_said(hidden, way)} cannot be of type {type(variables[name]).__name__}")
    if has_awaited and info.awaits(label) and AWAITED not in variables:
        raise _refusal(info, "it lacks what is awaited")


def _said(hidden: Hidden, way: str) -> str:
    _, role, path = hidden
    return f"{WORDS.get(role, role)} (at {absolute(path, way) or 'the function itself'})"


def _refusal(info: CodeInfo, reason: str) -> SnapshotFormatError:
    return SnapshotFormatError(
        f"{info.module.path}:{info.code.co_firstlineno}: the saved state is in the middle of {info.place!r} and cannot go on "
        f"there: {reason}. Resume it with the version of durable_import that saved it; the saved state is kept."
    )
