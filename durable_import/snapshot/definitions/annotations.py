"""Annotations that are evaluated late, since Python 3.14: their function is saved, none is evaluated for a snapshot.

An earlier Python that loads one evaluates what the source says, in the variables that were saved, once all is loaded. What it
cannot evaluate there stays as the source writes it.

Snapshots call the functions here by their names in ``names``; the meaning of their arguments is part of the format.
"""

from __future__ import annotations

import ast
import operator
import sys
from types import CellType, FunctionType
from typing import Any

from ...frames.capture import contents_of
from ...hook.code_table import CodeInfo, find, find_annotations
from ...pythons.annotations import keep_annotations
from ...pythons.codes import is_annotate
from ...pythons.versions import LATE_ANNOTATIONS
from ...rewrite.analysis.annotations import ANNOTATE, is_late
from ..load_context import later
from .foreign_functions import annotate_with, find_foreign, number_of_foreign

Reduced = tuple[Any, ...]
_CONDITIONS = "__conditional_annotations__"  # the variable that says which annotations in blocks of a class were come to
_CLASS_NAMESPACE = "__classdict__"
LATE_ATTRIBUTES = ("__annotate_func__", "__annotations_cache__")  # of classes, since Python 3.14


def reduce_late(function: FunctionType, info: CodeInfo | None) -> Reduced | None:
    """What is evaluated late, annotations among it, in functions that the compiler makes; None for others.

    By the definition that it belongs to: its own name is not the same in every version.
    """
    code = function.__code__
    if info is not None and is_late(info.place):
        return late_function, (info.module.name, info.place, info.digest, _cells(function))
    found = number_of_foreign(code, function.__globals__.get("__name__")) if info is None and is_annotate(code) else None
    return None if found is None else (foreign_annotate, (*found, _cells(function)))


def _cells(function: FunctionType) -> dict[str, CellType]:
    return dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))


def late_function(module: str, place: str, digest: str, cells: dict[str, CellType]) -> Any:
    """The function that evaluates what stands at a place."""
    if place.endswith(ANNOTATE) and not LATE_ANNOTATIONS:
        return LateAnnotations(module, place.removesuffix(ANNOTATE), digest, cells)
    info = find(module, place, digest)
    existing = annotate_with(info.code, module) if "<locals>" not in place else None
    return existing or _function(info.code, module, cells)


def foreign_annotate(module: str, name: str, number: int, cells: dict[str, CellType]) -> Any:
    """The same of code that is not rewritten."""
    if not LATE_ANNOTATIONS:
        return AnnotationsOf(module, name.removesuffix(ANNOTATE))
    code = find_foreign(module, name, number, cells)
    return annotate_with(code, module) or _function(code, module, cells)


def _function(code: Any, module: str, cells: dict[str, CellType]) -> FunctionType:
    closure = tuple(cells.get(name) or CellType() for name in code.co_freevars)
    defaults = (1,) if code.co_varnames[:1] == (".format",) else None  # as the compiler gives them to all but annotations
    return FunctionType(code, sys.modules[module].__dict__, code.co_name, defaults, closure)


def fill_annotations(function: FunctionType, state: dict[str, Any]) -> None:
    """Give a function its annotations, which are taken out of its state: what evaluates them, what that gave already."""
    if "__annotate__" in state:
        annotate, evaluated = state.pop("__annotate__"), state.pop("__annotations__", None)
        if LATE_ANNOTATIONS:
            keep_annotations(function, annotate, evaluated)
        elif evaluated is None:
            later(_evaluate_now, function, annotate)
        else:
            function.__annotations__ = evaluated


def attributes_today(cls: type, attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a class without those for its annotations that this Python does not have: it gets them later."""
    if LATE_ANNOTATIONS:
        return attributes
    rest = {name: value for name, value in attributes.items() if name not in LATE_ATTRIBUTES}
    annotate, evaluated = (attributes.get(name) for name in LATE_ATTRIBUTES)
    if evaluated is not None:
        rest.setdefault("__annotations__", evaluated)
    elif annotate is not None:
        later(_evaluate_now, cls, annotate)
    return rest


def _evaluate_now(target: Any, annotate: Any) -> None:
    set_attribute = type.__setattr__ if isinstance(target, type) else setattr
    set_attribute(target, "__annotations__", annotate(1))


class LateAnnotations:
    """Until Python 3.13: what stands for a function of a later version that evaluates annotations."""

    def __init__(self, module: str, place: str, digest: str, cells: dict[str, CellType]) -> None:
        self.identity = module, place, digest
        self.cells = cells

    def __call__(self, _format: int, /) -> dict[str, Any]:
        """The annotations; the source of each that cannot be evaluated."""
        module, place, digest = self.identity
        namespace, names = vars(sys.modules[module]), _names(self.cells)
        come_to = names.get(_CONDITIONS) or ()
        found = find_annotations(module, place, digest)
        return {
            name: _evaluated(each.value, namespace, names)
            for name, each in found.items()
            if each.condition is None or each.condition in come_to
        }

    def __reduce__(self) -> Reduced:
        module, place, digest = self.identity
        return late_function, (module, place + ANNOTATE, digest, self.cells)


def _evaluated(expression: ast.expr, namespace: dict[str, Any], names: dict[str, Any]) -> Any:
    text = ast.unparse(expression)
    try:
        if isinstance(expression, ast.Starred):
            return next(iter(eval(text[1:], namespace, names)))
        return eval(text, namespace, names)
    except Exception:  # whatever the expression raises: where it was written nobody may have evaluated it either
        return text


def _names(cells: dict[str, CellType]) -> dict[str, Any]:
    """The variables around a definition: those of its class before those in cells."""
    contents = contents_of(cells)
    namespace: dict[str, Any] = contents.get(_CLASS_NAMESPACE, {})
    return contents | namespace


class AnnotationsOf:
    """Until Python 3.13: the same of a definition that is not rewritten, which has them where it is."""

    def __init__(self, module: str, name: str) -> None:
        self.identity = module, name

    def __call__(self, _format: int, /) -> dict[str, Any]:
        """The annotations; none of a definition inside of a function, which nothing leads to."""
        module, name = self.identity
        return {} if "<locals>" in name else dict(operator.attrgetter(name)(sys.modules[module]).__annotations__)

    def __reduce__(self) -> Reduced:
        return foreign_annotate, (self.identity[0], self.identity[1] + ANNOTATE, 0, {})
