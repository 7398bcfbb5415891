# durable: on
"""ABCs, virtual subclasses, Generic and Protocol classes with instances held across awaits."""
import abc
import asyncio
from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar, runtime_checkable

from world import effect


T = TypeVar("T")


class Shape(abc.ABC):
    @abc.abstractmethod
    async def area(self): ...

    @property
    @abc.abstractmethod
    def name(self): ...


class Square(Shape):
    name = "square"

    def __init__(self, side):
        self.side = side

    async def area(self):
        return await effect(f"area {self.side}", self.side**2)


class Box(Generic[T]):
    def __init__(self, value: T):
        self.value = value


@runtime_checkable
class HasSide(Protocol):
    side: int


class Frozen(Mapping):
    def __init__(self, **data):
        self._data = data

    def __getitem__(self, key):
        return self._data[key]

    def __iter__(self):
        return iter(self._data)

    def __len__(self):
        return len(self._data)


Shape.register(Frozen)


async def main():
    class Circle(Shape):
        name = "circle"

        async def area(self):
            return await effect("circle", 3)

    shapes = [Square(2), Circle(), Square(5)]
    box: Box[int] = Box[int](7)
    alias = Box[str]
    hints = [list[int], dict[str, int] | None]
    frozen = Frozen(a=1, b=2)
    await effect("made")
    areas = [await s.area() for s in shapes]
    try:
        Shape()
    except TypeError:
        areas.append("abstract")
    await effect("held")
    return [
        areas,
        [s.name for s in shapes if isinstance(s, HasSide)],
        (box.value, alias("x").value, str(hints)),
        (dict(frozen), "a" in frozen, frozen == {"a": 1, "b": 2}, list(frozen.items())),
        isinstance(shapes[1], Circle) and issubclass(Frozen, Shape),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
