"""``with`` blocks whose managers cannot be saved: they are entered again on resume.

On saving, such a manager, its exit method and what entering gave are replaced by placeholders. On loading the placeholders
stand in the graph until ``enter_again`` has evaluated the ``with`` expressions with the restored variables, outermost first,
and then every reference to a placeholder is made one to the new object. Managers at module level are entered again as
well: the module has made them anew.
"""

from __future__ import annotations

import ast
import asyncio
import functools
import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from types import BuiltinMethodType, CellType, CoroutineType, FunctionType, MappingProxyType, MethodType, MethodWrapperType
from typing import TYPE_CHECKING, Any

from ...aio.wait_again import is_waiting_again
from ...frames import restore
from ...frames.capture import CREATED, FRAME_TYPES, FrameState, capture, chain, contents_of, frame_behind, layout_of, parts_of
from ...frames.discard import discard
from ...frames.restart import arguments_of
from ...frames.step import DONE, Step
from ...hook.code_table import CodeInfo, ModuleInfo, enter_code
from ...pythons.codes import silent
from ...pythons.tasks import LoopBound, running_task
from ...rewrite.analysis.names import AWAITED, STATE
from ..load_context import current
from ..tasks.foreign import function_of

if TYPE_CHECKING:
    from ...rewrite.analysis.places import Places
    from ...rewrite.analysis.suspensions import WithBlock

MANAGER, LEAVE, VALUE, RELEASED = "manager", "leave", "value", "released"

# What is put into these after entering would be missing in one that is entered again.
ENTERED_ONCE = (asyncio.TaskGroup, ExitStack, AsyncExitStack)

# Path of the task, number of the frame in its stack, hidden variable of the manager, which of the four.
Key = tuple[str, int, str, str]


BOUND_METHODS = (MethodType, BuiltinMethodType, MethodWrapperType)


