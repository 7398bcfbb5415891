"""What a task waits for, in words; and the step that it is at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..aio.questions import ASKED
from .frames import SavedFrame
from .graph import Made, is_made, items_of, ours
from .shapes import class_of
from .state import SavedState, SavedTask, task_path
from .values import Describer, Description

_TOLD = ("name", "delay", "timeout")  # parameters of asyncio's waiting functions that say what is waited for
_ENDED = {
    "done": "nothing: it has ended", "failed": "nothing: it has failed", "cancelled": "nothing: it was cancelled",
}  # fmt: skip
_PARTS_OF_STEP = 3  # what it awaits, its state, its outcome; more may follow


@dataclass(frozen=True)
class StepView:
    """A step that a task is at. ``call``: what it calls, with its arguments; ``function``: the name of that; ``key``: what
    ``step_key()`` gives in it. ``had_begun``: at the checkpoint; one that was committed before its call was made had not, and may
    be in flight all the same. After a crash its call is made, or made again."""

    call: Description
    function: str
    key: str
    had_begun: bool


@dataclass(frozen=True)
class Wait:
    """``text``: what a task waits for. ``event``: the name of the event, ``task``: the path of the task, ``until``: seconds since
    1970, where it is that; ``step``: where it is a step."""

    text: str
    event: str | None = None
    task: str | None = None
    until: float | None = None
    step: StepView | None = None


def wait_of(task: SavedTask, state: SavedState, describer: Describer, instance_id: str) -> Wait:
    """What a task waits for."""
    if task.outcome != "pending":
        return Wait(_ENDED.get(task.outcome, _ENDED["failed"]))
    step = _step(task, state, describer, instance_id)
    if step is not None:
        return Wait(f"the step {step.call}", step=step)
    if task.is_ready or is_made(task.awaited, "step"):
        return Wait("its turn")
    event = _event(task, state)
    if event is not None and event.startswith(ASKED):
        return Wait(f"question {event.removeprefix(ASKED)!r}", event=event, until=_until(task, state))
    if event is not None:
        return Wait(f"event {event!r}", event=event, until=_until(task, state))
    path = task_path(task.future)
    if path is not None:
        name = state.tasks[path].name if path in state.tasks else path
        return Wait(f"task {name!r}", task=path, until=_until(task, state))
    text = _in_library(task, describer)
    return Wait(text or ("a future" if task.future is not None else "its turn"), until=_until(task, state))


def _step(task: SavedTask, state: SavedState, describer: Describer, instance_id: str) -> StepView | None:
    """The step that has no outcome yet."""
    step = task.awaited
    if not is_made(step, "step") or len(step.arguments) < _PARTS_OF_STEP or step.arguments[1] != "new":
        return None
    call = _called(state.resolve(step.arguments[0]), state)
    key = f"{instance_id}/{state.incarnation}/{task.path}/{task.number}"
    module, name = class_of(call.function, state.resolve) if type(call) is Made else ("", "")
    if is_made(call, "call"):
        module, name = class_of(call.arguments[0], state.resolve)
    return StepView(describer.describe(call), f"{module}.{name}" if module else name, key, task.is_in_step)


def _called(awaitable: Any, state: SavedState) -> Any:
    """What a step calls; of a call in a thread, that call."""
    if is_made(awaitable, "call") and ours(awaitable.arguments[0]) == "thread_call.begin":
        arguments = items_of(awaitable.arguments[1], "list") or [awaitable]
        awaitable = state.resolve(arguments[0])
    if type(awaitable) is Made and ours(awaitable.function) == "thread_call" and awaitable.states:
        held = dict(items_of(awaitable.states[0].value, "dict") or [])
        given = items_of(held.get("arguments"), "tuple")
        if "function" in held and given is not None:
            return _without_context(held["function"], given)
    return awaitable


def _without_context(function: Any, arguments: list[Any]) -> Made:
    """The call that ``asyncio.to_thread`` puts into a partial object, behind ``context.run``."""
    if is_partial(function) and not arguments:
        state = items_of(function.states[0].value, "tuple") or []
        given = items_of(state[1], "tuple") if len(state) > 2 else None
        if given:
            return Made(given[0], given[1:], state[2])
    return Made(function, arguments)


def is_partial(node: Any) -> bool:
    """Whether it is an object of ``functools.partial``, with its state."""
    return type(node) is Made and str(node.function) == "functools.partial" and len(node.states) == 1


def _event(task: SavedTask, state: SavedState) -> str | None:
    """The name of the event that it waits for: its future is among those who wait."""
    inbox = state.inbox
    if task.future is None or type(inbox) is not Made or not inbox.states:
        return None
    waiting = items_of(state.resolve(dict(items_of(inbox.states[0].value, "dict") or []).get("waiting")), "dict") or []
    for name, futures in waiting:
        if any(state.resolve(future) is task.future for future in items_of(state.resolve(futures), "list") or []):
            return str(name)
    return None


def _library_frames(task: SavedTask) -> tuple[SavedFrame, ...]:
    """The frames behind the last one of the program's own."""
    place = next((n for n, frame in reversed(list(enumerate(task.frames))) if not frame.is_library), -1)
    return task.frames[place + 1 :]


def _in_library(task: SavedTask, describer: Describer) -> str:
    frames = _library_frames(task)
    if not frames:
        return ""
    frame = frames[0]
    told = [f"{name}={describer.describe(frame.variables[name])}" for name in _TOLD if name in frame.variables]
    package = frame.module.partition(".")[0]
    return f"{'' if package == 'durable_import' else f'{package}.'}{frame.place}({', '.join(told)})"


def _until(task: SavedTask, state: SavedState) -> float | None:
    """When the first of the timers is due that the frames of the library hold."""
    found: list[float] = []
    for frame in _library_frames(task):
        for value in frame.variables.values():
            found += _deadlines(state.resolve(value))
    return min(found, default=None)


def _deadlines(node: Any) -> list[float]:
    if not is_made(node, "handle"):
        return []
    held = [dict(items_of(state.value, "dict") or []) for state in node.states]
    return [each["_when"] for each in held if type(each.get("_when")) is float and not each.get("_cancelled")]
