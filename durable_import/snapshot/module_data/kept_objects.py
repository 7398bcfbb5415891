"""Clients, schedulers and the like at the level of a module, of which the program has set something since.

Their modules make them again. What is brought back of one that an instance has made is brought back of these too: see
``holds.kept``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...holds.kept import changed, first_values, put
from ...holds.kinds import known_of
from ...holds.table import Kind

KEPT = "kept"  # how they are restored


class KeptObjects:
    """Those of the modules of a program, as they were at first."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], tuple[Any, dict[str, Any]]] = {}
        self._known: set[int] = set()

    def begin(self, module: str, namespace: dict[str, Any]) -> None:
        """Note those of a module; one that has several names, by the first."""
        for name, value in list(namespace.items()):
            known = known_of(value) if not isinstance(value, type) else None
            if known is not None and known.kind is Kind.REOPENABLE and known.keeps and id(value) not in self._known:
                self._known.add(id(value))
                self._first[module, name] = value, first_values(value, {})

    def contents(self) -> Iterator[tuple[str, tuple[str, Any, Any]]]:
        """What has been set since, by the names of contents."""
        for (module, name), (value, first) in self._first.items():
            changes = changed(value, first)
            if changes:
                yield f"{KEPT} {module}.{name}", (KEPT, value, changes)


def put_again(kept: Any, changes: dict[str, Any]) -> None:
    """Set it again."""
    for name, value in changes.items():
        go_on = put(kept, name, value)
        if go_on is not None:
            go_on()
