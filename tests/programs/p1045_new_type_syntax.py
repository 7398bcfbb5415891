# durable: on
# requires: 3.12
"""Generic functions and classes of PEP 695 with type parameters, aliases and instances held across awaits."""
import asyncio

from world import effect


type Pairs[T] = list[tuple[T, T]]


class Box[T]:
    def __init__(self, value: T):
        self.value = value

    async def map[U](self, fn) -> "Box[U]":
        return Box(fn(await effect(f"map {self.value}", self.value)))


async def first[T: (int, str)](items: list[T]) -> T:
    await effect("first")
    return items[0]


async def main():
    class Local[K](Box[K]):
        async def twice(self):
            return [await self.map(lambda x: x * 2), await super().map(lambda x: x * 3)]

    def pair[V](a: V, b: V) -> Pairs[V]:
        return [(a, b)]

    box, local, alias = Box[int](2), Local("a"), Pairs
    await effect("made")
    mapped = await box.map(str)
    twice = await local.twice()
    await effect("held")
    return [
        mapped.value,
        [b.value for b in twice],
        await first(["x"]),
        pair(1, 2),
        alias is Pairs and alias.__name__,
        [p.__name__ for p in first.__type_params__ + Local.__type_params__ + pair.__type_params__],
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
