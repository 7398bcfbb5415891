"""``with`` blocks whose managers cannot be saved: they are entered again on resume.

On saving, such a manager, its exit method and what entering gave are replaced by placeholders. On loading the placeholders
stand in the graph until ``enter_again`` has evaluated the ``with`` expressions with the restored variables, outermost first,
and then every reference to a placeholder is made one to the new object. Managers at module level are entered again as
well: the module has made new ones.
"""

from __future__ import annotations

import asyncio
import functools
import gc
from collections.abc import Callable
from types import CellType, CoroutineType, FunctionType, MethodType
from typing import Any

from ...aio.running_step import RunningStep, running_step
from ...aio.wait_again import is_waiting_again
from ...frames import restore
from ...frames.capture import CREATED, FRAME_TYPES, FrameState, chain, contents_of, frame_behind, parts_of
from ...frames.discard import discard
from ...frames.restart import arguments_of, durable_form
from ...frames.step import Step
from ...holds.in_task import as_task
from ...hook.code_table import enter_code
from ...rewrite.analysis.names import AWAITED, STATE
from ..definitions.foreign_functions import function_of
from .blocks import blocks_of, has_call, is_entering, leave_of, target_of
from .lost import LEAVE, MANAGER, RELEASED, VALUE, Key, Lost


async def enter_again(path: str, stack: list[Any], task: Any, is_made_again: Callable[[Any], bool]) -> bool:
    """Enter the blocks of a task whose managers are placeholders, and put the new objects in their place.

    So are those of asyncio's primitives that the modules have made again, which several tasks may be in. ``task`` is the
    current one meanwhile. Gives whether it was waiting to enter one: it does so in its next turn. Raises what the ``with``
    expressions or the managers raise, with a note that says where.
    """
    for number, name, state in list(blocks_of(stack)):
        frame = parts_of(stack[number]).frame
        holder = frame.f_locals[STATE] if frame is not None else {}  # none: it was part of entering another one
        manager = holder.get(name)
        is_placeholder = type(manager) is Lost and manager.key[3] != RELEASED
        if not is_placeholder and (not is_made_again(manager) or is_entering(state, name)):
            continue
        if is_waiting_again(task.stack()[number + 1 :], manager):
            continue
        is_to_wait = is_entering(state, name)
        is_kept = is_to_wait and has_call(state, name)
        code = enter_code(state.info, name, is_kept=is_kept, is_entered=not is_to_wait)
        closure = tuple(state.cells.get(n) or CellType() for n in code.co_freevars)
        function = FunctionType(code, restore.namespace_of(state.info), "with", None, closure)
        try:
            item = f"{number}.{state.info.path_of(state.label, name)}"
            as_step = RunningStep(task.loop, (f"{task.path}/{task.steps}", item), attempt=1 + task.loop.earlier_lives)
            task.loop.reentering = task
            entering = asyncio.create_task(_with_key(function(dict(holder)), task, as_step), context=task.get_context())
            manager, leave, value = await entering
            value = _step_of(value) if is_to_wait else value
        except Exception as error:
            error.add_note(
                f"while entering again the `with` block at {state.info.code.co_filename}:{code.co_firstlineno}, "
                "whose manager could not be saved"
            )
            raise
        finally:
            task.loop.reentering = None
        _replace(holder, state, name, {MANAGER: manager, LEAVE: leave, VALUE: value}, (path, number))
        if is_to_wait:
            return True  # the rest of the stack was part of entering
    return False


def _step_of(awaitable: Any) -> Any:
    """What the frame awaits to enter its block: in its turn, as others may have to go on before."""
    if type(awaitable) is CoroutineType:
        awaitable = durable_form(awaitable)
    return awaitable if frame_behind(awaitable) is not None else Step(awaitable, is_restored=True)


async def _with_key(coroutine: Any, task: Any, step: RunningStep) -> Any:
    token = running_step.set(step)
    try:
        return await as_task(coroutine, task)
    finally:
        running_step.reset(token)
        step.has_ended = True


