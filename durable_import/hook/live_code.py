"""Code that was not rewritten when it was imported: its source, and which place of it each code object that runs is.

The source is compiled once more as it is. A code object that runs is found by being equal to one that this gives; so nothing
is found that the source does not say today.
"""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Iterator, Mapping
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from ..ours import PREFIX
from ..pythons.codes import nested_codes, silent
from ..rewrite.analysis.places import MARK_BASE, Places, numbers_by_code


def source_of(module: ModuleType) -> tuple[bytes, str] | None:
    """The source of an imported module, or of a script, and its path; None if it has none that can be read."""
    path = getattr(module, "__file__", None)
    if not isinstance(path, str) or path.endswith((*BYTECODE_SUFFIXES, *EXTENSION_SUFFIXES)):
        return None
    loader: Any = getattr(module.__spec__, "loader", None)
    try:
        return (loader.get_data(path) if hasattr(loader, "get_data") else Path(path).read_bytes()), path
    except OSError:
        return None


def stands_in_file(path: str, namespace: Mapping[str, Any]) -> bool:
    """Whether code stands in a file, in an archive, or in a module whose file is gone: it was not typed in or made by exec."""
    return path == namespace.get("__file__") or any(each.is_file() for each in (Path(path), *Path(path).parents))


def places_by_code(source: bytes, path: str) -> dict[CodeType, str]:
    """The place of each code object that the source gives as it is. Raises SyntaxError."""
    with silent():
        tree = ast.parse(source, path)
        places = Places(tree)
        by_code = numbers_by_code(tree, {node: MARK_BASE + i for i, node in enumerate(places.order)}, path)
        running = nested_codes(compile(source, path, "exec", dont_inherit=True))
    return {code: places.of_number(number) for code, number in zip(running, by_code, strict=True) if number}


def functions_behind(function: Any) -> Iterator[FunctionType]:
    """The function that a callable runs first, and those that it wraps, outermost first; without those of this package."""
    seen: list[Any] = []
    while function is not None and not any(function is each for each in seen):
        seen.append(function)
        if isinstance(function, functools.partial):
            function = function.func
            continue
        inner = function
        if isinstance(function, MethodType):
            inner = function.__func__
        elif not isinstance(function, (FunctionType, type)) and not inspect.isbuiltin(function):
            inner = type(function).__call__ if callable(function) else None
        if isinstance(inner, FunctionType) and not str(inner.__globals__.get("__name__")).startswith(PREFIX):
            yield inner
        function = getattr(function, "__wrapped__", None)
