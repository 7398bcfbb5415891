"""What one snapshot refers to by name, and what is known of its frames."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..aio.task import DurableTask
from ..frames.capture import frame_of, parts_of, variables_in
from ..frames.step import Step
from ..holds.notes import Notes
from ..hook.code_table import info_of
from ..pythons.tasks import LoopBound
from .module_data.module_names import Names
from .module_data.modules import ScriptData, is_refilled
from .module_data.process_state import set_first
from .module_data.reached import Reached
from .tasks.stacks import Stacks
from .tasks.tasks import coroutine_of


@dataclass
class References:
    """What one snapshot refers to by name, and what is known of its frames."""

    names: Names = field(default_factory=lambda: Names(None))
    script: ScriptData | None = None
    base: contextvars.Context = field(default_factory=contextvars.copy_context)  # context variables that are not the program's
    read: Stacks = field(default_factory=Stacks)
    stacks: Callable[[], list[tuple[str, list[Any]]]] = list  # the frames of all tasks
    in_flight: set[int] = field(default_factory=set)  # ids of the awaitables of steps that have begun
    has_loop: bool = False  # whether it is the state of an instance, with its futures
    lost: dict[int, tuple[Any, ...]] = field(default_factory=dict)  # see ``with_blocks.lost``
    left_out: list[Any] = field(default_factory=list)  # the objects in ``lost``, so that their ids stay theirs
    notes: Notes | None = None  # of reopenable objects
    note_generator: Callable[[Any], None] | None = None  # to be told of the generators that no task runs
    beside: list[Any] = field(default_factory=list)  # generators of both kinds that were met, and no task runs
    reached: Reached | None = None  # to be told what the pickle of the whole state holds
    has_found: bool = False  # whether that is more than was known

    def __post_init__(self) -> None:
        self.by_id = self.names.by_id
        self.unmarked = self.names.unmarked()

    @property
    def containers(self) -> list[Any]:
        """The containers that are saved by name."""
        return self.names.containers()

    @property
    def container_ids(self) -> set[int]:
        """The ids of ``containers``."""
        return self.names.container_ids

    @property
    def first(self) -> tuple[Any, ...] | None:
        """What is to be called before anything is read: a function and its arguments."""
        first = self.script.process_state.first if self.script is not None else None
        return (set_first, *first) if first is not None else None

    def meets(self, number: int) -> None:
        """The pickle refers to an object of a module that is not marked."""
        met = self.script.unmarked.met if self.script is not None else set()
        if number not in met:
            met.add(number)
            self.has_found = True

    def is_made_again(self, value: Any) -> bool:
        """Whether it is a primitive of asyncio that is saved by reference, and its state is not saved with the program's data."""
        way = self.names.way_to(value) if isinstance(value, LoopBound) else None
        return way is not None and not is_refilled(self.script, way[0], way[1], value)

    def is_in_stack(self, frame: Any) -> bool:
        """Whether a frame is run by a task of the instance."""
        return any(frame is each for _, stack in self.stacks() for each in stack)

    def waits_again(self, frame: Any) -> bool:
        """Whether a frame of asyncio's own code, in an instance, waits for a primitive that is made again."""
        met = self.read.met.get(id(frame))
        info = met.info if met is not None else info_of(parts_of(frame).code)
        if info is None or not info.module.is_library or not self.has_loop:
            return False
        found = frame_of(frame)
        return found is not None and self.is_made_again(variables_in(found).get("self"))


def task_frames(task: DurableTask, references: References) -> tuple[Any, ...]:
    """What the code of a task can reach, to be pickled; frames innermost first, so that calls do not nest as pickles.

    Nothing is kept of what a frame that begins again has called.
    """
    root = task.root if type(task.root) is Step else None
    stack = references.read.of(task)
    frames = stack.frames
    if not stack.is_simple:
        frames = frames[: next((place for place, frame in enumerate(frames, 1) if references.waits_again(frame)), len(frames))]
    return frames[::-1], coroutine_of(task), root, task._context, task.ended
