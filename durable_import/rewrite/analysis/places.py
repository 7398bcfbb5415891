"""Identity of code: where in its module a function stands, and a hash of what it says.

A *place* is the path of a function-like node in its module, such as ``Cart.total``, ``main.<locals>.<lambda>`` or, for the
second of two of the same name, ``main.<locals>.<lambda>#2``. It does not change with the position of other code. What
evaluates the annotations of a definition, since Python 3.14, has the place ``Cart.total.<annotate>``.
"""

from __future__ import annotations

import ast
import hashlib
import types
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

from ...pythons.codes import is_annotate, nested_codes
from .annotations import ANNOTATE, annotations_of, evaluated_late
from .scopes import COMPREHENSIONS, FUNCTION_NAMES
from .suspensions import children

NUMBERING = 1  # part of all digests; once it stood for how labels and hidden variables are numbered, which is free to change
MARK_BASE = 1 << 20  # line numbers that name nodes start beyond any real line
POSITIONS = frozenset({"lineno", "col_offset", "end_lineno", "end_col_offset", "ctx", "type_comment", "kind"})

LATER = {"is_lazy": 0}  # fields that a later Python has added, with what they hold in code that an earlier one knows

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, *FUNCTION_NAMES)


class Places:
    """The places of all function-like nodes of a tree as parsed, in source order; ``order`` numbers them from 1."""

    def __init__(self, tree: ast.AST) -> None:
        self.order: list[ast.AST] = []
        self.path_of: dict[ast.AST, str] = {}
        self.class_of: dict[ast.AST, str | None] = {}
        self.code_names: dict[ast.AST, str] = {}  # of what is evaluated late
        self._names: dict[tuple[str, str], int] = {}
        self._walk(tree, "", None)
        self.by_path = {path: node for node, path in self.path_of.items()}

    def class_around(self, node: ast.AST) -> str | None:
        """The name of the class that private names in a definition belong to, its own if it is one."""
        return node.name if isinstance(node, ast.ClassDef) else self.class_of[node]

    def of_number(self, number: int) -> str:
        """The place of the code object that ``numbers_by_code`` gives a number other than 0."""
        place = self.path_of[self.order[abs(number) - MARK_BASE]]
        return place if number > 0 else place + ANNOTATE

    def _walk(self, node: ast.AST, prefix: str, class_name: str | None) -> None:
        for child in children(node):
            if isinstance(child, FUNCTIONS):
                path = self._name(prefix, getattr(child, "name", None) or FUNCTION_NAMES.get(type(child), "<lambda>"))
                self.order.append(child)
                self.path_of[child] = path
                self.class_of[child] = class_name
                self._walk(child, path + ".<locals>.", class_name)
            elif isinstance(child, ast.ClassDef):
                path = self._name(prefix, child.name)
                self.order.append(child)
                self.path_of[child] = path
                self.class_of[child] = class_name
                self._walk(child, path + ".", child.name)
            else:
                for late, name, code_name in evaluated_late(child):
                    if late not in self.path_of and not isinstance(late, FUNCTIONS):
                        self.order.append(late)
                        self.path_of[late] = self._name(prefix, name)
                        self.class_of[late] = class_name
                        self.code_names[late] = code_name
                self._walk(child, prefix, class_name)

    def _name(self, prefix: str, name: str) -> str:
        count = self._names[prefix, name] = self._names.get((prefix, name), 0) + 1
        return f"{prefix}{name}" if count == 1 else f"{prefix}{name}#{count}"


def without_number(place: str) -> str:
    """A place without the number of its last part."""
    before, separator, last = place.rpartition(".")
    return f"{before}{separator}{last.partition('#')[0]}"


def digest(node: ast.AST) -> str:
    """A hash of what a piece of code says, whatever its position and the Python version that parsed it."""
    return _hashed(_dump(node, {}))


def digest_of_annotations(node: ast.AST) -> str:
    """A hash of what the annotations of a function or class say."""
    return _hashed(_dump([[each.name, each.condition, each.value] for each in annotations_of(node)], {}))


def digests(nodes: list[ast.AST]) -> dict[ast.AST, str]:
    """The hashes of function-like nodes in source order: those inside of others are put into words once."""
    dumped: dict[ast.AST, str] = {}
    for node in reversed(nodes):
        dumped[node] = _dump(node, dumped)
    return {node: _hashed(dumped[node]) for node in nodes}


