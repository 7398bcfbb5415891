"""New names of the program's modules, classes and enum members, as it has said them."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from ..errors import MissingCodeError
from ..hook.code_table import MODULES, PROGRAM

_NEW: dict[str, str] = {}  # by what saved states say


def renamed(old: str, new: str) -> None:
    """Say that what saved states call ``old`` is called ``new`` today.

    Both are a module (``"shop.orders"``, with all that is below it), a class, a function or data at module level
    (``"shop.orders:Order"``), a member of an enum (``"shop.orders:Tier.SILVER"``), or a field, attribute or method of a class.
    Say it at module level, before instances are resumed; a name that is there today still means itself. Raises ValueError for
    what is no such pair.
    """
    for name in (old, new):
        module, colon, place = name.partition(":")
        parts = [*module.split("."), *(place.split(".") if colon else ())]
        if not all(part.isidentifier() for part in parts):
            raise ValueError(f'renamed({old!r}, {new!r}): {name!r} is not like "module" or "module:Name"')
    if (":" in old) != (":" in new):
        raise ValueError(f"renamed({old!r}, {new!r}): one is a module, the other is not")
    if old == new:
        raise ValueError(f"renamed({old!r}, {new!r}): the names are the same")
    _NEW[old] = new


def said() -> dict[str, str]:
    """All new names, by what saved states say."""
    return _NEW


def is_called(former: str, module: str, name: str) -> bool:
    """Whether what is under a name of a module today is what was called ``former``, in that module or one of another name."""
    modules = {module, *(old.partition(":")[0] for old in _NEW)}
    return any(new_place(each, former) == (module, name) for each in modules)


def new_place(module: str, name: str) -> tuple[str, str]:
    """Module and name today of what was saved as ``name`` of ``module``: the same, unless one was said."""
    place, seen = f"{module}:{name}", set[str]()
    while place not in seen:
        seen.add(place)
        place = _next(place)
    module, _, name = place.partition(":")
    return module, name


def new_module(module: str) -> str:
    """What a module is called today; itself, if nothing was said or it is there as it was."""
    return module if module in MODULES else new_place(module, "")[0]


def former_names() -> dict[str, str]:
    """What the last part of each new name was."""
    pairs = ((new.replace(":", ".").rpartition(".")[2], old.replace(":", ".").rpartition(".")[2]) for old, new in _NEW.items())
    return {new: old for new, old in pairs if new != old}


class Renaming(ast.NodeTransformer):
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


def _next(place: str) -> str:
    """What was said of a place, or of the longest part of it."""
    end = len(place)
    while end > 0:
        if place[:end] in _NEW:
            return _NEW[place[:end]] + place[end:]
        end = max(place.rfind(".", 0, end), place.rfind(":", 0, end))
    return place


def new_member(module: str, name: str, member: str | None) -> tuple[str, str] | None:
    """Module and name today of a member of a class that has these today; it may have been said of the class's former name.

    Of any of its members if ``member`` is None.
    """
    for old in _NEW:
        former, _, place = old.partition(":")
        cls, _, last = place.rpartition(".")
        if last == (member or last) and cls and new_place(former, cls) == (module, name):
            return new_place(former, place)
    return None


def gone(module: str, name: str, error: Exception, today: str = "") -> MissingCodeError:
    """The error for a class or function of the program that is not found by its name, nor by another that was said.

    ``today``: what it may be called now.
    """
    missing = missing_module(module, error)
    if missing:
        what, line = f"module {module!r}", line_for_module(module, missing)
    else:
        holder = "".join(name.rpartition(".")[:2])
        today = today or f"{holder}NAME"
        what, line = f"{name!r} of module {module!r}", f'durable_import.renamed("{module}:{name}", "{module}:{today}")'
    return MissingCodeError(
        f"the saved state needs {what}, which is not there today ({error}). Put it back, or, if it is called something else, say "
        f"so at module level: {line}. Then resume again; the saved state is kept."
    )


def missing_module(module: str, error: BaseException | None) -> str:
    """The module, or package that it is in, whose absence an error is about; empty if it is about something else."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    return name if name and f"{module}.".startswith(f"{name}.") else ""


def line_for_module(module: str, missing: str) -> str:
    """What says how a module, or a package that it was in, is called today: the program's only one that ends alike."""
    parts = module.split(".")
    loaded = PROGRAM if parts[-1] in {each.rpartition(".")[2] for each in PROGRAM} else _of_program()
    alike = [each.split(".") for each in loaded if each.rpartition(".")[2] == parts[-1]]
    old, new = missing, "NAME"
    if len(alike) == 1 and len(alike[0]) == len(parts):
        while len(parts) > 1 and parts[-1] == alike[0][-1]:
            parts, alike = parts[:-1], [alike[0][:-1]]
        old, new = ".".join(parts), ".".join(alike[0])
    return f'durable_import.renamed("{old}", "{new}")'


def _of_program() -> list[str]:
    """The modules that were imported from neither the standard library nor an installed package."""
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    own = [name for name, file in files.items() if file and not {"site-packages", "dist-packages"} & set(Path(file).parts)]
    return [name for name in own if name.partition(".")[0] not in sys.stdlib_module_names]


def is_about(error: AttributeError | ModuleNotFoundError, module: str) -> bool:
    """Whether it is this module that is not found, or a name in it, and no other module that it imports."""
    return isinstance(error, AttributeError) or f"{module}.".startswith(f"{error.name}.")
