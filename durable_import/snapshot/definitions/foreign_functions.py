"""Nested functions of code that is not rewritten (a decorator's wrapper, a callback of the standard library).

Each is saved by its module, its qualified name, and its number among the code objects of that name.
"""

from __future__ import annotations

import gc
import importlib
import pickle
import sys
from collections.abc import Iterator
from itertools import zip_longest
from types import CellType, CodeType, FunctionType
from typing import Any

from ...errors import MissingCodeError
from ...frames.capture import contents_of
from ...pythons.annotations import OF_TYPING, annotate_of
from ...pythons.codes import is_annotate
from ...pythons.versions import LATE_ANNOTATIONS
from ...pythons.waiting import alternatives
from ...rewrite.analysis.annotations import ANNOTATE
from ..library import cell_of, is_library

Reduced = tuple[Any, ...]

_codes: dict[str, dict[str, list[CodeType]]] = {}


def reduce_foreign_function(function: FunctionType, state: dict[str, Any], fill: Any) -> Reduced:
    """A nested function of an importable module. Raises ``pickle.PicklingError`` when it cannot be found again."""
    code = function.__code__
    found = number_of_foreign(code, function.__globals__.get("__name__"), code.co_qualname)
    if found is None:
        raise pickle.PicklingError(
            f"function {function.__qualname__!r} ({code.co_filename}:{code.co_firstlineno}) is not durable code and cannot "
            "be found by its name"
        )
    cells = dict(zip(code.co_freevars, function.__closure__ or (), strict=True))
    return foreign_function, (*found, cells), state, None, None, fill


def number_of_foreign(code: CodeType, module: Any, name: str = "") -> tuple[str, str, int] | None:
    """Module, name and number of a code object that is not rewritten; None if it cannot be found again.

    Without a name it is searched under those of what evaluates annotations.
    """
    if not isinstance(module, str):
        return None
    codes = _codes_of(module)
    names = [name] if name else [each for each in codes if each.endswith(ANNOTATE)]
    found = ((module, each, i) for each in names for i, other in enumerate(codes.get(each, ())) if other is code)
    return next(found, None)


def foreign_function(module: str, qualname: str, number: int, cells: dict[str, CellType]) -> FunctionType:
    """The nested function at that place of a module."""
    if not LATE_ANNOTATIONS and module == "typing" and qualname in OF_TYPING:
        return AnnotationsOfTyping(qualname, cells)  # type: ignore[return-value]
    places = alternatives(module, qualname)
    module, qualname = next((place for place in places if place[1] in _codes_of(place[0])), places[0])
    code = find_foreign(module, qualname, number, cells)
    closure = tuple(cells[name] if name in cells else cell_of(module) for name in code.co_freevars)
    return FunctionType(code, sys.modules[module].__dict__, code.co_name, None, closure)


class AnnotationsOfTyping:
    """Until Python 3.13: what stands for a function of ``typing`` of a later version that evaluates annotations."""

    def __init__(self, qualname: str, cells: dict[str, CellType]) -> None:
        self.qualname = qualname
        self.cells = cells

    def __call__(self, _format: int, /) -> dict[str, Any]:
        return OF_TYPING[self.qualname](contents_of(self.cells))

    def __reduce__(self) -> Reduced:
        return foreign_function, ("typing", self.qualname, 0, self.cells)


def find_foreign(module: str, qualname: str, number: int, cells: dict[str, CellType]) -> CodeType:
    """The code object with that name and number, which has those free variables, or is the library's. Raises MissingCodeError."""
    codes = _codes_of(module).get(qualname, [])
    code = codes[number] if number < len(codes) else None
    if code is None or (set(code.co_freevars) != set(cells) and not is_library(module)):
        raise MissingCodeError(
            f"the saved state holds the function {qualname!r} of module {module!r}, which that module does not have in this "
            "form. Install the version that the state was saved with; the saved state is kept."
        )
    return code


def _codes_of(module: str) -> dict[str, list[CodeType]]:
    """The code objects of a module by qualified name, in the order in which they are found."""
    known = _codes.get(module)
    if known is None:
        try:
            loaded = importlib.import_module(module)
        except ImportError as error:
            raise MissingCodeError(
                f"the saved state needs module {module!r}, which cannot be imported ({error}); the saved state is kept."
            ) from error
        known = {}
        seen: set[int] = set()
        for function in _functions(vars(loaded), module, set()):
            for name, code in _with_nested(function.__code__):
                if id(code) not in seen:
                    seen.add(id(code))
                    known.setdefault(name, []).append(code)
        for owner, annotate in _annotates(vars(loaded), module):
            known.setdefault(owner + ANNOTATE, []).append(annotate.__code__)
        _codes[module] = known  # only now: another thread may be looking
    return known


def function_with(code: CodeType, module: str) -> FunctionType | None:
    """The function of a module that has a code object, however it is wrapped there."""
    return next((f for f in _functions(vars(sys.modules[module]), module, set()) if f.__code__ is code), None)


def annotate_with(code: CodeType, module: str) -> FunctionType | None:
    """What evaluates annotations by a code object, of what a module defines."""
    return next((found for _, found in _annotates(vars(sys.modules[module]), module) if found.__code__ is code), None)


def _annotates(namespace: Any, module: str) -> Iterator[tuple[str, FunctionType]]:
    """What evaluates annotations of the functions and classes of a module, each with the qualified name of its owner."""
    seen: set[int] = set()
    owners: list[tuple[str, Any]] = [(f.__code__.co_qualname, f) for f in _functions(namespace, module, seen)]
    owners += [(cls.__qualname__, cls) for cls in _classes(namespace, module, set())]
    for name, owner in owners:
        annotate = annotate_of(owner)
        if annotate is not None and is_annotate(annotate.__code__) and annotate.__globals__.get("__name__") == module:
            yield name, annotate


def _classes(namespace: Any, module: str, seen: set[int]) -> Iterator[type]:
    for value in list(namespace.values()):
        if isinstance(value, type) and value.__module__ == module and id(value) not in seen:
            seen.add(id(value))
            yield value
            yield from _classes(vars(value), module, seen)


def _functions(namespace: Any, module: str, seen: set[int]) -> Iterator[FunctionType]:
    for value in list(namespace.values()):
        yield from _functions_in(value, module, seen)


def _functions_in(value: Any, module: str, seen: set[int]) -> Iterator[FunctionType]:
    """Functions of a module that a value leads to: itself, what it wraps, the methods of a class."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, FunctionType):
        if value.__globals__.get("__name__") == module:
            yield value
        inner = [value.__dict__.get("__wrapped__"), *(_content(cell) for cell in value.__closure__ or ())]
        for each in inner:
            yield from _functions_in(each, module, seen)
    elif isinstance(value, (staticmethod, classmethod)):
        yield from _functions_in(value.__func__, module, seen)
    elif isinstance(value, property):
        for each in (value.fget, value.fset, value.fdel):
            yield from _functions_in(each, module, seen)
    elif isinstance(value, type) and value.__module__ == module:
        yield from _functions(vars(value), module, seen)


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _with_nested(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """A code object and those inside, by qualified name; what evaluates annotations by that of the one that has them."""
    yield code.co_qualname, code
    inside = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    for inner, following in zip_longest(inside, inside[1:]):
        if is_annotate(inner):
            yield (following or code).co_qualname + ANNOTATE, inner
        else:
            yield from _with_nested(inner)


def function_of(value: Any) -> FunctionType | None:
    """The function that a coroutine or generator is a call of, if its arguments are not in front of it."""
    return next((r for r in gc.get_referents(value) if isinstance(r, FunctionType)), None)
