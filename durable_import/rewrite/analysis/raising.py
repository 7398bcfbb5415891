"""Whether an exception handler may still raise its exception again, seen from a place in it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Any

from .suspensions import FUNCTION_DEFINITIONS

_LEAVING = (ast.Return, ast.Break, ast.Continue, ast.Raise)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_OTHER_FRAMES = (*FUNCTION_DEFINITIONS, ast.ClassDef, ast.Lambda)


def raises_behind(handler: ast.ExceptHandler, way: list[str]) -> bool:
    """Whether a ``raise`` of a handler can be reached from the place in it that ``way`` leads to: fields and numbers.

    The handler itself must not have been left on the way to it: in a loop around it, the next exception is another one. What is
    raised by functions that it calls is not seen.
    """
    return _behind(handler, way, handler.name)[0]


def _behind(node: Any, way: list[str], name: str | None) -> tuple[bool, bool]:
    """Whether a ``raise`` is reached behind a place in a node, and whether what follows the node is."""
    if isinstance(node, ast.Raise):
        return True, False
    if not way or not isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
        return False, not isinstance(node, _LEAVING)
    block = getattr(node, way[0])
    if not isinstance(block, list) or not isinstance(block[0], (ast.stmt, ast.ExceptHandler, ast.match_case)):
        return _raises(node, name), not isinstance(node, _LEAVING)  # in the head of the statement, or in a simple one
    number = int(way[1])
    found, goes_on = _behind(block[number], way[2:], name)
    if goes_on and way[0] in ("body", "orelse", "finalbody"):
        more, goes_on = _in_order(block[number + 1 :], name)
        found = found or more
    if isinstance(node, _LOOPS) and way[0] == "body":
        return found or any(_raises(each, name) for each in [*node.body, *node.orelse]), True
    if isinstance(node, (ast.Try, ast.TryStar)):
        return _behind_part_of_try(node, way, found, goes_on, name)
    return found, goes_on


def _behind_part_of_try(node: Any, way: list[str], found: bool, goes_on: bool, name: str | None) -> tuple[bool, bool]:
    """The same for a ``try`` statement, of which one part is done."""
    if way[0] == "body":
        found = found or any(_raises(handler, name) for handler in node.handlers)
        more, goes_on = _in_order(node.orelse, name) if goes_on else (False, bool(node.handlers))
        found = found or more
    if way[0] != "finalbody":
        more, ends = _in_order(node.finalbody, name)
        return found or more, goes_on and ends
    return found, goes_on


def _in_order(statements: Iterable[ast.stmt], name: str | None) -> tuple[bool, bool]:
    """Whether one of the statements may raise, and whether their end is reached."""
    found = False
    for statement in statements:
        found = found or _raises(statement, name)
        if isinstance(statement, _LEAVING):
            return found, False
    return found, True


def _raises(node: ast.AST, name: str | None) -> bool:
    """Whether a statement has a ``raise`` of the handler; those of handlers inside are theirs, unless they name its exception."""
    return any(not inside or _names(each, name) for each, inside in _raisings(node, isinstance(node, ast.ExceptHandler)))


def _raisings(node: ast.AST, inside: bool) -> Iterator[tuple[ast.Raise, bool]]:
    if isinstance(node, ast.Raise):
        yield node, inside
    elif not isinstance(node, (*_OTHER_FRAMES, ast.expr)):
        for child in ast.iter_child_nodes(node):
            yield from _raisings(child, inside or isinstance(child, ast.ExceptHandler))


def _names(node: ast.Raise, name: str | None) -> bool:
    return name is not None and any(isinstance(each, ast.Name) and each.id == name for each in (node.exc, node.cause))
