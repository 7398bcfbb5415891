"""Pass 1, statements: a function in which each suspension stands alone and only in simple structure.

Assumes: the body of one asynchronous or generator function, as parsed. Guarantees: the same meaning, and
- each suspension is a ``Suspend`` statement; no other statement or expression suspends;
- ``for`` loops that suspend iterate over a hidden iterator; ``async for`` and suspending ``with`` statements are gone;
- a ``try`` that suspends in a handler names its exception by a hidden variable (``handler.hidden``, the user's own name in
  ``handler.user_name``); one that suspends in ``finally`` keeps the pending outcome in a hidden variable (``node.outcome``);
- only ``if``, ``while``, ``for``, ``try``, ``match`` contain suspensions.
The shape of ``async for`` and ``with`` is that of the language reference, section "Compound statements".
"""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from . import except_star
from .comprehensions import KEY, RESULT, comprehension_function, lambda_function, walrus_names
from .lift import Lifter, Statements
from .names import assign, call, clear, constant, is_hidden, load, store
from .scopes import Scope
from .suspensions import FUNCTION_DEFINITIONS, Suspend, annotation_places, any_suspends, evaluated_here, points, suspends

BREAK, CONTINUE = "break", "continue"
PROTOCOL_AT_EXPRESSION = sys.version_info >= (3, 13)  # where tracebacks see __iter__, __enter__: before, at the statement


@dataclass(frozen=True)
class WithBlock:
    """One item of a suspending ``with`` statement, as written: needed to enter it again."""

    expression: ast.expr
    target: ast.expr | None
    is_async: bool
    entering: Suspend | None  # where ``__aenter__`` is awaited


