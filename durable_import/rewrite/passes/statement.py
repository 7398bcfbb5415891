"""Pass 1, statements: what the normalisation of every kind of statement needs.

``normalise`` says what the pass assumes and guarantees. The kinds of statements have modules of their own, whose classes
derive from the one here: ``simple_statements``, ``with_statements``, ``try_statements``, and ``normalise`` for the rest.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ...pythons.versions import LATE_ANNOTATIONS, PROTOCOL_AT_EXPRESSION
from ..analysis.names import RESULT, assign, call, clear, constant, load, store
from ..analysis.node_paths import standing_for
from ..analysis.scopes import Scope
from ..analysis.suspensions import (
    FUNCTION_DEFINITIONS,
    LISTS,
    WithBlock,
    annotation_places,
    any_suspends,
    evaluated_here,
    suspends,
)
from .comprehensions import comprehension_function, lambda_function, walrus_names
from .hidden_names import HiddenNames
from .lift import Lifter, Statements
from .temporaries import mark_temporaries


class StatementNormaliser:
    """Normalises the body of one function: the state, the tools, and definitions, which are frames of their own.

    ``scope``: the function's names; ``names``: those of its hidden variables. ``is_async_generator``: its ``return`` has no
    value. ``rewrite_nested``: what to do with function and class definitions inside (their bodies are other frames).
    """

    def __init__(
        self,
        scope: Scope,
        names: HiddenNames,
        *,
        is_async_generator: bool,
        rewrite_nested: Callable[[Any], ast.stmt],
    ) -> None:
        self.scope = scope
        self.names = names
        self.is_async_generator = is_async_generator
        self.rewrite_nested = rewrite_nested
        self.held: list[str] = [RESULT] if isinstance(names.function, LISTS) else []
        self.crossed: list[str] = []  # loop marks and outcome variables around the current statement
        self.with_blocks: dict[str, WithBlock] = {}  # by the hidden variable of the manager
        self.lifter = Lifter(names, self.held, self._define_comprehension, self._define_lambda)

    def body(self, statements: list[ast.stmt]) -> Statements:
        """Normalise a block."""
        out: Statements = []
        for statement in statements:
            out += self.statement(statement)
        return out

    def statement(self, node: ast.stmt) -> Statements:
        """The normalised form of one statement."""
        self.lifter.temporaries = 0
        if isinstance(node, (*FUNCTION_DEFINITIONS, ast.ClassDef)):
            return self._definition(node)
        if not suspends(node) and not self._jumps_over_outcome(node):
            rewritten: ast.stmt = self.rewrite_nested(node)
            return [rewritten]
        out: Statements = []
        getattr(self, f"_normalise_{type(node).__name__}")(node, out)
        return out

    # --- tools

    @contextmanager
    def _holding(self, *names: str) -> Iterator[None]:
        self.held.extend(names)
        yield
        del self.held[len(self.held) - len(names) :]

    @contextmanager
    def _inside(self, mark: str) -> Iterator[None]:
        self.crossed.append(mark)
        yield
        self.crossed.pop()

    def _flush(self, out: Statements, built: Statements, at: ast.AST) -> None:
        """Append statements made of lifted parts; from here on their temporaries are dead, and cleared."""
        forgotten = self._flush_branching(out, built, at)
        if not (built and isinstance(built[-1], (ast.Return, ast.Raise))):
            out += forgotten

    def _flush_branching(self, out: Statements, built: Statements, at: ast.AST) -> Statements:
        """As ``_flush``; returns what clears the temporaries, for the beginning of each branch of what was built."""
        for statement in built:
            locate(statement, at)
        out += built
        mark_temporaries(out, self.lifter.living, self.names)
        names = self.lifter.forget()
        return [locate(clear(names), at)] if names else []

    def _nested(self, node: Any) -> Any:
        return self.rewrite_nested(node)

    def _define_comprehension(self, node: Any, out: Statements) -> ast.expr:
        function = comprehension_function(node, self.scope)
        source = node.generators[0]
        first: ast.expr = call("@aiter" if source.is_async else "@iter", source.iter)
        locate(first, source.iter if PROTOCOL_AT_EXPRESSION else node)
        if any(isinstance(n, ast.Name) and n.id == function.name for n in ast.walk(source.iter)):
            standing_for(first, source.iter)
            first = self.lifter.saved(first, out, "iterator")  # it calls another function of the same name
        for name in walrus_names(node):
            if self.scope.declaration_for(name) == "nonlocal":  # bound here, as far as the compiler can see
                out.append(locate(ast.If(constant(False), [assign(name, constant(None))], []), node))
        out.append(locate(self.rewrite_nested(function), node))
        return locate(ast.Call(func=load(function.name), args=[first], keywords=[]), node)  # type: ignore[no-any-return]

    def _define_lambda(self, node: ast.Lambda, out: Statements) -> ast.expr:
        function = lambda_function(node)
        out.append(locate(self.rewrite_nested(function), node))
        return locate(load(function.name), node)  # type: ignore[no-any-return]

    def _jumps_over_outcome(self, node: ast.AST) -> bool:
        """Whether a statement without suspensions leaves a ``finally`` whose outcome is recorded."""
        if not any(mark.startswith("@") for mark in self.crossed):
            return False
        if isinstance(node, (ast.Return, ast.Break, ast.Continue)):
            return True
        if isinstance(node, (*FUNCTION_DEFINITIONS, ast.ClassDef, ast.expr)):
            return False
        return any(self._jumps_over_outcome(child) for child in ast.iter_child_nodes(node))

    def _definition(self, node: Any) -> Statements:
        out: Statements = []
        if any_suspends(evaluated_here(node)):
            node.decorator_list = [self.lifter.saved(d, out) for d in node.decorator_list]
            holders = [(keyword, "value") for keyword in getattr(node, "keywords", [])]
            if isinstance(node, ast.ClassDef):
                bases = self.lifter.sequence([*node.bases, *(k.value for k in node.keywords)], out)
                node.bases, values = bases[: len(node.bases)], bases[len(node.bases) :]
            else:
                holders = annotation_places(node) if not LATE_ANNOTATIONS else []
                notes = [getattr(*holder) for holder in holders]
                self.lifter.defaults(node.args, out, keep=any_suspends(notes))
                values = self.lifter.sequence(notes, out)
            for (holder, field), value in zip(holders, values, strict=True):
                setattr(holder, field, value)
        node._suspends = False
        self._flush(out, [self._nested(node)], node)
        return out

    def _assign(self, target: ast.expr, value: ast.expr, out: Statements) -> None:
        """Bind ``target``, which may suspend, to a value that is kept."""
        if not suspends(target):
            out.append(ast.copy_location(ast.Assign(targets=[target], value=value), target))
        elif isinstance(target, (ast.Tuple, ast.List)):
            names = [self.lifter.temporary(element, "item") for element in target.elts]
            parts: list[ast.expr] = []
            for name, element in zip(names, target.elts, strict=True):
                starred = isinstance(element, ast.Starred)
                parts.append(ast.Starred(value=store(name), ctx=ast.Store()) if starred else store(name))
            unpacking = ast.Assign(targets=[ast.Tuple(elts=parts, ctx=ast.Store())], value=value)
            out.append(locate(unpacking, target))
            for name, element in zip(names, target.elts, strict=True):
                self._assign(element.value if isinstance(element, ast.Starred) else element, load(name), out)
        else:
            lifted = self.lifter.expression(target, out)
            out.append(locate(ast.Assign(targets=[lifted], value=value), target))

    def _try(
        self,
        body: Statements,
        handlers: list[ast.ExceptHandler],
        orelse: Statements,
        at: ast.AST,
        *,
        finalbody: Statements | None = None,
        outcome: str | None = None,
        star: bool = False,
    ) -> ast.stmt:
        kind = ast.TryStar if star else ast.Try
        body = body or [ast.copy_location(ast.Pass(), at)]
        node = kind(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody or [])
        node.outcome = outcome  # type: ignore[union-attr]
        if finalbody is not None and "loop" in self.crossed:
            node.in_loop = True  # type: ignore[union-attr]
        node.returns_nothing = self.is_async_generator  # type: ignore[union-attr]
        return ast.copy_location(node, at)


def locate(node: Any, at: ast.AST) -> Any:
    """Put new nodes at a position; those that have one keep it."""
    if not hasattr(node, "lineno") or getattr(node, "lineno", None) in (None, 0):
        ast.copy_location(node, at)
        if isinstance(node, ast.Attribute):  # the compiler looks for an attribute's name in the last line
            node.end_lineno, node.end_col_offset = node.lineno, node.col_offset
    for child in ast.iter_child_nodes(node):
        locate(child, node if hasattr(node, "lineno") else at)
    return node


def protocol_place(statement: ast.stmt, expression: ast.expr) -> ast.AST:
    """Where the calls are that a statement makes of the methods of its operand."""
    return expression if PROTOCOL_AT_EXPRESSION else statement


def call_name(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(func=load(name), args=list(arguments), keywords=[])
