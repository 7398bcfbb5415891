# durable: on
# requires: 3.12
"""PEP 695 type parameters on async functions, generators and classes whose code awaits."""
import asyncio
from typing import get_type_hints

from world import effect


async def first[T](items: list[T], default: T | None = None) -> T | None:
    for item in items:
        if await effect(f"first-{item}", item):
            return item
    return default


async def stream[T, *Ts, **P](x: T, *rest: *Ts):
    yield T.__name__, x
    await effect("stream")
    yield rest


class Stack[T: (int, str)]:
    kinds: list[T]

    def __init__(self):
        self.items: list[T] = []

    async def push[U](self, item: T, also: U = None) -> tuple[T, U]:
        self.items.append(await effect(f"push-{item}", item))
        return T.__name__, U.__name__, also

    def walk[V](self):
        def inner[W]():
            yield V.__name__, W.__name__, T.__name__
            yield from self.items
        return inner()


type Pair[A] = tuple[A, A]


async def main():
    type Local[B] = dict[str, Pair[B]]
    out = [await first([0, 3]), [p.__name__ for p in first.__type_params__]]
    out.append([x async for x in stream(1, 2, 3)])
    stack = Stack[int]()
    out.append(await stack.push(5, also="a"))

    async def generic[K](key: K = await effect("default", "dk")):
        nonlocal out
        out.append((key, K.__name__, await effect("in generic")))
        return [k async for k in stream(key)]

    walker = stack.walk()
    out.append(next(walker))
    out.append(await generic())
    out.append(list(walker))
    await effect("held")
    out.append((Local.__name__, str(Local.__value__).replace(f"{__name__}.", ""), Pair.__type_params__[0].__name__, Stack.__type_params__[0].__constraints__))
    out.append(sorted(get_type_hints(first)))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