class Normaliser:
    """Normalises the body of one function.

    ``scope``: the function's names. ``is_async_generator``: its ``return`` has no value. ``rewrite_nested``: what to do
    with function and class definitions inside (their bodies are other frames).
    """

    def __init__(
        self, scope: Scope, *, is_async_generator: bool, rewrite_nested: Callable[[Any], ast.stmt],
    ) -> None:  # fmt: skip
        self.scope = scope
        self.is_async_generator = is_async_generator
        self.rewrite_nested = rewrite_nested
        self.held: list[str] = [RESULT, KEY] if scope.kind == "comprehension" else []
        self.crossed: list[str] = []  # loop marks and outcome variables around the current statement
        self.hidden = 0
        self.with_blocks: dict[str, WithBlock] = {}  # by the hidden variable of the manager
        self.lifter = Lifter(self.held, self._define_comprehension, self._define_lambda)

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

    def _hide(self, prefix: str) -> str:
        self.hidden += 1
        return f"@{prefix}{self.hidden}"

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
            _locate(statement, at)
        out += built
        mark_temporaries(out)
        names, self.lifter.unspent = self.lifter.unspent, []
        self.lifter.temporaries = 0
        return [_locate(clear(names), at)] if names else []

    def _nested(self, node: Any) -> Any:
        return self.rewrite_nested(node)

    def _define_comprehension(self, node: Any, out: Statements) -> ast.expr:
        function = comprehension_function(node, self.scope)
        source = node.generators[0]
        first: ast.expr = call("@aiter" if source.is_async else "@iter", source.iter)
        _locate(first, source.iter if PROTOCOL_AT_EXPRESSION else node)
        if any(isinstance(n, ast.Name) and n.id == function.name for n in ast.walk(source.iter)):
            first = self.lifter.saved(first, out)  # it calls another function of the same name
        for name in walrus_names(node):
            if self.scope.declaration_for(name) == "nonlocal":  # bound here, as far as the compiler can see
                out.append(_locate(ast.If(constant(False), [assign(name, constant(None))], []), node))
        out.append(_locate(self.rewrite_nested(function), node))
        return _locate(ast.Call(func=load(function.name), args=[first], keywords=[]), node)  # type: ignore[no-any-return]

    def _define_lambda(self, node: ast.Lambda, out: Statements) -> ast.expr:
        function = lambda_function(node)
        out.append(_locate(self.rewrite_nested(function), node))
        return _locate(load(function.name), node)  # type: ignore[no-any-return]

    def _jumps_over_outcome(self, node: ast.AST) -> bool:
        """Whether a statement without suspensions leaves a ``finally`` whose outcome is recorded."""
        if not any(mark.startswith("@") for mark in self.crossed):
            return False
        if isinstance(node, (ast.Return, ast.Break, ast.Continue)):
            return True
        if isinstance(node, (*FUNCTION_DEFINITIONS, ast.ClassDef, ast.expr)):
            return False
        return any(self._jumps_over_outcome(child) for child in ast.iter_child_nodes(node))

    # --- simple statements

    def _definition(self, node: Any) -> Statements:
        out: Statements = []
        if any_suspends(evaluated_here(node)):
            node.decorator_list = [self.lifter.saved(d, out) for d in node.decorator_list]
            holders = [(keyword, "value") for keyword in getattr(node, "keywords", [])]
            if isinstance(node, ast.ClassDef):
                bases = self.lifter.sequence([*node.bases, *(k.value for k in node.keywords)], out)
                node.bases, values = bases[: len(node.bases)], bases[len(node.bases) :]
            else:
                holders = annotation_places(node)
                notes = [getattr(*holder) for holder in holders]
                self.lifter.defaults(node.args, out, keep=any_suspends(notes))
                values = self.lifter.sequence(notes, out)
            for (holder, field), value in zip(holders, values, strict=True):
                setattr(holder, field, value)
        node._suspends = False
        self._flush(out, [self._nested(node)], node)
        return out

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

    def _assign(self, target: ast.expr, value: ast.expr, out: Statements) -> None:
        """Bind ``target``, which may suspend, to a value that is kept."""
        if not suspends(target):
            out.append(ast.copy_location(ast.Assign(targets=[target], value=value), target))
        elif isinstance(target, (ast.Tuple, ast.List)):
            names = [self.lifter.temporary() for _ in target.elts]
            parts: list[ast.expr] = []
            for name, element in zip(names, target.elts, strict=True):
                starred = isinstance(element, ast.Starred)
                parts.append(ast.Starred(value=store(name), ctx=ast.Store()) if starred else store(name))
            unpacking = ast.Assign(targets=[ast.Tuple(elts=parts, ctx=ast.Store())], value=value)
            out.append(_locate(unpacking, target))
            for name, element in zip(names, target.elts, strict=True):
                self._assign(element.value if isinstance(element, ast.Starred) else element, load(name), out)
        else:
            lifted = self.lifter.expression(target, out)
            out.append(_locate(ast.Assign(targets=[lifted], value=value), target))

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
        held = lifter.temporary()
        out.append(_locate(assign(held, _as_load(place)), target))
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
        kept = self.lifter.temporary()
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

    # --- compound statements

    def _normalise_If(self, node: ast.If, out: Statements) -> None:
        test = self.lifter.test(node.test, out)
        built = ast.If(test=test, body=[ast.Pass()], orelse=[])
        forget = self._flush_branching(out, [built], node)
        built.body, built.orelse = [*forget, *self.body(node.body)], [*forget, *self.body(node.orelse)]

    def _normalise_While(self, node: ast.While, out: Statements) -> None:
        built = ast.copy_location(ast.While(test=node.test, body=[], orelse=[]), node)
        if suspends(node.test):
            going = self._hide("w")
            out.append(_locate(assign(going, constant(True)), node))
            built.test = _locate(load(going), node)
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
        iterator = self._hide("i")
        source = self.lifter.expression(node.iter, out)
        at = _protocol_place(node, node.iter)
        self._flush(out, [ast.copy_location(assign(iterator, call("@iter", source)), at)], at)
        built = ast.copy_location(ast.For(target=node.target, iter=load(iterator), body=[], orelse=[]), node)
        _locate(built.iter, node.iter)
        with self._holding(iterator), self._inside("loop"):
            if suspends(node.target):
                item = self._hide("n")
                built.target = _locate(store(item), node.target)
                with self._holding(item):
                    self._assign(node.target, load(item), built.body)
                    self._flush(built.body, [], node.target)
            built.body += self.body(node.body)
        self._leave_loop(built, [iterator], node.orelse, out)

    def _leave_loop(self, loop: Any, hidden: list[str], orelse: list[ast.stmt], out: Statements) -> None:
        """Append a loop that lets go of its iterator at its end."""
        if orelse:
            loop.orelse = [_locate(clear(hidden), loop), *self.body(orelse)]
        out += [loop, _locate(clear(hidden), loop)]

    def _normalise_AsyncFor(self, node: ast.AsyncFor, out: Statements) -> None:
        iterator, advance, going, item = (self._hide(prefix) for prefix in "ixwn")
        source = self.lifter.expression(node.iter, out)
        if not getattr(node, "is_iterator", False):
            source = call("@aiter", source)
        begin = [assign(iterator, source), assign(advance, call("@advance", load(iterator)))]
        self._flush(out, [*begin, assign(going, constant(True))], _protocol_place(node, node.iter))
        with self._holding(iterator, advance, going), self._inside("loop"):
            step: Statements = []
            body: Statements = []
            named = isinstance(node.target, ast.Name)
            target = node.target if named else store(item)
            self.lifter.suspend("await", _locate(_call_name(advance, load(iterator)), node), target, node, step)
            self._flush(step, [], node)
            if not named:
                with self._holding(item):
                    self._assign(node.target, load(item), body)
                    self._flush(body, [clear([item])], node.target)
            body += self.body(node.body)
        stop = ast.ExceptHandler(type=load("@StopAsyncIteration"), name=None, body=[assign(going, constant(False))])
        attempt = self._try(step, [_locate(stop, node.iter)], body, node.iter)
        loop = ast.copy_location(ast.While(test=_locate(load(going), node.iter), body=[attempt], orelse=[]), node)
        self._leave_loop(loop, [iterator], node.orelse, out)

    def _normalise_With(self, node: Any, out: Statements) -> None:
        self._with(node.items, node, isinstance(node, ast.AsyncWith), out)

    _normalise_AsyncWith = _normalise_With

    def _with(self, items: list[ast.withitem], statement: Any, is_async: bool, out: Statements) -> None:
        if not items:
            out += self.body(statement.body)
            return
        item, *others = items
        expression, at = item.context_expr, _protocol_place(statement, item.context_expr)
        manager = self._hide("m")
        leave, entered, normal = (f"@{prefix}{manager[2:]}" for prefix in "xvz")
        written = copy.deepcopy(expression), copy.deepcopy(item.optional_vars)
        lifted = self.lifter.expression(expression, out)
        pair = ast.Tuple(elts=[store(entered), store(leave)], ctx=ast.Store())
        lookup = ast.Assign(targets=[pair], value=call("@awith" if is_async else "@with", load(manager)))
        self._flush(out, [assign(manager, lifted), lookup], at)
        with self._holding(manager, leave):
            entering: Any = None
            if is_async:
                self.lifter.suspend("await", call("@aenter", _call_name(entered)), store(entered), at, out)
                entering = _locate(out[-1], at)
            else:
                out.append(_locate(assign(entered, _call_name(entered)), at))
            self.with_blocks[manager] = WithBlock(*written, is_async, entering)
            if any(_jumps_out(inner) for inner in statement.body):
                out.append(_locate(assign(normal, constant(True)), at))
                with self._holding(normal):
                    out.append(self._guarded(item, entered, [manager, leave], normal, others, statement, is_async))
            else:
                out.append(self._guarded(item, entered, [manager, leave], None, others, statement, is_async))

    def _guarded(
        self, item: ast.withitem, entered: str, held: list[str], normal: str | None,
        others: list[ast.withitem], statement: Any, is_async: bool,
    ) -> ast.stmt:  # fmt: skip
        """``try: target = entered; block; except: leave(exception); else: leave()``.

        If the block can jump out, the ending is in a ``finally``, for the case that all is ``normal``. The compiler has a
        limit of nested blocks, so no more are used than needed.
        """
        at = _protocol_place(statement, item.context_expr)
        leave = held[-1]
        outcome = self._hide("o") if is_async and normal else None

        def inner_block() -> Statements:
            inner: Statements = []
            if item.optional_vars is not None:
                with self._holding(entered):
                    self._assign(item.optional_vars, load(entered), inner)
                    self._flush(inner, [], item.optional_vars)
            inner.append(_locate(clear([entered]), at))
            self._with(others, statement, is_async, inner)
            return inner

        caught = self._hide("e")
        details = [call("@type_of", load(caught)), load(caught), ast.Attribute(load(caught), "__traceback__", ast.Load())]
        handler = ast.ExceptHandler(type=load("@BaseException"), name=caught, body=[])
        handler.hidden, handler.user_name = caught, None  # type: ignore[attr-defined]
        swallowed = self._hide("y")

        def inside() -> tuple[Statements, Statements]:
            body = inner_block()
            with self._holding(caught):
                handling: Statements = [assign(normal, constant(False))] if normal else []
                self._leave(leave, details, swallowed, is_async, at, handling)
                reraise = ast.If(test=ast.UnaryOp(ast.Not(), load(swallowed)), body=[ast.Raise()], orelse=[])
                handling += [clear(held), reraise]
            return body, handling

        if outcome is None:
            body, handler.body = inside()
        else:
            with self._inside(outcome), self._holding(outcome):
                body, handler.body = inside()
        ending: Statements = []
        with self._holding(*([outcome] if outcome else [])):
            self._leave(leave, [constant(None)] * 3, None, is_async, at, ending)
        ending.append(clear(held))
        _locate(handler, at)
        if not normal:
            return self._try(body, [handler], [_locate(statement, at) for statement in ending], at)
        final = _locate(ast.If(test=load(normal), body=ending, orelse=[]), at)
        attempt = self._try(body, [handler], [], at)
        whole = self._try([attempt], [], [], at, finalbody=[final], outcome=outcome)
        attempt.abandon = whole.normal = normal  # type: ignore[attr-defined]
        return whole

    def _leave(
        self, leave: str, details: list[ast.expr], result: str | None, is_async: bool, at: ast.AST, out: Statements,
    ) -> None:  # fmt: skip
        leaving: ast.expr = _call_name(leave, *details)
        if is_async:
            target = store(result) if result else None
            self.lifter.suspend("await", call("@aexit", leaving), target, at, out)
            out[-1].live.add(f"@l{leave[2:]}")  # type: ignore[attr-defined]  # no variable: says that the block is being left
        else:
            out.append(assign(result, leaving) if result else ast.Expr(value=leaving))
        for statement in out:
            _locate(statement, at)

    def _normalise_Try(self, node: Any, out: Statements) -> None:
        outcome = self._hide("o") if any_suspends(node.finalbody) else None
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
        kept = self._hide("c")
        if isinstance(node, ast.TryStar) and any_suspends(node.handlers):
            node = except_star.desugar(node, kept)
        elif any_suspends(handler.type for handler in node.handlers):
            node = self._handlers_as_chain(node, kept)
        body = self.body(node.body)
        with self._holding(kept):
            handlers = [self._handler(handler) for handler in node.handlers]
        return [self._try(body, handlers, self.body(node.orelse), node, star=isinstance(node, ast.TryStar))]

    def _handler(self, handler: ast.ExceptHandler) -> ast.ExceptHandler:
        built = ast.copy_location(ast.ExceptHandler(type=handler.type, name=handler.name, body=[]), handler)
        if not any_suspends(handler.body):
            built.body = self.body(handler.body)
            return built
        own = handler.name is not None and is_hidden(handler.name)
        hidden = handler.name if handler.name is not None and own else self._hide("e")
        with self._holding(hidden):
            built.body = self.body(handler.body)
        if next(points(built.body), None) is None:  # an asynchronous generator expression, which only runs elsewhere
            return built
        built.hidden = built.name = hidden  # type: ignore[attr-defined]
        built.user_name = None if own else handler.name  # type: ignore[attr-defined]
        if built.type is None:
            built.type = _locate(load("@BaseException"), handler)
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
                _locate(statement, handler)
        single = ast.ExceptHandler(type=load("@BaseException"), name=caught, body=chain)
        built = ast.Try(body=node.body, handlers=[_locate(single, node)], orelse=node.orelse, finalbody=[])
        return ast.copy_location(built, node)

    def _normalise_Match(self, node: ast.Match, out: Statements) -> None:
        subject = self.lifter.expression(node.subject, out)
        if any_suspends(case.guard for case in node.cases):
            kept = self._hide("j")
            self._flush(out, [assign(kept, subject)], node.subject)
            with self._holding(kept):
                self._cases_as_chain(kept, node.cases, out, node)
            out.append(_locate(clear([kept]), node))
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
            matched = self._hide("q")
            hit = ast.match_case(pattern=case.pattern, guard=None, body=[assign(matched, constant(True))])
            out.append(_locate(assign(matched, constant(False)), at))
            out.append(_locate(ast.Match(subject=load(subject), cases=[hit]), at))
            if case.guard is not None:
                asked: Statements = []
                answer = self.lifter.test(case.guard, asked)
                yes = ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), answer))
                self._flush(asked, [assign(matched, yes)], case.guard)
                out.append(_locate(ast.If(test=load(matched), body=asked, orelse=[]), at))
            chosen = ast.If(test=load(matched), body=[ast.Pass()], orelse=[])
            out.append(_locate(chosen, at))
            chosen.body = [_locate(clear([subject]), at), *self.body(case.body)]
            if i < len(cases) - 1:
                out = chosen.orelse

    def _try(
        self, body: Statements, handlers: list[ast.ExceptHandler], orelse: Statements, at: ast.AST,
        *, finalbody: Statements | None = None, outcome: str | None = None, star: bool = False,
    ) -> ast.stmt:  # fmt: skip
        kind = ast.TryStar if star else ast.Try
        body = body or [ast.copy_location(ast.Pass(), at)]
        node = kind(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody or [])
        node.outcome = outcome  # type: ignore[union-attr]
        if finalbody is not None and "loop" in self.crossed:
            node.in_loop = True  # type: ignore[union-attr]
        node.returns_nothing = self.is_async_generator  # type: ignore[union-attr]
        return ast.copy_location(node, at)