def _hashed(text: str) -> str:
    return hashlib.sha256(f"{NUMBERING}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _dump(node: Any, dumped: dict[ast.AST, str]) -> str:
    """What a node says; ``dumped``: what is known of those inside."""
    if isinstance(node, ast.AST):
        if node in dumped:
            return dumped[node]
        parts = []
        for name in node._fields:
            value: Any = getattr(node, name, None)
            if name == "values" and type(node).__name__ in ("JoinedStr", "TemplateStr"):
                value = _text_merged(value)
            if name not in POSITIONS and value not in (None, LATER.get(name)) and value != []:
                parts.append(f"{name}={_dump(value, dumped)}")
        return f"{type(node).__name__}({','.join(parts)})"
    if isinstance(node, list):
        return "[" + ",".join([_dump(item, dumped) for item in node]) + "]"
    return f"{type(node).__name__}:{node!a}"


def _text_merged(values: list[Any]) -> list[Any]:
    """The parts of an f-string with neighbouring texts joined and empty ones left out: Python versions differ in this."""
    merged: list[Any] = []
    for value in values:
        if not isinstance(value, ast.Constant):
            merged.append(value)
        elif merged and isinstance(merged[-1], ast.Constant):
            merged[-1] = ast.Constant(value=str(merged[-1].value) + str(value.value))
        elif value.value != "":
            merged.append(value)
    return merged


def mark_lines(nodes: dict[Any, int]) -> list[tuple[Any, int, int, int]]:
    """Give function-like nodes line numbers that name them; returns the true ones for ``restore_lines``.

    A decorated function begins at the line of its first decorator, for which a stand-in is put.
    """
    true = []
    for node, number in nodes.items():
        true.append((node, node.lineno, node.end_lineno, node.end_col_offset))
        node.lineno = node.end_lineno = number
        node.end_col_offset = max(node.col_offset, node.end_col_offset)
        if getattr(node, "decorator_list", None):
            node.decorator_list.insert(0, ast.copy_location(ast.Constant(value=None), node))
    return true


def restore_lines(true: list[tuple[Any, int, int, int]]) -> None:
    """Undo ``mark_lines``."""
    for node, line, end_line, end_column in reversed(true):
        node.lineno, node.end_lineno, node.end_col_offset = line, end_line, end_column
        if getattr(node, "decorator_list", None):
            del node.decorator_list[0]


def numbers_by_code(tree: ast.Module, nodes: dict[ast.AST, int], path: str, flags: int = 0) -> list[int]:
    """Compile once with marked lines: for each nested code object, in the order of ``nested_codes``, its node's number.

    The compiler says which code object belongs to which definition by first lines only, and those are ambiguous; two
    compilations of one tree have the same shape whatever the line numbers. 0: a code object of no interest. What evaluates the
    annotations of a definition has its number with a minus sign.
    """
    true = mark_lines(nodes)
    try:
        marked = compile(tree, path, "exec", flags=flags, dont_inherit=True)
    finally:
        restore_lines(true)
    known = set(nodes.values())
    return list(_numbers(marked, 0, lambda code: _number(code, known)))


def numbers_by_name(code: types.CodeType, nodes: dict[Any, int], names: dict[ast.AST, str]) -> list[int] | None:
    """The same for the ``code`` of a tree, without compiling that again; None if names and first lines leave doubts.

    There are some if two nodes or code objects have the same, or if a definition has no code. ``names``: those of the code
    objects that have another name than their nodes.
    """
    numbers: dict[tuple[str, int], list[int]] = {}
    wanted: set[int] = set()
    for node, number in nodes.items():
        name = names.get(node) or getattr(node, "name", None) or FUNCTION_NAMES.get(type(node), "<lambda>")
        line = node.decorator_list[0].lineno if getattr(node, "decorator_list", None) else node.lineno
        numbers.setdefault((name, line), []).append(number)
        if not isinstance(node, COMPREHENSIONS):  # which may be inlined
            wanted.add(number)
    doubtful = {key for key, among in numbers.items() if len(among) > 1}
    if doubtful and any((inner.co_name, inner.co_firstlineno) in doubtful for inner in nested_codes(code)):
        return None
    found = list(_numbers(code, 0, lambda inner: numbers.get((inner.co_name, inner.co_firstlineno), [0])[0]))
    sure = [number for number in found if number > 0]
    return found if len(sure) == len(set(sure)) and wanted <= set(sure) else None


def _numbers(outer: types.CodeType, own: int, number_of: Callable[[types.CodeType], int]) -> Iterator[int]:
    """The numbers of the code objects inside of one, whose own number is ``own``.

    What evaluates annotations stands before the function that has them, or as the last one in the class.
    """
    inside = [constant for constant in outer.co_consts if isinstance(constant, types.CodeType)]
    for code, following in zip_longest(inside, inside[1:]):
        owner = own if following is None else number_of(following)
        number = number_of(code)
        if is_annotate(code) and number in (0, owner):
            number = -owner
        yield number
        yield from _numbers(code, number, number_of)


def _number(code: types.CodeType, known: set[int]) -> int:
    if code.co_name.startswith("<generic parameters of"):  # PEP 695: it begins where its function begins
        return 0
    return code.co_firstlineno if code.co_firstlineno in known else 0
