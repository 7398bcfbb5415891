# durable: on
"""Properties that return awaitables, descriptors, __getattr__, __call__ and operators that give awaitables."""
import asyncio

from world import effect


class Lazy:
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, obj, owner):
        if obj is None:
            return self
        return self.load(obj)

    async def load(self, obj):
        return await effect(f"load-{self.name}", (self.name, obj.ident))


class Record:
    lazy = Lazy()

    def __init__(self, ident):
        self.ident = ident

    @property
    async def total(self):
        return await effect(f"total{self.ident}", self.ident * 100)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        async def dynamic(*args):
            return name, args, await effect(f"dyn-{name}", self.ident)
        return dynamic

    async def __call__(self, x):
        return await self.total + x

    def __getitem__(self, key):
        return effect(f"item-{key}", key * 2)

    async def __add__(self, other):
        return Record(await effect("add", self.ident + other.ident))

    def __matmul__(self, other):
        async def go():
            yield await effect("matmul", self.ident)
            yield other
        return go()

    def __bool__(self):
        return self.ident > 1


async def main():
    one, two = Record(1), Record(2)
    out = [await one.total, await one.lazy, await two(5), await one[3], await one.anything(1, 2)]
    three = await (one + two)
    out.append(three.ident)
    out.append([x async for x in three @ "end"])
    out.append("truthy" if one or await two.total else "no")
    method = three.saved
    await effect("held")
    out.append(await method())
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
