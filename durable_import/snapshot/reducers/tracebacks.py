"""Reducer for traceback objects: a restored one prints the same files, lines, columns and function names.

A frame cannot be made from Python, but a generator that has not begun has one: for each entry a tiny generator is
compiled whose only ``yield`` stands at the saved position. (``tblib`` raises from compiled stubs instead; such frames
keep the restoring callers alive through ``f_back``.) Variables of the frames are not kept. A chain is saved flat, so a
traceback of any length is fine; two tracebacks that share their inner part share it no more.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import islice
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any

from ..names import is_internal

# file, function, qualified name, module, first line of the function, line now, (line, end line, column, end column)
Entry = tuple[str, str, str, str | None, int, int, tuple[int | None, int | None, int | None, int | None]]
_NOWHERE = (None, None, None, None)


def reduce_traceback(traceback: TracebackType) -> tuple[Any, ...]:
    """Save the chain as a list of entries, outermost first, without those of this package."""
    entries: list[Entry] = []
    link: TracebackType | None = traceback
    while link is not None:
        if not is_internal(link.tb_frame.f_globals.get("__name__") or ""):
            entries.append(_entry(link))
        link = link.tb_next
    return restore_traceback, (entries,)


def _entry(link: TracebackType) -> Entry:
    code = link.tb_frame.f_code
    positions = next(islice(code.co_positions(), max(link.tb_lasti, 0) // 2, None), _NOWHERE)
    module = link.tb_frame.f_globals.get("__name__")
    first = code.co_firstlineno
    return code.co_filename, code.co_name, code.co_qualname, module, first, link.tb_lineno, positions


def restore_traceback(entries: list[Entry]) -> TracebackType | None:
    """The chain of the saved entries; frames have no variables."""
    traceback: TracebackType | None = None
    for file, name, qualname, module, first, line, positions in reversed(entries):
        code, instruction = _stub(file, name, qualname, first, line, positions)
        traceback = TracebackType(traceback, _frame(code, module), instruction, line)
    return traceback


def _frame(code: CodeType, module: str | None) -> FrameType:
    generator = FunctionType(code, {"__name__": module, "__file__": code.co_filename})()
    frame: FrameType = generator.gi_frame
    return frame


def _stub(file: str, name: str, qualname: str, first: int, line: int, positions: tuple[int | None, ...]) -> tuple[CodeType, int]:
    """A generator's code with one ``yield`` at ``positions``, and the index of that instruction."""
    start, end, column, end_column = positions
    if start is None or end is None or column is None or end_column is None:
        start, end, column, end_column = line, line, -1, -1  # the compiler's way to say that columns are unknown
    place = {"lineno": start, "end_lineno": end, "col_offset": column, "end_col_offset": end_column}
    wait = ast.Expr(ast.Yield(None, **place), **place)
    function = ast.FunctionDef("stub", _NO_ARGUMENTS, [wait], [], lineno=first, col_offset=0)
    function.type_params = []  # type: ignore[attr-defined, unused-ignore]  # required from 3.12 on
    module = compile(ast.Module([function], []), file, "exec", dont_inherit=True)
    code = next(x for x in module.co_consts if isinstance(x, CodeType))
    code = code.replace(co_name=name, co_qualname=qualname)
    wanted = (start, end, column, end_column) if column >= 0 else (start, end, None, None)
    places = list(code.co_positions())
    return code, 2 * (places.index(wanted) if wanted in places else 0)


_NO_ARGUMENTS = ast.arguments(posonlyargs=[], args=[], vararg=None, kwonlyargs=[], kw_defaults=[], kwarg=None, defaults=[])

TABLE: dict[type, Callable[[Any], tuple[Any, ...]]] = {TracebackType: reduce_traceback}
