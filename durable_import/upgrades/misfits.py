"""What code of an earlier version needs that the program of today does not have, or calls in a way that no longer fits.

Only what the texts say is seen: names of modules, and calls by name of classes, which are always those of today, and of functions
that are never pinned. What pinned functions call by name is pinned too, so it is looked at as well.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..pythons.codes import nested_codes
from ..pythons.instructions import global_names
from ..rewrite.analysis.names import is_hidden
from ..rewrite.analysis.places import Places
from .bindings import bindings, with_new_names
from .on_disk import FUNCTIONS, ModuleText, ProgramText
from .policies import policy_in
from .renames import new_place

MOST_BASES = 16


def misfits(
    then: Mapping[str, ModuleText], program: ProgramText, places: Collection[tuple[str, str]], data: Collection[str]
) -> Iterator[str]:
    """A sentence for each. ``places``: of pinned functions, with their modules; ``data``: names that the state binds itself."""
    waiting, seen = list(places), set[tuple[str, str]]()
    while waiting:
        module, place = waiting.pop()
        known, today = then.get(module), program.module(module)
        if (module, place) in seen or known is None or today is None:
            continue
        seen.add((module, place))
        info = known.function(place)
        names = set[str]()
        for code in (info.code, *nested_codes(info.code)) if info is not None else ():
            names |= {name for name in global_names(code) if not is_hidden(name)}
        for name in sorted(names & known.bound):
            is_there = name in today.bound or today.may_have_more or name in data
            if not is_there and not can_be_made(known, name, program):
                yield f"{place!r} needs {name!r} of module {module!r}, which is gone today and cannot be made from the old text"
            if known.function(name) is not None and policy_in(today.policies, module, name) != "latest":
                waiting.append((module, name))
        node = Places(known.tree).by_path.get(place)
        if node is not None:
            yield from _calls(node, place, known, today, program)


def can_be_made(module: ModuleText, name: str, program: ProgramText) -> bool:
    """Whether what an old text binds to a name can be had without running it: see ``then``."""
    node = next(bindings(module.tree.body, name), None)
    if new_place(module.name, name)[1] != name:
        return True
    if isinstance(node, FUNCTIONS):
        return not node.decorator_list
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return all(_is_there(each, program) for each in with_new_names(node))
    if isinstance(node, ast.expr):
        try:
            ast.literal_eval(node)
        except ValueError:
            return False
        return True
    return isinstance(node, ast.ClassDef)


def _is_there(statement: ast.stmt, program: ProgramText) -> bool:
    """Whether the modules that are imported by a statement can be found."""
    if isinstance(statement, ast.ImportFrom):
        return bool(statement.level) or program.module(statement.module or "") is not None
    return all(program.module(each.name) is not None for each in getattr(statement, "names", ()))


def _calls(function: ast.AST, place: str, then: ModuleText, today: ModuleText, program: ProgramText) -> Iterator[str]:
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in then.bound:
            continue
        found = _definition(today, node.func.id, program)
        if found is None:
            continue
        module, definition = found
        takes = _takes(module, definition, node.func.id)
        if takes is not None and not _fits(node, takes):
            yield (
                f"{place!r} calls `{ast.unparse(node)}`, and today {node.func.id} ({module.path}:{definition.lineno}) takes "
                f"({ast.unparse(takes)})"
            )


def _definition(module: ModuleText, name: str, program: ProgramText) -> tuple[ModuleText, Any] | None:
    """The class or function that a name means today, with its module, if that is seen."""
    nodes = list(bindings(module.tree.body, name))
    if len(nodes) != 1:
        return None
    node = nodes[0]
    if isinstance(node, ast.ImportFrom) and not node.level:
        other = program.module(node.module or "")
        alias = next(each for each in node.names if (each.asname or each.name) == name)
        nodes = list(bindings(other.tree.body, alias.name)) if other is not None and other.source is not None else []
        if other is None or len(nodes) != 1:
            return None
        module, node = other, nodes[0]
    return (module, node) if isinstance(node, (ast.ClassDef, *FUNCTIONS)) else None


def _takes(module: ModuleText, node: Any, name: str) -> ast.arguments | None:
    """What a class, or a function that is never pinned, is called with; None if that is not seen."""
    if isinstance(node, ast.ClassDef):
        return _takes_class(module, node)
    is_latest = policy_in(module.policies, module.name, name) == "latest" and len(node.decorator_list) == 1
    return node.args if is_latest else None


def _takes_class(module: ModuleText, node: ast.ClassDef) -> ast.arguments | None:
    """The parameters of ``__init__`` behind the first; of a class without any that is none of Python's own."""
    for _ in range(MOST_BASES):
        own = {each.name: each for each in node.body if isinstance(each, FUNCTIONS)}
        if node.decorator_list or node.keywords or "__new__" in own:
            return None
        if "__init__" in own:
            return _without_first(own["__init__"])
        bases = [list(bindings(module.tree.body, each.id)) for each in node.bases if isinstance(each, ast.Name)]
        if len(node.bases) != 1 or len(bases) != 1 or len(bases[0]) != 1 or not isinstance(bases[0][0], ast.ClassDef):
            return None
        node = bases[0][0]
    return None


def _without_first(function: Any) -> ast.arguments | None:
    arguments = function.args
    if function.decorator_list or not (arguments.posonlyargs or arguments.args):
        return None
    rest = {"posonlyargs": arguments.posonlyargs[1:]} if arguments.posonlyargs else {"args": arguments.args[1:]}
    return ast.arguments(**{**dict(ast.iter_fields(arguments)), **rest})


def _fits(node: ast.Call, takes: ast.arguments) -> bool:
    """Whether a call can be made; one with unpacked arguments can."""
    if any(isinstance(each, ast.Starred) for each in node.args) or any(each.arg is None for each in node.keywords):
        return True
    positional = [each.arg for each in (*takes.posonlyargs, *takes.args)]
    given, named = positional[: len(node.args)], [str(each.arg) for each in node.keywords]
    if len(node.args) > len(positional) and takes.vararg is None:
        return False
    by_name = [*(each.arg for each in takes.args), *(each.arg for each in takes.kwonlyargs)]
    if any(name in given and name in by_name for name in named):
        return False
    if takes.kwarg is None and any(name not in by_name for name in named):
        return False
    needed = positional[: len(positional) - len(takes.defaults)]
    needed += [each.arg for each, default in zip(takes.kwonlyargs, takes.kw_defaults, strict=True) if default is None]
    return all(name in given or (name in named and name in by_name) for name in needed)
