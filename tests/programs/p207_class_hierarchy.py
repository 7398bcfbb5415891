# durable: on
"""Metaclass, mixin with super(), descriptor, property, __await__, asynchronous iteration and class data together."""
import asyncio

from world import effect


class Registry(type):
    known = {}  # noqa: RUF012

    def __new__(meta, name, bases, namespace, **details):
        made = super().__new__(meta, name, bases, namespace)
        meta.known[name] = details.get("tag")
        return made

    def __init__(cls, name, bases, namespace, **_details):
        super().__init__(name, bases, namespace)


class Base(metaclass=Registry, tag="base"):
    made = 0
    children = ()

    def __init__(self, value):
        self.value = value
        Base.made += 1

    def __init_subclass__(cls, **details):
        Base.children += (cls.__name__,)

    async def describe(self):
        return [await effect(f"base {self.value}", "base")]

    @classmethod
    async def create(cls, value):
        return cls(await effect(f"create {value}", value))


class Loud:
    async def describe(self):
        found = await super().describe()
        found.append(await effect("loud", type(self).__name__))
        return found


class Whole:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner):
        return self if instance is None else getattr(instance, self.name, 0)

    def __set__(self, instance, value):
        setattr(instance, self.name, int(value))


class Child(Loud, Base, tag="child"):
    size = Whole()
    __secret = 5

    async def describe(self):
        found = await super().describe()
        self.size = len(found) + 0.5
        return [*found, self.size, self.__secret, __class__.__name__]

    def __aiter__(self):
        self.left = 2
        return self

    async def __anext__(self):
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        return await effect(f"next {self.left}", self.left * self.value)

    async def _wait(self):
        return f"waited {await effect('wait', self.value)}"

    def __await__(self):
        return self._wait().__await__()

    @property
    def half(self):
        return self.value / 2

    @half.setter
    def half(self, value):
        self.value = int(value * 2)


async def main():
    out = []
    for number in (3, 4):
        child = await Child.create(number)
        out.append((await child.describe(), [x async for x in child], await child))
        child.half = await effect("half", number)
        out.append((child.value, child.half))
    return out, Base.made, Base.children, Registry.known



if __name__ == "__main__":
    print(repr(asyncio.run(main())))
