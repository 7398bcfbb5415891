"""Soft torture: at every checkpoint the await chain of each task is rebuilt around the very same objects.

The coroutines of a task are captured, dropped, and built again by the resume variants; nothing is pickled, so the program may
hold what cannot be saved. A chain in which an asynchronous generator waits is left as it is: others refer to the generator.
"""

from __future__ import annotations

from collections import Counter
from contextvars import Context
from types import CoroutineType
from typing import Any, ClassVar

from durable_import.aio.task import DurableTask
from durable_import.frames.capture import CREATED, FrameState, awaited_by, capture, is_bound, parts_of
from durable_import.frames.discard import discard
from durable_import.frames.restore import build_frame, fill_frame
from durable_import.frames.signals import PRIMED
from durable_import.frames.step import NEW, PENDING, Step
from durable_import.rewrite.analysis.names import STATE
from durable_import.running.instance.checkpoint import Checkpoint
from durable_import.running.instance.driver import InstanceDriver
from durable_import.snapshot.encoder import Encoder
from durable_import.snapshot.payload import Saved


class UnsavedDriver(InstanceDriver):
    """Takes all checkpoints, but saves nothing: the program may hold what cannot be saved."""

    counts: ClassVar[Counter[str]] = Counter()  # of what all drivers together have done: checkpoints, frames rebuilt

    def __init__(self, instance: Any) -> None:
        super().__init__(instance, Encoder("unsaved"), self.commit_nothing)

    async def commit_nothing(self, checkpoint: Checkpoint) -> None:
        """Saving is done at once."""

    def _capture(self, status: str) -> Checkpoint:
        self.checkpoint += 1
        self.counts["checkpoints"] += 1
        self.loop.is_dirty = self.loop.has_new_timer = False
        self.loop.is_saved()
        return Checkpoint(self.checkpoint, status, "", self.function, Saved(b""))


class SoftTortureDriver(UnsavedDriver):
    """Rebuilds all that can be rebuilt at every checkpoint, those of failed steps included."""

    def _capture(self, status: str) -> Checkpoint:
        for task in list(self.loop.tasks):
            self.counts["frames rebuilt"] += rebuild(task)
        return super()._capture(status)


def rebuild(task: DurableTask) -> int:
    """Replace the coroutines of a task by rebuilt ones; gives how many there were."""
    old = task.stack()
    if task.done() or not old or not all(type(frame) is CoroutineType for frame in old) or not _has_begun(old[0]):
        return 0
    states = [capture(frame) for frame in old]
    below = awaited_by(old[-1])
    step = below if type(below) is Step and below.state == PENDING else None
    _drop(old, step)
    new = _build(old, states)
    task.set_coroutine(new[0])
    if step is not None:
        _go_to(new[0], step)
    return len(new)


def _has_begun(frame: Any) -> bool:
    parts = parts_of(frame)
    assert parts.frame is not None
    return parts.state != CREATED or STATE in parts.frame.f_locals


def _drop(frames: list[Any], step: Step | None) -> None:
    """What the step is in the middle of goes on under the new frames."""
    if step is not None:
        step.state = NEW
    discard(frames)
    if step is not None:
        step.state = PENDING


def _build(old: list[Any], states: list[FrameState]) -> list[Any]:
    new = []
    for frame, state in zip(old, states, strict=True):
        new.append(build_frame(state.info, state.cells, frame.__name__, frame.__qualname__))
        new[-1].__name__ = frame.__name__
    replaced = {id(before): after for before, after in zip(old, new, strict=True)}
    for state, frame in zip(states, new, strict=True):
        variables = {name: replaced.get(id(value), value) for name, value in state.variables.items()}
        for cell in state.cells.values():
            if is_bound(cell) and id(cell.cell_contents) in replaced:
                cell.cell_contents = replaced[id(cell.cell_contents)]
        fill_frame(frame, state.label, variables)
    return new


def _go_to(root: Any, step: Step) -> None:
    """Let new frames run to the step, so that what is sent or thrown gets to what it is in the middle of."""
    iterator, step.iterator = step.iterator, iter([PRIMED])
    given = Context().run(root.send, None)
    step.iterator = iterator
    if given is not PRIMED:
        raise AssertionError(f"{root!r} did not get to where it was")
