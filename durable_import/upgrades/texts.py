"""A function as it is written: its suspensions, each with what is called there and the blocks around it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import UnsupportedSyntaxError
from ..pythons.codes import nested_codes, silent
from ..rewrite.analysis.node_paths import NodePaths
from ..rewrite.analysis.places import Places
from ..rewrite.compiler import ModuleRewriting, compile_module
from .callees import callee_of
from .renames import Renaming

if TYPE_CHECKING:
    from ..rewrite.analysis.suspensions import Place

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
WITH_BLOCKS = (ast.With, ast.AsyncWith)


class Block(NamedTuple):
    """Something around a suspension: the path of its node, and what it says up to there."""

    path: str
    says: tuple[str, ...]


@dataclass(frozen=True)
class Point:
    """A suspension: ``blocks`` around it have a state, ``branches`` have none.

    ``callee``: what is called there; ``words``: all that is written there; ``statement``: the path of the innermost statement.
    """

    label: int
    place: Place
    line: int
    callee: tuple[str, ...]
    words: str
    blocks: tuple[Block, ...]
    branches: tuple[tuple[str, ...], ...]
    statement: str

    @property
    def role(self) -> str:
        return self.place[1]


class FunctionText:
    """One text of a function. ``node``: as parsed, untouched; ``suspensions`` by label; ``first_line``: where the text begins.

    ``code``: of its fast variant, if only the text is there and could be compiled alone.
    """

    def __init__(
        self,
        node: Any,
        suspensions: dict[int, Place],
        text: str,
        first_line: int,
        class_name: str | None,
        code: CodeType | None = None,
    ) -> None:
        self.node = node
        self.code = code
        self.text = text
        self.first_line = first_line
        self.class_name = class_name
        self.nodes = NodePaths(node).by_path()
        self.points = [self._point(label, place) for label, place in suspensions.items()]

    @property
    def is_generator(self) -> bool:
        return any(point.role.startswith("yield") for point in self.points)

    def line(self, point: Point) -> str:
        """The line of text where a suspension is."""
        lines = self.text.splitlines()
        number = point.line - self.first_line
        return lines[number].strip() if 0 <= number < len(lines) else point.words

    def says_at(self, path: str) -> str:
        """What a node says."""
        node = self.nodes.get(path)
        return ast.dump(node) if node is not None else ""

    def point_at(self, place: Place) -> Point | None:
        """The suspension of a path and role."""
        return next((point for point in self.points if point.place[:2] == place[:2]), None)

    def _point(self, label: int, place: Place) -> Point:
        path, role, _ = place
        node = self.nodes[path]
        blocks: list[Block] = []
        branches: list[tuple[str, ...]] = []
        statement = ""
        for outer, around, step in self._way(path):
            if isinstance(around, (ast.stmt, ast.ExceptHandler)):
                statement = outer
            says = state_of(around, step, role)
            if says is not None:
                blocks.append(Block(outer, says))
            branch = branch_of(around, step)
            if branch is not None:
                branches.append(branch)
        callee, words = _said(node, role)
        return Point(label, place, _line(node), callee, words, tuple(blocks), tuple(branches), statement)

    def _way(self, path: str) -> Iterator[tuple[str, Any, list[str]]]:
        """The nodes on the way to one, each with its path and the step that is taken from it: a field, perhaps a number."""
        steps = path.split(".") if path else []
        known = [i for i in range(len(steps) + 1) if ".".join(steps[:i]) in self.nodes]
        for i, following in zip(known, [*known[1:], len(steps)], strict=True):
            outer = ".".join(steps[:i])
            yield outer, self.nodes[outer], steps[i:following]


def _line(node: Any) -> int:
    if isinstance(node, ast.withitem):
        return node.context_expr.lineno
    return int(getattr(node, "lineno", 0))


def _said(node: Any, role: str) -> tuple[tuple[str, ...], str]:
    """What is called at a suspension, and all that is written there."""
    if isinstance(node, ast.withitem):
        return (role, ast.unparse(node)), ast.unparse(node)
    if isinstance(node, (ast.For, ast.AsyncFor)):
        words = f"{ast.unparse(node.target)} in {ast.unparse(node.iter)}"
        return (role, words), words
    if isinstance(node, ast.Yield):
        return (role,), ast.unparse(node)
    if isinstance(node, (ast.Await, ast.YieldFrom)):
        return (role, callee_of(node.value)), ast.unparse(node)
    return (role, ast.unparse(node)), ast.unparse(node)


def state_of(node: Any, step: list[str], role: str) -> tuple[str, ...] | None:
    """What a block that has a state says, seen from a step into it; None for what has none."""
    field = step[0] if step else ""
    kind = type(node).__name__
    if isinstance(node, (ast.For, ast.AsyncFor)) and field in ("body", "target", ""):
        return kind, "body" if field == "body" else field, ast.unparse(node.target), ast.unparse(node.iter)
    if isinstance(node, ast.While) and field in ("body", "test"):
        return kind, field
    if isinstance(node, WITH_BLOCKS) and field in ("body", "items"):
        last = len(node.items) if field == "body" else int(step[1]) + 1
        return kind, field if field == "body" else role, *(ast.unparse(item) for item in node.items[:last])
    if kind in ("Try", "TryStar") and field in ("handlers", "finalbody"):
        if field == "finalbody":
            return kind, field
        handlers = node.handlers if kind == "TryStar" else node.handlers[: int(step[1]) + 1]
        return kind, field, *(f"{ast.unparse(h.type) if h.type else ''} as {h.name}" for h in handlers)
    if isinstance(node, ast.match_case) and field in ("guard", "pattern"):
        return kind, field, ast.unparse(node.pattern)
    if isinstance(node, COMPREHENSIONS) and field != "generators":
        return kind, ast.unparse(node)
    return None


def branch_of(node: Any, step: list[str]) -> tuple[str, ...] | None:
    """What a block without a state says, seen from a step into it: which way was taken, and why."""
    field = step[0] if step else ""
    kind = type(node).__name__
    if isinstance(node, (ast.If, ast.IfExp)) and field in ("body", "orelse", "test"):
        return kind, field, ast.unparse(node.test) if field != "test" else ""
    if isinstance(node, ast.Match) and field == "cases":
        earlier = [f"{ast.unparse(c.pattern)} {ast.unparse(c.guard) if c.guard else ''}" for c in node.cases[: int(step[1]) + 1]]
        return kind, ast.unparse(node.subject), *earlier
    if kind in ("Try", "TryStar"):
        field = field or kind
        handlers = [ast.unparse(h.type) if h.type else "" for h in node.handlers]
        return kind, field, *handlers, "finally" if node.finalbody else ""
    if isinstance(node, (ast.For, ast.AsyncFor, ast.While)) and field in ("orelse", "iter"):
        return kind, field
    if isinstance(node, ast.BoolOp) and field == "values":
        return kind, *(ast.unparse(value) for value in node.values[: int(step[1])])
    if isinstance(node, ast.Compare) and field == "comparators" and len(node.ops) > 1:
        return kind, ast.unparse(node.left), *(ast.unparse(value) for value in node.comparators[: int(step[1])])
    if isinstance(node, ast.Assert):
        return kind, field
    return None


class UnreadableTextError(Exception):
    """A text that was kept holds no function of the digest that it was kept for."""


def old_text(text: str, digest: str, class_name: str | None) -> FunctionText:
    """A function of which only the text was kept. Raises UnreadableTextError."""
    wrapped, first_line = (f"if True:\n{text}", 2) if text[:1] in (" ", "\t") else (text, 1)
    try:
        with silent():
            rewriting = ModuleRewriting(wrapped.encode("utf-8", "surrogatepass"), "<kept text>")
            untouched = Places(ast.parse(wrapped))
    except (SyntaxError, UnsupportedSyntaxError, ValueError) as error:
        raise UnreadableTextError(str(error)) from error
    for node, found in rewriting.digests.items():
        row = rewriting.row(node) if found == digest else None
        if row is not None:
            return FunctionText(untouched.by_path[row[0]], row[2], text, first_line, class_name, _code(wrapped, row[0]))
    raise UnreadableTextError("the text that was kept is not the whole function")


def _code(wrapped: str, place: str) -> CodeType | None:
    """The code of the function at a place of a text; None if it has no meaning outside of another function."""
    try:
        with silent():
            rewritten = compile_module(wrapped.encode("utf-8", "surrogatepass"), "<kept text>")
    except (SyntaxError, UnsupportedSyntaxError):  # ``nonlocal`` is of a function around
        return None
    found = zip(nested_codes(rewritten.code), rewritten.table, strict=True)
    return next((code for code, row in found if row is not None and row[0] == place), None)


def text_of_today(
    source: bytes, place: str, suspensions: dict[int, Place], text: str, former: Mapping[str, str] | None = None
) -> FunctionText:
    """A function of a module as it is. ``former``: by names that others have today, what they were: it is read with those."""
    with silent():
        places = Places(ast.parse(source))
    node: Any = places.by_path[place]
    first, class_name = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))]), places.class_of[node]
    if former:
        node = Renaming(dict(former)).visit(node)
    return FunctionText(node, suspensions, text, first, class_name)
