# durable: on
# requires: 3.12
"""PEP 695 classes and aliases made inside async functions with closures, decorators and bases."""
import asyncio

from world import effect


def tag(name):
    def decorate(thing):
        thing.tagged = name
        return thing
    return decorate


async def build(limit):
    factor = limit * 2

    class Base[T]:
        bound = factor

        @classmethod
        async def make[U: Base](cls: type[U], value: T) -> U:
            self = cls()
            self.value = await effect(f"make{value}", value) * factor
            return self

    @tag(await effect("tag", "decorated"))
    class Child[T](Base[T]):
        __hidden = "mangled"

        async def secret[S](self) -> S:
            nonlocal factor
            factor += 1
            return self.__hidden, S.__name__, await super().make(factor)

    factor += 1
    type Alias = list[Child | factor]
    try:
        Alias.__value__
    except TypeError as error:
        refused = "unsupported operand" in str(error)
    del Alias
    await effect("built")
    return Base, Child, refused, lambda: factor


async def main():
    Base, Child, refused, read = await build(2)
    child = await Child.make(7)
    await effect("held")
    hidden, name, base = await child.secret()
    out = [child.value, type(child) is Child, hidden, name, base.value, read(), Child.tagged, Base.bound]
    out.append([p.__name__ for p in Child.__type_params__ + Base.make.__type_params__])
    out.append((Base.make.__type_params__[0].__bound__ is Base, Child.__orig_bases__[0].__origin__ is Base))
    await effect("end")
    out.append((Child[int].__origin__ is Child, refused))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
