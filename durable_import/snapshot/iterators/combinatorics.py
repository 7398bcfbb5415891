"""``product``, ``combinations``, ``combinations_with_replacement`` and ``permutations`` from any position.

Since Python 3.14 none of them can be made elsewhere than at its beginning. These go on in their place, by the same indices, after
the algorithms of CPython's ``itertoolsmodule.c``; for ``isinstance`` and in their repr they are the native ones.
"""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from ...pythons.iterators import HAS_STATES, set_state


class Indexed:
    """An iterator over choices from pools, which has given the one at ``indices``; these are None once it has ended."""

    __slots__ = ("__weakref__", "indices")
    native: ClassVar[Any]
    ended: ClassVar[tuple[Any, ...]]  # the native one made of this is at its end

    def __init__(self, indices: Iterable[int]) -> None:
        self.indices: list[int] | None = list(indices)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return self.native

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> tuple[Any, ...]:
        if self.indices is None or not self.advance(self.indices):
            self.indices = None
            raise StopIteration
        return self.chosen(self.indices)

    def __repr__(self) -> str:
        return f"<{self.native.__module__}.{self.native.__name__} object at {id(self):#x}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self.indices is None:
            return self.native, self.ended
        return restore_choices, (self.native, *self.place(tuple(self.indices)))

    @abstractmethod
    def advance(self, indices: list[int]) -> bool:
        """Go to the next choice; False if there is none."""

    @abstractmethod
    def chosen(self, indices: list[int]) -> tuple[Any, ...]:
        """The items at the indices."""

    @abstractmethod
    def place(self, indices: tuple[int, ...]) -> tuple[Any, ...]:
        """The arguments that make it again; the last one is as long as a choice."""


class Product(Indexed):
    """``itertools.product``."""

    __slots__ = ("pools",)
    native = itertools.product
    ended = ((),)

    def __init__(self, pools: tuple[tuple[Any, ...], ...], indices: Iterable[int]) -> None:
        super().__init__(indices)
        self.pools = pools

    def advance(self, indices: list[int]) -> bool:
        for place in reversed(range(len(indices))):
            indices[place] += 1
            if indices[place] < len(self.pools[place]):
                return True
            indices[place] = 0
        return False

    def chosen(self, indices: list[int]) -> tuple[Any, ...]:
        return tuple([pool[index] for pool, index in zip(self.pools, indices, strict=True)])

    def place(self, indices: tuple[int, ...]) -> tuple[Any, ...]:
        return self.pools, indices


class FromOnePool(Indexed):
    """What the others have in common."""

    __slots__ = ("pool",)
    ended = ((), 1)

    def __init__(self, pool: tuple[Any, ...], indices: Iterable[int]) -> None:
        super().__init__(indices)
        self.pool = pool

    def chosen(self, indices: list[int]) -> tuple[Any, ...]:
        return tuple([self.pool[index] for index in indices])

    def place(self, indices: tuple[int, ...]) -> tuple[Any, ...]:
        return self.pool, indices


class Combinations(FromOnePool):
    """``itertools.combinations``."""

    __slots__ = ()
    native = itertools.combinations

    def advance(self, indices: list[int]) -> bool:
        length, size = len(indices), len(self.pool)
        for place in reversed(range(length)):
            if indices[place] != place + size - length:
                start = indices[place] + 1
                indices[place:] = range(start, start + length - place)
                return True
        return False


class CombinationsWithReplacement(FromOnePool):
    """``itertools.combinations_with_replacement``."""

    __slots__ = ()
    native = itertools.combinations_with_replacement

    def advance(self, indices: list[int]) -> bool:
        length, last = len(indices), len(self.pool) - 1
        for place in reversed(range(length)):
            if indices[place] != last:
                indices[place:] = [indices[place] + 1] * (length - place)
                return True
        return False


class Permutations(FromOnePool):
    """``itertools.permutations``; the first of its indices, as many as there are ``cycles``, are what it has given."""

    __slots__ = ("cycles",)
    native = itertools.permutations

    def __init__(self, pool: tuple[Any, ...], indices: Iterable[int], cycles: Iterable[int]) -> None:
        super().__init__(pool, indices)
        self.cycles = list(cycles)

    def advance(self, indices: list[int]) -> bool:
        size, cycles = len(indices), self.cycles
        for place in reversed(range(len(cycles))):
            cycles[place] -= 1
            if cycles[place]:
                other = size - cycles[place]
                indices[place], indices[other] = indices[other], indices[place]
                return True
            indices.append(indices.pop(place))
            cycles[place] = size - place
        return False

    def chosen(self, indices: list[int]) -> tuple[Any, ...]:
        return super().chosen(indices[: len(self.cycles)])

    def place(self, indices: tuple[int, ...]) -> tuple[Any, ...]:
        return self.pool, indices, tuple(self.cycles)


_IN_PLACE: dict[Any, Callable[..., Indexed]] = {
    kind.native: kind for kind in (Product, Combinations, CombinationsWithReplacement, Permutations)
}


def restore_choices(kind: Any, pool: tuple[Any, ...], *place: tuple[int, ...]) -> Any:
    """An iterator of the native type ``kind`` that has given the choice at ``place``."""
    if not HAS_STATES:
        return _IN_PLACE[kind](pool, *place)
    native = kind(*pool) if kind is itertools.product else kind(pool, len(place[-1]))
    set_state(native, place if len(place) > 1 else place[0])
    return native
