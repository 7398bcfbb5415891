"""Asynchronous comprehensions and generator expressions as the functions they stand for.

The compiler does the same (a comprehension is a function of its first iterator), except that Python 3.12 inlines most;
a function keeps the variables private and gives each run cells of its own in all versions.
"""

from __future__ import annotations

import ast
from typing import Any

from ..analysis.names import KEY, RESULT, load, store
from ..analysis.node_paths import standing_for
from ..analysis.scopes import FUNCTION_NAMES, Scope
from ..analysis.suspensions import is_asynchronous, is_lifted

FIRST = ".0"  # the compiler's own name for the first iterator
UNPACKED = "@item"  # what an unpacking generator expression takes of the value that it unpacks


def comprehension_function(node: Any, scope: Scope) -> Any:
    """The function definition that a comprehension stands for; ``scope`` is that of the function it is in."""
    is_generator = isinstance(node, ast.GeneratorExp)
    body: list[ast.stmt] = _walrus_declarations(node, scope)
    if not is_generator:
        body.append(ast.Assign(targets=[store(RESULT)], value=_empty(node)))
    body.append(_loops(node, node.generators, first=True))
    if not is_generator:
        body.append(ast.Return(value=load(RESULT)))
    kind = ast.AsyncFunctionDef if is_asynchronous(node) else ast.FunctionDef
    function = kind(
        name=FUNCTION_NAMES[type(node)],
        args=_one_argument(),
        body=body,
        decorator_list=[],
        returns=None,
    )
    if "type_params" in function._fields:
        function.type_params = []  # type: ignore[union-attr]
    return _place(function, node)


def generator_function(node: ast.GeneratorExp) -> Any:
    """The generator function that a plain generator expression stands for."""
    function = ast.FunctionDef(
        name="<genexpr>",
        args=_one_argument(),
        body=[_loops(node, node.generators, first=True)],
        decorator_list=[],
        returns=None,
    )
    if "type_params" in function._fields:
        function.type_params = []  # type: ignore[attr-defined]
    return _place(function, node)


def lambda_function(node: ast.Lambda) -> Any:
    """The generator function that a lambda with ``yield`` stands for."""
    body = ast.Return(value=node.body)
    function = ast.FunctionDef(name="<lambda>", args=node.args, body=[body], decorator_list=[], returns=None)
    if "type_params" in function._fields:
        function.type_params = []  # type: ignore[attr-defined]
    return _place(function, node)


def _place(function: Any, node: Any) -> Any:
    function.origin = node
    ast.copy_location(function, node)
    for child in ast.walk(function):
        if not hasattr(child, "lineno") or child.lineno is None:
            ast.copy_location(child, node)
    return function


def _one_argument() -> ast.arguments:
    return ast.arguments(
        posonlyargs=[ast.arg(arg=FIRST)], args=[], vararg=None, kwonlyargs=[], kw_defaults=[], kwarg=None, defaults=[]
    )


def _empty(node: Any) -> ast.expr:
    if isinstance(node, ast.ListComp):
        return ast.List(elts=[], ctx=ast.Load())
    if isinstance(node, ast.SetComp):
        return ast.Call(func=load("@set"), args=[], keywords=[])
    return ast.Dict(keys=[], values=[])


def _loops(node: Any, generators: list[ast.comprehension], *, first: bool) -> ast.stmt:
    generator, *others = generators
    body: list[ast.stmt] = [_loops(node, others, first=False)] if others else _element(node)
    for condition in reversed(generator.ifs):
        body = [ast.If(test=condition, body=body, orelse=[])]
    kind = ast.AsyncFor if generator.is_async else ast.For
    source = load(FIRST) if first else generator.iter
    loop = kind(target=generator.target, iter=source, body=body, orelse=[])
    loop.is_iterator = first  # type: ignore[union-attr]
    ast.copy_location(source, generator.iter)
    return standing_for(loop, generator)


def _element(node: Any) -> list[ast.stmt]:
    if unpacks(node):
        return [_unpacking(node)]
    if isinstance(node, ast.DictComp):
        # A dict comprehension evaluates the key first, an assignment the value first: bind the key before.
        item = ast.Subscript(value=load(RESULT), slice=load(KEY), ctx=ast.Store())
        key = ast.Assign(targets=[store(KEY)], value=node.key)
        return [key, ast.Assign(targets=[item], value=node.value)]
    if isinstance(node, ast.GeneratorExp):
        return [ast.Expr(value=standing_for(ast.Yield(value=node.elt), node.elt))]
    return [_call_of_result(node, "append" if isinstance(node, ast.ListComp) else "add", node.elt)]


def captured_targets(node: Any) -> set[str]:
    """The names that a comprehension binds and that functions in it use."""
    targets = {n.id for generator in node.generators for n in ast.walk(generator.target) if isinstance(n, ast.Name)}
    functions = [n for n in ast.walk(node) if isinstance(n, (ast.Lambda, ast.GeneratorExp))]
    return targets & {n.id for function in functions for n in ast.walk(function) if isinstance(n, ast.Name)}


