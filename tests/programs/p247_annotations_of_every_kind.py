# durable: on
"""Annotations in blocks of a class, of private names, of stars, of what a wrapper stands for, of coroutines and generators."""
import asyncio
import collections.abc
import functools
import typing

from world import effect

Ts = typing.TypeVarTuple("Ts")


def noted(function: collections.abc.Callable) -> collections.abc.Callable:
    @functools.wraps(function)
    async def wrapper(*args: typing.Any) -> typing.Any:
        return await function(*args)

    return wrapper


@noted
async def step(value: int, *, times: "int" = 2) -> int:
    return await effect(f"step {value}", value * times)


async def main():
    T = int
    here = [T, str]

    class Body:
        Own = list[T]
        plain: Own
        if T is int:
            chosen: T
        else:
            left_out: T
        for Each in here:
            last: Each
        __hidden: Own = 1

        def method(self, x: Own, *more: *tuple[T, ...], __y: T = 1, key: here[1] = "", **rest: here) -> "Body":
            return x

    async def wait(value: T) -> list[T]:
        return [await effect("wait", value)]

    def count(limit: T) -> collections.abc.Iterator[T]:
        yield from range(limit)

    async def stream(limit: T, *, by: T = 1) -> collections.abc.AsyncIterator[T]:
        for i in range(0, limit, by):
            yield await effect(f"stream {i}", i)

    @noted
    async def local(x: T, *rest: Ts) -> here[0]:
        return await effect("local", x)

    def spread(*args: *Ts) -> None:
        return args

    held = count(3)
    got = [next(held), await wait(1), await local(2), await step(3)]
    got.append([i async for i in stream(2)])
    await effect("held", next(held))
    return [
        got,
        list(held),
        Body.__annotations__,
        {name: hint for name, hint in Body.method.__annotations__.items() if name != "more"},
        Body.method.__annotations__["more"] == next(iter(tuple[int, ...])) if hasattr(tuple[int, ...], "__iter__") else None,
        [function.__annotations__ for function in (wait, count, stream)],
        [local.__annotations__["x"], local.__annotations__["return"], local.__name__, local.__wrapped__.__annotations__["x"]],
        step.__annotations__,
        list(spread.__annotations__),
        noted.__annotations__["return"] is collections.abc.Callable,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
