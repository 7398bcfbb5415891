"""The stack of an instance as people see it: its tasks, each with its frames, source lines and variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from .frames import SavedFrame
from .graph import items_of
from .lines import FunctionText, line_at
from .state import SavedState, SavedTask
from .values import USUAL, Describer, Description, Limits
from .variables import frame_names
from .waits import Wait, wait_of

_PARTS = 3  # of a content: how it is put back, the object, what it holds


@dataclass(frozen=True)
class FrameView:
    """A call that waits. ``function``: its qualified name; ``place``: what names it in its module; ``digest``: of its code.

    ``file`` is empty and ``line`` 0 where they are not known; ``source``: that line. ``path`` and ``role`` say where in the tree
    of the function it waits. ``is_library``: it is asyncio's own. ``name``: what the paths of its variables begin with, as in
    ``0/main.total``, where they are changed.
    """

    module: str
    function: str
    place: str
    digest: str
    path: str
    role: str
    file: str
    line: int
    source: str
    variables: Mapping[str, Description]
    is_library: bool
    text: FunctionText | None = None
    name: str = ""


@dataclass(frozen=True)
class TaskView:
    """A task. ``frames``: outermost first; ``status``: 'pending', 'done', 'failed' or 'cancelled'; ``outcome``: its result or
    exception, once there is one."""

    name: str
    path: str
    status: str
    wait: Wait
    frames: tuple[FrameView, ...]
    outcome: Description | None = None

    @property
    def waits_for(self) -> str:
        """What it waits for, in words."""
        return self.wait.text


@dataclass(frozen=True)
class InstanceStack:
    """All that an instance was at its last checkpoint. ``str`` of it is like a traceback.

    ``data``: module-level data that belong to its state. ``names``: classes, functions and objects that the state names, by
    module and qualified name. ``call``: the function and arguments that it was begun with. ``outcome``: its result or exception,
    once it has ended; then there are no tasks, as before its first checkpoint. ``hold``: what keeps it from being saved now.
    """

    instance_id: str
    checkpoint: int
    status: str
    tasks: tuple[TaskView, ...] = ()
    data: Mapping[str, Description] = field(default_factory=dict)
    names: frozenset[tuple[str, str]] = frozenset()
    call: Description | None = None
    outcome: Description | None = None
    hold: str = ""

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, *, library: bool = False, names: bool = False) -> Iterator[str]:
        """What ``str`` gives; ``library``: with the frames of asyncio's own code, ``names``: with what paths of variables begin
        with."""
        yield f"instance {self.instance_id}, {self.status}, checkpoint {self.checkpoint}"
        if self.call is not None:
            yield f"begun as {self.call}"
        if self.hold:
            yield f"held by {self.hold}"
        if self.outcome is not None:
            yield f"ended with {self.outcome}"
        for task in self.tasks:
            yield _first_line(task)
            for frame in task.frames:
                if library or not frame.is_library:
                    yield from _lines_of(frame, names=names)


def _first_line(task: TaskView) -> str:
    if task.status != "pending":
        return f"Task {task.name!r} {task.status}" + (f": {task.outcome}" if task.outcome is not None else "")
    key = f" (key {task.wait.step.key})" if task.wait.step is not None else ""
    return f"Task {task.name!r} waits for {task.waits_for}{key}:"


def _lines_of(frame: FrameView, *, names: bool) -> Iterator[str]:
    where = f'"{frame.file}", line {frame.line}' if frame.file else f"of module {frame.module}"
    name = f"  ({frame.name})" if names and frame.name else ""
    yield f"  File {where}, in {frame.function}{name}" if frame.file else f"  {frame.function} {where}{name}"
    if frame.source:
        yield f"    {frame.source}"
    for name, value in frame.variables.items():
        yield f"      {name} = {value}"


def stack_of(
    state: SavedState,
    instance_id: str,
    texts: Mapping[str, FunctionText],
    limits: Limits = USUAL,
    *,
    checkpoint: int = 0,
    status: str = "",
) -> InstanceStack:
    """The stack in a state that was read. ``texts``: those of functions, by digest. Raises SnapshotFormatError."""
    describer = Describer(state.resolve, limits)
    root = state.root
    tasks = sorted(state.tasks.values(), key=lambda task: (task is not root, _numbers(task.path)))
    if limits.mask is not None:  # which has to have met all secrets before one is shown under another name
        for frame in (frame for task in tasks for frame in task.frames):
            describer.describe_all(frame.variables)
    views = tuple(_task(task, state, describer, instance_id, texts) for task in tasks)
    contents = {name: items_of(content, "tuple") or [] for name, content in state.contents.items()}
    data = describer.describe_all({name: parts[2] for name, parts in contents.items() if len(parts) == _PARTS})
    return InstanceStack(instance_id, checkpoint, status, views, data, state.names)


def _numbers(path: str) -> list[tuple[int, str]]:
    """What puts paths of tasks into order."""
    return [(len(number), number) for number in path.split(".")]


def _task(
    task: SavedTask, state: SavedState, describer: Describer, instance_id: str, texts: Mapping[str, FunctionText]
) -> TaskView:
    return TaskView(
        task.name,
        task.path,
        task.outcome,
        wait_of(task, state, describer, instance_id),
        tuple(_frame(frame, name, describer, texts) for frame, name in zip(task.frames, frame_names(task), strict=True)),
        describer.describe(task.value) if task.outcome in ("done", "failed") else None,
    )


def _frame(frame: SavedFrame, name: str, describer: Describer, texts: Mapping[str, FunctionText]) -> FrameView:
    text = texts.get(frame.digest)
    line = line_at(frame.digest, frame.path, text, texts.values()) if text is not None else None
    source = line.text if line is not None else ""
    if describer.limits.mask is not None:
        source = describer.limits.mask.text_without(source)
        text = replace(text, text=describer.limits.mask.text_without(text.text)) if text is not None else None
    return FrameView(
        module=frame.module,
        function=frame.qualname,
        place=frame.place,
        digest=frame.digest,
        path=frame.path,
        role=frame.role,
        file=text.file if text is not None else "",
        line=line.number if line is not None else 0,
        source=source,
        variables=describer.describe_all(frame.variables),
        is_library=frame.is_library,
        text=text,
        name=name,
    )
