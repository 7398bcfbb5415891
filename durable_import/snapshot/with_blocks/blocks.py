"""The ``with`` blocks that suspended frames stand in: which, where in them, and what their variables hold."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...frames.capture import FrameState, capture, contents_of, layout_of, parts_of
from ...frames.liveness import live_at
from ...frames.step import DONE, Step
from ...holds.kinds import kind_of
from ...holds.table import Kind
from ...hook.code_table import CodeInfo, ModuleInfo
from ...rewrite.analysis.names import AWAITED

if TYPE_CHECKING:
    from ...rewrite.analysis.suspensions import WithBlock


LEAVING = ("aexit", "aexit error")  # roles of the suspensions at which a block is being left


def blocks_of(stack: list[Any], read: Mapping[int, Any] = MappingProxyType({})) -> Iterator[tuple[int, str, FrameState]]:
    """The ``with`` blocks that the frames of a stack are in, outermost first: frame number, manager's variable, state.

    Not those whose manager nothing reads any more, where it was left out. ``read``: what is known of frames, by id.
    """
    for number, frame in enumerate(stack):
        layout = layout_of(parts_of(frame).code)
        if layout is None or not layout.has_blocks:
            continue
        state = known if type(known := read.get(id(frame))) is FrameState else capture(frame)
        for manager in layout.info.names(state.label, "manager"):
            if manager in state.variables:
                yield number, manager, state


def leave_of(state: FrameState, manager: str) -> str:
    """The hidden variable of a manager's exit method."""
    name = state.info.beside(state.label, manager, "leave")
    assert name is not None
    return name


def value_of(state: FrameState, manager: str) -> Any:
    """What entering gave, if the target of ``as`` is a variable that still holds it, or if the block is just being entered."""
    awaited = state.variables.get(AWAITED)
    if is_entering(state, manager):
        return awaited.value if type(awaited) is Step and awaited.state == DONE else None
    name = target_of(state.info, manager)
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


def is_read(state: FrameState, manager_name: str, manager: Any) -> bool:
    """Whether the ``with`` expression reads the manager itself, as ``with connection:`` does: it cannot make it again.

    So does one that has no call, of a variable, as ``with answer["body"]:``.
    """
    names = _expression(state, manager_name).names
    values = [value for name, value in (state.variables | contents_of(state.cells)).items() if name in names]
    if any(value is manager for value in values):
        return True
    return bool(values) and not _expression(state, manager_name).calls


@dataclass(frozen=True, slots=True)
class _Expression:
    """What the expression of a ``with`` item has: the names in it, and whether something is called or awaited."""

    names: frozenset[str]
    calls: bool


def _expression(state: FrameState, manager: str) -> _Expression:
    return _expression_of(_block(state.info, manager))


@functools.lru_cache(maxsize=1024)
def _expression_of(block: WithBlock) -> _Expression:
    nodes = list(ast.walk(block.expression))
    names = frozenset(node.id for node in nodes if isinstance(node, ast.Name))
    return _Expression(names, any(isinstance(node, (ast.Call, ast.Await)) for node in nodes))


def readable_names(state: FrameState) -> frozenset[str]:
    """The variables that the code can still read, also by entering a block again as its ``with`` says."""
    live = live_at(state.info, state.label)
    for manager in state.info.names(state.label, "manager"):
        if manager in state.variables and (is_entering(state, manager) or _is_entered_again(state, manager)):
            live |= _expression(state, manager).names
    return live


def _is_entered_again(state: FrameState, manager: str) -> bool:
    return kind_of(state.variables[manager]) is Kind.ENTERED_AGAIN and not is_leaving(state, manager)


def is_entering(state: FrameState, manager: str) -> bool:
    """Whether the frame waits for the manager's ``__aenter__``."""
    entering = _block(state.info, manager).entering
    return entering is not None and entering.label == state.label


def has_call(state: FrameState, manager: str) -> bool:
    """Whether the frame, which is entering the block, has what the call in its ``with`` item was made of."""
    arguments = _block(state.info, manager).arguments
    return bool(arguments) and all(name in state.variables for name in arguments)


def is_leaving(state: FrameState, manager: str) -> bool:
    """Whether the frame waits for the manager's ``__aexit__``."""
    at, role, _ = state.info.suspensions[state.label]
    return at == state.info.path_of(state.label, manager) and role in LEAVING


def target_of(info: CodeInfo, manager: str) -> str | None:
    target = _block(info, manager).target
    return target.id if isinstance(target, ast.Name) else None
