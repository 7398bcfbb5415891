"""Pass 1a, expressions: every suspension becomes a statement of its own (A-normal form).

Assumes: an expression of a function that is being normalised. Guarantees: the statements appended to ``out``, followed by
the expression returned, do the same in the same order as the original; the expression returned suspends no more.
An operand that was evaluated before a suspension is kept in a temporary, so that what happens meanwhile cannot change it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from ..analysis.names import assign, call, clear, constant, load, store
from ..analysis.node_paths import standing_for
from ..analysis.suspensions import LISTS, Suspend, is_asynchronous, is_lifted, suspends
from .hidden_names import HiddenNames

Statements = list[ast.stmt]


class Lifter:
    """Lifts suspensions out of expressions.

    ``define_comprehension`` turns an asynchronous one into a function, ``define_lambda`` a lambda that yields.
    """

    def __init__(
        self,
        names: HiddenNames,
        held: list[str],
        define_comprehension: Callable[[Any, Statements], ast.expr],
        define_lambda: Callable[[Any, Statements], ast.expr],
    ) -> None:
        self.names = names
        self.held = held
        self.define_comprehension = define_comprehension
        self.define_lambda = define_lambda
        self.temporaries = 0
        self.living: set[str] = set()  # temporaries of the statement
        self.unspent: list[str] = []  # those of them that may still hold a value

    def temporary(self, node: ast.AST, role: str = "operand") -> str:
        """A name for a value that is used once, within the same statement: that of a node."""
        self.temporaries += 1
        name = self.names.temporary(self.temporaries, role, node)
        self.living.add(name)
        self.unspent.append(name)
        return name

    def forget(self) -> list[str]:
        """From here on the temporaries are those of another statement; gives those that may still hold a value."""
        unspent, self.unspent = self.unspent, []
        self.temporaries = 0
        self.living = set()
        return unspent

    def spend(self, node: ast.expr | None) -> list[str]:
        """The temporaries that an expression evaluated now uses up: they must not prolong the lives of their values."""
        used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} if node is not None else set()
        spent = [name for name in self.unspent if name in used]
        self.unspent = [name for name in self.unspent if name not in used]
        return spent

    def expression(self, node: ast.expr, out: Statements) -> ast.expr:
        """The equivalent of ``node`` after the statements appended to ``out``."""
        if not suspends(node):
            return node
        method = getattr(self, f"_lift_{type(node).__name__}", None)
        if method is None:  # pragma: no cover - a new Python version's syntax
            from ...errors import UnsupportedSyntaxError

            raise UnsupportedSyntaxError(
                f"an await inside a {type(node).__name__} expression",
                filename="?",
                lineno=node.lineno,
                way_out="Await into a variable first.",
            )
        lifted: ast.expr = ast.copy_location(method(node, out), node)
        lifted._suspends = False  # type: ignore[attr-defined]
        return lifted if lifted is node else standing_for(lifted, node)

    def optional(self, node: ast.expr | None, out: Statements) -> ast.expr | None:
        """Like ``expression``, for a child that may be absent."""
        return None if node is None else self.expression(node, out)

    def sequence(self, nodes: Sequence[ast.expr | None], out: Statements) -> list[Any]:
        """Lift siblings that are evaluated from left to right."""
        last = max((i for i, node in enumerate(nodes) if suspends(node)), default=-1)
        lifted: list[ast.expr | None] = []
        for i, node in enumerate(nodes):
            if node is None or i > last:
                lifted.append(node)
            elif i == last:
                lifted.append(self.expression(node, out))
            else:
                lifted.append(self.saved(node, out))
        return lifted

    def saved(self, node: ast.expr, out: Statements, role: str = "operand") -> ast.expr:
        """Evaluate ``node`` now; the expression returned gives the value without evaluating anything."""
        if isinstance(node, ast.Starred):
            whole = standing_for(ast.List(elts=[node], ctx=ast.Load()), node)
            whole._suspends = suspends(node)  # type: ignore[attr-defined]
            value = self.saved(ast.copy_location(whole, node), out)
            return ast.copy_location(ast.Starred(value=value, ctx=ast.Load()), node)
        if isinstance(node, ast.Slice):
            parts = self.sequence([node.lower, node.upper, node.step], out)
            made = standing_for(call("@slice", *(p or constant(None) for p in parts)), node)
            return self.saved(ast.copy_location(made, node), out)
        role = "copy" if getattr(node, "is_copy", False) else role
        node = self.expression(node, out)
        if isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id[0] == "@"):
            return node
        spent = self.spend(node)
        name = self.temporary(node, role)
        out.append(ast.copy_location(assign(name, node), node))
        if spent:
            out.append(ast.copy_location(clear(spent), node))
        return ast.copy_location(load(name), node)

    def suspend(
        self,
        kind: str,
        operand: ast.expr | None,
        target: ast.expr | None,
        at: ast.AST,
        out: Statements,
        *,
        of: ast.AST | None = None,
        role: str = "",
    ) -> None:
        """Append a suspension point; ``of`` and ``role`` say which, where it is not simply the one of the node ``at``."""
        point = Suspend(kind, operand, target, self.names.path(of or at), role or kind, self.names.of(self.held))
        if kind != "yield":
            point.spent = self.spend(operand)
        out.append(ast.copy_location(point, at))

    def test(self, node: ast.expr, out: Statements) -> ast.expr:
        """Lift a condition: as ``expression``, but the truth of each operand is asked only once."""
        if not suspends(node):
            return node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            operand = self.test(node.operand, out)
            return ast.copy_location(ast.UnaryOp(op=ast.Not(), operand=operand), node)
        if isinstance(node, ast.BoolOp):
            return self._test_of_boolean(node, out)
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            return self._chain(node, out, as_test=True)
        return self.expression(node, out)

    # --- suspensions

    def _point(self, kind: str, node: ast.Await | ast.Yield | ast.YieldFrom, out: Statements) -> ast.expr:
        operand = self.optional(node.value, out)
        name = self.temporary(node)
        self.suspend(kind, operand, store(name), node, out)
        return load(name)

    def _lift_Await(self, node: ast.Await, out: Statements) -> ast.expr:
        return self._point("await", node, out)

    def _lift_Yield(self, node: ast.Yield, out: Statements) -> ast.expr:
        return self._point("yield", node, out)

    def _lift_YieldFrom(self, node: ast.YieldFrom, out: Statements) -> ast.expr:
        return self._point("yield from", node, out)

    # --- operators

    def _lift_BinOp(self, node: ast.BinOp, out: Statements) -> ast.expr:
        left, right = self.sequence([node.left, node.right], out)
        return ast.BinOp(left=left, op=node.op, right=right)

    def _lift_UnaryOp(self, node: ast.UnaryOp, out: Statements) -> ast.expr:
        return ast.UnaryOp(op=node.op, operand=self.expression(node.operand, out))

    def _lift_Compare(self, node: ast.Compare, out: Statements) -> ast.expr:
        if len(node.ops) == 1:
            left, right = self.sequence([node.left, node.comparators[0]], out)
            return ast.Compare(left=left, ops=node.ops, comparators=[right])
        return self._chain(node, out, as_test=False)

    def _chain(self, node: ast.Compare, out: Statements, *, as_test: bool) -> ast.expr:
        """``a < b < c``: the later operands are evaluated only while the comparison holds."""
        result = self.temporary(node)
        if as_test:
            out.append(ast.copy_location(assign(result, constant(False)), node))
        left = self.saved(node.left, out)
        for i, (op, comparator) in enumerate(zip(node.ops, node.comparators, strict=True)):
            final = i == len(node.ops) - 1
            right = self.expression(comparator, out) if final else self.saved(comparator, out)
            comparison: ast.expr = ast.copy_location(ast.Compare(left=left, ops=[op], comparators=[right]), node)
            inner: Statements = []
            if as_test:
                if final:
                    inner.append(assign(result, constant(True)))
                out.append(ast.If(test=comparison, body=inner, orelse=[]))
            else:
                out.append(assign(result, comparison))
                if not final:
                    out.append(ast.If(test=load(result), body=inner, orelse=[]))
            ast.copy_location(out[-1], node)
            left, out = right, inner
        return load(result)

    def _lift_BoolOp(self, node: ast.BoolOp, out: Statements) -> ast.expr:
        result = self.temporary(node)
        for i, value in enumerate(node.values):
            out.append(ast.copy_location(assign(result, self.expression(value, out)), value))
            if i < len(node.values) - 1:
                inner: Statements = []
                held: ast.expr = load(result)
                test = held if isinstance(node.op, ast.And) else ast.UnaryOp(op=ast.Not(), operand=held)
                out.append(ast.copy_location(ast.If(test=test, body=inner, orelse=[]), value))
                out = inner
        return load(result)

    def _test_of_boolean(self, node: ast.BoolOp, out: Statements) -> ast.expr:
        result = self.temporary(node)
        conjunction = isinstance(node.op, ast.And)
        out.append(ast.copy_location(assign(result, constant(not conjunction)), node))
        for value in node.values:
            test = self.test(value, out)
            if not conjunction:
                test = ast.copy_location(ast.UnaryOp(op=ast.Not(), operand=test), value)
            inner: Statements = []
            out.append(ast.copy_location(ast.If(test=test, body=inner, orelse=[]), value))
            out = inner
        out.append(ast.copy_location(assign(result, constant(conjunction)), node))
        return load(result)

    def _lift_IfExp(self, node: ast.IfExp, out: Statements) -> ast.expr:
        test = self.test(node.test, out)
        result = self.temporary(node)
        branches: list[Statements] = []
        for value in (node.body, node.orelse):
            branch: Statements = []
            branch.append(ast.copy_location(assign(result, self.expression(value, branch)), value))
            branches.append(branch)
        out.append(ast.copy_location(ast.If(test=test, body=branches[0], orelse=branches[1]), node))
        return load(result)

    def _lift_NamedExpr(self, node: ast.NamedExpr, out: Statements) -> ast.expr:
        return ast.NamedExpr(target=node.target, value=self.expression(node.value, out))

    # --- calls and access

    def _lift_Call(self, node: ast.Call, out: Statements) -> ast.expr:
        only = node.args[0] if len(node.args) == 1 else None
        starred = only if isinstance(only, ast.Starred) else None  # f(*x, k=...): x is iterated over last of all
        positional = node.args if starred is None else [starred.value]
        values = [node.func, *positional, *_read_in_place([(k.arg is None, k.value) for k in node.keywords])]
        function, *rest = self.sequence(values, out)
        arguments, keyword_values = rest[: len(node.args)], rest[len(node.args) :]
        if starred is not None:
            arguments = [ast.copy_location(ast.Starred(value=arguments[0], ctx=ast.Load()), starred)]
        keywords = []
        for keyword, value in zip(node.keywords, keyword_values, strict=True):
            keywords.append(ast.copy_location(ast.keyword(arg=keyword.arg, value=value), keyword))
        return ast.Call(func=function, args=arguments, keywords=keywords)

    def _lift_Attribute(self, node: ast.Attribute, out: Statements) -> ast.expr:
        return ast.Attribute(value=self.expression(node.value, out), attr=node.attr, ctx=node.ctx)

    def _lift_Subscript(self, node: ast.Subscript, out: Statements) -> ast.expr:
        value, index = self.sequence([node.value, node.slice], out)
        return ast.Subscript(value=value, slice=index, ctx=node.ctx)

    def _lift_Slice(self, node: ast.Slice, out: Statements) -> ast.expr:
        lower, upper, step = self.sequence([node.lower, node.upper, node.step], out)
        return ast.Slice(lower=lower, upper=upper, step=step)

    def _lift_Starred(self, node: ast.Starred, out: Statements) -> ast.expr:
        return ast.Starred(value=self.expression(node.value, out), ctx=node.ctx)

    # --- displays

    def _lift_List(self, node: Any, out: Statements) -> ast.expr:
        return type(node)(elts=self.sequence(node.elts, out), ctx=ast.Load())  # type: ignore[no-any-return]

    _lift_Tuple = _lift_List

    def _lift_Set(self, node: ast.Set, out: Statements) -> ast.expr:
        return ast.Set(elts=self.sequence(node.elts, out))

    def _lift_Dict(self, node: ast.Dict, out: Statements) -> ast.expr:
        flat: list[Any] = [part for item in zip(node.keys, node.values, strict=True) for part in item]
        flat = self.sequence(_read_in_place([(i % 2 == 1 and flat[i - 1] is None, v) for i, v in enumerate(flat)]), out)
        return ast.Dict(keys=flat[::2], values=flat[1::2])

    def _lift_JoinedStr(self, node: ast.JoinedStr, out: Statements) -> ast.expr:
        last = max(i for i, value in enumerate(node.values) if suspends(value))
        values: list[ast.expr] = []
        for i, value in enumerate(node.values):
            if i > last or isinstance(value, ast.Constant):
                values.append(value)
                continue
            formatted = self.expression(value, out)
            if i < last:
                whole = standing_for(ast.JoinedStr(values=[formatted]), value)
                text = self.saved(ast.copy_location(whole, value), out)
                formatted = ast.copy_location(ast.FormattedValue(value=text, conversion=-1), value)
            values.append(formatted)
        return ast.JoinedStr(values=values)

    def _lift_FormattedValue(self, node: ast.FormattedValue, out: Statements) -> ast.expr:
        value = self.saved(node.value, out) if suspends(node.format_spec) else self.expression(node.value, out)
        return ast.FormattedValue(value=value, conversion=node.conversion, format_spec=self.optional(node.format_spec, out))

    def _lift_TemplateStr(self, node: Any, out: Statements) -> ast.expr:
        """Each value, then its format specification, which is text as soon as it is evaluated."""
        fields = [value for value in node.values if not isinstance(value, ast.Constant)]
        parts = iter(self.sequence([part for field in fields for part in (field.value, field.format_spec)], out))
        values = [v if isinstance(v, ast.Constant) else _interpolation(v, next(parts), next(parts)) for v in node.values]
        return ast.copy_location(type(node)(values=values), node)  # type: ignore[no-any-return]

    # --- functions and comprehensions

    def defaults(self, arguments: ast.arguments, out: Statements, *, keep: bool = False) -> None:
        """Lift the default values of parameters, in place; ``keep`` all of them in temporaries."""
        positional = len(arguments.defaults)
        nodes: list[ast.expr | None] = [*arguments.defaults, *arguments.kw_defaults]
        if keep:
            lifted: list[Any] = [node and self.saved(node, out) for node in nodes]
        else:
            lifted = self.sequence(nodes, out)
        arguments.defaults, arguments.kw_defaults = lifted[:positional], lifted[positional:]

    def _lift_Lambda(self, node: ast.Lambda, out: Statements) -> ast.expr:
        self.defaults(node.args, out)
        return self.define_lambda(node, out) if suspends(node.body) else node

    def _lift_GeneratorExp(self, node: Any, out: Statements) -> ast.expr:
        node.generators[0].iter = self.expression(node.generators[0].iter, out)
        if not is_lifted(node):
            return node  # type: ignore[no-any-return]
        return self.define_comprehension(node, out)

    def _lift_ListComp(self, node: Any, out: Statements) -> ast.expr:
        node.generators[0].iter = self.expression(node.generators[0].iter, out)
        if not is_lifted(node):
            return node  # type: ignore[no-any-return]
        assert isinstance(node, LISTS)
        if not is_asynchronous(node):
            return self.define_comprehension(node, out)
        name = self.temporary(node)
        self.suspend("await", self.define_comprehension(node, out), store(name), node, out)
        return load(name)

    _lift_SetComp = _lift_DictComp = _lift_ListComp


def _interpolation(field: Any, value: ast.expr, spec: ast.expr | None) -> Any:
    """A field of a template string that says what it said, of a value and a format specification that were lifted."""
    if spec is not None and not isinstance(spec, ast.JoinedStr):  # text that is kept, to be inserted as it is
        spec = ast.copy_location(ast.JoinedStr(values=[ast.FormattedValue(value=spec, conversion=-1)]), spec)
    lifted = type(field)(value=value, str=field.str, conversion=field.conversion, format_spec=spec)
    lifted.says_another = True  # than what it evaluates: see ``rewritten_text.text_of``
    return ast.copy_location(lifted, field)


def _read_in_place(values: list[tuple[bool, Any]]) -> list[Any]:
    """Values of which some are mappings to unpack: those before a suspension are copied, as ``**`` reads them at once."""
    last = max((i for i, (_, value) in enumerate(values) if suspends(value)), default=-1)
    found = []
    for i, (unpacked, value) in enumerate(values):
        if unpacked and i < last:
            copied: Any = standing_for(ast.Dict(keys=[None], values=[value]), value)
            copied.is_copy = True
            value = ast.copy_location(copied, value)
        found.append(value)
    return found
