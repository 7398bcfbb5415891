"""Generators of code that is not rewritten, suspended in the middle: of the standard library and other packages.

Such a frame keeps the iterators of its loops on its stack, which ``gc.get_referents`` shows after its variables. A
generator is read only where that is all that the stack can hold: at a ``yield`` that is a statement of its own or assigned,
in loops, branches and ``try`` blocks without ``finally``, unless that is known to be right (``holds.table``). It is then saved
as one of rewritten code is.
"""

from __future__ import annotations

import ast
import gc
import operator
import sys
from types import CellType, CodeType, FrameType, GeneratorType
from typing import Any, NamedTuple

from ...frames.capture import SUSPENDED, FrameParts, FrameState, contents_of, parts_of, variables_in
from ...holds.kinds import is_saved_generator
from ...hook.code_table import CodeInfo, captured_names
from ...hook.unrewritten import unrewritten_module
from ...pythons.frames import positioned
from ...rewrite.analysis.names import AWAITED
from ...rewrite.analysis.suspensions import FUNCTION_DEFINITIONS, Suspend, points


def capture_unrewritten(value: Any) -> FrameState | None:
    """The state of a suspended generator of code that is not rewritten; None if it cannot be read."""
    parts = parts_of(value)
    if not isinstance(value, GeneratorType) or parts.state != SUSPENDED or parts.frame is None:
        return None
    key = id(parts.code), parts.frame.f_lasti
    if key not in _stops:
        _stops[key] = parts.code, _find_stop(parts.code, parts.frame)
    stop = _stops[key][1]
    return None if stop is None else _read(value, parts, stop)


class Stop(NamedTuple):
    """A place where a generator can be read: the label of the ``yield``, and the hidden variables that are on the stack."""

    info: CodeInfo
    label: int
    stack: list[str]


_stops: dict[tuple[int, int], tuple[CodeType, Stop | None]] = {}  # by the code's id, which the code kept here makes sure of


def _find_stop(code: CodeType, frame: FrameType) -> Stop | None:
    module = unrewritten_module(_module_of(frame.f_globals))
    info = module.info_of(code) if module is not None else None
    label = _label(info, code, frame.f_lasti) if info is not None else None
    if info is None or label is None:
        return None
    stack = info.names(label, "iterator")
    is_all = len(stack) == len(info.names(label))
    stack += [AWAITED] if info.awaits(label) else []
    return Stop(info, label, stack) if is_all else None


def _module_of(namespace: dict[str, Any]) -> str:
    """The name under which a module is imported; its ``__name__`` may be a nicer one. Empty if there is none."""
    name = getattr(namespace.get("__spec__"), "name", None)
    return name if name is not None and getattr(sys.modules.get(name), "__dict__", None) is namespace else ""


def _read(value: Any, parts: FrameParts, stop: Stop) -> FrameState | None:
    """The variables and what is on the stack, if what the collector shows is just that."""
    assert parts.frame is not None
    code, names, stack = parts.code, variables_in(parts.frame), stop.stack
    shown = gc.get_referents(value)
    cells = dict(zip(captured_names(code), (r for r in shown if type(r) is CellType), strict=False))
    if len(cells) < len(captured_names(code)) or any(contents_of({n: c}).get(n) is not names.get(n) for n, c in cells.items()):
        return None
    slots = [cells[n] if n in cells else names[n] for n in code.co_varnames if n in cells or n in names]
    slots += [cell for name, cell in cells.items() if name not in code.co_varnames]
    for end in (len(shown), len(shown) - 1):  # the last may be None: no exception is being handled any more
        first = end - len(stack)
        found, top = shown[max(first - len(slots), 0) : first], shown[first:end]
        if len(found) == len(slots) and all(map(operator.is_, found, slots)) and all(t is not None for t in top):
            break
    else:
        return None
    if AWAITED in stack and top[-1] is not value.gi_yieldfrom:
        return None
    on_stack = positioned(value, top)
    if on_stack is None:
        return None
    variables = {n: names[n] for n in code.co_varnames if n in names and n not in cells and n != ".0"}
    return FrameState(stop.info, stop.label, variables | dict(zip(stack, on_stack, strict=True)), cells)


def _label(info: CodeInfo, code: CodeType, offset: int) -> int | None:
    """The label of the ``yield`` at which a frame stands."""
    rewriting = info.module.rewriting()
    body = rewriting.body_of(rewriting.places.by_path[info.place])
    if body is None or offset < 0:
        return None
    if code.co_name == "<genexpr>":
        return next(iter(info.suspensions))
    position = next((position for i, position in enumerate(code.co_positions()) if i == offset // 2), None)
    found = [p for p in points(body) if position == (p.lineno, p.end_lineno, p.col_offset, p.end_col_offset)]
    if len(found) != 1 or (_is_guarded(found[0], body) and not is_saved_generator(info.module.name, info.place)):
        return None
    return found[0].label


def _is_guarded(point: Suspend, body: list[ast.stmt]) -> bool:
    """Whether code would run if the generator were closed at that point: a ``finally``, or a handler of everything."""
    return any(_guards(statement, point) for statement in body)


def _guards(node: ast.AST, point: Suspend) -> bool:
    if node is point or isinstance(node, (*FUNCTION_DEFINITIONS, ast.ClassDef, ast.expr)):
        return False
    if isinstance(node, (ast.Try, ast.TryStar)) and point in points(node.body):
        everything = [h for h in node.handlers if h.type is None or "BaseException" in ast.dump(h.type)]
        if node.finalbody or everything or any("GeneratorExit" in ast.dump(h.type) for h in node.handlers if h.type):
            return True
    return any(_guards(child, point) for child in ast.iter_child_nodes(node))
