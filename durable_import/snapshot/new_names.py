"""Functions that have other names today, and functions in which others are called by other names, as the program has said.

What differs from what was saved in such names alone has not changed: its frames go on as if nothing had happened.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from functools import lru_cache

from ..errors import MissingCodeError
from ..hook.code_table import MODULES, CodeInfo, find
from ..pythons.codes import nested_codes, silent
from ..pythons.instructions import variables_of
from ..rewrite.analysis.places import Places
from ..rewrite.analysis.places import digest as digest_of
from ..rewrite.analysis.text import Text
from ..rewrite.passes.pauses import EXCEPTION, mark_pauses
from .names import module_today
from .renames import line_for_module, missing_module, new_place, said


def place_today(module: str, place: str) -> tuple[str, str]:
    """Module and place today of a function: the same if it is there, or if nothing else was said."""
    module = module_today(module)
    today = new_place(module, place)
    if today == (module, place):
        return today
    try:
        find(module, place)
    except MissingCodeError:
        return today
    return module, place


def same_but_for_names(module: str, place: str, digest: str | None) -> CodeInfo | None:
    """The function at a place of today, with another digest, if it differs from the one that had it in names alone."""
    return differing_in_names(find(module, place), digest) if said() and digest is not None else None


def differing_in_names(info: CodeInfo, digest: str) -> CodeInfo | None:
    """A function of today, with the digest given, if it differs from the one that had it only in names that were said."""
    if digest not in (_digest_with(info, names) for names in ({}, _former_names())):
        return None
    return CodeInfo(info.code, info.module, info.place, digest, info.suspensions, info.awaited)


def itself(info: CodeInfo) -> CodeInfo:
    """The function of today for what ``same_but_for_names`` gives."""
    return info if info.module.version else info.module.by_place.get(info.place, info)


def missing_function(module: str, place: str, digest: str | None, error: MissingCodeError) -> MissingCodeError:
    """The error for a function that is not there; with the line that says what it is called now, if there is one like it."""
    missing = missing_module(module, error.__cause__)
    if missing:
        return MissingCodeError(f"{error} If it has another name today, say so: {line_for_module(module, missing)}")
    parts = place.split(".")
    if not all(part.isidentifier() for part in parts):
        return error  # one inside of another is a variable of that
    alike = [info.place for info in _alike(module, parts[-1], digest)] if digest is not None else []
    name = alike[0] if len(alike) == 1 else ".".join([*parts[:-1], "NAME"])
    line = f'durable_import.renamed("{module}:{place}", "{module}:{name}")'
    said = f"If it has another name today, say so at module level: {line}"
    return MissingCodeError(f"{error} {said}")


def _alike(module: str, last: str, digest: str) -> Iterator[CodeInfo]:
    """The functions of a module whose text is that of a digest but for their own name."""
    known = MODULES.get(module)
    for info in known.by_place.values() if known is not None and not known.is_library else ():
        if _digest_with(info, {info.place.rpartition(".")[2]: last}) == digest:
            yield info


def _former_names() -> dict[str, str]:
    """What the last part of each new name was."""
    pairs = ((new.replace(":", ".").rpartition(".")[2], old.replace(":", ".").rpartition(".")[2]) for old, new in said().items())
    return {new: old for new, old in pairs if new != old}


def _digest_with(info: CodeInfo, names: dict[str, str]) -> str:
    """The digest that a function would have if some names in it were others; its variables are what they are."""
    node = _places(info.module.source).by_path.get(info.place)
    if node is None:
        return ""
    variables = {name for code in (info.code, *nested_codes(info.code)) for name in variables_of(code)}
    return digest_of(_Renaming({new: old for new, old in names.items() if new not in variables}).visit(copy.deepcopy(node)))


@lru_cache(maxsize=4)
def _places(source: bytes) -> Places:
    """The functions of a module as they are written."""
    with silent():
        tree = ast.parse(source)
    if Text(source).may_say(EXCEPTION):
        mark_pauses(tree)
    return Places(tree)


class _Renaming(ast.NodeTransformer):
    """Gives names in a tree others."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field in ("id", "attr", "name"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                setattr(node, field, self._names.get(name, name))
        if isinstance(node, ast.Global | ast.Nonlocal):
            node.names = [self._names.get(name, name) for name in node.names]
        return super().generic_visit(node)
