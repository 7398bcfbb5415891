"""What a snapshot says, as a graph of plain nodes: names are only names, and what makes an object is only told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from ..snapshot.names import MODULE

Atom: TypeAlias = bool | int | float | str | bytes | None  # which stands for itself


class Named(NamedTuple):
    """A function, class or object by its name. ``module`` is ``MODULE`` for what has a name of ours."""

    module: str
    name: str

    def __str__(self) -> str:
        return self.name if self.module in ("builtins", MODULE) else f"{self.module}.{self.name}"


@dataclass(slots=True, eq=False, repr=False)
class Items:
    """A container: ``kind`` is 'list', 'tuple', 'set', 'frozenset', 'dict' or 'bytearray'.

    ``items`` of a dict are pairs; those of a bytearray are one bytes object.
    """

    kind: str
    items: list[Any]


class State(NamedTuple):
    """What an object was given after it was made; ``setter``: the function that gives it, None for the class's own way."""

    setter: Any
    value: Any


@dataclass(slots=True, eq=False, repr=False)
class Made:
    """An object by the call that makes it, and what it was given then. ``is_new``: ``function`` is its class.

    ``items`` and ``pairs``: what was appended to it, or set by keys.
    """

    function: Any
    arguments: list[Any]
    keywords: Items | None = None
    is_new: bool = False
    states: list[State] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    pairs: list[tuple[Any, Any]] = field(default_factory=list)

    @property
    def ours(self) -> str:
        """The name of ours by which it is made; empty for other objects."""
        return ours(self.function)


def ours(node: Any) -> str:
    """The name that snapshots have for a function or class of this package; empty for other nodes."""
    return node.name if type(node) is Named and node.module == MODULE else ""


def is_made(node: Any, *names: str) -> bool:
    """Whether something is an object that is made by one of these names of ours."""
    return type(node) is Made and node.ours in names


def items_of(node: Any, *kinds: str) -> list[Any] | None:
    """What is in a container of one of these kinds; None for other nodes."""
    return node.items if type(node) is Items and node.kind in kinds else None
