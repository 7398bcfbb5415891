"""The branches of ``itertools.tee``: natively none can be made that shares what another one has read."""

from __future__ import annotations

from typing import Any

from ...frames.hiding import hidden_from_tracebacks
from ...pythons.iterators import TEE

LENGTH = 57  # items of a link, as in CPython; part of the format: a link is full when it has so many


class TeeLink:
    """Items that one branch has read and others may still have to; then comes the next link."""

    __slots__ = ("following", "items", "reading", "source")

    def __init__(self, source: Any = None, items: tuple[Any, ...] = (), following: TeeLink | None = None) -> None:
        self.source = source
        self.items = list(items)
        self.following = following
        self.reading = False

    def item(self, index: int) -> Any:
        """The item at an index; read from the source if this branch is the first there."""
        if index < len(self.items):
            return self.items[index]
        if self.reading:
            raise RuntimeError("cannot re-enter the tee iterator")
        self.reading = True
        try:
            self.items.append(next(self.source))
        finally:
            self.reading = False
        return self.items[index]

    def next_link(self) -> TeeLink:
        """The link after this one, which is full."""
        if self.following is None:
            self.following = TeeLink(self.source)
        return self.following

    def __reduce__(self) -> tuple[Any, ...]:
        return reduce_link(self.source, self.items, self.following)


def reduce_link(source: Any, items: list[Any], following: Any) -> tuple[Any, ...]:
    """A link, native or not; an item may lead back to it."""
    return TeeLink, (), (source, tuple(items), following), None, None, fill_link


def fill_link(link: TeeLink, state: tuple[Any, tuple[Any, ...], Any]) -> None:
    """Give a link its source, its items and the next link or None."""
    link.source, items, link.following = state
    link.items[:] = items


class Tee:
    """A branch: for ``isinstance`` and in its repr it is a native one."""

    __slots__ = ("__weakref__", "index", "link")

    def __init__(self, link: TeeLink, index: int) -> None:
        self.link = link
        self.index = index

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return TEE

    def __iter__(self) -> Tee:
        return self

    @hidden_from_tracebacks
    def __next__(self) -> Any:
        if self.index == LENGTH:
            self.link, self.index = self.link.next_link(), 0
        item = self.link.item(self.index)
        self.index += 1
        return item

    def __copy__(self) -> Tee:
        return Tee(self.link, self.index)

    def __repr__(self) -> str:
        return f"<itertools._tee object at {id(self):#x}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Tee, (self.link, self.index)
