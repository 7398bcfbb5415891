"""``except*`` with suspending handlers, as an ordinary handler that asks an ``ExceptStar`` object (PEP 654)."""

from __future__ import annotations

import ast
from typing import Any

from ..analysis.names import assign, call, load
from ..analysis.node_paths import standing_for


def desugar(node: ast.TryStar, state: str) -> ast.Try:
    """The same as ``node`` without ``except*``; ``state`` is a hidden variable for the matching state.

    Each handler runs with its part of the group as the handled exception; what handlers raise is collected and, with what
    was not matched, raised at the end.
    """
    caught = state + "'"
    body: list[ast.stmt] = [assign(state, call("@ExceptStar", load(caught)))]
    for handler in node.handlers:
        body.append(_handler(handler, state))
        _locate(body[-1], handler)
    body.append(_settled(ast.Expr(value=_method(state, "finish")), state, node, [ast.Raise()]))
    outer = standing_for(ast.ExceptHandler(type=load("@BaseException"), name=caught, body=body), node)
    built = ast.Try(body=node.body, handlers=[outer], orelse=node.orelse, finalbody=[])
    standing_for(ast.copy_location(built, node), node)
    return _locate(built, node)  # type: ignore[no-any-return]


def _handler(handler: ast.ExceptHandler, state: str) -> ast.stmt:
    assert handler.type is not None
    entered = ast.Expr(value=_method(state, "raise_match"))
    inner = _settled(entered, state, handler, handler.body, handler.name)
    raised = state + '"'
    collect = ast.Expr(value=_method(state, "collect", load(raised)))
    collecting = ast.ExceptHandler(type=load("@BaseException"), name=raised, body=[collect])
    outer = standing_for(ast.Try(body=[inner], handlers=[collecting], orelse=[], finalbody=[]), handler)
    asking = _method(state, "match", handler.type)
    standing_for(asking.func, handler)  # kept while what the type awaits is awaited
    return ast.If(test=asking, body=[outer], orelse=[])


def _settled(raising: ast.stmt, state: str, part: ast.AST, body: list[ast.stmt], name: str | None = None) -> ast.Try:
    """``try: raising; except ...: state.settle(it); body``: a bare ``raise`` in the body leaves no mark on it.

    ``part``: the part of the statement that this is about.
    """
    raised = name or state + "!"
    settle: list[ast.stmt] = [ast.Expr(value=_method(state, "settle", load(raised)))]
    matched = standing_for(ast.ExceptHandler(type=load("@BaseException"), name=raised, body=[*settle, *body]), part)
    return standing_for(ast.Try(body=[raising], handlers=[matched], orelse=[], finalbody=[]), part)


def _method(state: str, name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(func=ast.Attribute(load(state), name, ast.Load()), args=list(arguments), keywords=[])


def _locate(node: Any, at: ast.AST) -> Any:
    if "lineno" in node._attributes and not getattr(node, "lineno", None):
        ast.copy_location(node, at)
        if isinstance(node, ast.Attribute):  # the compiler puts the call of a method where its name ends
            node.end_lineno, node.end_col_offset = node.lineno, node.col_offset + 1
    for child in ast.iter_child_nodes(node):
        _locate(child, at)
    return node
