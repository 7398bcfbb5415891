"""Captured variables of functions that a script makes when it runs: what decorators with ``nonlocal`` counters or caches hold.

The module makes such functions again at each start. Their cells are saved by reference, so that frames in the snapshot
share them with the functions; the cells' contents are data of the script, as those of its module-level names are.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterable, Iterator
from types import CellType, CodeType, FunctionType
from typing import Any

from ...frames.capture import is_bound
from ...pythons.codes import is_annotate
from .code_parts import classes_of, default_values, functions_in, is_made_by

Cell = tuple[str, CellType, bool]  # path from the module, the cell, whether some function rebinds its variable


def rebound_variables(code: CodeType, instructions: Iterable[dis.Instruction]) -> Iterator[tuple[str, str]]:
    """The captured variables that an inner function rebinds: outermost function's name, variable."""
    for instruction in instructions:
        if instruction.opname in ("STORE_DEREF", "DELETE_DEREF") and instruction.argval in code.co_freevars:
            yield _outermost(code), instruction.argval


def captured_cells(
    module: str, namespace: dict[str, Any], rebound_in: Callable[[str], frozenset[tuple[str, str]] | None]
) -> Iterator[Cell]:
    """The cells that a module's functions, or those in its classes, hold; also through functions in cells, and default values.

    ``rebound_in``: the captured variables that functions of a module rebind; None if it is not one of the program's, whose
    decorators keep what they hold to themselves.
    """
    waiting = [(name, value) for name, value in list(namespace.items()) if is_made_by(module, value)]
    for name, cls in classes_of(module, namespace):
        waiting += [(f"{name}.{key}", function) for key, function in functions_in(cls)]
    waiting.reverse()
    known: dict[str, frozenset[tuple[str, str]] | None] = {}
    seen: set[int] = set()
    while waiting:
        path, function = waiting.pop()
        if type(function) is not FunctionType or is_annotate(function.__code__):
            continue  # the last of these reads what others hold
        owner = function.__globals__["__name__"]
        rebound = known[owner] if owner in known else known.setdefault(owner, rebound_in(owner))
        if rebound is None:
            continue
        waiting += (each for each in default_values(path, function) if type(each[1]) is FunctionType and each[1].__closure__)
        for index, (variable, cell) in enumerate(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)):
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
