"""What objects of a class must have, and which members an enum has, as it is written: nothing is imported.

Only what is certain is said: a class whose bases, decorators or ``__init__`` may do something else has no needs here.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import Any

from .bindings import bindings
from .on_disk import FUNCTIONS, ModuleText, ProgramText

DECORATORS = frozenset({"dataclass", "define", "mutable", "frozen", "attrs", "s"})
MAKERS = frozenset({"BaseModel", "Struct", "NamedTuple"})  # bases that make fields of annotations
ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})
PLAIN = frozenset({"object", "ABC", "Generic", "Protocol"})
OWN_WAYS = frozenset(
    {"__init__", "__new__", "__setstate__", "__reduce__", "__reduce_ex__", "__getnewargs__", "__getnewargs_ex__"}
)
DEFAULTS = frozenset({"default", "default_factory", "factory"})
MOST_BASES = 32


def lacking_fields(program: ProgramText, module: str, name: str, fields: Collection[str]) -> list[str]:
    """The fields that objects of a class need today, and that were not there when it had ``fields``."""
    found = [*_order(program, module, name)]
    if not found or any(node is None for _, node in found):
        return []
    nodes = [node for _, node in found if node is not None]
    last = [_last(base) for _, node in found if node is not None for base in node.bases]
    if ENUMS & set(last) or any(_has_own_way(node) for node in nodes):
        return []
    makers = nodes if MAKERS & set(last) else [node for node in nodes if any(_last(d) in DECORATORS for d in node.decorator_list)]
    needed: dict[str, bool] = {}
    for node in reversed(makers):
        needed.update(_needed_in(node))
    return [each for each, is_needed in needed.items() if is_needed and each not in fields]


def members_gone(program: ProgramText, module: str, name: str, members: Collection[str]) -> list[str]:
    """Those members that an enum does not have today."""
    found = [node for _, node in _order(program, module, name)]
    if (
        not found
        or found[0] is None
        or not any(_last(base) in ENUMS for node in found if node is not None for base in node.bases)
    ):
        return []
    bound = set[str]()
    for statement in found[0].body:
        if isinstance(statement, ast.Assign):
            bound.update(each.id for target in statement.targets for each in ast.walk(target) if isinstance(each, ast.Name))
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            bound.add(statement.target.id)
        elif not isinstance(statement, (ast.Expr, ast.Pass, *FUNCTIONS)):
            return []
    return [each for each in members if each not in bound]


def _order(program: ProgramText, module: str, name: str) -> Iterator[tuple[ModuleText, ast.ClassDef | None]]:
    """A class with its bases, as they are written; None where one of them is not seen."""
    known = program.module(module)
    waiting: list[tuple[ModuleText, str]] = [(known, name)] if known is not None else []
    for _ in range(MOST_BASES):
        if not waiting:
            return
        where, each = waiting.pop(0)
        place, node = _definition(program, where, each)
        if node is None and each.rpartition(".")[2] in MAKERS | ENUMS | PLAIN:
            continue
        yield place, node
        for base in node.bases if node is not None else ():
            plain = base.value if isinstance(base, ast.Subscript) else base
            waiting.append((place, ast.unparse(plain)))
    yield where, None


def _definition(program: ProgramText, module: ModuleText, name: str) -> tuple[ModuleText, ast.ClassDef | None]:
    """A class by the name that it has in a module, perhaps imported from another one of the program."""
    first, *rest = name.split(".")
    nodes = [*bindings(module.tree.body, first)]
    if len(nodes) != 1:
        return module, None
    node = nodes[0]
    if isinstance(node, ast.ImportFrom) and not node.level and not rest:
        other = program.module(node.module or "")
        alias = next(each for each in node.names if (each.asname or each.name) == first)
        if other is None or other.source is None or name in MAKERS | ENUMS | PLAIN:
            return module, None
        return _definition(program, other, alias.name)
    for part in rest:
        node = next((each for each in getattr(node, "body", []) if isinstance(each, ast.ClassDef) and each.name == part), None)
    return module, node if isinstance(node, ast.ClassDef) else None


def _has_own_way(node: ast.ClassDef) -> bool:
    is_others = any(_last(each) not in DECORATORS for each in node.decorator_list)
    makes_none = any(k.arg == "init" for each in node.decorator_list if isinstance(each, ast.Call) for k in each.keywords)
    return is_others or makes_none or any(isinstance(each, FUNCTIONS) and each.name in OWN_WAYS for each in node.body)


def _needed_in(node: ast.ClassDef) -> Iterator[tuple[str, bool]]:
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            kind = each.annotation.value if isinstance(each.annotation, ast.Subscript) else each.annotation
            if _last(kind) not in ("ClassVar", "KW_ONLY", "InitVar") and not each.target.id.startswith("_"):
                yield each.target.id, not _has_default(each.value) and _last(kind) != "Annotated"
        elif isinstance(each, FUNCTIONS):  # ``@x.default``, of attrs
            of = [d.value for d in each.decorator_list if isinstance(d, ast.Attribute) and d.attr == "default"]
            yield from ((field.id, False) for field in of if isinstance(field, ast.Name))
        elif isinstance(each, ast.Assign):
            yield from ((target.id, False) for target in each.targets if isinstance(target, ast.Name))


def _has_default(value: ast.expr | None) -> bool:
    """Whether a field has one, or is not asked for; what is not certain counts as one."""
    if value is None:
        return False
    if not isinstance(value, ast.Call) or _last(value.func) not in ("field", "Field", "ib", "attrib"):
        return not (isinstance(value, ast.Constant) and value.value is Ellipsis)
    first = value.args[0] if value.args else None
    is_ellipsis = isinstance(first, ast.Constant) and first.value is Ellipsis
    said = {each.arg for each in value.keywords}
    return (first is not None and not is_ellipsis) or bool(said & {*DEFAULTS, "init", None})


def _last(node: Any) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    node = node.value if isinstance(node, ast.Subscript) else node
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.partition("[")[0].rpartition(".")[2]
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