def separate_comprehension(node: Any) -> ast.expr:
    """A comprehension as a function of its own.

    Since Python 3.12 (PEP 709) the compiler mistakes its variable for a free one of the function around it that has the same
    name, if both are in cells: what the comprehension binds stays bound. One that binds by ``:=`` has to stay where it is.
    """
    if walrus_names(node):
        return node  # type: ignore[no-any-return]
    first = node.generators[0]
    source, first.iter = first.iter, ast.copy_location(load(FIRST), first.iter)
    function = ast.Lambda(args=_one_argument(), body=node)
    return ast.fix_missing_locations(ast.copy_location(ast.Call(func=function, args=[source], keywords=[]), node))


def unpacks(node: Any) -> bool:
    """Whether a comprehension is one of ``*value`` or ``**value``, as there are since Python 3.15."""
    return node.value is None if isinstance(node, ast.DictComp) else isinstance(node.elt, ast.Starred)


def _unpacking(node: Any) -> ast.stmt:
    """Add what ``node`` unpacks: a display around it, where methods would take, or complain of, something else."""
    if isinstance(node, ast.DictComp):
        return _call_of_result(node, "update", ast.Dict(keys=[None], values=[node.key]))
    if isinstance(node, ast.ListComp):
        return _call_of_result(node, "extend", ast.List(elts=[node.elt], ctx=ast.Load()))
    unpacked = node.elt.value
    if isinstance(node, ast.SetComp):
        return _call_of_result(node, "update", unpacked)
    given = ast.Expr(value=standing_for(ast.Yield(value=load(UNPACKED)), node.elt))
    return standing_for(ast.For(target=store(UNPACKED), iter=unpacked, body=[given], orelse=[]), node.elt)


def _call_of_result(comprehension: ast.AST, method: str, value: ast.expr) -> ast.stmt:
    bound = standing_for(ast.Attribute(value=load(RESULT), attr=method, ctx=ast.Load()), comprehension)
    return ast.Expr(value=ast.Call(func=bound, args=[value], keywords=[]))


def walrus_names(node: Any) -> list[str]:
    """The names that ``:=`` binds inside a comprehension."""
    return sorted({n.target.id for n in _own_walruses(node)})


def _walrus_declarations(node: Any, scope: Scope) -> list[ast.stmt]:
    """``:=`` inside a comprehension binds in the function around it."""
    by_kind: dict[str, list[str]] = {"global": [], "nonlocal": []}
    for name in walrus_names(node):
        by_kind[scope.declaration_for(name)].append(name)
    declarations: list[ast.stmt] = []
    if by_kind["global"]:
        declarations.append(ast.Global(names=by_kind["global"]))
    if by_kind["nonlocal"]:
        declarations.append(ast.Nonlocal(names=by_kind["nonlocal"]))
    return declarations


def _own_walruses(node: ast.AST) -> list[Any]:
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Lambda):
            continue
        if isinstance(child, ast.NamedExpr):
            found.append(child)
        found += _own_walruses(child)
    return found


def make_super_explicit(tree: ast.AST) -> None:
    """In comprehensions that become functions ``super()`` has to name its arguments: Python 3.12 inlines them, natively.

    For the tree as parsed, before any analysis, since it makes the function's first argument a captured variable.
    """
    _SuperInComprehensions().visit(tree)


class _SuperInComprehensions(ast.NodeTransformer):
    def __init__(self) -> None:
        self.first_argument: str | None = None
        self.is_inlined = False

    def _visit_with(self, first_argument: str | None, is_inlined: bool, nodes: list[Any]) -> None:
        outer = self.first_argument, self.is_inlined
        self.first_argument, self.is_inlined = first_argument, is_inlined
        for node in nodes:
            self.generic_visit(node)
        self.first_argument, self.is_inlined = outer

    def visit_FunctionDef(self, node: Any) -> Any:
        names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
        self._visit_with(names[0] if names else None, False, [node])
        return node

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        self._visit_with(None, False, [node])
        return node

    def visit_ListComp(self, node: Any) -> Any:
        self._visit_with(self.first_argument, self.is_inlined or is_lifted(node), [node])
        return node

    visit_SetComp = visit_DictComp = visit_ListComp

    def visit_GeneratorExp(self, node: Any) -> Any:
        self._visit_with(None, False, [node])
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        asks = isinstance(node.func, ast.Name) and node.func.id == "super" and not node.args and not node.keywords
        if not asks or not self.is_inlined or self.first_argument is None:
            return node
        explicit = ast.Call(load("@super"), [node.func, load("__class__"), load(self.first_argument)], [])
        return ast.fix_missing_locations(ast.copy_location(explicit, node))
