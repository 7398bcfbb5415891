"""``frozendict`` of Python 3.15, for the states that hold one under an older Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class frozendict(Mapping[Any, Any]):
    """A mapping that never changes."""

    __slots__ = ("_items",)
    _items: dict[Any, Any]

    def __new__(cls, *arguments: Any, **more: Any) -> frozendict:
        made = super().__new__(cls)
        object.__setattr__(made, "_items", dict(*arguments, **more))
        return made

    def __getitem__(self, key: Any) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"'frozendict' object has no attribute {name!r}")

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f"frozendict({self._items!r})" if self._items else "frozendict()"

    def copy(self) -> frozendict:
        """Itself: it never changes."""
        return self

    def __or__(self, other: Any) -> frozendict:
        return frozendict({**self, **other}) if isinstance(other, (Mapping, dict)) else NotImplemented

    def __reduce__(self) -> tuple[Any, ...]:
        return frozendict, (self._items,)
