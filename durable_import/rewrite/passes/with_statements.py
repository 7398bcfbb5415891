"""Pass 1, statements: ``with`` blocks that suspend, in the shape that the language reference gives.

``normalise`` says what the pass assumes and guarantees. The manager is kept in a hidden variable. One that cannot be saved
is made and entered again on resume: by what was written, which is kept too; or, where it was just being entered, by the call in
it with what its parts were, which hidden variables keep until then.
"""

from __future__ import annotations

import ast
import copy
from typing import Any

from ..analysis.names import assign, call, clear, constant, load, store
from ..analysis.node_paths import standing_for
from ..analysis.suspensions import FUNCTION_DEFINITIONS, WithBlock
from .lift import Statements
from .statement import StatementNormaliser, call_name, locate, protocol_place

OF_FRAME = frozenset({"super", "locals", "vars", "dir", "eval", "exec"})


class WithStatements(StatementNormaliser):
    """Normalises ``with`` and ``async with``."""

    def _normalise_With(self, node: Any, out: Statements) -> None:
        self._with(node.items, node, isinstance(node, ast.AsyncWith), out)

    _normalise_AsyncWith = _normalise_With

    def _with(self, items: list[ast.withitem], statement: Any, is_async: bool, out: Statements) -> None:
        if not items:
            out += self.body(statement.body)
            return
        item, *others = items
        expression, at = item.context_expr, protocol_place(statement, item.context_expr)
        manager, leave, entered, normal = self.names.hide_all(item, "manager", "leave", "entered", "normal")
        written = copy.deepcopy(expression), copy.deepcopy(item.optional_vars)
        if not is_async and isinstance(self.names.function, ast.AsyncFunctionDef):
            self._commit_point(item, at, out)
        lifted = self.lifter.expression(expression, out)
        arguments: list[str] = []
        if is_async and isinstance(expression, ast.Call) and isinstance(lifted, ast.Call) and can_be_kept(expression):
            lifted, arguments = self._kept(lifted, expression, out)
        again = copy.deepcopy(lifted) if arguments else None
        pair = ast.Tuple(elts=[store(entered), store(leave)], ctx=ast.Store())
        lookup = ast.Assign(targets=[pair], value=call("@awith" if is_async else "@with", load(manager)))
        self._flush(out, [assign(manager, lifted), lookup], at)
        with self._holding(manager, leave):
            entering: Any = None
            if is_async:
                awaited = call("@aenter", call_name(entered))
                with self._holding(*arguments):
                    self.lifter.suspend("await", awaited, store(entered), at, out, of=item, role="aenter")
                entering = locate(out[-1], at)
                if arguments:
                    out.append(locate(clear(arguments), at))
            else:
                out.append(locate(assign(entered, call_name(entered)), at))
            self.with_blocks[manager] = WithBlock(*written, is_async, entering, again, tuple(arguments))
            told: ast.stmt = ast.If(test=load("@ON"), body=[ast.Expr(value=call("@opened", load(leave)))], orelse=[])
            out.append(locate(told, at))
            if any(_jumps_out(inner) for inner in statement.body):
                out.append(locate(assign(normal, constant(True)), at))
                with self._holding(normal):
                    out.append(self._guarded(item, entered, [manager, leave], normal, others, statement, is_async))
            else:
                out.append(self._guarded(item, entered, [manager, leave], None, others, statement, is_async))

    def _kept(self, node: ast.Call, whole: ast.Call, out: Statements) -> tuple[ast.expr, list[str]]:
        """A call with its parts in hidden variables, which are given too: until it is entered, it can be made of them again.

        ``whole``: the call as it was written.
        """
        names: list[str] = []

        def keep(part: ast.expr, as_written: ast.expr) -> ast.expr:
            if isinstance(part, (ast.Constant, ast.Starred)):
                return part
            name = self.names.argument(len(names) + 1, as_written)
            names.append(name)
            out.append(ast.copy_location(assign(name, part), part))
            return ast.copy_location(load(name), part)

        def keep_keyword(keyword: ast.keyword, as_written: ast.keyword) -> ast.keyword:
            if keyword.arg is None:
                return keyword
            return ast.copy_location(ast.keyword(keyword.arg, keep(keyword.value, as_written.value)), keyword)

        function = keep(node.func, whole.func)
        arguments = [keep(*pair) for pair in zip(node.args, whole.args, strict=True)]
        keywords = [keep_keyword(*pair) for pair in zip(node.keywords, whole.keywords, strict=True)]
        made = standing_for(ast.copy_location(ast.Call(function, arguments, keywords), node), node)
        end: Any = node.func
        if isinstance(node.func, ast.Attribute) and end.end_lineno != node.lineno:  # the compiler says that it is called there
            made.lineno, made.col_offset = end.end_lineno, end.end_col_offset - len(end.attr)
        return made, names

    def _commit_point(self, item: ast.withitem, at: ast.AST, out: Statements) -> None:
        """``if @ON and @owes(): await @commit_point()``: what an earlier block has put off is committed before the next one.

        An asynchronous block begins with a step, before which that is done anyway.
        """
        point: Statements = []
        self.lifter.suspend("await", call("@commit_point"), None, at, point, of=item, role="commit")
        is_due = ast.BoolOp(op=ast.And(), values=[load("@ON"), call("@owes")])
        out.append(locate(ast.If(test=is_due, body=point, orelse=[]), at))

    def _guarded(
        self,
        item: ast.withitem,
        entered: str,
        held: list[str],
        normal: str | None,
        others: list[ast.withitem],
        statement: Any,
        is_async: bool,
    ) -> ast.stmt:
        """``try: target = entered; block; except: leave(exception); else: leave()``.

        If the block can jump out, the ending is in a ``finally``, for the case that all is ``normal``. The compiler has a
        limit of nested blocks, so no more are used than needed.
        """
        at = protocol_place(statement, item.context_expr)
        leave = held[-1]
        outcome = self.names.hide("outcome", item) if is_async and normal else None

        def inner_block() -> Statements:
            inner: Statements = []
            if item.optional_vars is not None:
                with self._holding(entered):
                    self._assign(item.optional_vars, load(entered), inner)
                    self._flush(inner, [], item.optional_vars)
            inner.append(locate(clear([entered]), at))
            self._with(others, statement, is_async, inner)
            return inner

        caught = self.names.hide("exception", item)
        details = [call("@type_of", load(caught)), load(caught), ast.Attribute(load(caught), "__traceback__", ast.Load())]
        handler = ast.ExceptHandler(type=load("@BaseException"), name=caught, body=[])
        handler.hidden, handler.user_name = caught, None  # type: ignore[attr-defined]
        swallowed = self.names.hide("swallowed", item)

        def inside() -> tuple[Statements, Statements]:
            body = inner_block()
            with self._holding(caught):
                handling: Statements = [assign(normal, constant(False))] if normal else []
                self._leave(leave, details, swallowed, item if is_async else None, at, handling)
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
            self._leave(leave, [constant(None)] * 3, None, item if is_async else None, at, ending)
        ending.append(clear(held))
        locate(handler, at)
        if not normal:
            return self._try(body, [handler], [locate(statement, at) for statement in ending], at)
        final = locate(ast.If(test=load(normal), body=ending, orelse=[]), at)
        attempt = self._try(body, [handler], [], at)
        whole = self._try([attempt], [], [], at, finalbody=[final], outcome=outcome)
        attempt.abandon = whole.normal = normal  # type: ignore[attr-defined]
        return whole

    def _leave(
        self,
        leave: str,
        details: list[ast.expr],
        result: str | None,
        item: ast.withitem | None,
        at: ast.AST,
        out: Statements,
    ) -> None:
        """Call an exit method; that of an asynchronous ``item`` is awaited. ``result``: where what it says of an error goes."""
        leaving: ast.expr = call_name(leave, *details)
        if item is not None:
            target, role = (store(result), "aexit error") if result else (None, "aexit")
            self.lifter.suspend("await", call("@aexit", leaving), target, at, out, of=item, role=role)
        else:
            out.append(assign(result, leaving) if result else ast.Expr(value=leaving))
        for statement in out:
            locate(statement, at)


