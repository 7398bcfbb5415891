"""The error that names the variable which cannot be saved, and what is known of that variable for as long as it is so."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pickle import PicklingError
from typing import Any

from ..aio.task import DurableTask
from ..errors import UnsavableStateError
from ..frames.capture import SUSPENDED, FrameState, capture, contents_of, frame_behind, frame_of, line_of, parts_of
from ..frames.step import DONE, FAILED, Step
from ..holds.in_use import in_use
from ..holds.kinds import type_name
from ..holds.spent import let_go_of_spent
from ..hook.code_table import info_of
from ..rewrite.analysis.names import AWAITED, is_hidden
from .diagnose import Culprit, find_culprit, way_out_of
from .frame_places import WORDS, readable
from .module_data.module_names import Names
from .payload import Snapshot
from .pickler import dumps
from .references import References
from .reopened import Entries, saved_of_reopened
from .tasks.futures import future_state
from .with_blocks.blocks import readable_names


@dataclass(frozen=True)
class Blocker:
    """A variable of a suspended frame that cannot be saved: ``value`` under ``name``; ``used``: what is in use in it.

    ``culprit`` gives what in it that is, for as long as it lives.
    """

    frame: Any
    name: str
    value: Any
    culprit: Callable[[], Any]
    used: Any = None

    def is_gone(self) -> bool:
        """Whether the frame has ended, the variable has another value, nothing reads it any more, or what was open is not."""
        if frame_of(self.frame) is None or (self.used is not None and not in_use(self.used)):
            return True
        if parts_of(self.frame).state != SUSPENDED:
            return False  # asked by itself, in its turn: what it will have then nobody knows
        state = capture(self.frame)
        found = (state.variables | contents_of(state.cells)).get(self.name)
        return found is not self.value or self.name not in readable_names(state)


AWAITED_RESULT, AWAITED_EXCEPTION = "(result of the await)", "(exception of the await)"


def explained(snapshot: Snapshot, references: References, error: Exception, instance_id: str | None) -> Exception:
    """The error that names the variable that cannot be saved."""

    def attempt(value: Any) -> None:
        dumps(value, references)

    def refuse(value: Any) -> None:
        if references.notes is not None:
            Entries(references.notes, is_probe=True).reduce(value)

    def saved_of(path: str, value: Any) -> list[tuple[str, Any]] | None:
        if type(value) is DurableTask:
            return _of_ended(path, value)
        return saved_of_reopened(path, value, references.notes) if references.notes is not None else None

    frames = [frame for _, stack in snapshot.stacks() for frame in stack]
    frames.reverse()
    frames.sort(key=_is_of_library)  # their variables lead to those of the program, on long ways
    for frame in frames:
        try:
            state = capture(frame)
        except PicklingError as refusal:
            kind = type(frame).__name__
            return _error_at(frame, Culprit(f"(the {kind} {frame.__qualname__})", kind, str(refusal)), instance_id)
        let_go_of_spent(state)
        live = readable_names(state)
        every = state.variables | contents_of(state.cells)
        variables = {n: v for n, v in every.items() if n != AWAITED and n in live}
        named = {n: v for n, v in variables.items() if not is_hidden(n)}
        candidates = [named, _outcome(state.variables.get(AWAITED)), variables]
        if frame_behind(state.variables.get(AWAITED)) is None:
            candidates.append({AWAITED: state.variables.get(AWAITED)})
        culprit = next(filter(None, (find_culprit(each, attempt, refuse, saved_of) for each in candidates)), None)
        if culprit is not None:
            stack = next(each for _, each in snapshot.stacks() if any(frame is other for other in each))
            shown = _place_of(stack) if _is_of_library(frame) else frame
            found = _error_at(shown, replace(culprit, path=_readable(state, culprit.path)), instance_id)
            name = _variable_of(culprit.path, variables)
            value = variables[name] if name in variables else state.variables.get(AWAITED)
            used = culprit.value if in_use(culprit.value) else None
            found.blocker = Blocker(frame, name, value, _weakly(culprit.value), used)
            return found
    for task in snapshot.loop.tasks if snapshot.loop is not None else ():
        parts = _of_task(task)
        culprit = find_culprit(parts, attempt)
        if culprit is not None:  # of what is in such a part nobody could write the path
            path = next(name for name in parts if culprit.path.startswith(name))
            found = _error_at(_place_of(task.stack()), replace(culprit, path=path), instance_id)
            found.blocker = _PartOfTask(task, _weakly(culprit.value))
            return found
    culprit = find_culprit(_beside_frames(snapshot), attempt)
    if culprit is None:
        culprit = Culprit("(the state of the event loop)", type(error).__qualname__, str(error) or repr(error))
        return _error_at(_place_of(frames[::-1]), culprit, instance_id)
    return _error_at(None, culprit, instance_id)


def _weakly(value: Any) -> Callable[[], Any]:
    """Gives an object while it lives, if it takes weak references."""
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: None


def _error_at(frame: Any, culprit: Culprit, instance_id: str | None) -> UnsavableStateError:
    """The error for what was found; ``frame``: where the program stands."""
    code = parts_of(frame).code if frame is not None else None
    return UnsavableStateError(
        path=culprit.path,
        type_name=culprit.type_name,
        reason=culprit.reason,
        way_out=culprit.way_out,
        instance_id=instance_id,
        filename=code.co_filename if code is not None else "?",
        lineno=line_of(frame) if frame is not None else 0,
        function=code.co_qualname if code is not None else "?",
    )


def _place_of(stack: list[Any]) -> Any:
    """The innermost frame of the program in a stack, or of the library if there is no other."""
    return next((frame for frame in reversed(stack) if not _is_of_library(frame)), stack[-1] if stack else None)


def _of_task(task: DurableTask) -> dict[str, Any]:
    """What is saved of a task beside its frames, under the names that errors call it."""
    name = task.get_name()
    found: dict[str, Any] = {f"(context variables of {name})": task.get_context()}
    if not task.stack():
        found[f"(task {name})"] = task.coroutine
    _, _, callbacks, *_ = future_state(task)
    found[f"(what is called when task {name} ends)"] = callbacks
    found[f"(what task {name} waits for)"] = task._fut_waiter if task.step is None else None
    found[f"(the message of the cancellation of task {name})"] = task.message_kept()
    return found


def _of_ended(path: str, task: DurableTask) -> list[tuple[str, Any]]:
    """What is saved of a task that has no frames: it has ended, or is one step, which may have."""
    parts = [(f"{path}.get_coro()", task.coroutine), (f"{path}.get_context()", task.get_context())]
    if task.done():
        return [(f"{path}.result()", future_state(task)[1]), *parts]
    outcome = _outcome(task.ended)
    return [*((f"{path} {name}", value) for name, value in outcome.items()), *parts]


def refuse_in_use(names: Names, instance_id: str | None) -> None:
    """Raise UnsavableStateError if something at module level, such as a connection, is in use and could not be brought back."""
    found = names.first_in_use()
    if found is not None:
        module, name, value, use = found
        raise _in_use_error(f"{module}.{name}", value, use, instance_id)


def refuse_parts_in_use(contents: Mapping[str, Any], dumps: Callable[[Any], object], instance_id: str | None) -> None:
    """The same of what fails because of such a thing somewhere in it: in an attribute of a class, say, or in a container."""
    for key, content in contents.items():
        culprit = find_culprit({key: content}, dumps)
        use = in_use(culprit.value) if culprit is not None else ""
        if culprit is not None and use:
            raise _in_use_error(culprit.path, culprit.value, use, instance_id)


def _in_use_error(path: str, value: Any, use: str, instance_id: str | None) -> UnsavableStateError:
    error = UnsavableStateError(
        path=path, type_name=type_name(value), reason=use, way_out=way_out_of(value), instance_id=instance_id
    )
    error.blocker = _InUse(value)
    return error


class _PartOfTask:
    """Stands in the way until the task has ended, or what in a part of it cannot be saved is gone."""

    def __init__(self, task: DurableTask, culprit: Callable[[], Any]) -> None:
        self.value = task
        self.culprit = culprit
        self._is_seen = culprit() is not None

    def is_gone(self) -> bool:
        return self.value.done() or (self._is_seen and self.culprit() is None)


class _InUse:
    """Stands in the way until nothing is open in an object any more."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def culprit(self) -> Any:
        return self.value

    def is_gone(self) -> bool:
        return not in_use(self.value)


