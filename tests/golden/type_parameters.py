# requires: 3.12
"""PEP 695 type parameters."""


async def generic[T](f, a: T) -> T:
    def inner[U: (int, str)](x: U) -> T:
        return x

    return inner(await f(a))


class Box[T]:
    async def put(self, f, item: T):
        type Alias[V] = dict[T, V]
        self.item: T = await f(item)
        return Alias
