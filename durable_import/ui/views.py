"""An instance as its page shows it: a tree of tasks, each frame with the lines around the one that it waits at."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from ..api.inspection import EventView
from ..inspect.stack import FrameView, InstanceStack, TaskView
from ..running.instance.mail import ASK

AROUND = 3  # lines before and after the one where a frame waits
LONGEST = 300  # characters of a line


@dataclass(frozen=True)
class SourceLine:
    """``number``: in its file."""

    number: int
    text: str
    is_current: bool


@dataclass(frozen=True)
class ShownFrame:
    """A frame with its lines: those around the current one, or only that where no more is known."""

    frame: FrameView
    lines: tuple[SourceLine, ...]


@dataclass(frozen=True)
class TaskNode:
    """A task, and those that it has made."""

    task: TaskView
    frames: tuple[ShownFrame, ...]
    children: list[TaskNode] = field(default_factory=list)


def task_tree(stack: InstanceStack) -> list[TaskNode]:
    """The tasks of an instance; those that another one has made, by their paths, are below it."""
    nodes = {
        task.path: TaskNode(task, tuple(_shown(frame) for frame in task.frames if not frame.is_library)) for task in stack.tasks
    }
    roots = list[TaskNode]()
    for path, node in nodes.items():
        around = next((nodes[above] for above in _above(path) if above in nodes), None)
        (around.children if around is not None else roots).append(node)
    return roots


def _above(path: str) -> Iterator[str]:
    """The paths above one, the nearest first."""
    while "." in path:
        path = path.rpartition(".")[0]
        yield path


def _shown(frame: FrameView) -> ShownFrame:
    text = frame.text
    lines = text.text.splitlines() if text is not None and text.first_line and frame.line else []
    current = frame.line - text.first_line if text is not None else -1
    if not 0 <= current < len(lines) or lines[current].strip() != frame.source:
        alone = (SourceLine(frame.line, frame.source[:LONGEST], True),) if frame.source else ()
        return ShownFrame(frame, alone)
    first = max(current - AROUND, 0)
    found = lines[first : current + AROUND + 1]
    indent = min((len(line) - len(line.lstrip()) for line in found if line.strip()), default=0)
    numbered = enumerate(found, start=frame.line - current + first)
    return ShownFrame(frame, tuple(SourceLine(at, line[indent:][:LONGEST], at == frame.line) for at, line in numbered))


@dataclass(frozen=True)
class Waiting:
    """What an instance has not taken yet. ``kind``: 'event', 'question' or 'request' (of durable_import's own)."""

    kind: str
    name: str
    payload: str


def waiting_of(events: Iterable[EventView]) -> list[Waiting]:
    """The events, questions and requests for an instance, in their order."""
    return [_waiting(event) for event in events]


def _waiting(event: EventView) -> Waiting:
    parts = [str(part) for _, part in event.payload.parts] if event.payload is not None else []
    if event.name == ASK and len(parts) == 3:  # which, its name, what is asked
        return Waiting("question", parts[1].strip("'\""), parts[2])
    if event.name.startswith("@"):
        return Waiting("request", event.name.removeprefix("@"), "")
    return Waiting("event", event.name, str(event.payload))


def moment(seconds: float) -> str:
    """A time in words that mean the same everywhere."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):  # somebody has put it there
        return repr(seconds)


def version_of(document: Any) -> str:
    """What tells one state of a page from another."""
    return sha256(json.dumps(document, default=repr, sort_keys=True).encode()).hexdigest()[:16]
