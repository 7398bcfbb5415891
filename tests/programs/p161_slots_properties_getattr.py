# durable: on
"""Instances with __slots__, properties, __getattr__, __setattr__ and custom __getstate__ survive."""
import asyncio

from world import effect


class Point:
    __slots__ = ("x", "y", "__weakref__")

    def __init__(self, x):
        self.x = x


class Point3(Point):
    __slots__ = ("z", "__dict__")


class Guarded:
    def __init__(self):
        object.__setattr__(self, "data", {})

    def __getattr__(self, name):
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value):
        self.data[name] = value

    @property
    def size(self):
        return len(self.data)


class Connection:
    opened = 0

    def __init__(self, url):
        self.url = url
        self.handle = (n for n in range(3))
        self.lost = False

    def __getstate__(self):
        return {"url": self.url}

    def __setstate__(self, state):
        self.url = state["url"]
        self.handle = None
        self.lost = True


async def main():
    p, q, g = Point(1), Point3(2), Guarded()
    c = Connection("u")
    await effect("made")
    q.z = p
    q.extra = g
    p.y = await effect("y", q)
    g.first = 1
    g.second = await effect("second", p)
    await effect("held")
    unset = hasattr(Point(0), "y")
    return p.y.z is p, q.extra.second is p, g.size, hasattr(g, "third"), unset, q.__dict__ == {"extra": g}, c.url


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
