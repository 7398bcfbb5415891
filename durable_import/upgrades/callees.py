"""What an await calls, as it is written: two awaits can be the same one only if that is the same."""

from __future__ import annotations

import ast

# What is called in an argument of these is what runs: how many arguments come before it; None: all are such.
PASSING: dict[str, int | None] = {
    "to_thread": 0, "run_in_executor": 1, "run_sync": 0, "wait_for": 0, "shield": 0, "create_task": 0, "ensure_future": 0,
    "run_coroutine_threadsafe": 0, "wrap_future": 0, "wait": None, "gather": None, "as_completed": None,
    "partial": 0, "start_soon": 0, "anext": 0,
}  # fmt: skip


def callee_of(node: ast.AST | None) -> str:
    """What is called, or awaited, by an expression."""
    if isinstance(node, ast.Call):
        function = ast.unparse(node.func)
        inner = _inner(node)
        return f"{function}({', '.join(inner)})" if inner is not None else function
    return ast.unparse(node) if node is not None else ""


def _inner(node: ast.Call) -> list[str] | None:
    """What is called in the arguments of a call; None if that is not seen from its function."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in PASSING:
        return None
    position = PASSING[name]
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    if position is None or any(isinstance(argument, ast.Starred) for argument in node.args[: position + 1]):
        return [callee_of(argument) for argument in arguments]
    chosen = node.args[position : position + 1]
    return [callee_of(argument) for argument in chosen or arguments]
