# durable: on
"""Chains of __context__, __cause__ and __suppress_context__ stay as they were made."""
import asyncio

from world import effect, fail


async def inner():
    try:
        await fail("inner", ValueError("first"))
    except ValueError as error:
        await effect("in handler")
        raise KeyError("second") from error


async def middle():
    try:
        await inner()
    except KeyError:
        await effect("in middle")
        raise RuntimeError("third")  # noqa: B904


async def outer():
    try:
        await middle()
    except RuntimeError:
        await effect("in outer")
        raise OSError("fourth") from None


def describe(error):
    chain = []
    while error is not None:
        cause = type(error.__cause__).__name__
        context = type(error.__context__).__name__
        chain.append((type(error).__name__, str(error), cause, context, error.__suppress_context__))
        error = error.__cause__ or error.__context__
    return chain


async def main():
    kept = None
    try:
        await outer()
    except OSError as error:
        kept = error
        before = describe(error)
        await effect("held in handler")
        inside = describe(error)
    await effect("held outside")
    return before == inside == describe(kept), describe(kept)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
