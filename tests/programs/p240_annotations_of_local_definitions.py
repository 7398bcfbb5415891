# durable: on
"""Functions and classes with annotations that name variables of the function around, over awaits."""
import asyncio
import functools
import typing

from world import effect


def noted(function):
    @functools.wraps(function)
    def wrapper(*args: int, **kwargs: "str"):
        return function(*args, **kwargs)

    return wrapper


def outer(x: int, y: str = "y") -> bool:
    return bool(x)


async def inner(kind):
    def convert(value: kind, *more: list[kind]) -> "kind | None":
        return kind(value)

    await effect("inner", kind.__name__)
    return convert, typing.get_type_hints(convert, localns={"kind": kind})


async def main():
    T = int
    hold = [T]

    def f(x: T, y: "list[int]" = ()) -> dict[str, T]:
        return x, y

    @noted
    def g(x: T, /, *, key: T | None = None) -> T:
        return x if key is None else key

    class Base:
        Unit = T
        size: Unit = 1
        names: list[Unit]

        def method(self, other: Unit, more: T = 2) -> "Base":
            return self.size + other + more

        @staticmethod
        def static(x: T) -> T:
            return x

        @property
        def half(self) -> T:
            return self.size // 2

    class Derived(Base):
        extra: T = 3

    before = typing.get_type_hints(g)
    await effect("made", [f(1), g(2)])
    hints = [typing.get_type_hints(f), typing.get_type_hints(g) == before, typing.get_type_hints(Base.method, localns={"Base": Base})["other"]]
    f.__annotations__["later"] = str
    g.__annotations__.pop("key", None)
    await effect("hints", len(hints))
    wrapped = noted(outer)
    async_convert, found = await inner(float)

    def after(x: T, y: hold) -> list[T]:
        return T(x)

    T = hold[0]
    await effect("wrapped", wrapped(1))
    return [
        f.__annotations__,
        sorted(g.__annotations__),
        Base.__annotations__,
        Derived.__annotations__,
        typing.get_type_hints(Derived),
        Base.method.__annotations__["other"],
        Base.static.__annotations__,
        Base.half.fget.__annotations__,
        Derived().method(4),
        Base().half,
        wrapped.__annotations__,
        wrapped.__wrapped__ is outer,
        async_convert(1),
        async_convert.__annotations__["value"],
        found["value"],
        hints[0],
        hints[1:],
        T,
        after(1.5, None),
        after.__annotations__,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
