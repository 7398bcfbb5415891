"""Pass 1, statements: ``try`` statements that suspend.

``normalise`` says what the pass assumes and guarantees.
"""

from __future__ import annotations

import ast
from typing import Any

from ..analysis.names import assign, call, constant, is_hidden, load
from ..analysis.node_paths import standing_for
from ..analysis.suspensions import any_suspends, points
from . import except_star
from .lift import Statements
from .statement import StatementNormaliser, locate


class TryStatements(StatementNormaliser):
    """Normalises ``try``, with ``except`` and with ``except*``."""

    def _normalise_Try(self, node: Any, out: Statements) -> None:
        outcome = self.names.hide("outcome", node) if any_suspends(node.finalbody) else None
        if outcome:
            with self._inside(outcome), self._holding(outcome):
                inner = self._handled(node)
        else:
            inner = self._handled(node)
        if not node.finalbody:
            out += inner
            return
        with self._holding(*([outcome] if outcome else [])):
            ending = self.body(node.finalbody)
        out.append(self._try(inner, [], [], node, finalbody=ending, outcome=outcome))

    _normalise_TryStar = _normalise_Try

    def _handled(self, node: Any) -> Statements:
        """Everything of a ``try`` statement except its ``finally``."""
        if not node.handlers:
            return self.body(node.body)
        kept = self.names.hide("group", node)
        held = [kept]
        if isinstance(node, ast.TryStar) and any_suspends(node.handlers):
            node = except_star.desugar(node, kept)
        elif any_suspends(handler.type for handler in node.handlers):
            node = self._handlers_as_chain(node, kept)
        else:
            held = []
        body = self.body(node.body)
        with self._holding(*held):
            handlers = [self._handler(handler) for handler in node.handlers]
        return [self._try(body, handlers, self.body(node.orelse), node, star=isinstance(node, ast.TryStar))]

    def _handler(self, handler: ast.ExceptHandler) -> ast.ExceptHandler:
        built = ast.copy_location(ast.ExceptHandler(type=handler.type, name=handler.name, body=[]), handler)
        if not any_suspends(handler.body):
            built.body = self.body(handler.body)
            return built
        own = handler.name is not None and is_hidden(handler.name)
        hidden = handler.name if handler.name is not None and own else self.names.hide("exception", handler)
        self.names.mean(hidden, "exception", handler)
        with self._holding(hidden):
            built.body = self.body(handler.body)
        if next(points(built.body), None) is None:  # an asynchronous generator expression, which only runs elsewhere
            return built
        built.hidden = built.name = hidden  # type: ignore[attr-defined]
        built.user_name = None if own else handler.name  # type: ignore[attr-defined]
        if built.type is None:
            built.type = locate(load("@BaseException"), handler)
        return built

    def _handlers_as_chain(self, node: Any, caught: str) -> ast.Try:
        """Handlers whose types suspend: one handler that asks for each type in turn."""
        chain: list[ast.stmt] = [ast.copy_location(ast.Raise(exc=None, cause=None), node)]
        for handler in reversed(node.handlers):
            body = handler.body
            if handler.name:
                forget = ast.Delete(targets=[ast.Name(id=handler.name, ctx=ast.Del())])
                clear: list[ast.stmt] = [assign(handler.name, constant(None)), forget]
                named = ast.Try(body=handler.body, handlers=[], orelse=[], finalbody=clear)
                body = [assign(handler.name, load(caught)), named]
            if handler.type is None:
                chain = body
            else:
                chain = [ast.If(test=call("@matches", load(caught), handler.type), body=body, orelse=chain)]
            for statement in chain:
                locate(statement, handler)
        single = ast.ExceptHandler(type=load("@BaseException"), name=caught, body=chain)
        single = standing_for(locate(single, node), node)
        built = ast.Try(body=node.body, handlers=[single], orelse=node.orelse, finalbody=[])
        return standing_for(ast.copy_location(built, node), node)