class Lost:
    """A placeholder for an object that is made again on resume; or, for good, for one whose ``with`` block has ended."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.methods: dict[str, Lost] = {}  # placeholders for its bound methods, by name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self._error(name)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:  # noqa: ARG002  of a method that is gone
        raise self._error("call")

    def _error(self, name: str) -> ReferenceError:
        return ReferenceError(
            f"{self.key[2]!r} was bound by a `with` block that had ended when the program was saved; the object could not be "
            f"saved, so {name!r} of it is gone"
        )


@dataclass
class LostObjects:
    """What was left out of a snapshot: keys by id of the object, and the objects, so that the ids stay theirs."""

    by_id: dict[int, Key]
    kept: list[Any]


def blocks_of(stack: list[Any], read: Mapping[int, Any] = MappingProxyType({})) -> Iterator[tuple[int, str, FrameState]]:
    """The ``with`` blocks that the frames of a stack are in, outermost first: frame number, manager's variable, state.

    ``read``: what is known of frames, by id.
    """
    for number, frame in enumerate(stack):
        layout = layout_of(parts_of(frame).code)
        if layout is None or not layout.has_blocks:
            continue
        state = known if type(known := read.get(id(frame))) is FrameState else capture(frame)
        inside = [n for n in layout.info.live.get(state.label, ()) if n.startswith("@m") and n in state.variables]
        for manager in sorted(inside, key=lambda n: int(n[2:])):
            yield number, manager, state


def find_lost(
    path: str, stack: list[Any], is_lost: Callable[[Any], bool], known: dict[int, Key], read: Mapping[int, Any]
) -> LostObjects:
    """The managers in the stack of one task for which ``is_lost``, outermost first, and what belongs to them.

    ``read``: what is known of frames, by id. The managers are added to ``known``, in which ``is_lost`` may see those further
    out: one that only refers to these is not lost.
    """
    found = LostObjects(known, [])
    for number, name, state in blocks_of(stack, read):
        manager = state.variables[name]
        if isinstance(manager, (*ENTERED_ONCE, LoopBound)) or _is_read(state, name, manager) or not is_lost(manager):
            continue  # of a primitive that is made again see ``enter_again``
        parts = {MANAGER: manager, LEAVE: state.variables.get(f"@x{name[2:]}"), VALUE: _value(state, name)}
        is_left = f"@l{name[2:]}" in state.info.live[state.label] and type(state.variables.get(AWAITED)) is Step
        for kind, part in parts.items():
            if part is not None and id(part) not in found.by_id:
                found.by_id[id(part)] = (path, number, name, RELEASED if is_left else kind)
                found.kept.append(part)
    return found


def find_released(path: str, stack: list[Any], is_lost: Callable[[Any], bool]) -> LostObjects:
    """Variables bound by ``with`` blocks that have ended, which still hold what cannot be saved."""
    found = LostObjects({}, [])
    managers = [state.variables[name] for _, name, state in blocks_of(stack)]
    kept = {id(manager) for manager in managers if isinstance(manager, ENTERED_ONCE)}  # these blocks have not ended
    for number, frame in enumerate(stack):
        state = capture(frame)
        variables = state.variables | contents_of(state.cells)
        for name in _bound_by_with(state.info.module, state.info.place) & variables.keys():
            if id(variables[name]) in kept:
                continue
            if is_lost(variables[name]) and id(variables[name]) not in found.by_id:
                found.by_id[id(variables[name])] = (path, number, name, RELEASED)
                found.kept.append(variables[name])
    return found


@functools.lru_cache(maxsize=1024)
def _bound_by_with(module: ModuleInfo, place: str) -> frozenset[str]:
    """The variables that are targets of ``with ... as`` anywhere in a function."""
    node = _places_of_module(module).by_path[place]
    items = [item for n in ast.walk(node) if isinstance(n, (ast.With, ast.AsyncWith)) for item in n.items]
    return frozenset(item.optional_vars.id for item in items if isinstance(item.optional_vars, ast.Name))


@functools.lru_cache(maxsize=64)
def _places_of_module(module: ModuleInfo) -> Places:
    from ...rewrite.analysis.places import Places  # rarely needed and slow to import

    with silent():
        return Places(ast.parse(module.source))


def _value(state: FrameState, manager: str) -> Any:
    """What entering gave, if the target of ``as`` is a variable that still holds it, or if the block is just being entered."""
    awaited = state.variables.get(AWAITED)
    if _is_entering(state, manager):
        return awaited.value if type(awaited) is Step and awaited.state == DONE else None
    name = _target(state.info, manager)
    if name is None:
        return None
    if name in state.cells:
        return state.cells[name].cell_contents
    return state.variables.get(name)


def _block(info: CodeInfo, manager: str) -> WithBlock:
    return _blocks_of_module(info.module)[info.place, manager]


@functools.lru_cache(maxsize=64)
def _blocks_of_module(module: ModuleInfo) -> dict[tuple[str, str], WithBlock]:
    """By place of the function and hidden variable of the manager. Rewriting takes long: once for each module."""
    rewriting = module.rewriting()
    return {(rewriting.places.path_of[n], m): b for n, blocks in rewriting.with_blocks.items() for m, b in blocks.items()}


def _is_read(state: FrameState, manager_name: str, manager: Any) -> bool:
    """Whether the ``with`` expression reads the manager itself, as ``with connection:`` does: it cannot make it again."""
    names = {n.id for n in ast.walk(_block(state.info, manager_name).expression) if isinstance(n, ast.Name)}
    return any(value is manager for name, value in (state.variables | contents_of(state.cells)).items() if name in names)


def _is_entering(state: FrameState, manager: str) -> bool:
    """Whether the frame waits for the manager's ``__aenter__``."""
    entering = _block(state.info, manager).entering
    return entering is not None and entering.label == state.label


def _target(info: CodeInfo, manager: str) -> str | None:
    target = _block(info, manager).target
    return target.id if isinstance(target, ast.Name) else None


# --- loading


