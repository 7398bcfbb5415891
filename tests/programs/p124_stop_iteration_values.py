# durable: on
"""Return values of generators arrive through StopIteration and yield from, with awaits between the steps."""
import asyncio

from world import effect, fail


def summing():
    total = 0
    while True:
        got = yield total
        if got is None:
            return total
        total += got


def delegating(log):
    result = yield from summing()
    log.append(("inner", result))
    second = yield from summing()
    log.append(("second", second))
    return result * second


async def main():
    log = []
    gen = delegating(log)
    out = [next(gen)]
    for n in (1, 2, 3):
        out.append(gen.send(await effect(f"send {n}", n)))
    out.append(gen.send(None))
    await effect("between")
    out.append(gen.send(7))
    try:
        gen.send(await effect("stop", None))
    except StopIteration as stop:
        kept = stop
    await effect("held")
    try:
        await fail("raise", LookupError(kept.value))
    except LookupError as error:
        return out, log, kept.value, kept.args, error.args


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
