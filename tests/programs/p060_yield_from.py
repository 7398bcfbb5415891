# durable: on
"""yield from chains held across awaits: values, sends, throws and return values pass through."""
import asyncio

from world import effect


def inner(log, n):
    got = []
    for k in range(n):
        try:
            got.append((yield k))
        except KeyError as error:
            log.append(repr(error))
            got.append("error")
    return got


def middle(log):
    first = yield from inner(log, 2)
    second = yield from "ab"
    third = yield from iter([9])
    return first, second, third


def outer(log):
    try:
        result = yield from middle(log)
        log.append(("middle returned", result))
        more = [(yield from inner(log, 1)), (yield "plain"), *((yield from range(0)) or ())]
        return more
    finally:
        log.append("outer done")


async def main():
    log, out = [], []
    gen = outer(log)
    out.append(next(gen))
    await effect("one")
    out.append(gen.send("s1"))
    await effect("two")
    out.append(gen.throw(KeyError("thrown")))
    await effect("three")
    out.append(next(gen))
    await effect("four")
    out.append(next(gen))
    await effect("five")
    out.append(next(gen))
    out.append(gen.gi_yieldfrom is not None)
    await effect("six")
    out.append(gen.send("into inner"))
    try:
        gen.send(await effect("seven", "last"))
    except StopIteration as stop:
        out.append(stop.value)
    half = outer(log)
    next(half)
    await effect("eight")
    half.close()
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
