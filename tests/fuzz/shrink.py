"""Makes a failing program small: removes and simplifies statements and expressions while it still fails.

    python -m tests.fuzz.shrink PROGRAM.py -- COMMAND ...

runs COMMAND with the path of each candidate added; a candidate counts as failing when COMMAND's exit status is 1 (so a
crash with another status, or a candidate that is broken in some other way, is not mistaken for the failure; `--status`
chooses another). The smallest program is printed; the smallest so far stands in PROGRAM.small.py.
`shrink(text, fails)` is the same for a predicate in Python.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

#: Definitions that all programs share, which are better left as they are.
FIXED = {"Trace", "Own", "tell", "named", "named_task", "ending", "shown", "told", "seen", "effect", "fail"}

#: Changes the tree and gives the way back.
Edit = Callable[[], Callable[[], None]]


def shrink(text: str, fails: Callable[[str], bool], rounds: int = 20) -> str:
    """The smallest program found for which `fails` holds; it must hold for `text` itself.

    Raises ValueError when it does not hold for `text`, or no longer when `text` was parsed and written again.
    """
    header = "".join(line + "\n" for line in text.splitlines()[:5] if line.startswith("#"))

    def written(tree: ast.Module) -> str:
        return header + ast.unparse(ast.fix_missing_locations(tree)) + "\n"

    tree = ast.parse(text)
    if not fails(written(tree)):
        raise ValueError("the program does not fail to begin with")
    for _ in range(rounds):
        kept = [reduce_once(tree, written, fails, edits) for edits in (chunks, unwrappings, simplifications)]
        if not any(kept):
            break
    return written(tree)


def reduce_once(
    tree: ast.Module,
    written: Callable[[ast.Module], str],
    fails: Callable[[str], bool],
    edits: Callable[[ast.Module], Iterator[Edit]],
) -> bool:
    """Try every edit of one sort, keep those after which the program still fails; whether any was kept."""
    changed = False
    for edit in edits(tree):
        undo = edit()
        candidate = written(tree)
        if compiles(candidate) and fails(candidate):
            changed = True
        else:
            undo()
    return changed


def compiles(text: str) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(text, "<candidate>", "exec")
    except SyntaxError:
        return False
    return True


def bodies(tree: ast.Module) -> Iterator[tuple[ast.AST, str, list[ast.stmt]]]:
    """The statement lists of the tree, outermost first, as they are when the iteration gets to them."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop(0)
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                yield node, name, value
        waiting += [child for child in parts(node) if not isinstance(child, ast.expr)]


def parts(node: ast.AST) -> list[ast.AST]:
    return [child for child in ast.iter_child_nodes(node) if getattr(child, "name", "") not in FIXED]


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those of fixed definitions, outermost first."""
    waiting = [node]
    while waiting:
        waiting += parts(waiting[0])
        yield waiting.pop(0)


def chunks(tree: ast.Module) -> Iterator[Edit]:
    """Removals of runs of statements, long ones first, then of handlers, cases, items and decorators."""
    for node, name, statements in bodies(tree):
        length = len(statements)
        while length:
            start = len(statements) - length
            while start >= 0:
                yield partial(cut, statements, start, length, name not in ("orelse", "finalbody"))
                start = min(start, len(statements)) - length
            length //= 2
        for part in ("handlers", "cases", "items", "decorator_list"):
            members = getattr(node, part, [])
            for index in reversed(range(len(members))):
                yield partial(cut, members, index, 1, False)


def cut(members: list[Any], start: int, length: int, needs_one: bool) -> Callable[[], None]:
    """Remove members (a block that may not be empty becomes `pass`); gives the way back."""
    before = list(members)
    del members[start : start + length]
    if needs_one and not members:
        members.append(ast.Pass())
    return lambda: members.__setitem__(slice(None), before)


def unwrappings(tree: ast.Module) -> Iterator[Edit]:
    """Replacements of a compound statement by one of its blocks."""
    for _, _, statements in bodies(tree):
        for statement in reversed(list(statements)):
            if statement not in statements or isinstance(statement, DEFINITIONS):
                continue
            index = statements.index(statement)
            for part in inner_blocks(statement):
                yield partial(splice, statements, index, part)
                if statement not in statements:
                    break


def inner_blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    own = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
    branches = [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]
    return [block for block in [*own, *(branch.body for branch in branches)] if block]


def splice(statements: list[ast.stmt], index: int, block: list[ast.stmt]) -> Callable[[], None]:
    before = list(statements)
    statements[index : index + 1] = block
    return lambda: statements.__setitem__(slice(None), before)


def simplifications(tree: ast.Module) -> Iterator[Edit]:
    """Replacements of an expression by zero or by an expression inside it, large ones first."""
    places = [(node, name, index) for node in walk(tree) for name, index in expression_places(node)]
    for node, name, index in places:
        old = get(node, name, index)
        if old is None or isinstance(old, ast.Constant | ast.Name):
            continue
        inside = [child for child in ast.iter_child_nodes(old) if isinstance(child, ast.expr)]
        for new in [ast.Constant(0), *inside]:
            yield partial(put, node, name, index, new)
            if get(node, name, index) is new:
                break


def expression_places(node: ast.AST) -> Iterator[tuple[str, int | None]]:
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.expr):
            yield name, None
        elif isinstance(value, list):
            yield from ((name, index) for index, item in enumerate(value) if isinstance(item, ast.expr))


def get(node: ast.AST, name: str, index: int | None) -> ast.expr | None:
    value = getattr(node, name)
    found: ast.expr | None = value if index is None else value[index]
    return found


def put(node: ast.AST, name: str, index: int | None, value: ast.expr) -> Callable[[], None]:
    old = get(node, name, index)
    if index is None:
        setattr(node, name, value)
        return lambda: setattr(node, name, old)
    members = getattr(node, name)
    members[index] = value
    return lambda: members.__setitem__(index, old)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.shrink", description="Make a failing program small.")
    parser.add_argument("program", type=Path)
    parser.add_argument("--status", type=int, default=1, help="the exit status that means failing")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for one run; longer is not failing")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / options.program.name
        best = options.program.with_suffix(".small.py")

        def fails(text: str) -> bool:
            path.write_text(text)
            command = [*options.command, str(path)]
            try:
                run = subprocess.run(command, capture_output=True, timeout=options.timeout, check=False)
            except subprocess.TimeoutExpired:
                return False
            if run.returncode == options.status:
                best.write_text(text)
            return bool(run.returncode == options.status)

        print(shrink(options.program.read_text(), fails))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
