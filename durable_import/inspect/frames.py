"""Frames as they were saved: which function, where in it, and its variables; see ``snapshot.tasks.frames`` for the format."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..ours import NAME
from ..rewrite.analysis.names import AWAITED, is_hidden
from ..rewrite.analysis.suspensions import Hidden, Place
from ..snapshot.frame_places import WORDS
from ..snapshot.names import module_today
from .graph import Made, items_of, ours
from .pickles import Reader, damaged

Resolve = Callable[[Any], Any]
Pairs = list[tuple[Any, Any]]
UNBOUND: Any = object()  # what a variable holds that has no value yet, or none any more
_BUILDERS = ("awaitable", "foreign_generator", "frame", "frame_in_library")
_IDENTITY = 5  # module, place, digest, name, qualname
FILLS = ("frame.fill", "frame.fill_driven")


@dataclass(frozen=True)
class SavedFrame:
    """``place`` names the function in its module, ``digest`` its code, ``qualname`` is what it is called.

    ``path`` and ``role`` say where it waits (both empty: it has not begun, or payload format 4 gave only ``label``, a number).
    ``variables``: by name; ``hidden``: those that the rewriter made, by words for what they are for. ``says``: the text of what
    is awaited there, known of the standard library's functions. ``names``: of all variables, hidden and captured ones too;
    ``cells``: of the captured ones, bound or not; ``kept``: name, role and path of the hidden ones; ``values`` of all, by name.
    """

    node: Made
    module: str
    place: str
    digest: str
    qualname: str
    path: str = ""
    role: str = ""
    label: int = 0
    says: str = ""
    variables: dict[str, Any] = field(default_factory=dict)
    hidden: list[tuple[str, Any]] = field(default_factory=list)
    awaited: Any = None
    names: frozenset[str] = frozenset()
    cells: frozenset[str] = frozenset()
    kept: tuple[Hidden, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def suspension(self) -> Place | int:
        """Where it stands, as the snapshot says it: see ``snapshot.frame_places``."""
        return (self.path, self.role, self.kept) if self.role else self.label

    @property
    def has_begun(self) -> bool:
        """Whether it is in the middle of its function."""
        return bool(self.role or self.label)

    @property
    def is_library(self) -> bool:
        """Whether it is asyncio's own, or of this package: what a program waits by."""
        if self.has_begun:
            return self.node.ours == "frame_in_library"
        return self.module.partition(".")[0] in (*sys.stdlib_module_names, NAME) and self.module != "__main__"


def frame_of(node: Any, resolve: Resolve) -> SavedFrame | None:
    """The frame that a node stands for; None for other nodes. Raises SnapshotFormatError for a damaged one."""
    if type(node) is not Made:
        return None
    if node.ours in _BUILDERS:
        return _built(node, resolve)
    if node.ours == "unchanged":
        return _unchanged(node, resolve)
    return None


def _built(node: Made, resolve: Resolve) -> SavedFrame:
    identity = _identity(node.arguments[:_IDENTITY])
    cells = items_of(resolve(node.arguments[_IDENTITY]), "dict") if len(node.arguments) > _IDENTITY else None
    values = next((state.value for state in node.states if ours(state.setter) in FILLS), None)
    found = items_of(values, "tuple")
    variables: list[Any] | None = []
    where: Any = 0
    says = ""
    if found is not None and len(found) >= 2:
        where, variables = found[0], items_of(resolve(found[1]), "dict")
        says = found[2] if len(found) > 2 and type(found[2]) is str else ""
    if cells is None or variables is None:
        raise damaged(f"the frame of {identity[1]!r} has no variables")
    captured = [(name, contents_of(resolve(cell))) for name, cell in cells]
    return _frame(node, identity, resolve(where), variables, captured, says, resolve)


def _unchanged(node: Made, resolve: Resolve) -> SavedFrame:
    """A frame that was pickled once, by itself."""
    if not node.arguments or type(node.arguments[0]) is not bytes:
        raise damaged("a frame that has not changed has no bytes")
    parts = items_of(Reader(node.arguments[0]).load(), "tuple") or []
    if len(parts) not in (2, 3):
        raise damaged("a frame that has not changed does not have its parts")
    where = node.arguments[1] if len(node.arguments) > 1 else parts[1] if len(parts) == 3 else 0
    variables = items_of(parts[-1], "dict")
    if variables is None:
        raise damaged("a frame that has not changed has no variables")
    awaited = next((state.value for state in node.states if ours(state.setter) == "unchanged.fill"), None)
    identity = _identity(items_of(parts[0], "tuple") or [])
    return _frame(node, identity, resolve(where), [*variables, (AWAITED, awaited)], [], "", resolve)


def _identity(parts: list[Any]) -> list[str]:
    if len(parts) != _IDENTITY or not all(type(part) is str for part in parts):
        raise damaged("a frame does not say of which function it is")
    return parts


def _frame(
    node: Made, identity: list[str], where: Any, variables: Pairs, captured: Pairs, says: str, resolve: Resolve
) -> SavedFrame:
    module, place, digest, _, qualname = identity
    path, role, label, kept = _where(where)
    roles = {name: its for name, its, _ in kept}
    known = {name: value for name, value in (*variables, *captured) if type(name) is str}
    return SavedFrame(
        node=node,
        module=module_today(module),
        place=place,
        digest=digest,
        qualname=qualname,
        path=path,
        role=role,
        label=label,
        says=says,
        variables={name: value for name, value in known.items() if not is_hidden(name) and value is not UNBOUND},
        hidden=[(WORDS.get(roles[name], roles[name]), known[name]) for name in roles if name in known],
        awaited=resolve(known.get(AWAITED)),
        names=frozenset(known),
        cells=frozenset(name for name, _ in captured if type(name) is str),
        kept=kept,
        values=known,
    )


def _where(node: Any) -> tuple[str, str, int, tuple[Hidden, ...]]:
    """Path, role, label, and the hidden variables."""
    if type(node) is int:
        return "", "", node, ()
    parts = items_of(node, "tuple") or []
    if len(parts) != 3 or type(parts[0]) is not str or type(parts[1]) is not str:
        raise damaged("a frame does not say where it waits")
    hidden = [items_of(each, "tuple") or [] for each in items_of(parts[2], "tuple") or []]
    kept = tuple((each[0], each[1], each[2]) for each in hidden if [type(part) for part in each] == [str, str, str])
    return parts[0], parts[1], 0, kept


def contents_of(cell: Any) -> Any:
    """What a captured variable holds; ``UNBOUND`` if nothing."""
    if type(cell) is not Made:
        return UNBOUND
    for state in cell.states:
        if ours(state.setter) in ("cell.fill", "class_cell.fill"):
            contents = items_of(state.value, "tuple")
            return contents[0] if contents else UNBOUND
    return UNBOUND
