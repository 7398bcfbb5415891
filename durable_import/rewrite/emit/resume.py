"""Pass 2b: the resume variant of a normalised function: the same body with guards that fast-forward to a label.

``@r`` is the label to go to, and 0 once there. Labels are numbered in source order, so what lies before the label is
skipped by ``if not @r``, and what contains it is entered natively: a handler by raising the saved exception into it, a
``finally`` block by the way out that was pending, a ``for`` loop over what is left of its iterator.
Assumes: a body from ``normalise`` with labels. Guarantees: plain ``ast``; from the label on, the same meaning as the fast
variant. The tree given is used up.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from ...pythons.versions import INLINES_COMPREHENSIONS
from ..analysis.names import AWAITED, ITEM, PC, SELECTED, STASH, STATE, TARGET_LABEL, assign, call, constant, load
from ..analysis.scopes import all_arguments, mangled
from ..analysis.suspensions import FUNCTION_DEFINITIONS, Suspend, WithBlock, span
from ..passes.comprehensions import captured_targets, separate_comprehension
from ..passes.lift import Statements
from ..passes.simple_statements import BREAK, CONTINUE
from .fast import Resumption, evaluate_operand, forgetting, guarded_try, located, perform

RESUME_NAME = "@resume"  # not its own: inside, that name means what it means to the original


def resume_function(
    function: Any,
    body: Statements,
    *,
    variables: Iterable[str],
    captured: Iterable[str],
    free: Collection[str],
    class_name: str | None,
) -> ast.Module:
    """A module with one function, nested so that ``captured`` are free variables; its only argument is the state.

    ``function``: the definition; ``body``: its normalised body; ``variables``: what to restore from the state; ``free``: those
    among ``captured`` that are free variables of the function itself.
    """
    captured = list(captured)
    preparation = _Preparation(function, _unbindable(body) & set(captured), set(captured).difference(free), class_name)
    prepared = [preparation.visit(statement) for statement in body]
    rebound = [name for name in captured if name not in preparation.declared and name != "__class__"]
    opening: Statements = [ast.Nonlocal(names=rebound)] if rebound else []
    opening += preparation.declarations
    opening += [_restore(name) for name in variables if name not in captured]
    opening.append(ast.Assign(targets=[_store(TARGET_LABEL), _store(PC)], value=_pop(PC)))
    opening.append(assign(STASH, constant(None)))
    kind = type(function) if isinstance(function, FUNCTION_DEFINITIONS) else ast.FunctionDef
    resumed = kind(
        name=RESUME_NAME,
        args=_arguments([STATE]),
        decorator_list=[],
        returns=None,
        body=[located(statement, function) for statement in opening + resume_body([s for s in prepared if s])],
    )
    return _nested(ast.copy_location(resumed, function), captured, class_name)


def enter_function(
    function: Any,
    block: WithBlock,
    manager: str,
    *,
    variables: Iterable[str],
    captured: Iterable[str],
    free: Collection[str],
    class_name: str | None,
    is_kept: bool,
    is_entered: bool,
) -> ast.Module:
    """A module with one asynchronous function: enters the manager of a ``with`` block again, with the variables of the state.

    It gives the manager, its bound exit method, and what entering gave; if not ``is_entered``, what is to be awaited for that.
    ``is_kept``: the call that makes the manager is made of what its parts were.
    """
    captured = list(captured)
    preparation = _Preparation(function, set(), set(captured).difference(free), class_name)
    expression = preparation.visit(block.call if is_kept and block.call is not None else block.expression)
    pair = ast.Tuple(elts=[_store(ITEM), _store(STASH)], ctx=ast.Store())
    entering: ast.expr = ast.Call(func=load(ITEM), args=[], keywords=[])
    if block.is_async:
        entering = call("@aenter", entering)
        entering = ast.Await(value=entering) if is_entered else entering
    body: Statements = [_restore(name) for name in variables if name not in captured]
    body += [
        assign(manager, expression),
        ast.Assign(targets=[pair], value=call("@awith" if block.is_async else "@with", load(manager))),
        assign(ITEM, entering),
        ast.Return(value=ast.Tuple(elts=[load(manager), load(STASH), load(ITEM)], ctx=ast.Load())),
    ]
    body = [located(statement, block.expression) for statement in body]
    entered = ast.AsyncFunctionDef(name=RESUME_NAME, args=_arguments([STATE]), decorator_list=[], returns=None, body=body)
    return _nested(ast.copy_location(entered, block.expression), captured, class_name)


def _nested(function: Any, captured: list[str], class_name: str | None) -> ast.Module:
    """The function inside one whose parameters are ``captured``, and inside a class for the sake of private names."""
    inner: ast.stmt = function
    block: list[ast.stmt] = [inner]
    if class_name is not None:  # it must not hide a class of this name
        inner = ast.ClassDef(name=class_name, bases=[], keywords=[], body=[inner], decorator_list=[])
        block = [inner] if class_name in captured else [ast.Global(names=[class_name]), inner]
    outer = ast.FunctionDef(name="@outer", args=_arguments(captured), body=block, decorator_list=[], returns=None)
    definitions: list[Any] = [function, inner, outer]
    for node in definitions:
        if "type_params" in node._fields:
            node.type_params = []
    return ast.Module(body=[located(outer, function)], type_ignores=[])


def resume_body(statements: Statements) -> Statements:
    """Emit a block: consecutive statements without a label share one guard."""
    out: Statements = []
    skipped: Statements = []
    for statement in statements:
        labels = span([statement])
        if labels is None:
            skipped.append(statement)
            continue
        if skipped:
            out.append(_unless_resuming(skipped))
            skipped = []
        emitted = _emit(statement)
        out.append(located(ast.If(test=_up_to(labels[1]), body=emitted, orelse=[]), statement))
    if skipped:
        out.append(_unless_resuming(skipped))
    return out or [ast.Pass()]


def _emit(node: Any) -> Statements:
    method: Any = {
        Suspend: _suspension,
        ast.If: _if,
        ast.While: _while,
        ast.For: _for,
        ast.Match: _match,
        ast.Try: _try,
        ast.TryStar: _try,
    }[type(node)]
    return [located(statement, node) for statement in method(node)]


def _suspension(node: Suspend) -> Statements:
    reached = [assign(TARGET_LABEL, constant(0)), assign(PC, constant(node.label))]
    if node.kind == "yield":
        value = ast.IfExp(test=load(TARGET_LABEL), body=load("@PRIMED"), orelse=node.operand or constant(None))
        return [assign(AWAITED, value), *reached, perform(node, load(AWAITED))]
    begin = _unless_resuming([located(s, node) for s in evaluate_operand(node)])
    if node.kind == "await":  # None: what was awaited has failed, and is to be evaluated again
        is_lost = ast.Compare(left=load(AWAITED), ops=[ast.Is()], comparators=[constant(None)])
        begin.test = located(ast.BoolOp(op=ast.Or(), values=[begin.test, is_lost]), node)
        return [begin, *reached, perform(node, load(AWAITED))]
    delegate = ast.IfExp(test=load(STASH), body=call("@delegated", load(AWAITED)), orelse=load(AWAITED))
    return [begin, assign(STASH, load(TARGET_LABEL)), *reached, perform(node, delegate)]


def _if(node: ast.If) -> Statements:
    test = _while_resuming(_reaches(node.body), node.test)
    return [ast.If(test=test, body=resume_body(node.body), orelse=resume_body(node.orelse) if node.orelse else [])]


def _while(node: ast.While) -> Statements:
    test = _while_resuming(_reaches(node.body), node.test)
    return [ast.While(test=test, body=resume_body(node.body), orelse=resume_body(node.orelse) if node.orelse else [])]


def _for(node: ast.For) -> Statements:
    nothing = ast.Tuple(elts=[], ctx=ast.Load())
    rest = ast.IfExp(test=_reaches(node.body), body=call("@rest", node.iter), orelse=nothing)
    source = _while_resuming(rest, node.iter)
    bind = ast.Assign(targets=[node.target], value=load(ITEM))
    body = [_unless_resuming([located(bind, node.target)]), *resume_body(node.body)]
    loop = ast.For(target=_store(ITEM), iter=source, body=body, orelse=resume_body(node.orelse) if node.orelse else [])
    return [loop]


def _match(node: ast.Match) -> Statements:
    """Match first, then run the body of the case selected: a body can be entered without its pattern."""
    cases = []
    chain: Statements = []
    for number, case in enumerate(node.cases, start=1):
        select: ast.stmt = assign(SELECTED, constant(number))
        cases.append(ast.match_case(pattern=case.pattern, guard=case.guard, body=[select]))
    for number, case in reversed(list(enumerate(node.cases, start=1))):
        chosen = ast.Compare(left=load(SELECTED), ops=[ast.Eq()], comparators=[constant(number)])
        test = _while_resuming(_reaches(case.body), chosen)
        chain = [located(ast.If(test=test, body=resume_body(case.body), orelse=chain), node)]
    selection = ast.Match(subject=node.subject, cases=cases)
    return [_unless_resuming([assign(SELECTED, constant(0)), selection]), *chain]


def _try(node: Any) -> Statements:
    entry: Statements = []
    for handler in node.handlers:
        labels = span(handler.body)
        if labels:
            entry.append(ast.If(test=_within(labels), body=_raise_again(handler.hidden), orelse=[]))
    labels = span(node.finalbody)
    final_entry: Statements = []
    if labels:
        final_entry.append(ast.If(test=_within(labels), body=_pending(node), orelse=[]))
    resumption = Resumption(entry, final_entry, lambda caught: [_if_resuming([_restore_exception(caught)])])
    before, statement = guarded_try(node, resume_body, _handler, resumption)
    return [_unless_resuming(before), statement] if before else [statement]


def _handler(node: Any) -> ast.ExceptHandler:
    labels = span(node.body)
    nothing = ast.Tuple(elts=[], ctx=ast.Load())
    kind: ast.expr = node.type or load("@BaseException")
    if labels is None:
        body: Statements = node.body
        kind = _while_resuming(nothing, kind)
    else:
        everything = ast.IfExp(test=_within(labels), body=load("@BaseException"), orelse=nothing)
        kind = _while_resuming(everything, kind)
        body = resume_body(node.body)
        first: Statements = [_if_resuming([_restore_exception(node.hidden)])]
        if node.user_name:
            first.append(_unless_resuming([assign(node.user_name, load(node.hidden))]))
            body = [forgetting(node.user_name, body)]
        body = [*first, *body]
    return located(ast.ExceptHandler(type=kind, name=node.name, body=body), node)  # type: ignore[no-any-return]


def _pending(node: Any) -> Statements:
    """Take the way out that led into the ``finally`` block."""
    outcome = node.outcome
    jumps: list[tuple[str, ast.stmt]] = []
    if getattr(node, "in_loop", False):
        jumps = [(BREAK, ast.Break()), (CONTINUE, ast.Continue())]
    result: ast.expr | None = ast.Subscript(value=load(outcome), slice=constant(0), ctx=ast.Load())
    chain: Statements = [ast.Return(value=None if getattr(node, "returns_nothing", False) else result)]
    for kind, jump in jumps:
        same = ast.Compare(left=load(outcome), ops=[ast.Eq()], comparators=[constant(kind)])
        chain = [ast.If(test=same, body=[jump], orelse=chain)]
    chain = [ast.If(test=call("@is_exception", load(outcome)), body=_raise_again(outcome), orelse=chain)]
    anything = ast.Compare(left=load(outcome), ops=[ast.IsNot()], comparators=[constant(None)])
    return [ast.If(test=anything, body=chain, orelse=[])]


def _raise_again(name: str) -> Statements:
    return [assign(STASH, call("@stash", load(name))), ast.Raise(exc=load(name), cause=None)]


def _restore_exception(name: str) -> ast.stmt:
    return ast.Expr(value=call("@unstash", load(name), load(STASH)))


def _unless_resuming(statements: Statements) -> ast.If:
    test = ast.UnaryOp(op=ast.Not(), operand=load(TARGET_LABEL))
    return located(ast.If(test=test, body=statements, orelse=[]), statements[0])  # type: ignore[no-any-return]


def _if_resuming(statements: Statements) -> ast.stmt:
    return ast.If(test=load(TARGET_LABEL), body=statements, orelse=[])


def _while_resuming(value: ast.expr, otherwise: ast.expr) -> ast.expr:
    return ast.IfExp(test=load(TARGET_LABEL), body=value, orelse=otherwise)


def _up_to(label: int) -> ast.expr:
    return ast.Compare(left=load(TARGET_LABEL), ops=[ast.LtE()], comparators=[constant(label)])


def _within(labels: tuple[int, int]) -> ast.expr:
    return ast.Compare(
        left=constant(labels[0]), ops=[ast.LtE(), ast.LtE()], comparators=[load(TARGET_LABEL), constant(labels[1])]
    )


def _reaches(block: Statements) -> ast.expr:
    """Whether the label is in this block, asked while it is known not to lie before."""
    labels = span(block)
    return _within(labels) if labels else constant(False)


def _store(name: str) -> ast.Name:
    return ast.Name(id=name, ctx=ast.Store())


def _pop(name: str) -> ast.expr:
    method = ast.Attribute(value=load(STATE), attr="pop", ctx=ast.Load())
    return ast.Call(func=method, args=[constant(name)], keywords=[])


def _restore(name: str) -> ast.stmt:
    """``if name in state: name = state.pop(name)``: what was unbound stays unbound."""
    test = ast.Compare(left=constant(name), ops=[ast.In()], comparators=[load(STATE)])
    return ast.If(test=test, body=[assign(name, _pop(name))], orelse=[])


def _arguments(names: list[str]) -> ast.arguments:
    parameters = [ast.arg(arg=name) for name in names]
    return ast.arguments(posonlyargs=[], args=parameters, vararg=None, kwonlyargs=[], kw_defaults=[], kwarg=None, defaults=[])


def _unbindable(body: Statements) -> set[str]:
    """Local variables that are unbound somewhere: by ``del``, or at the end of ``except ... as``.

    In a cell of the resume variant they are free variables, and an unbound one would raise another NameError than natively.
    """
    found: set[str] = set()
    declared: set[str] = set()
    for node in _own_nodes(body):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
            found.add(node.id)
        elif isinstance(node, ast.ExceptHandler):
            found |= {name for name in (node.name, getattr(node, "user_name", None)) if name}
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            declared.update(node.names)
    return found - declared


def _own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        yield node
        if not isinstance(node, (*FUNCTION_DEFINITIONS, ast.ClassDef, ast.Lambda)):
            yield from _own_nodes(ast.iter_child_nodes(node))


class _Preparation(ast.NodeTransformer):
    """Makes a body fit a function of other parameters: declarations go to its top, annotations go, ``super()`` is explicit."""

    def __init__(self, function: Any, unbindable: set[str], freed: set[str], class_name: str | None) -> None:
        arguments = all_arguments(function.args)
        self.first_argument = arguments[0].arg if arguments else None
        self.unbindable = unbindable
        self.freed = freed  # variables that are free ones only here
        self.class_name = class_name
        self.declarations: Statements = []
        self.declared: set[str] = set()

    def _leave_alone(self, node: Any) -> Any:
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = visit_ClassDef = _leave_alone

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> ast.stmt:
        new = [name for name in node.names if name not in self.declared]
        if new and isinstance(node, ast.Global):
            self.declarations.append(ast.Global(names=new))
            self.declared.update(new)
        return ast.copy_location(ast.Pass(), node)

    visit_Nonlocal = visit_Global

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.unbindable or not isinstance(node.ctx, ast.Load):
            return node
        reading = ast.Lambda(args=_arguments([]), body=node)
        return located(call("@bound", reading), node)  # type: ignore[no-any-return]

    def visit_ListComp(self, node: Any) -> ast.expr:
        self.generic_visit(node)
        hides = {mangled(name, self.class_name) for name in captured_targets(node)} & self.freed
        return separate_comprehension(node) if hides and INLINES_COMPREHENSIONS else node

    visit_SetComp = visit_DictComp = visit_ListComp

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt:
        self.generic_visit(node)
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        is_super = isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args and not node.keywords
        if not is_super or self.first_argument is None:
            return node
        return located(call("@super", node.func, load("__class__"), load(self.first_argument)), node)  # type: ignore[no-any-return]
