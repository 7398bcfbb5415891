"""What the code of a function mentions: global names, attributes, imports, and what it sets. It is looked through once."""

from __future__ import annotations

import dis
from collections.abc import Iterable, Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from ...hook.code_table import KNOWN, CodeInfo
from .assigned import Path, assigned_paths
from .closures import rebound_variables


class Mentions(NamedTuple):
    """Of a function and all that is nested in it, or of several."""

    used: frozenset[str]
    rebound: frozenset[str]
    captured: frozenset[tuple[str, str]]  # see ``closures.rebound_variables``
    imported: frozenset[str]
    attributes: frozenset[str]
    paths: dict[Path, str]  # see ``assigned.assigned_paths``


_KINDS = {
    "STORE_GLOBAL": "rebound",
    "DELETE_GLOBAL": "rebound",
    "LOAD_GLOBAL": "used",
    "LOAD_NAME": "used",
    "IMPORT_NAME": "imported",
    "LOAD_ATTR": "attributes",
    "LOAD_METHOD": "attributes",
    "STORE_ATTR": "attributes",
    "IMPORT_FROM": "attributes",
}


def mentions_in(module: str) -> Mentions:
    """What all functions of a module mention."""
    each = [mentions_of(info) for info in list(KNOWN.values()) if info.module.name == module]
    *kinds, _ = Mentions._fields
    names: dict[str, frozenset[Any]] = {kind: frozenset().union(*(getattr(one, kind) for one in each)) for kind in kinds}
    return Mentions(**names, paths={path: place for one in each for path, place in one.paths.items()})


@cache
def mentions_of(info: CodeInfo) -> Mentions:
    """What a function mentions."""
    names: dict[str, set[str]] = {kind: set() for kind in _KINDS.values()}
    captured: set[tuple[str, str]] = set()
    paths: dict[Path, str] = {}
    for code in with_nested(info.code):
        instructions = list(dis.get_instructions(code))
        for instruction in instructions:
            kind = _KINDS.get(instruction.opname)
            if kind is not None:
                names[kind].add(instruction.argval)
        captured.update(rebound_variables(code, instructions))
        paths.update(assigned_paths(code, instructions))
    return Mentions(captured=frozenset(captured), paths=paths, **{kind: frozenset(found) for kind, found in names.items()})


def names_in(functions: Iterable[FunctionType]) -> frozenset[str]:
    """All names that functions use: of globals, attributes and imports."""
    return frozenset(name for function in functions for code in with_nested(function.__code__) for name in code.co_names)


def returned_by(function: FunctionType) -> Iterator[tuple[str, int]]:
    """The global names whose values a function gives away as they are, and at which lines."""
    before: dis.Instruction | None = None
    for instruction in dis.get_instructions(function.__code__):
        if instruction.opname == "RETURN_VALUE" and before is not None and before.opname == "LOAD_GLOBAL":
            line = before.positions.lineno if before.positions is not None else None
            yield before.argval, line or function.__code__.co_firstlineno
        before = instruction


def with_nested(code: CodeType) -> Iterator[CodeType]:
    """A code object and all that are in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from with_nested(constant)
