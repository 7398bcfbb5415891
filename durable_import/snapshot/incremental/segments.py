"""Snapshots of instances with many tasks, in segments: what has not changed is not pickled again.

A segment holds one task, or a callback that is ready, or an *island*: objects that several segments refer to; or the rest, the
*kernel*. Each segment is a pickle of its own. Each object belongs to one segment only: the pickler's memo tells which objects
went into a pickle, and one that belongs to another segment already becomes an island, to which both refer. Islands that refer
to one another in a circle are made one, so that each can be loaded as a whole before those that refer to it. An island that
only one segment still refers to becomes a part of that one again. Tasks are referred to by path.

At a checkpoint these segments are pickled again: the kernel, each task that was touched (it took a turn, or one of its methods
was called), and each island that the code which ran may have reached, to begin with by what the segments referred to before.
Where that is most of them a whole snapshot costs less, see ``format_policy``.

Here they are loaded. ``ownership`` knows what belongs to which segment, ``segment_pickler`` pickles one of them, and
``segment_saving`` those that may have changed.
"""

from __future__ import annotations

import io
from collections.abc import Generator
from typing import Any

from ...aio.task import DurableTask
from ...errors import SnapshotFormatError
from ...holds.opening import Reopening
from ..load_context import LoadContext, Read, current, load_unopened
from ..tasks.tasks import fill_task, new_task
from ..unpickler import complete_fields, unpickler_of

KERNEL = "k"


def task_key(task: DurableTask) -> str:
    """The name of a task's segment."""
    return "t" + task.path


def shared(key: str, place: int) -> Any:
    """An object of an island."""
    found = current()
    if key not in found.islands:
        found.islands[key] = None
        found.islands[key] = _load_parts(found.segments[key])[0]
    if found.islands[key] is None:
        raise SnapshotFormatError(f"the segments of the snapshot refer to one another in a circle, by way of {key!r}")
    return found.islands[key][place]


def _load_parts(data: bytes) -> list[Any]:
    """The parts of a segment."""
    file = io.BytesIO(data)
    unpickler = unpickler_of(file)
    unpickler.load()
    parts = []
    while file.tell() < len(data):
        parts.append(unpickler.load())
    complete_fields(unpickler, current())
    return parts


def load_segments(kernel: bytes, segments: dict[str, bytes]) -> tuple[Any, LoadContext]:
    """What ``Segments.encode`` saved: the rest, the loop's state and inbox; and the context with the loop and its tasks."""
    return load_unopened(reading_of_segments(kernel, segments))


def reading_of_segments(kernel: bytes, segments: dict[str, bytes]) -> Read[tuple[Any, LoadContext]]:
    """How they are read."""

    def read(context: LoadContext) -> Generator[Reopening, None, tuple[Any, LoadContext]]:
        context.segments = segments
        unpickler = unpickler_of(io.BytesIO(kernel))
        unpickler.load()
        while type(value := unpickler.load()) is Reopening:
            complete_fields(unpickler, context)
            yield value
        (rest, held), inbox = value, unpickler.load()
        context.contents = rest[1]
        complete_fields(unpickler, context)
        for key in segments:
            if key[0] == "t":
                new_task(key[1:])
            elif key[0] == "c":
                held[1].append(_load_parts(segments[key])[1])
        while context.missing:
            task = context.missing.pop()
            fill_task(task, *_load_parts(segments[task_key(task)]))
        return (rest, held, inbox), context

    return read
