"""Pass 2a: the fast variant of a normalised function. Native control flow; the only additions are hidden stores around
suspensions, and what keeps ``except`` and ``finally`` blocks from running when the frame is dropped, not ended.

Assumes: a body from ``normalise`` with labels. Guarantees: plain ``ast``, positions kept.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..analysis.names import AWAITED, KEY, PC, RESULT, assign, call, clear, constant, load
from ..analysis.suspensions import FUNCTION_DEFINITIONS, Suspend, points
from ..passes.lift import Statements


def fast_body(statements: Statements) -> Statements:
    """Emit a block."""
    out: Statements = []
    for statement in statements:
        out += _emit(statement)
    for i in reversed(range(len(out) - 1)):
        if getattr(out[i], "is_floating", False) and getattr(out[i + 1], "lineno", None):
            out[i] = _moved(out[i], out[i + 1])
    return out or [ast.Pass()]


def _moved(statement: ast.stmt, to: ast.stmt) -> ast.stmt:
    """A statement at the position of another: a tracer sees no line of its own."""
    moved = copy.deepcopy(statement)
    for node in ast.walk(moved):
        if "lineno" in node._attributes:
            ast.copy_location(node, to)
    return moved


def _emit(node: Any) -> Statements:
    if isinstance(node, Suspend):
        return suspension(node)
    if isinstance(node, (ast.If, ast.While, ast.For)) and _suspending(node):
        emitted: Any = type(node)(**{name: getattr(node, name) for name in node._fields if hasattr(node, name)})
        emitted.body = fast_body(node.body)
        emitted.orelse = fast_body(node.orelse) if node.orelse else []
        return [ast.copy_location(emitted, node)]
    if isinstance(node, ast.Match) and _suspending(node):
        cases = [ast.match_case(pattern=c.pattern, guard=c.guard, body=fast_body(c.body)) for c in node.cases]
        return [ast.copy_location(ast.Match(subject=node.subject, cases=cases), node)]
    if isinstance(node, (ast.Try, ast.TryStar)) and (_suspending(node) or needs_guard(node)):
        before, statement = guarded_try(node, fast_body, partial(handler, unwound=_hidden_variables(node.body)))
        return [*before, statement]
    return [node]


def _suspending(node: ast.AST) -> bool:
    return next(points([node]), None) is not None


def needs_guard(node: Any) -> bool:
    """Whether a ``try`` has something that a suspension signal, or a resume, must get around."""
    return getattr(node, "outcome", None) is not None or _suspending(node)


def suspension(node: Suspend) -> Statements:
    """``@a = operand; if @ON: @a = @step(@a); @pc = label; target = await @a``."""
    out: Statements = [] if node.kind == "yield" else evaluate_operand(node)
    out.append(assign(PC, constant(node.label)))
    out.append(perform(node, node.operand if node.kind == "yield" else load(AWAITED)))
    if node.kind != "yield":
        out.append(clear([AWAITED]))
    return [located(statement, node) for statement in out]


def evaluate_operand(node: Suspend) -> Statements:
    """Bind what is awaited or delegated to."""
    assert node.operand is not None
    spent = [clear(node.spent)] if node.spent else []
    if node.kind == "yield from":
        return [assign(AWAITED, call("@delegate", node.operand)), *spent]
    step = ast.If(test=load("@ON"), body=[assign(AWAITED, call("@step", load(AWAITED)))], orelse=[])
    return [assign(AWAITED, node.operand), *spent, step]


def perform(node: Suspend, operand: ast.expr | None) -> ast.stmt:
    """The suspension proper."""
    value: ast.expr
    if node.kind == "yield":
        value = ast.Yield(value=operand)
    else:
        assert operand is not None
        value = ast.Await(value=operand) if node.kind == "await" else ast.YieldFrom(value=operand)
    if node.target is None:
        return ast.Expr(value=value)
    return ast.Assign(targets=[node.target], value=value)


def handler(node: Any, unwound: list[str]) -> ast.ExceptHandler:
    """One ``except`` clause; a suspending one keeps the exception in a hidden variable too. ``unwound`` is cleared."""
    body = fast_body(node.body)
    if getattr(node, "hidden", None) and node.user_name:
        body = [assign(node.user_name, load(node.hidden)), forgetting(node.user_name, body)]
        body = [located(statement, node) for statement in body]
    if unwound:
        body = [located(clear(unwound), node), *body]
    return ast.copy_location(ast.ExceptHandler(type=node.type, name=node.name, body=body), node)


def forgetting(name: str, body: Statements) -> ast.stmt:
    """What the compiler does at the end of ``except ... as name``."""
    clear: Statements = [assign(name, constant(None)), ast.Delete(targets=[ast.Name(id=name, ctx=ast.Del())])]
    return ast.Try(body=body, handlers=[], orelse=[], finalbody=clear)


@dataclass(frozen=True)
class Resumption:
    """What the resume variant adds to a ``try`` statement: statements that come first in the part with handlers, first
    in the whole, and first (made for the name of the exception) where a pending exception is recorded."""

    entry: Statements = field(default_factory=list)
    final_entry: Statements = field(default_factory=list)
    on_record: Callable[[str], Statements] = lambda _: []


def guarded_try(
    node: Any,
    emit_body: Callable[[Statements], Statements],
    emit_handler: Callable[[Any], ast.ExceptHandler],
    resumption: Resumption | None = None,
) -> tuple[Statements, ast.stmt]:
    """A ``try`` statement that lets suspension signals pass: what comes before it, and the statement."""
    resumption = resumption or Resumption()
    suspending = next(points([*node.body, *node.handlers, *node.orelse]), None) is not None
    body: Statements = [*resumption.entry, *emit_body(node.body)]
    if node.handlers:
        body = [_with_handlers(node, body, suspending, emit_body, emit_handler)]
    if not node.finalbody:
        return [], body[0]
    return _with_finally(node, body, suspending, emit_body, resumption)


def _with_handlers(
    node: Any,
    body: Statements,
    suspending: bool,
    emit_body: Callable[[Statements], Statements],
    emit_handler: Callable[[Any], ast.ExceptHandler],
) -> ast.stmt:
    handlers = [emit_handler(h) for h in node.handlers]
    if suspending and isinstance(node, ast.TryStar):
        for h in handlers:
            assert h.type is not None
            kind = ast.IfExp(test=_not_abandoned(), body=h.type, orelse=ast.Tuple(elts=[], ctx=ast.Load()))
            h.type = located(kind, h)
    elif suspending:
        flag = getattr(node, "abandon", None)
        mark: Statements = [assign(flag, constant(False))] if flag else []
        handlers.insert(0, located(_signal_handler([*mark, ast.Raise()]), handlers[0]))
    orelse = emit_body(node.orelse) if node.orelse else []
    return located(type(node)(body=body, handlers=handlers, orelse=orelse, finalbody=[]), node)  # type: ignore[no-any-return]


def _with_finally(
    node: Any,
    body: Statements,
    suspending: bool,
    emit_body: Callable[[Statements], Statements],
    resumption: Resumption,
) -> tuple[Statements, ast.stmt]:
    final = emit_body(node.finalbody)
    before: Statements = []
    clauses: list[ast.ExceptHandler] = []
    is_with = getattr(node, "normal", None) is not None  # then a handler inside tells the ending not to run
    if suspending and not is_with:
        if node.outcome:
            clauses.append(_signal_handler([ast.Raise()]))
        final = [ast.If(test=_not_abandoned(), body=final, orelse=[])]
    if node.outcome and not is_with:
        caught = node.outcome + "'"
        record = [*resumption.on_record(caught), assign(node.outcome, load(caught)), ast.Raise()]
        clauses.append(ast.ExceptHandler(type=load("@BaseException"), name=caught, body=record))
    if node.outcome:
        before.append(assign(node.outcome, constant(None)))
        body.append(assign(node.outcome, constant(None)))
        final.append(assign(node.outcome, constant(None)))
    body = [*resumption.final_entry, *body]
    if clauses:
        clauses = [located(clause, node.finalbody[0]) for clause in clauses]
        for statement in body:
            located(statement, node.finalbody[0])
        body = [located(ast.Try(body=body, handlers=clauses, orelse=[], finalbody=[]), node)]
    for statement in (*body, *final):
        located(statement, node.finalbody[0])
    whole = ast.Try(body=body, handlers=[], orelse=[], finalbody=final)
    return [located(statement, node) for statement in before], located(whole, node)


def _hidden_variables(block: Statements) -> list[str]:
    """What an exception leaves behind in hidden variables of a block; natively it was on the stack, which is unwound."""
    names: set[str] = {AWAITED} if any(point.kind != "yield" for point in points(block)) else set()
    for statement in block:
        names.update(_stored(statement))
    return sorted(names)


def _stored(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Store) and node.id[0] == "@" and node.id not in (PC, RESULT, KEY):
            yield node.id
    elif not isinstance(node, (*FUNCTION_DEFINITIONS, ast.ClassDef, ast.Lambda)):
        for child in ast.iter_child_nodes(node):
            yield from _stored(child)


def _not_abandoned() -> ast.expr:
    return ast.UnaryOp(op=ast.Not(), operand=call("@signalled"))


def _signal_handler(body: Statements) -> ast.ExceptHandler:
    return ast.ExceptHandler(type=load("@Suspension"), name=None, body=body)


def located(node: Any, at: ast.AST) -> Any:
    """Give new nodes a position: that of the nearest node around them that has one, at first ``at``."""
    if "lineno" in node._attributes:
        if getattr(node, "is_located", False):
            return node
        if getattr(node, "lineno", None):
            node.is_located = True
        elif getattr(at, "lineno", None):
            ast.copy_location(node, at)
            if getattr(node, "end_lineno", None) is None or isinstance(node, ast.Attribute):
                node.end_lineno, node.end_col_offset = node.lineno, node.col_offset
            node.is_located = True
        at = node if getattr(node, "lineno", None) else at
    for name in node._fields:  # as ``ast.iter_child_nodes``, which takes longer
        value = getattr(node, name, None)
        if type(value) is list:
            for child in value:
                if isinstance(child, ast.AST):
                    located(child, at)
        elif isinstance(value, ast.AST) and value._fields:
            located(value, at)
    return node
