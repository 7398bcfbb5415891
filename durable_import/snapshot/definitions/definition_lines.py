"""Where classes are defined, for messages."""

from __future__ import annotations

import ast
import linecache
import sys
from typing import Any


def line_of_class(cls: Any) -> tuple[str, int]:
    """File and line of a class; ``?`` and 0 for what is not known."""
    filename = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if filename is None:
        return "?", 0
    try:
        body: list[ast.stmt] = ast.parse("".join(linecache.getlines(filename))).body
    except SyntaxError:  # edited meanwhile
        return filename, 0
    line = 0
    for name in cls.__qualname__.replace("<locals>.", "").split("."):
        module = ast.Module(body, [])
        kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        found = next((node for node in ast.walk(module) if isinstance(node, kinds) and node.name == name), None)
        if found is None:
            return filename, line
        line, body = found.lineno, found.body
    return filename, line
