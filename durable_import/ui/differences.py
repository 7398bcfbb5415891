"""What has changed between two checkpoints of an instance: its tasks, where they wait, and their variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from ..inspect.stack import FrameView, InstanceStack, TaskView
from ..inspect.values import Description

V = TypeVar("V")


@dataclass(frozen=True)
class Difference:
    """``path``: as in ``0/main.total``: task, function, variable and the steps from there. ``before`` or ``after`` is empty where
    there was, or is, none."""

    path: str
    before: str
    after: str


def differences(before: InstanceStack, after: InstanceStack) -> list[Difference]:
    """All of them, as far as the descriptions of the two go."""
    found = [Difference("status", before.status, after.status)] if before.status != after.status else []
    tasks = _both({task.path: task for task in before.tasks}, {task.path: task for task in after.tasks})
    for path, (was, now) in tasks:
        found += _of_task(path, was, now)
    found += _of_named("data/", before.data, after.data)
    if after.outcome is not None and before.outcome is None:
        found.append(Difference("outcome", "", str(after.outcome)))
    return found


def _both(before: Mapping[str, V], after: Mapping[str, V]) -> Iterator[tuple[str, tuple[V | None, V | None]]]:
    """What either has, the earlier first."""
    for name in dict.fromkeys((*before, *after)):
        yield name, (before.get(name), after.get(name))


def _of_task(path: str, before: TaskView | None, after: TaskView | None) -> Iterator[Difference]:
    was, now = (_standing(task) if task is not None else "" for task in (before, after))
    if was != now:
        yield Difference(path, was, now)
    own = [{} if task is None else _frames(task) for task in (before, after)]
    for name, (old, new) in _both(*own):
        yield from _of_named(f"{name}.", old.variables if old else {}, new.variables if new else {})


def _frames(task: TaskView) -> dict[str, FrameView]:
    """The frames of a task by what the paths of their variables begin with."""
    return {frame.name: frame for frame in task.frames if not frame.is_library}


def _standing(task: TaskView) -> str:
    """Where a task is."""
    own = [frame for frame in task.frames if not frame.is_library]
    at = f", {own[-1].function}:{own[-1].line}" if own and own[-1].line else ""
    return f"{task.name}: {task.status if task.status != 'pending' else f'waits for {task.waits_for}'}{at}"


def _of_named(path: str, before: Mapping[str, Description], after: Mapping[str, Description]) -> Iterator[Difference]:
    for name, (was, now) in _both(before, after):
        yield from _of_value(f"{path}{name}", was, now)


def _of_value(path: str, before: Description | None, after: Description | None) -> Iterator[Difference]:
    if before is not None and after is not None:
        if (before.type, before.text, before.parts) == (after.type, after.text, after.parts):
            return
        if before.type == after.type and before.parts and after.parts:
            inside = [each for each in _of_named(path, dict(before.parts), dict(after.parts)) if each.before != each.after]
            if inside:
                yield from inside
                return
    was, now = (str(each) if each is not None else "" for each in (before, after))
    if was != now:
        yield Difference(path, was, now)
