"""Captured variables of functions that a script makes when it runs: what decorators with ``nonlocal`` counters or caches hold.

The module makes such functions again at each start. Their cells are saved by reference, so that frames in the snapshot
share them with the functions; the cells' contents are data of the script, as those of its module-level names are.
"""

from __future__ import annotations

import dis
from collections.abc import Iterable, Iterator
from types import CellType, CodeType, FunctionType
from typing import Any

from ...frames.capture import is_bound
from ...pythons.codes import is_annotate

Cell = tuple[str, CellType, bool]  # path from the module, the cell, whether some function rebinds its variable


def rebound_variables(code: CodeType, instructions: Iterable[dis.Instruction]) -> Iterator[tuple[str, str]]:
    """The captured variables that an inner function rebinds: outermost function's name, variable."""
    for instruction in instructions:
        if instruction.opname in ("STORE_DEREF", "DELETE_DEREF") and instruction.argval in code.co_freevars:
            yield _outermost(code), instruction.argval


def captured_cells(name: str, value: Any, module: str, rebound: frozenset[tuple[str, str]]) -> Iterator[Cell]:
    """The cells that a module-level function, or the methods of a class, hold; also through functions in cells."""
    waiting = [(name, value)]
    if isinstance(value, type):
        waiting = [(f"{name}.{key}", member) for key, member in list(vars(value).items())] if value.__module__ == module else []
    seen: set[int] = set()
    while waiting:
        path, function = waiting.pop()
        if type(function) is not FunctionType or function.__closure__ is None or function.__globals__["__name__"] != module:
            continue
        if is_annotate(function.__code__):
            continue  # it reads what others hold
        for index, (variable, cell) in enumerate(zip(function.__code__.co_freevars, function.__closure__, strict=True)):
            if id(cell) in seen or not is_bound(cell):
                continue
            seen.add(id(cell))
            here = f"{path}.__closure__.{index if variable[0] == '.' else variable}"  # those of the compiler's own have a dot
            yield here, cell, (_outermost(function.__code__), variable) in rebound
            waiting.append((f"{here}.cell_contents", cell.cell_contents))


class Captured:
    """The captured variables of a function."""

    def __init__(self, function: FunctionType) -> None:
        self._cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))

    def cell(self, name: str) -> CellType:
        """By its name, or number; a new one for a variable that the function does not capture in this Python."""
        found = list(self._cells.values())[int(name)] if name.isdecimal() else self._cells.get(name)
        return found if found is not None else CellType()


def _outermost(code: CodeType) -> str:
    return code.co_qualname.partition(".<locals>")[0]
