# durable: on
"""Exceptions that climb through many suspended frames, changed by handlers and finally on the way."""
import asyncio

from world import effect, fail


async def climb(n, log):
    try:
        if n == 0:
            await fail("bottom", ValueError("bottom"))
        return await climb(n - 1, log)
    except ValueError as error:
        if n == 3:
            raise KeyError(n) from error
        if n == 2:
            error.add_note(await effect("note", f"note at {n}"))
        raise
    except KeyError as error:
        if n == 5:
            return "caught", n, await effect("caught", depth(error))
        raise
    finally:
        log.append(n)
        if n % 2:
            await effect(f"finally{n}")


def depth(error):
    return [repr(error), getattr(error.__cause__, "__notes__", None), repr(error.__context__)]


async def unwind(n):
    try:
        if n:
            return await unwind(n - 1)
        raise LookupError("unwound")
    finally:
        try:
            raise TypeError(n)
        except TypeError as error:
            contexts = 0
            last = error
            while last.__context__:
                last = last.__context__
                contexts += 1
            await asyncio.sleep(0)
        if n == 4:
            return contexts, repr(last)


async def main():
    log = []
    result = await climb(6, log)
    await effect("between")
    return result, log, await unwind(4)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
