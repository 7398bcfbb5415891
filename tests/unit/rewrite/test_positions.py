"""Positions: what the user wrote keeps its place, and what the rewriter adds lies within it."""

from __future__ import annotations

import ast
import sys
import types
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from durable_import.pythons.codes import nested_codes
from durable_import.rewrite.analysis.scopes import COMPREHENSIONS
from durable_import.rewrite.analysis.suspensions import suspends
from durable_import.rewrite.compiler import ModuleRewriting
from tests.harness.rewriting import GOLDEN, PROGRAMS, frame_codes, resume_tree, sources

VERSION = sys.version_info[:2]
SOURCES = [*sources(GOLDEN, VERSION), *sources(GOLDEN / "traced", VERSION), *sources(PROGRAMS, VERSION)]
EVERYWHERE = (1, 0, sys.maxsize, 0)

# What is made of simpler statements when it suspends; its parts keep their places.
TAKEN_APART = (
    ast.AnnAssign, ast.Assign, ast.AsyncFor, ast.AsyncWith, ast.BoolOp, ast.DictComp, ast.Expr, ast.GeneratorExp,
    ast.IfExp, ast.Lambda, ast.List, ast.ListComp, ast.SetComp, ast.TryStar, ast.Tuple, ast.With,
)  # fmt: skip
PARTS = (ast.ExceptHandler, ast.Slice, ast.Starred)  # of something that is taken apart


def by_name(path: Path) -> str:
    return path.stem


@cache
def rewritten_tree(path: Path) -> ast.Module:
    """The rewritten tree of a file."""
    tree: ast.Module = ModuleRewriting(path.read_bytes(), str(path)).tree
    return tree


def position(node: Any) -> tuple[int, int, int, int]:
    """Line and column of the begin and the end."""
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def positioned(tree: ast.AST) -> Iterator[Any]:
    """The nodes that can have a position."""
    return (node for node in ast.walk(tree) if "lineno" in node._attributes)


def is_taken_apart(node: ast.AST) -> bool:
    """Whether the rewriter makes something else of a node."""
    yields = isinstance(node, ast.Lambda) and suspends(node.body)
    return isinstance(node, PARTS) or (isinstance(node, TAKEN_APART) and (yields or suspends(node)))


def unevaluated(tree: ast.AST) -> set[ast.AST]:
    """Annotations of targets that are no names: in a function nothing evaluates or keeps them."""
    annotated = (n for n in ast.walk(tree) if isinstance(n, ast.AnnAssign) and not isinstance(n.target, ast.Name))
    return {inner for node in annotated for inner in ast.walk(node.annotation)}


@pytest.mark.parametrize("path", SOURCES, ids=by_name)
def test_users_nodes_keep_their_positions(path: Path) -> None:
    """Each node of the source is in the rewritten tree at its place, unless it suspends and is of a kind taken apart."""
    before = ast.parse(path.read_bytes())
    kept = {(type(node), position(node)) for node in positioned(rewritten_tree(path))}
    dropped = unevaluated(before)
    lost = {
        (type(node).__name__, position(node), ast.unparse(node))
        for node in positioned(before)
        if (type(node), position(node)) not in kept and not is_taken_apart(node) and node not in dropped
    }
    assert not lost


@pytest.mark.parametrize("path", SOURCES, ids=by_name)
def test_every_node_has_a_position(path: Path) -> None:
    """Each node has a valid position, within that of the function it is in."""
    check_nested(rewritten_tree(path), EVERYWHERE)


@pytest.mark.parametrize("path", sources(GOLDEN, VERSION), ids=by_name)
def test_every_node_of_a_resume_variant_has_a_position(path: Path) -> None:
    """In resume variants too each node has a valid position, within that of the function it is in."""
    source = path.read_bytes()
    for place, code in frame_codes(source).items():
        check_nested(resume_tree(source, place, code), EVERYWHERE)


def check_nested(tree: ast.AST, outer: tuple[int, int, int, int]) -> None:
    """Compare positions with those of the function around."""
    for node in ast.iter_child_nodes(tree):
        within = outer
        if "lineno" in node._attributes:
            begin_line, begin_column, end_line, end_column = position(node)
            text = f"{type(node).__name__} at {position(node)} in {outer}"
            assert (begin_line, begin_column) <= (end_line, end_column), text
            assert outer[:2] <= (begin_line, begin_column), text
            assert (end_line, end_column) <= outer[2:], text
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min((d.lineno, d.col_offset) for d in (node, *node.decorator_list))
                within = (*first, end_line, end_column)
        check_nested(node, within)


def lines_by_function(code: types.CodeType) -> dict[tuple[str, int], set[int]]:
    """The lines of each function's code, comprehensions counted with the function that they are in."""
    found: dict[tuple[str, int], set[int]] = {}

    def collect(inner: types.CodeType, key: tuple[str, int]) -> None:
        if not inner.co_name.startswith("<") or inner.co_name == "<module>":
            key = (inner.co_qualname, inner.co_firstlineno)
        found.setdefault(key, set()).update(line for _, _, line in inner.co_lines() if line)
        for constant in inner.co_consts:
            if isinstance(constant, types.CodeType):
                collect(constant, key)

    collect(code, ("<module>", 1))
    return found


def lines_after_raise(tree: ast.AST) -> set[int]:
    """The lines that natively nothing gets to, and for which there is no code: a pause goes on there."""
    blocks = [getattr(n, field) for n in ast.walk(tree) for field in ("body", "orelse", "finalbody") if hasattr(n, field)]
    dead: list[ast.AST] = []
    for block in (b for b in blocks if isinstance(b, list)):
        first = next((i for i, statement in enumerate(block, 1) if isinstance(statement, ast.Raise)), len(block))
        dead += block[first:]
    return {n.lineno for statement in dead for n in ast.walk(statement) if hasattr(n, "lineno")}


@pytest.mark.parametrize("path", SOURCES, ids=by_name)
def test_lines_of_code_are_the_users(path: Path) -> None:
    """Rewritten code has the lines of native code, and no other but of declarations, comprehensions' ends, and after pauses."""
    tree = ast.parse(path.read_bytes())
    native = lines_by_function(compile(path.read_bytes(), str(path), "exec", dont_inherit=True))
    rewritten = lines_by_function(compile(rewritten_tree(path), str(path), "exec", dont_inherit=True))
    assert native.keys() == rewritten.keys()
    silent = {n.lineno for n in ast.walk(tree) if isinstance(n, (ast.Global, ast.Nonlocal, ast.AnnAssign))}
    silent |= {n.end_lineno or 0 for n in ast.walk(tree) if isinstance(n, COMPREHENSIONS)}
    silent |= lines_after_raise(tree)
    headers = {n.lineno for n in ast.walk(tree) if isinstance(n, (ast.With, ast.AsyncWith))}
    for function, lines in rewritten.items():
        assert lines - native[function] <= silent, function
        assert native[function] - lines <= headers, function


def test_first_lines_of_functions_are_native() -> None:
    """Each function's code begins where the native code begins."""
    for path in sources(GOLDEN, VERSION):
        native = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        rewritten = compile(rewritten_tree(path), str(path), "exec", dont_inherit=True)
        firsts = [Counter((c.co_name, c.co_firstlineno) for c in nested_codes(code)) for code in (native, rewritten)]
        assert not firsts[0] - firsts[1]
