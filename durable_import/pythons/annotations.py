"""Annotations of functions, as each version keeps them; nothing here evaluates any.

Until Python 3.13 a function has a dict. Since 3.14 it has ``__annotate__``, which gives the dict when somebody asks; what that
gave is kept, and may have been changed by the program.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from .versions import LATE_ANNOTATIONS

_GIVEN = "what is given"

#: Functions of ``typing`` that evaluate annotations since Python 3.14: what each gives, by its variables.
OF_TYPING: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "_make_eager_annotate.<locals>.annotate": lambda names: names["checked_types"],
    "NamedTupleMeta.__new__.<locals>.annotate": lambda names: names["original_annotate"](1),
    "_TypedDictMeta.__new__.<locals>.__annotate__": lambda names: _of_typed_dict(**names),
}


def _of_typed_dict(bases: Any, own_annotate: Any, own_checked_annotations: dict[str, Any], **_: Any) -> dict[str, Any]:
    inherited = {name: value for base in bases for name, value in getattr(base, "__annotations__", {}).items()}
    return inherited | (own_checked_annotations if own_annotate is None else own_annotate(1))


def annotations_kept(function: FunctionType) -> dict[str, Any]:
    """The attributes that hold the annotations of a function: ``__annotate__``, ``__annotations__``, both, or none."""
    annotate = getattr(function, "__annotate__", None)
    if annotate is None:
        annotations = function.__annotations__
        return {"__annotations__": annotations} if annotations else {}
    evaluated = _evaluated(function)
    return {"__annotate__": annotate} if evaluated is None else {"__annotate__": annotate, "__annotations__": evaluated}


def _evaluated(function: Any) -> dict[str, Any] | None:
    others = (
        function.__dict__, function.__globals__, function.__builtins__, function.__kwdefaults__, function.__doc__,
        function.__module__,
    )  # fmt: skip
    dicts = [value for value in gc.get_referents(function) if isinstance(value, dict)]
    return next((value for value in dicts if not any(value is other for other in others)), None)


def keep_annotations(function: Any, annotate: Any, evaluated: dict[str, Any] | None) -> None:
    """Give a function what evaluates its annotations, and what that gave already. Since Python 3.14.

    A function keeps only what it was given by ``__annotate__``: that gives ``evaluated`` this one time.
    """
    function.__annotate__ = annotate
    if evaluated is not None and isinstance(annotate, FunctionType):
        code = annotate.__code__
        annotate.__code__ = _giving(evaluated, code)
        try:
            function.__annotations__  # noqa: B018  evaluates and keeps it
        finally:
            annotate.__code__ = code


def copy_annotations(function: Any, to: Any) -> None:
    """Give a function the annotations of another one: the very objects, if they were evaluated."""
    if LATE_ANNOTATIONS:
        keep_annotations(to, function.__annotate__, _evaluated(function))
    else:
        to.__annotations__ = function.__annotations__


def _giving(value: Any, like: CodeType) -> CodeType:
    """Code of a function that gives a value, to stand in for another one with its free variables."""
    template = (lambda _format, /: "what is given").__code__
    constants = tuple(value if constant == _GIVEN else constant for constant in template.co_consts)
    return template.replace(co_consts=constants, co_freevars=like.co_freevars)


def annotate_of(value: Any) -> FunctionType | None:
    """What evaluates the annotations of a function or class, if that is a function."""
    found = vars(value).get("__annotate_func__") if isinstance(value, type) else getattr(value, "__annotate__", None)
    return found if LATE_ANNOTATIONS and isinstance(found, FunctionType) else None
