"""What suspends: the intermediate nodes of the rewriter, and how to find suspension points in a tree."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ...pythons.versions import LATE_ANNOTATIONS
from .relative_paths import relative
from .scopes import all_arguments, element_parts

FUNCTION_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LISTS = (ast.ListComp, ast.SetComp, ast.DictComp)


NO_NODES = frozenset({"ctx", "op", "ops", "id", "attr", "kind", "type_comment"})  # fields


Hidden = tuple[str, str, str]  # a hidden variable: its name, its role, and the path of the node that it serves
Place = tuple[str, str, tuple[Hidden, ...]]  # of a suspension: the path of its node, its role, and what is kept there: relative


class Suspend(ast.stmt):
    """One suspension point: ``target = await operand`` (or ``yield``, ``yield from``) and nothing else in the statement.

    ``path`` and ``role`` say which one it is, in the tree as parsed; ``label`` numbers it in the rewritten function, in source
    order. ``live`` has the hidden variables that are read after it, ``spent`` those that nothing reads once the operand is
    evaluated.
    """

    _fields = ("operand", "target")

    def __init__(
        self, kind: str, operand: ast.expr | None, target: ast.expr | None, path: str, role: str, live: dict[str, Hidden]
    ) -> None:
        super().__init__()
        self.kind = kind
        self.operand = operand
        self.target = target
        self.path = path
        self.role = role
        self.live = live
        self.spent: list[str] = []
        self.label = 0

    def place(self) -> Place:
        """What a snapshot says of it: the variables in the order in which they came to be, each role for itself."""
        kept = sorted(self.live.values(), key=_prefix_and_number)
        intern = sys.intern  # a snapshot has equal strings once if they are the same object
        short = ((intern(name), intern(role), intern(relative(path, self.path))) for name, role, path in kept)
        return intern(self.path), intern(self.role), tuple(short)


def _prefix_and_number(hidden: Hidden) -> tuple[str, int, str]:
    prefix = hidden[0].rstrip("0123456789")
    return prefix, int(hidden[0][len(prefix) :] or 0), hidden[0]


class Pause(ast.Raise):
    """A ``raise`` statement that suspends if it is to: see ``pauses``."""


@dataclass(frozen=True)
class WithBlock:
    """One item of a suspending ``with`` statement, as written: needed to enter it again.

    ``call``: the call in it with what its parts were, which the hidden variables ``arguments`` keep until it is entered; None
    if the item is no call.
    """

    expression: ast.expr
    target: ast.expr | None
    is_async: bool
    entering: Suspend | None  # where ``__aenter__`` is awaited
    call: ast.expr | None = None
    arguments: tuple[str, ...] = ()


def evaluated_here(node: ast.AST) -> Iterator[ast.AST]:
    """The children that run in the frame of ``node`` itself: not the bodies of functions, classes, generators."""
    if isinstance(node, FUNCTION_DEFINITIONS):
        yield from node.decorator_list
        yield from node.args.defaults
        yield from (d for d in node.args.kw_defaults if d is not None)
        if not LATE_ANNOTATIONS:
            yield from (getattr(holder, field) for holder, field in annotation_places(node))
    elif isinstance(node, ast.Lambda):
        yield from node.args.defaults
        yield from (d for d in node.args.kw_defaults if d is not None)
    elif isinstance(node, ast.ClassDef):
        yield from node.decorator_list
        yield from node.bases
        yield from (k.value for k in node.keywords)
    elif isinstance(node, ast.GeneratorExp):
        yield node.generators[0].iter
    elif type(node).__name__ == "TypeAlias":  # since Python 3.12; its value is a function of its own
        return
    else:
        yield from children(node)


def annotation_places(function: Any) -> list[tuple[Any, str]]:
    """Where a function definition has annotations, as (node, field), in the order of evaluation."""
    holders: list[tuple[Any, str]] = [(a, "annotation") for a in all_arguments(function.args) if a.annotation]
    return holders + ([(function, "returns")] if function.returns else [])


def children(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes directly inside of one, as ``ast.iter_child_nodes`` gives them, but no operators and contexts."""
    for name in node._fields:
        if name not in NO_NODES:
            value = getattr(node, name, None)
            if isinstance(value, list):
                for item in value:
                    if isinstance(item, ast.AST):
                        yield item
            elif isinstance(value, ast.AST):
                yield value


def suspends(node: ast.AST | None) -> bool:
    """Whether ``node`` can suspend the frame it is in, or holds a generator that is lifted likewise."""
    if node is None:
        return False
    known: bool | None = getattr(node, "_suspends", None)
    if known is None:
        known = isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom, ast.AsyncFor, ast.AsyncWith, Pause, Suspend)) or (
            isinstance(node, ast.comprehension) and bool(node.is_async)
        )
        known = known or (isinstance(node, ast.GeneratorExp) and is_lifted(node))
        known = known or (isinstance(node, ast.Lambda) and _yields(node.body))
        known = known or any(suspends(child) for child in evaluated_here(node))
        node._suspends = known  # type: ignore[attr-defined]
    return known


def any_suspends(nodes: Iterable[ast.AST | None]) -> bool:
    """Whether any of the nodes can suspend the frame."""
    return any(suspends(node) for node in nodes)


def is_asynchronous(comprehension: Any) -> bool:
    """Whether a comprehension awaits inside (its first iterable is evaluated outside of it)."""
    return bool(comprehension.generators[0].is_async) or any(_awaits(part) for part in _inner_parts(comprehension))


def is_lifted(comprehension: Any) -> bool:
    """Whether a comprehension becomes a function: it awaits inside, or makes asynchronous generators there."""
    return bool(comprehension.generators[0].is_async) or any_suspends(_inner_parts(comprehension))


def _inner_parts(comprehension: Any) -> list[ast.AST]:
    first, *others = comprehension.generators
    inner: list[ast.AST] = [first.target, *first.ifs, *others]
    return inner + element_parts(comprehension)


def _awaits(node: ast.AST) -> bool:
    """As ``suspends``, except that making an asynchronous generator is no suspension."""
    if isinstance(node, (ast.Await, ast.Yield, ast.YieldFrom)) or (isinstance(node, ast.comprehension) and node.is_async):
        return True
    return suspends(node) and any(_awaits(child) for child in evaluated_here(node))


def is_generator(function: Any) -> bool:
    """Whether a function has a ``yield`` of its own."""
    return any(_yields(statement) for statement in function.body)


def _yields(node: ast.AST) -> bool:
    if isinstance(node, (ast.Yield, ast.YieldFrom)):
        return True
    return suspends(node) and any(_yields(child) for child in evaluated_here(node))


def points(nodes: Iterable[ast.AST]) -> Iterator[Suspend]:
    """All suspension points of normalised statements, in order; nested functions have their own."""
    for node in nodes:
        if isinstance(node, Suspend):
            yield node
        elif isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)) and not isinstance(
            node, (*FUNCTION_DEFINITIONS, ast.ClassDef)
        ):
            yield from points(ast.iter_child_nodes(node))


def span(nodes: Iterable[ast.AST]) -> tuple[int, int] | None:
    """First and last label within normalised statements, or None."""
    labels = [point.label for point in points(nodes)]
    return (labels[0], labels[-1]) if labels else None
