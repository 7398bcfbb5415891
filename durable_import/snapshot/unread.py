"""What the frames of an instance hold and nothing can read any more: it need not be saved, if it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..frames.capture import FrameState, capture, contents_of
from ..frames.liveness import discards_result
from ..frames.step import DONE, Step
from ..holds.in_use import is_unfinished
from ..holds.spent import let_go_of_spent
from ..rewrite.analysis.names import AWAITED
from .references import References
from .tasks.stacks import Unread
from .with_blocks.blocks import readable_names

CanBeSaved = Callable[[References, Any], bool]


def drop_unread(stacks: list[tuple[str, list[Any]]], references: References, can_be_saved: CanBeSaved) -> list[Unread]:
    """Leave variables unbound that cannot be saved and are never read again, and forget such results of awaits that nothing
    takes; gives these. Generators that no task runs are looked at as the frames of tasks are."""
    dropped: list[Unread] = []
    met = references.read.met
    for frame in (frame for _, stack in stacks for frame in stack):
        state = met.get(id(frame))
        if type(state) is FrameState and state.label:
            dropped += _drop(state, references, can_be_saved)
    for frame in list(references.beside):
        state = capture(frame)
        found = _drop(state, references, can_be_saved) if state.label else []
        if found:
            met[id(frame)] = state
            dropped += found
    return dropped


def _drop(state: FrameState, references: References, can_be_saved: CanBeSaved) -> list[Unread]:
    dropped: list[Unread] = []
    let_go_of_spent(state)
    live = readable_names(state)
    for name, value in (state.variables | contents_of(state.cells)).items():
        if name in live or name == AWAITED or is_unfinished(value) or can_be_saved(references, value):
            continue
        (state.cells if name in state.cells else state.variables).pop(name)
        dropped.append((state.info, state.label, name, type(value)))
    return dropped + _forget_result(state, references, can_be_saved)


def _forget_result(state: FrameState, references: References, can_be_saved: CanBeSaved) -> list[Unread]:
    """The step is the same object for its task, so its value is cleared in place."""
    step = state.variables.get(AWAITED)
    if type(step) is not Step or step.state != DONE or not discards_result(state.info, state.label):
        return []
    if can_be_saved(references, step.value):
        return []
    forgotten = [(state.info, state.label, AWAITED, type(step.value))]
    step.value = None
    return forgotten
