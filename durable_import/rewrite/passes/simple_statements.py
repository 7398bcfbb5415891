"""Pass 1, statements: simple statements, and the jumps that leave a block.

``normalise`` says what the pass assumes and guarantees. A jump out of a ``try`` whose ``finally`` suspends leaves a record
in the hidden variable of the outcome, so that the same exit can be taken after a resume.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from ..analysis.names import assign, call, constant, load, store
from ..analysis.node_paths import standing_for
from ..analysis.suspensions import any_suspends, suspends
from .lift import Statements
from .statement import StatementNormaliser, locate

BREAK, CONTINUE = "break", "continue"


class SimpleStatements(StatementNormaliser):
    """Normalises statements without blocks."""

    def _normalise_Expr(self, node: ast.Expr, out: Statements) -> None:
        if isinstance(node.value, (ast.Await, ast.Yield, ast.YieldFrom)):
            self._direct(node.value, None, out)
            return
        value = self.lifter.expression(node.value, out)
        self._flush(out, [ast.copy_location(ast.Expr(value=value), node)], node)

    def _direct(self, node: ast.Await | ast.Yield | ast.YieldFrom, target: ast.expr | None, out: Statements) -> None:
        """``await x`` or ``name = await x``: no temporary for the result."""
        operand = self.lifter.optional(node.value, out)
        kind = {ast.Await: "await", ast.Yield: "yield", ast.YieldFrom: "yield from"}[type(node)]
        self.lifter.suspend(kind, operand, target, node, out)
        self._flush(out, [], node)

    def _normalise_Assign(self, node: ast.Assign, out: Statements) -> None:
        value = node.value
        only = node.targets[0] if len(node.targets) == 1 else None
        if isinstance(only, ast.Name) and isinstance(value, (ast.Await, ast.Yield, ast.YieldFrom)):
            self._direct(value, only, out)
            return
        lifted = self.lifter.expression(value, out)
        if any_suspends(node.targets):
            lifted = self.lifter.saved(lifted, out)
            for target in node.targets:
                self._assign(target, lifted, out)
            self._flush(out, [], node)
        else:
            self._flush(out, [ast.copy_location(ast.Assign(targets=node.targets, value=lifted), node)], node)

    def _normalise_AnnAssign(self, node: ast.AnnAssign, out: Statements) -> None:
        if isinstance(node.target, ast.Name):
            out.append(ast.copy_location(ast.AnnAssign(node.target, node.annotation, None, node.simple), node))
        if node.value is None:
            self.lifter.expression(node.target, out)
            self._flush(out, [], node)
            return
        self._normalise_Assign(ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node), out)

    def _normalise_AugAssign(self, node: ast.AugAssign, out: Statements) -> None:
        target, lifter = node.target, self.lifter
        place: Any
        if isinstance(target, ast.Name):
            place = target
        elif isinstance(target, ast.Attribute):
            place = ast.Attribute(value=lifter.saved(target.value, out), attr=target.attr, ctx=ast.Store())
        else:
            base = lifter.saved(target.value, out)
            place = ast.Subscript(value=base, slice=lifter.saved(target.slice, out), ctx=ast.Store())
        ast.copy_location(place, target)
        held = lifter.temporary(target)
        out.append(locate(assign(held, _as_load(place)), target))
        value = lifter.expression(node.value, out)
        changed = ast.AugAssign(target=store(held), op=node.op, value=value)
        self._flush(out, [changed, ast.Assign(targets=[place], value=load(held))], node)

    def _normalise_Delete(self, node: ast.Delete, out: Statements) -> None:
        for target in _flat_targets(node.targets):
            lifted = self.lifter.expression(target, out)
            out.append(ast.copy_location(ast.Delete(targets=[lifted]), node))
        self._flush(out, [], node)

    def _normalise_Raise(self, node: ast.Raise, out: Statements) -> None:
        exc, cause = self.lifter.sequence([node.exc, node.cause], out)
        self._flush(out, [ast.Raise(exc=exc, cause=cause)], node)

    def _normalise_Pause(self, node: ast.Raise, out: Statements) -> None:
        """``@t = [E]; if not (@ON and @pauses(@t)): raise @t.pop(); await @t.pop()``: the exception, or what to await.

        With a cause, ``@t = [E, C]`` and ``raise @t.pop(0) from @t.pop()``.

        Taken out of a list, it is not kept by a variable of the frame that its traceback leads to.
        """
        assert node.exc is not None
        parts = [node.exc] if node.cause is None else [node.exc, node.cause]
        both = standing_for(ast.List(elts=parts, ctx=ast.Load()), node)
        held: Any = self.lifter.saved(ast.copy_location(both, node), out)
        pauses = ast.BoolOp(op=ast.And(), values=[load("@ON"), call("@pauses", held)])
        native = ast.Raise(exc=_taken(held.id), cause=None)
        if node.cause is not None:
            native = ast.Raise(exc=_taken(held.id, constant(0)), cause=_taken(held.id))
        out.append(locate(ast.If(test=ast.UnaryOp(op=ast.Not(), operand=pauses), body=[native], orelse=[]), node))
        self.lifter.suspend("await", _taken(held.id), None, node, out)
        self._flush(out, [], node)

    def _normalise_Assert(self, node: ast.Assert, out: Statements) -> None:
        checks: Statements = []
        test = self.lifter.test(node.test, checks)
        if suspends(node.msg):
            failed: Statements = []
            message = self.lifter.optional(node.msg, failed)
            failed.append(ast.Assert(test=constant(False), msg=message))
            checks.append(ast.If(test=ast.UnaryOp(op=ast.Not(), operand=test), body=failed, orelse=[]))
        else:
            checks.append(ast.Assert(test=test, msg=node.msg))
        self._flush(out, [ast.If(test=load("__debug__"), body=checks, orelse=[])], node)

    # --- jumps

    def _normalise_Return(self, node: ast.Return, out: Statements) -> None:
        value = self.lifter.optional(node.value, out)
        outcomes = [mark for mark in self.crossed if mark.startswith("@")]
        if not outcomes:
            self._flush(out, [ast.Return(value=value)], node)
            return
        kept = self.lifter.temporary(node, "outcome")
        result = ast.Tuple(elts=[value or constant(None)], ctx=ast.Load())
        record = ast.Assign(targets=[store(name) for name in outcomes], value=load(kept))
        returned = None if self.is_async_generator else ast.Subscript(load(kept), constant(0), ast.Load())
        self._flush(out, [assign(kept, result), record, ast.Return(value=returned)], node)

    def _jump(self, node: ast.stmt, kind: str, out: Statements) -> None:
        outcomes = []
        for mark in reversed(self.crossed):
            if mark == "loop":
                break
            outcomes.append(mark)
        built: Statements = [assign(name, constant(kind)) for name in outcomes]
        self._flush(out, [*built, node], node)

    def _normalise_Break(self, node: ast.Break, out: Statements) -> None:
        self._jump(node, BREAK, out)

    def _normalise_Continue(self, node: ast.Continue, out: Statements) -> None:
        self._jump(node, CONTINUE, out)


def _taken(name: str, *index: ast.expr) -> ast.expr:
    return ast.Call(func=ast.Attribute(value=load(name), attr="pop", ctx=ast.Load()), args=list(index), keywords=[])


def _as_load(place: Any) -> ast.expr:
    if isinstance(place, ast.Name):
        return load(place.id)
    if isinstance(place, ast.Attribute):
        return ast.Attribute(value=place.value, attr=place.attr, ctx=ast.Load())
    return ast.Subscript(value=place.value, slice=place.slice, ctx=ast.Load())


def _flat_targets(targets: list[ast.expr]) -> Iterator[ast.expr]:
    for target in targets:
        if isinstance(target, (ast.Tuple, ast.List)):
            yield from _flat_targets(target.elts)
        else:
            yield target