def _replace(holder: dict[str, Any], state: FrameState, name: str, new: dict[str, Any], place: tuple[str, int]) -> None:
    item = state.info.path_of(state.label, name)
    items = {item, name, *_item_of(holder.get(name))}
    placeholders = {kind: _find(holder, state, {(*place, each, kind) for each in items}) for kind in new}
    for kind, placeholder in placeholders.items():
        if placeholder is not None:
            replace_references(placeholder, new[kind])
    holder[name], holder[leave_of(state, name)] = new[MANAGER], new[LEAVE]
    if is_entering(state, name):
        under_way = holder.get(AWAITED)  # the ``__aenter__`` that was
        if isinstance(under_way, FRAME_TYPES):
            discard(chain(under_way))
        elif type(under_way) is Step:
            under_way.drop()
        holder[AWAITED] = new[VALUE]
        return
    target = target_of(state.info, name)
    if target is not None and target in state.cells:
        state.cells[target].cell_contents = new[VALUE]
    elif target is not None:
        holder[target] = new[VALUE]


def _item_of(manager: Any) -> list[str]:
    """The path of a ``with`` item in the text that a frame was saved with, if that has changed since."""
    return [manager.key[2]] if type(manager) is Lost else []


def _find(holder: dict[str, Any], state: FrameState, keys: set[Key]) -> Lost | None:
    values = [*holder.values(), *contents_of(state.cells).values()]
    awaited = holder.get(AWAITED)
    if type(awaited) is Step:
        values.append(awaited.value)
    return next((v for v in values if type(v) is Lost and v.key in keys), None)


def replace_references(old: Any, new: Any) -> None:
    """Make every reference from containers, cells and attributes to ``old`` one to ``new``.

    Calls of foreign code that have not begun are made again, with ``new`` among their arguments. ``old`` must stay a plain
    local variable here: in a cell it would be found and replaced as well.
    """
    if type(old) is Lost:
        for name, method in list(old.methods.items()):
            replace_references(method, getattr(new, name))
    for referrer in gc.get_referrers(old):
        if isinstance(referrer, dict):
            for key, value in list(referrer.items()):
                if value is old:
                    referrer[key] = new
        elif isinstance(referrer, list):
            for index, value in enumerate(referrer):
                if value is old:
                    referrer[index] = new
        elif isinstance(referrer, CellType):
            referrer.cell_contents = new
        elif isinstance(referrer, set):
            referrer.discard(old)
            referrer.add(new)
        elif type(referrer) is tuple:
            items = []
            for value in referrer:
                items.append(new if value is old else value)
            replace_references(referrer, tuple(items))
        elif type(referrer) is MethodType:
            replace_references(referrer, MethodType(referrer.__func__, new))
        elif type(referrer) is CoroutineType and frame_behind(referrer) is None and parts_of(referrer).state == CREATED:
            _begin_again(referrer, old, new)
        elif isinstance(referrer, functools.partial):
            _replace_in_partial(referrer, old, new)
        else:
            _replace_in_attributes(referrer, old, new)


def _begin_again(call: Any, old: Any, new: Any) -> None:
    parts, function = parts_of(call), function_of(call)
    if parts.frame is not None and function is not None:
        values = dict(parts.frame.f_locals)
        values |= {name: new for name, value in values.items() if value is old}
        positional, keywords = arguments_of(parts.code, values)
        call.close()
        replace_references(call, function(*positional, **keywords))


def _replace_in_partial(referrer: functools.partial[Any], old: Any, new: Any) -> None:
    state: Any = referrer.__reduce__()[2]
    referrer.__setstate__(tuple(new if part is old else part for part in state))  # type: ignore[attr-defined]


def _replace_in_attributes(referrer: Any, old: Any, new: Any) -> None:
    attributes: Any = getattr(referrer, "__dict__", None)  # Python 3.13 has no dict between an instance and its attributes
    for key, value in list(attributes.items()) if type(attributes) is dict else ():
        if value is old:
            attributes[key] = new
    for cls in type(referrer).__mro__:
        for slot in getattr(cls, "__slots__", ()):
            if getattr(referrer, slot, None) is old:
                object.__setattr__(referrer, slot, new)
