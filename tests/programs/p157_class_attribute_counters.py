# durable: on
"""Class attributes used as counters and registries, through cls, the class name and subclasses, keep their values."""
import asyncio

from world import effect


class Model:
    created = 0
    registry = []

    def __init__(self, name):
        type(self).created += 1
        Model.registry.append(name)
        self.id = self.created

    @classmethod
    async def make(cls, name):
        self = cls(await effect(f"make {name}", name))
        cls.last = self
        return self


class Special(Model):
    created = 100


async def main():
    a = await Model.make("a")
    b = await Special.make("b")
    c = await Model.make("c")
    await effect("held")
    d = await Special.make("d")
    ids = [x.id for x in (a, b, c, d)]
    await effect("end")
    return ids, Model.created, Special.created, Model.registry, Model.last is c, Special.last is d


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