def _jumps_out(node: ast.AST, *, in_loop: bool = False) -> bool:
    """Whether a statement may leave the block it is in by ``return``, ``break`` or ``continue``."""
    if isinstance(node, ast.Return) or (isinstance(node, (ast.Break, ast.Continue)) and not in_loop):
        return True
    if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
        return any(_jumps_out(s, in_loop=True) for s in node.body) or any(_jumps_out(s, in_loop=in_loop) for s in node.orelse)
    if isinstance(node, (*FUNCTION_DEFINITIONS, ast.ClassDef, ast.expr)):
        return False
    return any(_jumps_out(child, in_loop=in_loop) for child in ast.iter_child_nodes(node))


def mark_temporaries(statements: Statements) -> None:
    """Add to each suspension the temporaries that are read after it: those in use around it in linear order."""
    events: list[tuple[str, str, Any]] = []
    for statement in statements:
        _events(statement, events)
    last_use = {name: i for i, (kind, name, _) in enumerate(events) if kind == "use"}
    defined: set[str] = set()
    for i, (kind, name, point) in enumerate(events):
        if kind == "def":
            defined.add(name)
        elif kind == "point":
            point.live.update(n for n in defined if last_use.get(n, -1) > i)


def _events(node: ast.AST, events: list[tuple[str, str, Any]]) -> None:
    """Definitions and uses of temporaries, and suspensions, in order of execution."""
    if isinstance(node, ast.Name):
        if node.id.startswith("@t"):
            events.append(("def" if isinstance(node.ctx, ast.Store) else "use", node.id, None))
        return
    if isinstance(node, (ast.Assign, ast.AugAssign)):
        _events(node.value, events)
        for target in getattr(node, "targets", None) or [node.target]:  # type: ignore[union-attr]
            if isinstance(node, ast.AugAssign) and isinstance(target, ast.Name):
                _events(load(target.id), events)
            _events(target, events)
        return
    if isinstance(node, Suspend):
        if node.operand is not None:
            _events(node.operand, events)
        events.append(("point", "", node))
        if node.target is not None:
            _events(node.target, events)
        return
    for child in evaluated_here(node):
        _events(child, events)


def number_labels(body: Statements) -> None:
    """Give each suspension point its label."""
    for label, point in enumerate(points(body), start=1):
        point.label = label


def _locate(node: Any, at: ast.AST) -> Any:
    """Put new nodes at a position; those that have one keep it."""
    if not hasattr(node, "lineno") or getattr(node, "lineno", None) in (None, 0):
        ast.copy_location(node, at)
        if isinstance(node, ast.Attribute):  # the compiler looks for an attribute's name in the last line
            node.end_lineno, node.end_col_offset = node.lineno, node.col_offset
    for child in ast.iter_child_nodes(node):
        _locate(child, node if hasattr(node, "lineno") else at)
    return node


def _protocol_place(statement: ast.stmt, expression: ast.expr) -> ast.AST:
    """Where the calls are that a statement makes of the methods of its operand."""
    return expression if PROTOCOL_AT_EXPRESSION else statement


def _call_name(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(func=load(name), args=list(arguments), keywords=[])


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
