"""The error that names the variable which cannot be saved."""

from __future__ import annotations

from dataclasses import replace
from pickle import PicklingError
from typing import Any

from ..aio.task import DurableTask
from ..errors import UnsavableStateError
from ..frames.capture import FrameState, capture, contents_of, frame_behind, line_of, parts_of
from ..frames.step import DONE, FAILED, Step
from ..hook.code_table import info_of
from ..rewrite.analysis.names import AWAITED, is_hidden
from .diagnose import Culprit, find_culprit
from .frame_places import readable
from .payload import Snapshot
from .pickler import dumps
from .references import References
from .tasks.futures import future_state

AWAITED_RESULT, AWAITED_EXCEPTION = "(result of the await)", "(exception of the await)"


def explained(snapshot: Snapshot, references: References, error: Exception, instance_id: str | None) -> Exception:
    """The error that names the variable that cannot be saved."""

    def attempt(value: Any) -> None:
        dumps(value, references)

    frames = [frame for _, stack in snapshot.stacks() for frame in stack]
    frames.reverse()
    frames.sort(key=_is_of_library)  # their variables lead to those of the program, on long ways
    for frame in frames:
        try:
            state = capture(frame)
        except PicklingError as refusal:
            kind = type(frame).__name__
            return _error_at(frame, Culprit(f"(the {kind} {frame.__qualname__})", kind, str(refusal)), instance_id)
        variables = {n: v for n, v in state.variables.items() if n != AWAITED} | contents_of(state.cells)
        named = {n: v for n, v in variables.items() if not is_hidden(n)}
        outcome = _outcome(state.variables.get(AWAITED))
        culprit = find_culprit(named, attempt) or find_culprit(outcome, attempt) or find_culprit(variables, attempt)
        if culprit is None and frame_behind(state.variables.get(AWAITED)) is None:
            culprit = find_culprit({AWAITED: state.variables.get(AWAITED)}, attempt)
        if culprit is not None:
            return _error_at(frame, replace(culprit, path=_readable(state, culprit.path)), instance_id)
    for task in snapshot.loop.tasks if snapshot.loop is not None else ():
        culprit = find_culprit(_of_task(task), attempt)
        if culprit is not None:
            return _error_at(_place_of(task.stack()), culprit, instance_id)
    culprit = find_culprit(_beside_frames(snapshot), attempt)
    if culprit is None:
        culprit = Culprit("(the state of the event loop)", type(error).__qualname__, str(error) or repr(error))
        return _error_at(_place_of(frames[::-1]), culprit, instance_id)
    return _error_at(None, culprit, instance_id)


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
    if not is_hidden(path) or path.startswith("<inside"):
        return path
    name = path.replace("[", ".").split(".")[0]
    return readable(state, name) + path[len(name) :]