def can_be_kept(node: ast.Call) -> bool:
    """Whether the parts of a call can be kept: what is unpacked is read when the call is made, so nothing is computed behind it.

    Some functions look at the frame, and are known by their names.
    """
    if isinstance(node.func, ast.Name) and (node.func.id in OF_FRAME or node.func.id[0] == "@"):
        return False
    parts: list[tuple[bool, ast.expr]] = [(isinstance(part, ast.Starred), part) for part in node.args]
    parts += [(keyword.arg is None, keyword.value) for keyword in node.keywords]
    first = next((number for number, (is_unpacked, _) in enumerate(parts) if is_unpacked), len(parts))
    return all(_is_plain(part) for _, part in parts[first:])


def _is_plain(node: ast.expr) -> bool:
    inner = node.value if isinstance(node, ast.Starred) else node
    return isinstance(getattr(inner, "stands_for", inner), (ast.Name, ast.Constant))


def _jumps_out(node: ast.AST, *, in_loop: bool = False) -> bool:
    """Whether a statement may leave the block it is in by ``return``, ``break`` or ``continue``."""
    if isinstance(node, ast.Return) or (isinstance(node, (ast.Break, ast.Continue)) and not in_loop):
        return True
    if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
        return any(_jumps_out(s, in_loop=True) for s in node.body) or any(_jumps_out(s, in_loop=in_loop) for s in node.orelse)
    if isinstance(node, (*FUNCTION_DEFINITIONS, ast.ClassDef, ast.expr)):
        return False
    return any(_jumps_out(child, in_loop=in_loop) for child in ast.iter_child_nodes(node))
