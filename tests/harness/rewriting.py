"""The rewriter seen from outside: the text of the two variants, and what identifies each function of a module."""

from __future__ import annotations

import ast
import re
import types
from pathlib import Path
from typing import Any

from durable_import.api.rewritten_text import text_of
from durable_import.hook.code_table import captured_names
from durable_import.pythons.codes import nested_codes
from durable_import.rewrite.analysis.annotations import ANNOTATE
from durable_import.rewrite.analysis.names import PC
from durable_import.rewrite.compiler import ModuleRewriting, compile_module
from durable_import.rewrite.emit.resume import resume_function

GOLDEN = Path(__file__).parent.parent / "golden"
PROGRAMS = Path(__file__).parent.parent / "programs"


def requirement(path: Path) -> tuple[int, int]:
    """The oldest Python version that can parse a program, from its line ``# requires: 3.12``."""
    return _said_by(path, "requires") or (3, 11)


def is_readable(path: Path, version: tuple[int, int]) -> bool:
    """Whether a Python version can parse a program: it may also have a line ``# until: 3.13``."""
    return requirement(path) <= version <= (_said_by(path, "until") or version)


def _said_by(path: Path, word: str) -> tuple[int, int] | None:
    head = "\n".join(path.read_text().splitlines()[:5])
    found = re.search(rf"^# {word}: 3\.(\d+)", head, re.MULTILINE)
    return (3, int(found[1])) if found else None


def sources(folder: Path, version: tuple[int, int]) -> list[Path]:
    """The programs of a folder that a Python version can parse."""
    return [path for path in sorted(folder.glob("*.py")) if is_readable(path, version)]


def frame_codes(source: bytes, path: str = "<program>") -> dict[str, types.CodeType]:
    """The code objects of the functions of a module that can suspend, by place."""
    module = compile_module(source, path, "m")
    codes = zip(nested_codes(module.code), module.table, strict=True)
    return {row[0]: code for code, row in codes if row is not None and row[2]}


def resume_tree(source: bytes, place: str, code: types.CodeType) -> ast.Module:
    """The tree of the resume variant of one function; ``code``: that of its fast variant."""
    rewriting = ModuleRewriting(source, "<program>")
    node: Any = rewriting.places.by_path[place]
    body = rewriting.body_of(node)
    assert body is not None
    bound = rewriting.analysis.scopes[node].bound
    names = [n for n in code.co_varnames if n != PC and (n in bound or n[0] in "@<.")]  # no inlined comprehension's
    captured = [n for n in captured_names(code) if n in bound or n in code.co_freevars]
    return resume_function(
        rewriting.carrier.get(node, node),
        body,
        variables=names,
        captured=captured,
        free=(),
        class_name=rewriting.places.class_of[node],
    )


def fast_text(source: bytes) -> str:
    """The rewritten module."""
    return text_of(ModuleRewriting(source, "<program>").tree) + "\n"


def plain_text(source: bytes) -> str:
    """The module as it runs while no runtime exists."""
    return text_of(ModuleRewriting(source, "<program>", is_plain=True).tree) + "\n"


def resume_text(source: bytes) -> str:
    """The resume variants of all functions of a module that can suspend."""
    trees = [(place, resume_tree(source, place, code)) for place, code in frame_codes(source).items()]
    return "\n".join(f"# --- {place}\n{text_of(tree)}\n" for place, tree in trees)


def identities(source: bytes) -> list[tuple[Any, ...]]:
    """What snapshots know of a module's code: place, digest, and suspensions by label, of each frame.

    Not what evaluates annotations, which only later Python versions have.
    """
    table = [row for row in compile_module(source, "<program>", "m").table if row and not row[0].endswith(ANNOTATE)]
    return sorted((place, digest, sorted((suspensions or {}).items())) for place, digest, suspensions in table)
