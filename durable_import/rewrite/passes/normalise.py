"""Pass 1, statements: a function in which each suspension stands alone and only in simple structure.

Assumes: the body of one asynchronous or generator function, as parsed. Guarantees: the same meaning, and
- each suspension is a ``Suspend`` statement; no other statement or expression suspends;
- ``for`` loops that suspend iterate over a hidden iterator; ``async for`` and suspending ``with`` statements are gone;
- a ``try`` that suspends in a handler names its exception by a hidden variable (``handler.hidden``, the user's own name in
  ``handler.user_name``); one that suspends in ``finally`` keeps the pending outcome in a hidden variable (``node.outcome``);
- only ``if``, ``while``, ``for``, ``try``, ``match`` contain suspensions.
The shape of ``async for`` and ``with`` is that of the language reference, section "Compound statements".

Here are branches and loops; ``simple_statements``, ``with_statements`` and ``try_statements`` have the other kinds.
"""

from __future__ import annotations

import ast
from typing import Any

from ..analysis.names import assign, call, clear, constant, load, store
from ..analysis.suspensions import WithBlock, any_suspends, points, suspends
from .lift import Statements
from .simple_statements import SimpleStatements
from .statement import call_name, locate, protocol_place
from .try_statements import TryStatements
from .with_statements import WithStatements

__all__ = ["Normaliser", "WithBlock", "number_labels"]


class Normaliser(SimpleStatements, TryStatements, WithStatements):
    """Normalises the body of one function; ``StatementNormaliser`` says what it is made of."""

    def _normalise_If(self, node: ast.If, out: Statements) -> None:
        test = self.lifter.test(node.test, out)
        built = ast.If(test=test, body=[ast.Pass()], orelse=[])
        forget = self._flush_branching(out, [built], node)
        built.body, built.orelse = [*forget, *self.body(node.body)], [*forget, *self.body(node.orelse)]

    def _normalise_While(self, node: ast.While, out: Statements) -> None:
        built = ast.copy_location(ast.While(test=node.test, body=[], orelse=[]), node)
        if suspends(node.test):
            going = self.names.hide("going", node)
            out.append(locate(assign(going, constant(True)), node))
            built.test = locate(load(going), node)
            tests: Statements = []
            with self._holding(going), self._inside("loop"):
                check = ast.If(test=self.lifter.test(node.test, tests), body=[ast.Pass()], orelse=[])
                check.orelse = [assign(going, constant(False))]
                forget = self._flush_branching(tests, [check], node)
                check.body = [*forget, *self.body(node.body)]
                check.orelse += forget
            built.body = tests
        else:
            with self._inside("loop"):
                built.body = self.body(node.body)
        built.orelse = self.body(node.orelse)
        out.append(built)

    def _normalise_For(self, node: ast.For, out: Statements) -> None:
        iterator = self.names.hide("iterator", node)
        source = self.lifter.expression(node.iter, out)
        at = protocol_place(node, node.iter)
        self._flush(out, [ast.copy_location(assign(iterator, call("@iter", source)), at)], at)
        built = ast.copy_location(ast.For(target=node.target, iter=load(iterator), body=[], orelse=[]), node)
        locate(built.iter, node.iter)
        with self._holding(iterator), self._inside("loop"):
            if suspends(node.target):
                item = self.names.hide("item", node)
                built.target = locate(store(item), node.target)
                with self._holding(item):
                    self._assign(node.target, load(item), built.body)
                    self._flush(built.body, [], node.target)
            built.body += self.body(node.body)
        self._leave_loop(built, [iterator], node.orelse, out)

    def _leave_loop(self, loop: Any, hidden: list[str], orelse: list[ast.stmt], out: Statements) -> None:
        """Append a loop that lets go of its iterator at its end."""
        if orelse:
            loop.orelse = [locate(clear(hidden), loop), *self.body(orelse)]
        out += [loop, locate(clear(hidden), loop)]

    def _normalise_AsyncFor(self, node: ast.AsyncFor, out: Statements) -> None:
        iterator, advance, going, item = (self.names.hide(role, node) for role in ("iterator", "advance", "going", "item"))
        source = self.lifter.expression(node.iter, out)
        if not getattr(node, "is_iterator", False):
            source = call("@aiter", source)
        begin = [assign(iterator, source), assign(advance, call("@advance", load(iterator)))]
        self._flush(out, [*begin, assign(going, constant(True))], protocol_place(node, node.iter))
        with self._holding(iterator, advance, going), self._inside("loop"):
            step: Statements = []
            body: Statements = []
            named = isinstance(node.target, ast.Name)
            target = node.target if named else store(item)
            awaited = locate(call_name(advance, load(iterator)), node)
            self.lifter.suspend("await", awaited, target, node, step, role="next")
            self._flush(step, [], node)
            if not named:
                with self._holding(item):
                    self._assign(node.target, load(item), body)
                    self._flush(body, [clear([item])], node.target)
            body += self.body(node.body)
        stop = ast.ExceptHandler(type=load("@StopAsyncIteration"), name=None, body=[assign(going, constant(False))])
        attempt = self._try(step, [locate(stop, node.iter)], body, node.iter)
        loop = ast.copy_location(ast.While(test=locate(load(going), node.iter), body=[attempt], orelse=[]), node)
        self._leave_loop(loop, [iterator], node.orelse, out)

    def _normalise_Match(self, node: ast.Match, out: Statements) -> None:
        subject = self.lifter.expression(node.subject, out)
        if any_suspends(case.guard for case in node.cases):
            kept = self.names.hide("subject", node)
            self._flush(out, [assign(kept, subject)], node.subject)
            with self._holding(kept):
                self._cases_as_chain(kept, node.cases, out, node)
            out.append(locate(clear([kept]), node))
            return
        built = ast.Match(subject=subject, cases=[])
        forget = self._flush_branching(out, [built], node)
        for case in node.cases:
            guard = case.guard and self._nested(case.guard)
            body = [*forget, *self.body(case.body)]
            built.cases.append(ast.match_case(pattern=case.pattern, guard=guard, body=body))
        out += forget

    def _cases_as_chain(self, subject: str, cases: list[ast.match_case], out: Statements, at: ast.AST) -> None:
        """Cases whose guards suspend: match one pattern, ask its guard, and only then go on to the next."""
        for i, case in enumerate(cases):
            matched = self.names.hide("matched", case)
            hit = ast.match_case(pattern=case.pattern, guard=None, body=[assign(matched, constant(True))])
            out.append(locate(assign(matched, constant(False)), at))
            out.append(locate(ast.Match(subject=load(subject), cases=[hit]), at))
            if case.guard is not None:
                asked: Statements = []
                answer = self.lifter.test(case.guard, asked)
                yes = ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), answer))
                self._flush(asked, [assign(matched, yes)], case.guard)
                out.append(locate(ast.If(test=load(matched), body=asked, orelse=[]), at))
            chosen = ast.If(test=load(matched), body=[ast.Pass()], orelse=[])
            out.append(locate(chosen, at))
            chosen.body = [locate(clear([subject]), at), *self.body(case.body)]
            if i < len(cases) - 1:
                out = chosen.orelse


def number_labels(body: Statements) -> None:
    """Give each suspension point its label.

    Snapshots of payload format 4 say by these numbers where frames stand: code that has not changed keeps them.
    """
    for label, point in enumerate(points(body), start=1):
        point.label = label
