"""Managers of ``with`` blocks that cannot be saved, and what belongs to them: placeholders stand for them in the snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from types import BuiltinMethodType, MethodType, MethodWrapperType
from typing import Any

from ...frames.capture import FRAME_TYPES, FrameState
from ...frames.counted_exit import CountedExit
from ...frames.step import DONE, Step
from ...pythons.tasks import LoopBound
from ...rewrite.analysis.names import AWAITED
from ..load_context import current
from .blocks import blocks_of, is_entering, is_leaving, is_read, leave_of, value_of

MANAGER, LEAVE, VALUE, RELEASED = "manager", "leave", "value", "released"
# What is put into these after entering would be missing in one that is entered again.
ENTERED_ONCE = (asyncio.TaskGroup, ExitStack, AsyncExitStack)
# Path of the task, number of the frame in its stack, path of the ``with`` item in its function, which of the four. For the last
# but one there was the hidden variable of the manager until payload format 4, and is a variable for what is released.
Key = tuple[str, int, str, str]
BOUND_METHODS = (MethodType, BuiltinMethodType, MethodWrapperType)


class Lost:
    """A placeholder for an object that is made again on resume; or, for good, for one whose ``with`` block has ended."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.methods: dict[str, Lost] = {}  # placeholders for its bound methods, by name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self._error(name)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:  # noqa: ARG002  of a method that is gone
        raise self._error("call")

    def _error(self, name: str) -> ReferenceError:
        return ReferenceError(
            f"{self.key[2]!r} was bound by a `with` block that had ended when the program was saved; the object could not be "
            f"saved, so {name!r} of it is gone"
        )


@dataclass
class LostObjects:
    """What was left out of a snapshot: keys by id of the object, and the objects, so that the ids stay theirs."""

    by_id: dict[int, Key]
    kept: list[Any]


def find_lost(
    path: str,
    stack: list[Any],
    is_lost: Callable[[Any, bool], bool],
    known: dict[int, Key],
    read: Mapping[int, Any],
    *,
    have_names: bool = False,
) -> LostObjects:
    """The managers in the stack of one task for which ``is_lost``, outermost first, and what belongs to them.

    It is asked with the manager, and whether that is just being entered. A manager that holds is always made again then.

    ``read``: what is known of frames, by id. The managers are added to ``known``, in which ``is_lost`` may see those further
    out: one that only refers to these is not lost. ``have_names``: they are saved by name, also when they are left.
    """
    found = LostObjects(known, [])
    for number, name, state in blocks_of(stack, read):
        manager = state.variables[name]
        if isinstance(manager, (*ENTERED_ONCE, LoopBound)) or is_read(state, name, manager):
            continue  # of a primitive that is made again see ``enter_again``
        value, leave = value_of(state, name), state.variables.get(leave_of(state, name))
        if isinstance(value, FRAME_TYPES):
            continue  # made again it would begin again, and what drives it needs it as it is
        if type(leave) is CountedExit and not is_entering(state, name):
            if is_leaving(state, name):  # it holds no more: only its end is waited for
                del state.variables[name], state.variables[leave_of(state, name)]
            continue
        if type(leave) is not CountedExit and not is_lost(manager, is_entering(state, name)):
            continue
        if value is None and is_entering(state, name):
            value = _given_within(stack[number + 1 :], read)
        item = state.info.path_of(state.label, name)
        parts = {MANAGER: manager, LEAVE: leave, VALUE: value}
        is_left = is_leaving(state, name) and type(state.variables.get(AWAITED)) is Step
        for kind, part in parts.items():
            if part is not None and id(part) not in found.by_id and not (is_left and have_names and part is manager):
                found.by_id[id(part)] = (path, number, item, RELEASED if is_left else kind)
                found.kept.append(part)
    return found


def _given_within(entering: list[Any], read: Mapping[int, Any]) -> Any:
    """What the last step of rewritten code that enters a block has given, as ``contextlib``'s does: all that is made again."""
    if not entering:
        return None
    state = read.get(id(entering[-1]))
    step = state.variables.get(AWAITED) if type(state) is FrameState else None
    return step.value if type(step) is Step and step.state == DONE else None


def lost(*key: Any) -> Lost:
    """The placeholder of that key in the snapshot being loaded."""
    placeholders: dict[Any, Lost] = current().placeholders
    if key not in placeholders:
        placeholders[key] = Lost(key)
    return placeholders[key]


def lost_method(owner: Lost, name: str) -> Lost:
    """The placeholder for a bound method of an object that is one."""
    return owner.methods.setdefault(name, Lost(owner.key))
