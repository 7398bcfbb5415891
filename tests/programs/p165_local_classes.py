# durable: on
"""Local classes with super(), inheritance, class cells, closures and instances of them survive."""
import asyncio

from world import effect


class Base:
    def __init__(self):
        self.log = ["base"]

    async def greet(self):
        return await effect("base greet", "base")


def make(kind, shared):
    class Local(Base):
        registry = shared

        def __init__(self):
            super().__init__()
            self.log.append(kind)
            self.registry.append(self)

        async def greet(self):
            own = await effect(f"{kind} greet", kind)
            return own, await super().greet(), __class__.__name__

    return Local


async def main():
    shared = []
    First = make("first", shared)
    Second = make("second", shared)

    class Third(First):
        async def greet(self):
            return "third", await super().greet()

    await effect("classes")
    a, b, c = First(), Second(), Third()
    await effect("instances")
    Third.late = await effect("late", 5)
    out = [await a.greet(), await c.greet()]
    await effect("held")
    d = type(b)()
    return [
        out,
        d.log,
        [x.log for x in shared],
        shared[3] is d and First.registry is shared,
        isinstance(c, First) and not isinstance(c, Second),
        [k.__name__ for k in Third.__mro__],
        c.late,
        type(a) is First and type(d) is Second and First is not Second,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
