"""How often each construct, and an await in each position, occurs in programs."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

#: Constructs that a large enough set of programs must contain.
CONSTRUCTS = """
Assert Assign AnnAssign AugAssign AsyncFor AsyncFunctionDef AsyncWith Break ClassDef Continue Delete Expr For
FunctionDef Global If Match Nonlocal Raise Return Try TryStar While With Await BinOp BoolOp Call Compare Dict
DictComp FormattedValue GeneratorExp IfExp JoinedStr Lambda List ListComp NamedExpr Set SetComp Slice Starred
Subscript Tuple UnaryOp Yield YieldFrom MatchAs MatchClass MatchMapping MatchOr MatchSequence MatchSingleton
MatchStar MatchValue async-comprehension async-generator-expression nested-comprehension async-generator
sync-generator bare-raise raise-from loop-else try-else try-finally return-in-finally break-in-finally
continue-in-finally raise-in-finally return-in-handler break-in-handler continue-in-handler jump-in-try-body
try-in-handler try-in-finally await-in-finally await-in-handler yield-in-finally yield-in-try yield-in-with
match-guard several-with-items starred-argument double-starred-argument keyword-argument default-argument
decorator super name-mangling positional-only keyword-only asend athrow aclose anext send throw close
except-bare format-spec await-await
""".split()  # noqa: SIM905

#: Positions ("parent.field") in which an await must stand somewhere.
POSITIONS = """
BinOp.left BinOp.right UnaryOp.operand BoolOp.values Compare.left Compare.comparators IfExp.test IfExp.body
IfExp.orelse Call.func Call.args keyword.value Starred.value Subscript.value Subscript.slice Slice.lower
Slice.upper Slice.step Attribute.value FormattedValue.value JoinedStr.spec comprehension.iter
comprehension.ifs ListComp.elt SetComp.elt GeneratorExp.elt DictComp.key DictComp.value List.elts Tuple.elts
Set.elts Dict.keys Dict.values NamedExpr.value arguments.defaults arguments.kw_defaults
AsyncFunctionDef.decorator_list ClassDef.bases Return.value Raise.exc Raise.cause Assert.test Assert.msg
Delete.targets withitem.context_expr withitem.optional_vars For.iter For.target AsyncFor.iter AsyncFor.target
Match.subject match_case.guard Assign.value Assign.targets AugAssign.value AugAssign.target AnnAssign.value
AnnAssign.target Expr.value Yield.value ExceptHandler.type Await.value If.test While.test
""".split()  # noqa: SIM905

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
STEPS = ("asend", "athrow", "aclose", "send", "throw", "close")
TARGETS = {"Delete.targets", "withitem.optional_vars", "For.target", "AsyncFor.target"}
TARGETS |= {"Assign.targets", "AugAssign.target", "AnnAssign.target"}


def count(text: str) -> tuple[Counter[str], Counter[str]]:
    """The constructs and the await positions of one program, counted; the fixed definitions at its top are left out."""
    tree = ast.parse(text)
    tree.body = [node for node in tree.body if getattr(node, "name", "").startswith(("part", "f", "h", "g", "a"))]
    constructs: Counter[str] = Counter()
    positions: Counter[str] = Counter()
    for node, path in walk(tree, []):
        constructs.update({type(node).__name__, *features(node, path)})
        if isinstance(node, ast.Await):
            positions.update(places(path))
    return constructs, positions


def walk(node: ast.AST, path: list[tuple[ast.AST, str]]) -> Iterator[tuple[ast.AST, list[tuple[ast.AST, str]]]]:
    """All nodes, each with its ancestors (and the field that leads on), innermost last."""
    yield node, path
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from walk(child, [*path, (node, name)])


def places(path: list[tuple[ast.AST, str]]) -> Iterator[str]:
    """The direct position of an await, and the target or format spec that it stands in, if any."""
    parent, field = path[-1]
    yield f"{type(parent).__name__}.{field}"
    for node, name in path:
        if f"{type(node).__name__}.{name}" in TARGETS:
            yield f"{type(node).__name__}.{name}"
        if isinstance(node, ast.FormattedValue) and name == "format_spec":
            yield "JoinedStr.spec"


def enclosing(path: list[tuple[ast.AST, str]]) -> list[tuple[ast.AST, str]]:
    """The part of the path inside the innermost function."""
    start = max((index for index, (node, _) in enumerate(path) if isinstance(node, FUNCTIONS)), default=0)
    return path[start:]


def features(node: ast.AST, path: list[tuple[ast.AST, str]]) -> Iterator[str]:
    """What `node` is beyond its class: flow by where it stands, then forms of calls, definitions and the rest."""
    yield from flow(node, enclosing(path))
    if isinstance(node, COMPREHENSIONS):
        if any(part.is_async for part in node.generators):
            yield "async-comprehension"
        if any(isinstance(parent, COMPREHENSIONS) for parent, _ in path):
            yield "nested-comprehension"
        if isinstance(node, ast.GeneratorExp) and any(isinstance(inner, ast.Await) for inner in ast.walk(node.elt)):
            yield "async-generator-expression"
    if isinstance(node, ast.Call):
        yield from calls(node)
    if isinstance(node, FUNCTIONS):
        yield from definitions(node)
    if isinstance(node, ast.Attribute) and node.attr.startswith("__") and not node.attr.endswith("__"):
        yield "name-mangling"
    if isinstance(node, ast.Await) and isinstance(path[-1][0], ast.Await):
        yield "await-await"
    checks = {
        "bare-raise": isinstance(node, ast.Raise) and node.exc is None,
        "raise-from": isinstance(node, ast.Raise) and node.cause is not None,
        "loop-else": isinstance(node, ast.For | ast.AsyncFor | ast.While) and bool(node.orelse),
        "try-else": isinstance(node, ast.Try) and bool(node.orelse),
        "try-finally": isinstance(node, ast.Try) and bool(node.finalbody),
        "match-guard": isinstance(node, ast.match_case) and node.guard is not None,
        "several-with-items": isinstance(node, ast.With | ast.AsyncWith) and len(node.items) > 1,
        "except-bare": isinstance(node, ast.ExceptHandler) and node.type is None,
        "format-spec": isinstance(node, ast.FormattedValue) and node.format_spec is not None,
    }
    yield from (name for name, holds in checks.items() if holds)


def flow(node: ast.AST, path: list[tuple[ast.AST, str]]) -> Iterator[str]:
    word = type(node).__name__.lower()
    fields = {name for parent, name in path if isinstance(parent, ast.Try | ast.TryStar | ast.ExceptHandler)}
    in_handler = any(isinstance(parent, ast.ExceptHandler) for parent, _ in path)
    if isinstance(node, ast.Return | ast.Break | ast.Continue | ast.Raise | ast.Try | ast.Await | ast.Yield):
        if "finalbody" in fields:
            yield f"{word}-in-finally"
        if in_handler:
            yield f"{word}-in-handler"
    if isinstance(node, ast.Return | ast.Break | ast.Continue) and any(
        isinstance(parent, ast.Try) and name == "body" for parent, name in path
    ):
        yield "jump-in-try-body"
    if isinstance(node, ast.Yield) and any(isinstance(parent, ast.Try) and name == "body" for parent, name in path):
        yield "yield-in-try"
    if isinstance(node, ast.Yield) and any(isinstance(parent, ast.With | ast.AsyncWith) for parent, _ in path):
        yield "yield-in-with"
    if isinstance(node, ast.Yield):
        yield "async-generator" if path and isinstance(path[0][0], ast.AsyncFunctionDef) else "sync-generator"


def calls(node: ast.Call) -> Iterator[str]:
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        yield "starred-argument"
    for keyword in node.keywords:
        yield "keyword-argument" if keyword.arg else "double-starred-argument"
    if isinstance(node.func, ast.Name) and node.func.id in ("super", "anext"):
        yield node.func.id
    if isinstance(node.func, ast.Attribute) and node.func.attr in STEPS:
        yield node.func.attr


def definitions(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterator[str]:
    checks = {
        "default-argument": bool(node.args.defaults or any(node.args.kw_defaults)),
        "positional-only": bool(node.args.posonlyargs),
        "keyword-only": bool(node.args.kwonlyargs),
        "decorator": bool(getattr(node, "decorator_list", [])),
    }
    yield from (name for name, holds in checks.items() if holds)


def table(title: str, counts: Counter[str], expected: list[str]) -> str:
    """The counts as text, rarest last; what is expected and missing stands there with 0."""
    names = sorted({*expected, *counts}, key=lambda name: (-counts[name], name))
    rows = (f"  {counts[name]:8d}  {name}{'' if name in expected else ' *'}" for name in names)
    return "\n".join([f"{title} (* not required):", *rows])
