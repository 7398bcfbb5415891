# durable: on
"""Exceptions raised in finally blocks replace and chain the pending ones."""
import asyncio

from world import effect, fail


def chain(error):
    names = []
    while error is not None:
        names.append(f"{type(error).__name__}({', '.join(map(repr, error.args))})")
        error = error.__cause__ or error.__context__
    return names


async def replace():
    try:
        await fail("first", ValueError(1))
    finally:
        try:
            await fail("second", KeyError(2))
        finally:
            await fail("third", OSError("3"))


async def suppress_inside():
    try:
        raise IndexError("outer")
    finally:
        try:
            await fail("inner", TypeError("inner"))
        except TypeError as error:
            seen = chain(error)
        await effect("inside")


async def return_lost():
    try:
        return "lost"
    finally:
        await effect("before raise")
        raise LookupError("instead of return")


async def break_lost():
    for k in range(3):
        try:
            break
        finally:
            await fail("break", ArithmeticError(k))


async def main():
    out = []
    for program in (replace, return_lost, break_lost):
        try:
            out.append(await program())
        except Exception as error:
            out.append(chain(error))
            await effect(f"caught {program.__name__}")
            out.append(chain(error))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
