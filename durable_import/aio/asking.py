"""The key that the program asks for in a turn of a task, before the call that it is for is awaited.

Asked for again it is the same, unless it was for another call: that was made and waits to be awaited, or the same line comes
again, as in a loop. So that the key of a call is the one that foreign code in it is told, its arguments are looked at.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import BuiltinFunctionType, CodeType, CoroutineType, FrameType, FunctionType, ModuleType
from typing import Any

from ..frames.capture import CREATED, parts_of
from ..ours import PREFIX
from .executors import ExecutorCall

LONGEST = 4096  # characters of a text that is searched for a key
MOST = 300  # objects among the arguments of a call that are looked at, those nearest to it first
DEEPEST = 5  # steps from a call to a key: an argument, its attribute, a dict there, a list in that, the text
_NO_ARGUMENTS = (FunctionType, BuiltinFunctionType, CodeType, FrameType, ModuleType, type)


class Asked:
    """Where the key that a task has at present was asked for in its turn."""

    __slots__ = ("_collections", "_places")

    def __init__(self, frame: FrameType, last: CodeType) -> None:
        self._places = {_place_of(frame, last)}
        self._collections = _collections()

    def is_of_another(self, key: str, frame: FrameType, last: CodeType) -> bool:
        """Whether who asks now, in this frame, asks for another call; ``last``: the code that has taken the turn."""
        place = _place_of(frame, last)
        if place in self._places:
            return True
        self._places.add(place)
        return any(is_among_arguments(key, each) for each in self._calls_not_begun())

    def _calls_not_begun(self) -> Iterator[Any]:
        """Coroutines made since the first question, and perhaps others."""
        objects = gc.get_objects(0) if _collections() == self._collections else gc.get_objects()
        return (each for each in objects if type(each) is CoroutineType and parts_of(each).state == CREATED)


def is_among_arguments(key: str, awaitable: Any) -> bool:
    """Whether a call that has not begun was given a key."""
    level, seen, left = [awaitable], {id(awaitable)}, MOST
    for _ in range(DEEPEST):
        nearest, level = level, []
        for each in gc.get_referents(*nearest):
            if type(each) is str:
                if len(each) <= LONGEST and _has(each, key):
                    return True
            elif id(each) not in seen and _may_hold_arguments(type(each)) and left:
                seen.add(id(each))
                left -= 1
                level.append(each)
    return False


def _has(text: str, key: str) -> bool:
    """Whether a key stands in a text, and not the beginning of another one."""
    _, found, rest = text.partition(key)
    return bool(found) and not rest[:1].isdecimal()


def _may_hold_arguments(kind: type) -> bool:
    if issubclass(kind, _NO_ARGUMENTS):
        return False
    module = kind.__module__
    return kind is ExecutorCall or type(module) is not str or not module.startswith(PREFIX)


def _place_of(frame: FrameType, last: CodeType) -> tuple[int, ...]:
    """Where code stands, and its callers in the turn."""
    place: list[int] = []
    caller: FrameType | None = frame
    while caller is not None and caller.f_code is not last and len(place) < MOST:
        place += (id(caller.f_code), caller.f_lasti)
        caller = caller.f_back
    return tuple(place)


def _collections() -> int:
    """How often the collector has moved objects from the youngest generation."""
    return sum(generation["collections"] for generation in gc.get_stats())