def lost(*key: Any) -> Lost:
    """The placeholder of that key in the snapshot being loaded."""
    placeholders: dict[Any, Lost] = current().placeholders
    if key not in placeholders:
        placeholders[key] = Lost(key)
    return placeholders[key]


def lost_method(owner: Lost, name: str) -> Lost:
    """The placeholder for a bound method of an object that is one."""
    return owner.methods.setdefault(name, Lost(owner.key))


async def enter_again(path: str, stack: list[Any], task: Any, is_made_again: Callable[[Any], bool]) -> bool:
    """Enter the blocks of a task whose managers are placeholders, and put the new objects in their place.

    So are those of asyncio's primitives that the modules have made again, which several tasks may be in. ``task`` is the
    current one meanwhile. Gives whether it was waiting to enter one, and has entered it now. Raises what the ``with``
    expressions or the managers raise, with a note that says where.
    """
    for number, name, state in list(blocks_of(stack)):
        frame = parts_of(stack[number]).frame
        holder = frame.f_locals[STATE] if frame is not None else {}  # none: it was part of entering another one
        manager = holder.get(name)
        is_placeholder = type(manager) is Lost and manager.key[3] != RELEASED
        if not is_placeholder and (not is_made_again(manager) or _is_entering(state, name)):
            continue
        if is_waiting_again(task.stack()[number + 1 :], manager):
            continue
        code = enter_code(state.info, name)
        closure = tuple(state.cells.get(n) or CellType() for n in code.co_freevars)
        function = FunctionType(code, restore.namespace_of(state.info), "with", None, closure)
        try:
            entering = asyncio.create_task(_as_task(function(dict(holder)), task), context=task.get_context())
            manager, leave, value = await entering
        except Exception as error:
            error.add_note(
                f"while entering again the `with` block at {state.info.code.co_filename}:{code.co_firstlineno}, "
                "whose manager could not be saved"
            )
            raise
        _replace(holder, state, name, {MANAGER: manager, LEAVE: leave, VALUE: value}, (path, number))
        if _is_entering(state, name):
            return True  # the rest of the stack was part of entering
    return False


async def _as_task(coroutine: Any, task: Any) -> Any:
    return await _InTask(coroutine, task)


class _InTask:
    """Runs a coroutine, within a task of the process, while ``task`` is the current one: scopes of libraries ask for it."""

    def __init__(self, coroutine: Any, task: Any) -> None:
        self.coroutine = coroutine
        self.task = task

    def __await__(self) -> Any:
        error: BaseException | None = None
        while True:
            with running_task(self.task):
                try:
                    given = self.coroutine.send(None) if error is None else self.coroutine.throw(error)
                except StopIteration as stop:
                    return stop.value
            try:
                error = None
                yield given
            except BaseException as thrown:
                error = thrown


def _replace(
    holder: dict[str, Any], state: FrameState, name: str, new: dict[str, Any], place: tuple[str, int]
) -> None:
    placeholders = {kind: _find(holder, state, (*place, name, kind)) for kind in new}
    for kind, placeholder in placeholders.items():
        if placeholder is not None:
            replace_references(placeholder, new[kind])
    holder[name], holder[f"@x{name[2:]}"] = new[MANAGER], new[LEAVE]
    if _is_entering(state, name):
        if isinstance(holder.get(AWAITED), FRAME_TYPES):
            discard(chain(holder[AWAITED]))  # the ``__aenter__`` that was under way
        holder[AWAITED] = Step(None, DONE, new[VALUE], True)
        return
    target = _target(state.info, name)
    if target is not None and target in state.cells:
        state.cells[target].cell_contents = new[VALUE]
    elif target is not None:
        holder[target] = new[VALUE]


def _find(holder: dict[str, Any], state: FrameState, key: Key) -> Lost | None:
    values = [*holder.values(), *contents_of(state.cells).values()]
    awaited = holder.get(AWAITED)
    if type(awaited) is Step:
        values.append(awaited.value)
    return next((v for v in values if type(v) is Lost and v.key == key), None)


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
