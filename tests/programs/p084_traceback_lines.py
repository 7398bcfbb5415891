# durable: on
"""Tracebacks of errors raised after awaits name the functions and the original lines of this file."""
import asyncio
import traceback

from world import effect, fail


def lines(error, base):
    frames = traceback.extract_tb(error.__traceback__)
    return [(f.name, f.lineno - base, f.line) for f in frames if f.filename == __file__ and f.name != "<listcomp>"]


async def inner(n):
    await effect(f"inner{n}")
    value = [
        1,
        2 // n,
    ]
    return value


async def outer(n):
    for _ in range(1):
        try:
            return await inner(n)
        finally:
            await asyncio.sleep(0)


async def leaf():
    async with Nothing():
        await fail(
            "leaf fails",
            OSError("leaf"),
        )


class Nothing:
    async def __aenter__(self):
        pass

    async def __aexit__(self, *info):
        await effect("exit")


async def main():
    base = main.__code__.co_firstlineno
    out = [await outer(1)]
    try:
        await outer(0)
    except ZeroDivisionError as error:
        out.append(lines(error, base))
    try:
        await leaf()
    except OSError as error:
        out.append(lines(error, base))
    try:
        [x async for x in failing()]
    except KeyError as error:
        out.append(lines(error, base))
    return out


async def failing():
    yield await effect("first")
    raise KeyError(
        "in generator"
    )


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