def _variable_of(path: str, variables: dict[str, Any]) -> str:
    """The variable that a path begins with; the outcome of an await is in no variable yet."""
    return next((n for n in variables if path == n or path.startswith((f"{n}.", f"{n}["))), AWAITED)


def _is_of_library(frame: Any) -> bool:
    info = info_of(parts_of(frame).code)
    return info is not None and info.module.is_library


def _beside_frames(snapshot: Snapshot) -> dict[str, Any]:
    """What a snapshot holds beside the variables of frames, under the names that errors call it."""
    found: dict[str, Any] = {f"({name})": fact for name, fact in snapshot.facts.items()}
    if snapshot.loop is not None:
        found["(callbacks that are ready)"] = [h for h in snapshot.loop.ready if not snapshot.loop.task_of(h)]
        found["(timers)"] = [h for h in snapshot.loop.timers if not h.cancelled()]
    return found


def _outcome(awaited: Any) -> dict[str, Any]:
    """What a step that has ended gave, under the name that errors call it."""
    if type(awaited) is not Step or awaited.state not in (DONE, FAILED):
        return {}
    return {AWAITED_RESULT if awaited.state == DONE else AWAITED_EXCEPTION: awaited.value}


def _readable(state: FrameState, path: str) -> str:
    """The path of a culprit, with words for a hidden variable."""
    if not is_hidden(path):
        return path
    name = path.replace("[", ".").split(".")[0]
    word, rest = readable(state, name), path[len(name) :]
    return f"{WORDS['manager']}{rest.removeprefix('.__self__')}" if word == WORDS["leave"] else word + rest
